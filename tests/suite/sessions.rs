//! Sessions made by hand for the screen tests, and ways to look at what was drawn from them.

use std::{fmt::Write as _, sync::Arc};

use epochscope::{
    detect::{AlertBook, Draft, Evidence, Severity},
    model::{
        Batch, Column, EndStatus, FileHealth, FileId, FileState, Health, HyperValue, Origin, Point, Record,
        RunId, RunInfo, SeriesKey, Tag, WallTime, WatchMode,
    },
    store::{Limits, Store},
    ui::{FrameContext, Screen, ScreenOptions, Theme, theme::Depth},
};
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
    style::Style,
};

/// When all hand-made sessions are looked at.
pub const NOW: f64 = 1_750_000_600.0;

/// A session with its screen.
pub struct Desk {
    pub store: Store,
    pub alerts: AlertBook,
    pub health: Health,
    pub theme: Theme,
    pub screen: Screen,
}

impl Desk {
    pub fn new(theme: Theme) -> Self {
        Self {
            store: Store::new(Limits::default()),
            alerts: AlertBook::default(),
            health: Health::default(),
            theme,
            screen: Screen::new(theme, ScreenOptions::default()),
        }
    }

    pub fn draw(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let context = FrameContext {
            store: &self.store,
            alerts: &self.alerts,
            health: &self.health,
            now: WallTime(NOW),
            theme: &self.theme,
            background: &epochscope::ui::background::Inline,
        };
        self.screen.draw(context, area, &mut buffer);
        buffer
    }

    pub fn key(&mut self, code: KeyCode) -> Vec<epochscope::ui::Request> {
        let context = FrameContext {
            store: &self.store,
            alerts: &self.alerts,
            health: &self.health,
            now: WallTime(NOW),
            theme: &self.theme,
            background: &epochscope::ui::background::Inline,
        };
        self.screen.key(KeyEvent::new(code, KeyModifiers::NONE), context)
    }

    /// Starts the screen again with other colours and glyphs.
    pub fn set_theme(&mut self, theme: Theme) {
        self.theme = theme;
        self.screen = Screen::new(theme, ScreenOptions::default());
    }

    /// Types characters; each is a key.
    pub fn keys(&mut self, keys: &str) {
        for c in keys.chars() {
            self.key(KeyCode::Char(c));
        }
    }
}

pub fn origin() -> Origin {
    Origin::new(FileId(1), "0")
}

pub fn column(key: SeriesKey, points: impl Iterator<Item = (i64, f64)>) -> Column {
    let points = points
        .map(|(step, value)| Point { step, wall: 1_750_000_000.0 + step as f64 * 0.5, value })
        .collect();
    Column { key, points }
}

/// Six runs of an image classifier, two of them in trouble.
pub fn full() -> Desk {
    let mut desk = Desk::new(Theme::new(Depth::Ansi256, false));
    for (i, (name, rate)) in [
        ("baseline", 0.004),
        ("lr_high", 0.004),
        ("lr_low", 0.0015),
        ("overfit", 0.006),
        ("vgg/run_2", 0.003),
        ("vgg/run_10", 0.003),
    ]
    .into_iter()
    .enumerate()
    {
        desk.store.apply(&run_batch(name, i, rate));
        let mut file = FileHealth::found(
            FileId(i as u32 + 1),
            format!("{name}/events.out.tfevents.1750000000.host").into(),
            RunId::from(name),
            "tfevents",
        );
        file.state = FileState::Following;
        file.bytes = 123_456 + 999 * i as u64;
        file.read_bytes = file.bytes;
        desk.health.files.insert(file.id, file);
    }
    desk.health.scan.complete = true;
    desk.health.scan.folders = 8;
    desk.health.scan.files_seen = 9;
    desk.health.scan.watched = vec![(Arc::from("experiments"), WatchMode::Notified)];
    raise(
        &mut desk,
        "lr_high",
        "divergence",
        Severity::Critical,
        "loss rose from 1.9 to 4e3 since step 700",
        700,
    );
    raise(
        &mut desk,
        "overfit",
        "overfitting",
        Severity::Warn,
        "val/loss 9 sigma above its best of 0.62",
        480,
    );
    desk
}

fn raise(desk: &mut Desk, run: &str, rule: &'static str, severity: Severity, message: &str, step: i64) {
    let tag = if rule == "overfitting" { "val/loss" } else { "train/loss" };
    desk.alerts.raise(Draft {
        run: RunId::from(run),
        rule,
        severity,
        series: Some(SeriesKey::plain(tag)),
        layer: None,
        kind: None,
        step: Some(step.saturating_add(40)),
        since_step: Some(step),
        time: WallTime(1_750_000_000.0 + step as f64 * 0.5),
        message: message.to_owned(),
        advice: "Lower the learning rate or clip gradients.".to_owned(),
        evidence: Evidence::new().with("rise_sigma", 9.1),
    });
}

/// A number between -0.5 and 0.5 that looks random.
fn noise(i: i64, salt: usize) -> f64 {
    let x = (i as f64 * 12.9898 + salt as f64 * 78.233).sin() * 43_758.545_3;
    x - x.floor() - 0.5
}

