//! A screen that benches draw and press keys on.

use divan::black_box;
use epochscope::{
    detect::AlertBook,
    model::{Health, RunId, WallTime},
    store::Store,
    ui::{Background, FrameContext, Place, Screen, ScreenOptions, Theme, background::Job},
};
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};

/// Takes jobs and does none: what a key press sees while something is worked out.
pub struct Busy;

impl Background for Busy {
    fn start(&self, _: Job) -> bool {
        true
    }
}

/// A screen over a store that it does not own.
pub struct Desk {
    alerts: AlertBook,
    health: Health,
    theme: Theme,
    screen: Screen,
    buffer: Buffer,
}

impl Desk {
    /// A new screen of a view on a run.
    pub fn new(store: &Store, view: &'static str, run: &str) -> Self {
        let theme = Theme::default();
        let mut desk = Self {
            alerts: AlertBook::default(),
            health: Health::default(),
            theme,
            screen: Screen::new(theme, ScreenOptions::default()),
            buffer: Buffer::empty(Rect::new(0, 0, 200, 50)),
        };
        let place = Place { view, run: Some(RunId::from(run)), ..Place::default() };
        desk.with(store, &Busy, |screen, context, _| {
            screen.open(&place, context);
        });
        desk
    }

    fn with(
        &mut self,
        store: &Store,
        background: &dyn Background,
        work: impl FnOnce(&mut Screen, FrameContext<'_>, &mut Buffer),
    ) {
        let context = FrameContext {
            store,
            alerts: &self.alerts,
            health: &self.health,
            now: WallTime(1.7501e9),
            theme: &self.theme,
            background,
        };
        work(&mut self.screen, context, &mut self.buffer);
    }

    /// The next frame.
    pub fn draw(&mut self, store: &Store, background: &dyn Background) {
        self.with(store, background, |screen, context, buffer| {
            screen.draw(context, buffer.area, buffer);
            black_box(&buffer);
        });
    }

    /// A key, and the frame after it.
    pub fn key(&mut self, store: &Store, background: &dyn Background, key: char) {
        self.with(store, background, |screen, context, _| {
            screen.key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE), context);
        });
        self.draw(store, background);
    }
}
