//! The frame around the views: tab bar, status line, help, filter prompt, palette; who gets which key.
//!
//! Keys go to the prompt or overlay that is open, else to the view, else they mean what the global table says.

use std::time::Duration;

use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind},
    layout::{Position, Rect},
    widgets::{Clear, Widget},
};

use super::{
    Action, FrameContext, Outcome, Place, Request, Selection, Theme, VIEWS, View,
    keymap::{self, Key},
    theme::Role,
};
use crate::{
    model::{Step, WallTime},
    store::Run,
};

mod actions;
mod help;
mod palette;
mod past;
mod prompt;
mod small;
mod status;
mod tabs;
mod time_cursor;

use palette::Palette;
use prompt::Prompt;

/// Below this a frame is only a notice.
const SMALLEST: (u16, u16) = (30, 8);

/// A lone ESC closes what lies on top of the view or goes back one level; it never loses anything, because over slow
/// lines the first byte of an arrow key can arrive alone.
#[derive(Default)]
enum Overlay {
    #[default]
    None,
    /// The key table, scrolled down by so many rows.
    Help(u16),
    Filter(Prompt),
    Palette(Palette),
}

/// What the application knows of its surroundings.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScreenOptions {
    /// Seconds that local time is ahead of UTC.
    pub utc_offset_s: f64,
    /// A run silent for longer than this is of the past rather than stalled. Seconds.
    pub stale_after_s: f64,
}

impl Default for ScreenOptions {
    fn default() -> Self {
        Self { utc_offset_s: 0.0, stale_after_s: 86_400.0 }
    }
}

/// Everything on screen that is not data.
pub struct Screen {
    theme: Theme,
    selection: Selection,
    views: Vec<Box<dyn View>>,
    /// The filter of each view; that of the current one lives in the selection.
    filters: Vec<String>,
    current: usize,
    overlay: Overlay,
    message: Option<String>,
    /// Where the view was drawn last, for the mouse.
    body: Rect,
    tab_spans: Vec<(u16, u16)>,
    status_goes_stale_after: f64,
    /// The time cursor moves by itself; when it moved last.
    playing: Option<WallTime>,
    /// The alerts as they were at the time cursor.
    past: Option<past::Past>,
    pasts: u64,
}

impl Screen {
    /// A screen that shows the first view, live.
    pub fn new(theme: Theme, options: ScreenOptions) -> Self {
        let views: Vec<Box<dyn View>> = VIEWS.iter().map(|make| make()).collect();
        let selection = Selection {
            utc_offset_s: options.utc_offset_s,
            stale_after_s: options.stale_after_s,
            ..Selection::default()
        };
        Self {
            theme,
            selection,
            filters: vec![String::new(); views.len()],
            views,
            current: 0,
            overlay: Overlay::None,
            message: None,
            body: Rect::ZERO,
            tab_spans: Vec::new(),
            status_goes_stale_after: f64::INFINITY,
            playing: None,
            past: None,
            pasts: 0,
        }
    }