fn run_batch(name: &str, i: usize, rate: f64) -> Batch {
    let mut batch = Batch::new(RunId::from(name), origin());
    let steps = 1000_i64;
    let loss = |s: i64| 2.3 * (-rate * s as f64).exp() + 0.15 + 0.12 * noise(s, i);
    let diverges = name == "lr_high";
    let train = move |s: i64| match s {
        940.. if diverges => f64::NAN,
        700.. if diverges => loss(s) * (0.03 * (s - 700) as f64).exp(),
        _ => loss(s),
    };
    let overfits = name == "overfit";
    let val = move |s: i64| {
        let rise = if overfits { (s - 400).max(0) as f64 * 0.0016 } else { 0.0 };
        2.3 * (-rate * s as f64).exp() + 0.35 + rise + 0.03 * noise(s, i + 7)
    };
    batch.columns.push(column(SeriesKey::plain("train/loss"), (0..steps).map(|s| (s, train(s)))));
    batch.columns.push(column(SeriesKey::plain("val/loss"), (0..steps).step_by(20).map(|s| (s, val(s)))));
    let accuracy = |s: i64| (1.0 - 0.9 * (-rate * s as f64).exp() + 0.02 * noise(s, i)).min(1.0);
    batch.columns.push(column(
        SeriesKey::plain("val/accuracy"),
        (0..steps).step_by(20).map(move |s| (s, accuracy(s))),
    ));
    batch.columns.push(column(
        SeriesKey::plain("lr"),
        (0..steps).map(|s| (s, 1e-3 * (s as f64 / 100.0).min(1.0) * (1.0 - s as f64 / 2000.0))),
    ));
    batch.columns.push(column(
        SeriesKey::plain("grad_norm"),
        (0..steps).map(move |s| (s, 1.0 + noise(s, i + 3) + if s == 333 { 12.0 } else { 0.0 })),
    ));
    batch.columns.push(column(
        SeriesKey::plain("perf/samples_per_second"),
        (0..steps).step_by(10).map(move |s| (s, 512.0 + 20.0 * noise(s, i + 5))),
    ));
    batch.records.push(Record::Info(Box::new(RunInfo {
        steps_total: (i == 0).then_some(2000),
        ..RunInfo::default()
    })));
    batch.records.push(Record::Hyperparameters(vec![
        (Arc::from("lr"), HyperValue::Number(1e-3)),
        (Arc::from("batch_size"), HyperValue::Number(64.0)),
        (Arc::from("optimizer"), HyperValue::Text(Arc::from("adamw"))),
    ]));
    if i == 4 {
        batch.records.push(Record::End(EndStatus::Finished));
    }
    batch
}

/// Names that try to break out, numbers at the edges.
pub fn hostile() -> Desk {
    let mut desk = full();
    let evil = "\x1b[2J\x1b]0;x\x07\n\u{202e}\u{9b}31m 損失 e\u{301} \u{1f468}\u{200d}\u{1f469}";
    for (i, name) in [evil, "", ".", "a/../b", &"x".repeat(500)].into_iter().enumerate() {
        let mut batch = Batch::new(RunId::from(name), origin());
        let wild = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            0.0,
            -0.0,
            1e-310,
        ];
        for (j, tag) in [evil, "", "loss", "train/loss", &"t/".repeat(200)].into_iter().enumerate() {
            let steps = [i64::MIN, -1, 0, 1, 2, 3, i64::MAX - 1, i64::MAX];
            let points = steps.iter().enumerate().map(|(k, s)| Point {
                step: *s,
                wall: if k % 2 == 0 { f64::NAN } else { *s as f64 },
                value: wild[(k + j + i) % wild.len()],
            });
            let key = SeriesKey::new(Tag::from(tag), Arc::from(if j == 2 { evil } else { "" }));
            batch.columns.push(Column { key, points: points.collect() });
        }
        batch.records.push(Record::Info(Box::new(RunInfo {
            name: Some(Arc::from(evil)),
            steps_total: Some(i64::MIN),
            epochs_total: Some(f64::NAN),
            steps_per_epoch: Some(0.0),
            ..RunInfo::default()
        })));
        batch
            .records
            .push(Record::Hyperparameters(vec![(Arc::from(evil), HyperValue::Text(Arc::from(evil)))]));
        desk.store.apply(&batch);
    }
    raise(&mut desk, evil, "nan", Severity::Critical, evil, i64::MAX);
    desk.health.scan.watched = vec![(Arc::from(evil), WatchMode::Polled(Arc::from(evil)))];
    let mut dead = FileHealth::found(FileId(99), Arc::from(evil), RunId::from(evil), "tfevents");
    dead.state = FileState::Dead(Arc::from(evil));
    desk.health.files.insert(dead.id, dead);
    desk
}

/// The text of a buffer, line by line, without spaces at the ends.
pub fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Text, then where which style is: `row: column-column role`.
pub fn text_and_styles(buffer: &Buffer, theme: &Theme) -> String {
    let mut out = text(buffer);
    out.push_str("---\n");
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in area.left()..area.right() {
            let cell = &buffer[(x, y)];
            let style = Style { underline_color: None, ..cell.style() };
            let style = Style { sub_modifier: ratatui::style::Modifier::empty(), ..style };
            let plain = cell.symbol() == " " && style.bg.is_none_or(|c| c == ratatui::style::Color::Reset);
            let name = if plain {
                "text".to_owned()
            } else {
                theme.name_of(style).unwrap_or_else(|| format!("{:?}", (cell.fg, cell.bg, cell.modifier)))
            };
            match runs.last_mut() {
                Some((_, end, last)) if *last == name && *end + 1 == x => *end = x,
                _ => runs.push((x, x, name)),
            }
        }
        runs.retain(|(_, _, name)| name != "text");
        if !runs.is_empty() {
            let parts: Vec<String> = runs.iter().map(|(a, b, name)| format!("{a}-{b} {name}")).collect();
            let _ = writeln!(out, "{y}: {}", parts.join(", "));
        }
    }
    out
}
