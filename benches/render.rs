//! Drawing: six charts of 100,000 points each, and a list of 2,000 runs.

use divan::{Bencher, black_box};
use epochscope::{
    detect::AlertBook,
    model::{Batch, Column, FileId, Health, Origin, Point, RunId, SeriesKey, WallTime},
    store::{Limits, Store},
    ui::{FrameContext, Screen, ScreenOptions, Theme},
};
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};

const TAGS: [&str; 6] = ["train/loss", "val/accuracy", "lr", "grad_norm", "perf/step_time", "entropy"];

fn main() {
    divan::main();
}

fn batch(run: &str, tag: &str, steps: std::ops::Range<i64>) -> Batch {
    let origin = Origin::new(FileId(1), "0");
    let mut batch = Batch::new(RunId::from(run), origin);
    let points = steps
        .map(|step| {
            let x = step as f64;
            Point { step, wall: 1.75e9 + x, value: (x * 1e-3).sin() + (x * 12.9898).sin() * 0.1 }
        })
        .collect();
    batch.columns.push(Column { key: SeriesKey::plain(tag), points });
    batch
}

struct Desk {
    store: Store,
    alerts: AlertBook,
    health: Health,
    theme: Theme,
    screen: Screen,
    buffer: Buffer,
}

impl Desk {
    fn new(store: Store, view: char) -> Self {
        let theme = Theme::default();
        let mut desk = Self {
            store,
            alerts: AlertBook::default(),
            health: Health::default(),
            theme,
            screen: Screen::new(theme, ScreenOptions::default()),
            buffer: Buffer::empty(Rect::new(0, 0, 200, 50)),
        };
        let context = FrameContext {
            store: &desk.store,
            alerts: &desk.alerts,
            health: &desk.health,
            now: WallTime(1.7501e9),
            theme: &desk.theme,
            background: &epochscope::ui::background::Inline,
        };
        desk.screen.key(KeyEvent::new(KeyCode::Char(view), KeyModifiers::NONE), context);
        desk
    }

    fn draw(&mut self) {
        let context = FrameContext {
            store: &self.store,
            alerts: &self.alerts,
            health: &self.health,
            now: WallTime(1.7501e9),
            theme: &self.theme,
            background: &epochscope::ui::background::Inline,
        };
        self.screen.draw(context, self.buffer.area, &mut self.buffer);
        black_box(&self.buffer);
    }
}

fn six_charts() -> Store {
    let mut store = Store::new(Limits::default());
    for tag in TAGS {
        store.apply(&batch("run", tag, 0..100_000));
    }
    store
}

/// Nothing changed: traces are kept.
#[divan::bench]
fn curves_unchanged(bencher: Bencher<'_, '_>) {
    let mut desk = Desk::new(six_charts(), '2');
    desk.draw();
    bencher.bench_local(|| desk.draw());
}

/// Every series got a point since the frame before.
#[divan::bench]
fn curves_all_changed(bencher: Bencher<'_, '_>) {
    let mut desk = Desk::new(six_charts(), '2');
    let mut step = 100_000;
    bencher.bench_local(|| {
        for tag in TAGS {
            desk.store.apply(&batch("run", tag, step..step + 1));
        }
        step += 1;
        desk.draw();
    });
}

/// Forty-odd rows of two thousand runs.
#[divan::bench]
fn list_of_2000_runs(bencher: Bencher<'_, '_>) {
    let mut store = Store::new(Limits::default());
    for run in 0..2_000 {
        store.apply(&batch(&format!("run_{run}"), "train/loss", 0..100));
    }
    let mut desk = Desk::new(store, '1');
    bencher.bench_local(|| desk.draw());
}