    /// The [`View::name`] of the view on screen.
    pub fn view_name(&self) -> &'static str {
        self.views.get(self.current).map_or("", |v| v.name())
    }

    /// What the user has chosen.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// To choose something from outside, as `frame --at STEP` does.
    pub fn selection_mut(&mut self) -> &mut Selection {
        &mut self.selection
    }

    /// Says something in the status line until the next key.
    pub fn say(&mut self, message: impl Into<String>) {
        self.message = Some(message.into());
    }

    /// While nobody has chosen a run: the one in the worst trouble.
    fn suggest(&mut self, context: FrameContext<'_>) {
        let on_runs = self.view_name() == "runs";
        if self.selection.run.is_none() && (on_runs || self.selection.suggested.is_none()) {
            self.selection.suggested =
                super::views::runs::trouble::Trouble::of(context.alerts).first(context.store);
        }
    }

    /// Goes to a place. Returns false, and changes nothing, if there is no such view.
    pub fn open(&mut self, place: &Place, context: FrameContext<'_>) -> bool {
        let target = if place.view.is_empty() {
            self.current
        } else if let Some(i) = self.views.iter().position(|v| v.name() == place.view) {
            i
        } else {
            return false;
        };
        self.switch_to(target);
        if let Some(run) = &place.run {
            self.selection.run = Some(run.clone());
        }
        let theme = self.theme;
        let context = FrameContext { theme: &theme, ..context };
        if let Some(view) = self.views.get_mut(self.current) {
            view.show(place, context, &mut self.selection);
        }
        true
    }

    /// Does what a key asks for and returns what only the application can do.
    pub fn key(&mut self, event: KeyEvent, context: FrameContext<'_>) -> Vec<Request> {
        let Some(key) = Key::of(event) else { return Vec::new() };
        self.message = None;
        if key == Key::Ctrl('c') {
            return vec![Request::Quit];
        }
        if key == Key::Ctrl('z') {
            return vec![Request::Suspend];
        }
        let theme = self.theme;
        let context = FrameContext { theme: &theme, ..context };
        self.at_cursor(context, |screen, context| screen.key_at_cursor(event, key, context))
    }

    fn key_at_cursor(&mut self, event: KeyEvent, key: Key, context: FrameContext<'_>) -> Vec<Request> {
        match std::mem::take(&mut self.overlay) {
            Overlay::Filter(prompt) => self.key_in_filter(prompt, event, key),
            Overlay::Palette(palette) => return self.key_in_palette(palette, event, key, context),
            Overlay::Help(scroll) => self.key_in_help(scroll, key),
            Overlay::None => {
                let bindings = self.views.get(self.current).map_or(&[][..], |v| v.bindings());
                if let Some(action) = keymap::action_of(key, bindings) {
                    return self.act(action, context);
                }
            }
        }
        Vec::new()
    }

    /// Text pasted by the terminal: goes to the prompt that is open, else nowhere.
    pub fn paste(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or_default();
        match &mut self.overlay {
            Overlay::Filter(prompt) => {
                prompt.insert(line);
                self.selection.filter = prompt.text().to_owned();
            }
            Overlay::Palette(palette) => palette.prompt.insert(line),
            Overlay::None | Overlay::Help(_) => {}
        }
    }

    /// A click selects a tab or what the view has there; the wheel moves the selection.
    pub fn mouse(&mut self, event: MouseEvent, context: FrameContext<'_>) -> Vec<Request> {
        let theme = self.theme;
        let context = FrameContext { theme: &theme, ..context };
        self.at_cursor(context, |screen, context| screen.mouse_at_cursor(event, context))
    }

    fn mouse_at_cursor(&mut self, event: MouseEvent, context: FrameContext<'_>) -> Vec<Request> {
        match event.kind {
            MouseEventKind::ScrollDown => self.wheel(Action::Down, context),
            MouseEventKind::ScrollUp => self.wheel(Action::Up, context),
            MouseEventKind::Down(MouseButton::Left) => {
                self.message = None;
                if !matches!(self.overlay, Overlay::None) {
                    self.overlay = Overlay::None;
                    return Vec::new();
                }
                let at = Position::new(event.column, event.row);
                if event.row == 0 {
                    let hit = self.tab_spans.iter().position(|(a, b)| (*a..*b).contains(&event.column));
                    if let Some(tab) = hit {
                        self.switch_to(tab);
                    }
                    return Vec::new();
                }
                if !self.body.contains(at) {
                    return Vec::new();
                }
                let Some(view) = self.views.get_mut(self.current) else { return Vec::new() };
                let outcome = view.click(event.column, event.row, context, &mut self.selection);
                self.settle(outcome, context)
            }
            _ => Vec::new(),
        }
    }

    /// Draws everything into `area` of `buffer`.
    pub fn draw(&mut self, context: FrameContext<'_>, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let theme = self.theme;
        let now = self.selection.frozen.as_ref().map_or(context.now, |f| f.now);
        let context = FrameContext { theme: &theme, now, ..context };
        Clear.render(area, buffer);
        self.body = Rect::ZERO;
        self.tab_spans.clear();
        self.status_goes_stale_after = f64::INFINITY;
        if area.is_empty() {
            return;
        }
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            small::draw_notice(context, area, buffer);
            return;
        }
        let top = Rect { height: 1, ..area };
        let bottom = Rect { y: area.bottom() - 1, height: 1, ..area };
        self.body = Rect { y: area.y + 1, height: area.height - 2, ..area };
        self.play_on(context);
        self.at_cursor(context, |screen, context| screen.draw_all(context, (top, bottom), buffer));
    }

    fn draw_all(&mut self, context: FrameContext<'_>, (top, bottom): (Rect, Rect), buffer: &mut Buffer) {
        let titles: Vec<&str> = self.views.iter().map(|v| v.title()).collect();
        self.tab_spans = tabs::draw(context, &titles, self.current, top, buffer);
        self.suggest(context);
        self.draw_strip(context, buffer);
        if let Some(view) = self.views.get_mut(self.current) {
            view.render(context, &self.selection, self.body, buffer);
        }
        self.draw_bottom(context, bottom, buffer);
        match &mut self.overlay {
            Overlay::Help(scroll) => {
                if let Some(view) = self.views.get(self.current) {
                    help::draw(context.theme, view.as_ref(), scroll, self.body, buffer);
                }
            }
            Overlay::Palette(palette) => {
                palette.draw(context.theme, self.body, buffer);
            }
            Overlay::None | Overlay::Filter(_) => {}
        }
    }

    /// While the time cursor is set: a row at the bottom that says where there are records, taken from the view's room.
    fn draw_strip(&mut self, context: FrameContext<'_>, buffer: &mut Buffer) {
        let Some(cursor) = self.selection.cursor else { return };
        if self.body.height >= time_cursor::LEAST_HEIGHT {
            let moments = self.moments(context);
            self.body.height -= 1;
            let row = Rect { y: self.body.bottom(), height: 1, ..self.body };
            time_cursor::strip(context.theme, &moments, cursor, row, buffer);
        }
    }

    /// When the next frame is due although nothing happens: only while the screen shows an age, and not before that
    /// age would read differently.
    pub fn next_tick(&self, context: FrameContext<'_>) -> Option<Duration> {
        if self.body.is_empty() {
            return None;
        }
        if self.playing.is_some() {
            return Some(Duration::from_secs_f64(time_cursor::PACE_S));
        }
        if self.selection.frozen.is_some() {
            return None;
        }
        let mut wait = self.status_goes_stale_after;
        if self.views.get(self.current).is_some_and(|v| v.shows_ages()) {
            for run in context.store.runs() {
                wait = wait.min(super::numbers::age(context.now.since(run.last_wall())).1);
            }
        }
        wait.is_finite().then(|| Duration::from_secs_f64(wait.clamp(1.0, 86_400.0)))
    }

    fn draw_bottom(&mut self, context: FrameContext<'_>, area: Rect, buffer: &mut Buffer) {
        if let Overlay::Filter(prompt) = &self.overlay {
            prompt.draw(context.theme, "/", "Enter keeps, Esc clears", area, buffer);
        } else if let Some(message) = &self.message {
            let style = context.theme.style(Role::Accent);
            let text = super::text::fit(message, usize::from(area.width), self.theme.ascii);
            super::text::put(buffer, area.x, area.y, &text, area.width, style);
        } else {
            self.status_goes_stale_after = status::draw(context, &self.selection, area, buffer);
        }
    }

    fn switch_to(&mut self, view: usize) {
        if view >= self.views.len() || view == self.current {
            return;
        }
        if let Some(slot) = self.filters.get_mut(self.current) {
            *slot = std::mem::take(&mut self.selection.filter);
        }
        self.current = view;
        if let Some(slot) = self.filters.get(view) {
            self.selection.filter.clone_from(slot);
        }
    }

    fn wheel(&mut self, action: Action, context: FrameContext<'_>) -> Vec<Request> {
        if let Overlay::Help(scroll) = &mut self.overlay {
            *scroll =
                if action == Action::Down { scroll.saturating_add(3) } else { scroll.saturating_sub(3) };
            return Vec::new();
        }
        self.act(action, context)
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>) -> Vec<Request> {
        let Some(view) = self.views.get_mut(self.current) else { return Vec::new() };
        match view.act(action, context, &mut self.selection) {
            Outcome::Ignored => self.act_everywhere(action, context),
            outcome => self.settle(outcome, context),
        }
    }

    fn settle(&mut self, outcome: Outcome, context: FrameContext<'_>) -> Vec<Request> {
        match outcome {
            Outcome::Ignored | Outcome::Done => Vec::new(),
            Outcome::Open(place) => {
                self.open(&place, context);
                Vec::new()
            }
            Outcome::Request(request) => vec![request],
            Outcome::Say(message) => {
                self.say(message);
                Vec::new()
            }
        }
    }

    fn key_in_filter(&mut self, mut prompt: Prompt, event: KeyEvent, key: Key) {
        match key {
            Key::Enter | Key::Tab => return,
            Key::Esc => {
                self.selection.filter.clear();
                return;
            }
            _ => prompt.key(event),
        }
        prompt.text().clone_into(&mut self.selection.filter);
        self.overlay = Overlay::Filter(prompt);
    }

    fn key_in_help(&mut self, scroll: u16, key: Key) {
        match keymap::action_of(key, &[]) {
            Some(Action::Down) => self.overlay = Overlay::Help(scroll.saturating_add(1)),
            Some(Action::Up) => self.overlay = Overlay::Help(scroll.saturating_sub(1)),
            Some(Action::PageDown) => self.overlay = Overlay::Help(scroll.saturating_add(10)),
            Some(Action::PageUp) => self.overlay = Overlay::Help(scroll.saturating_sub(10)),
            Some(Action::First) => self.overlay = Overlay::Help(0),
            // Brought back into range when it is drawn.
            Some(Action::Last) => self.overlay = Overlay::Help(u16::MAX),
            _ => {}
        }
    }

    fn key_in_palette(
        &mut self,
        mut palette: Palette,
        event: KeyEvent,
        key: Key,
        context: FrameContext<'_>,
    ) -> Vec<Request> {
        match key {
            Key::Esc => return Vec::new(),
            Key::Enter => return palette.chosen().map_or_else(Vec::new, |action| self.act(action, context)),
            Key::Down | Key::Tab => palette.move_by(1),
            Key::Up | Key::BackTab => palette.move_by(-1),
            _ => palette.key(event),
        }
        self.overlay = Overlay::Palette(palette);
        Vec::new()
    }
}

/// The steps of a run's main loss, thinned as the store has them.
pub fn moments_of_loss(run: &Run) -> Vec<Step> {
    time_cursor::of_loss(run)
}
