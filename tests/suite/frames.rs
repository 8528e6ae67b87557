//! Sessions with layers, classes, alerts and damaged files, for the frames of those views.

use std::sync::Arc;

use epochscope::{
    detect::{Draft, Evidence, Severity},
    model::{
        Batch, ConfusionMatrix, ConfusionRecord, FileHealth, FileId, FileState, HistogramRecord, LayerKind,
        LayerName, LayerRecord, LayerStats, PassedOver, Record, RunId, SeriesKey, Skip, WallTime, WatchMode,
    },
    ui::{Place, theme::Depth},
};
use ndarray::Array2;
use ratatui::buffer::Buffer;

use crate::sessions::{self, Desk, NOW, column, full, origin};

/// Layers of a small residual network with their number of parameters.
const NETWORK: [(&str, f64); 12] = [
    ("conv1.weight", 9_408.0),
    ("bn1.weight", 64.0),
    ("bn1.bias", 64.0),
    ("layer1.0.conv1.weight", 36_864.0),
    ("layer1.0.conv2.weight", 36_864.0),
    ("layer2.0.downsample.0.weight", 8_192.0),
    ("layer2.0.conv1.weight", 73_728.0),
    ("layer3.0.conv1.weight", 294_912.0),
    ("layer3.0.conv2.weight", 589_824.0),
    ("layer4.0.conv1.weight", 1_179_648.0),
    ("fc.weight", 512_000.0),
    ("fc.bias", 1_000.0),
];

/// The session of the screen tests with two more runs: `resnet18` has layers and digits, `cifar100` many classes.
pub fn desk() -> Desk {
    let mut desk = full();
    desk.store.apply(&layers_batch(12));
    desk.store.apply(&classes_batch());
    let mut many = Batch::new(RunId::from("cifar100"), origin());
    let names: Vec<Arc<str>> = (0..100).map(|i| Arc::from(format!("class_{i:02}"))).collect();
    many.records.push(Record::Confusion(confusion("val", 900, 100, 0.7, Some(names.into()))));
    many.columns.push(column(SeriesKey::plain("train/loss"), (0..50).map(|s| (s, 4.6 - s as f64 * 0.02))));
    desk.store.apply(&many);
    desk
}

/// A screen of the view on the run.
pub fn open(desk: &mut Desk, view: &'static str, run: &str) {
    let place = Place { view, run: Some(RunId::from(run)), ..Place::default() };
    let context = epochscope::ui::FrameContext {
        store: &desk.store,
        alerts: &desk.alerts,
        health: &desk.health,
        now: WallTime(NOW),
        theme: &desk.theme,
        background: &epochscope::ui::background::Inline,
    };
    assert!(desk.screen.open(&place, context), "no view {view}");
}

/// The frame of a view as text.
pub fn frame(desk: &mut Desk, width: u16, height: u16) -> String {
    sessions::text(&desk.draw(width, height))
}

/// Every size from a notice to a large terminal, in every theme that differs, without harm; returns what was drawn
/// last at 80×24 in each.
pub fn survives_every_size(make: fn() -> Desk, view: &'static str, run: &str, keys: &[&str]) {
    for (depth, ascii) in
        [(Depth::None, true), (Depth::None, false), (Depth::Ansi256, false), (Depth::Rgb, false)]
    {
        let mut desk = make();
        desk.theme = epochscope::ui::Theme::new(depth, ascii);
        desk.screen = epochscope::ui::Screen::new(desk.theme, epochscope::ui::ScreenOptions::default());
        open(&mut desk, view, run);
        for k in [""].iter().chain(keys) {
            desk.keys(k);
            for (w, h) in [
                (30, 8),
                (31, 9),
                (40, 12),
                (57, 13),
                (80, 24),
                (99, 17),
                (120, 40),
                (133, 30),
                (200, 50),
                (1, 1),
                (300, 9),
            ] {
                check(&desk.draw(w, h), ascii, view);
            }
        }
    }
}

/// Nothing that a terminal would obey, nothing outside of ASCII where that was asked for, nothing coloured without
/// colours.
fn check(buffer: &Buffer, ascii: bool, view: &str) {
    for cell in &buffer.content {
        assert!(!cell.symbol().contains(char::is_control), "{view}: {:?}", cell.symbol());
        assert!(
            !ascii || cell.symbol().is_ascii(),
            "{view}: {:?}\n{}",
            cell.symbol(),
            sessions::text(buffer)
        );
    }
}

fn stats(n: f64, mean: f64, std: f64) -> LayerStats {
    LayerStats {
        mean: Some(mean),
        std: Some(std),
        min: Some(mean - 4.0 * std),
        max: Some(mean + 4.0 * std),
        norm: Some((n * (mean * mean + std * std)).sqrt()),
        numel: Some(n),
        zero: Some(0.0),
        nan: Some(0.0),
        inf: Some(0.0),
        ..LayerStats::default()
    }
}

fn bell(layer: &str, kind: LayerKind, step: i64, s: &LayerStats) -> Record {
    let (mean, std) = (s.mean.unwrap_or(0.0), s.std.unwrap_or(0.0));
    let edges: Vec<f64> = (0..=30).map(|i| mean + std * (f64::from(i) - 15.0) / 4.0).collect();
    let counts = (0..30).map(|i| (1000.0 * (-0.5 * ((f64::from(i) - 14.5) / 4.0).powi(2)).exp()).round());
    Record::Histogram(HistogramRecord {
        layer: LayerName::from(layer),
        kind,
        step,
        wall: WallTime(1_750_000_000.0 + step as f64),
        edges: edges.into(),
        counts: counts.collect(),
        stats: *s,
    })
}

/// `records` logs of the network, every 100 steps. `layer2.0.conv1` gets no gradient, `layer3.0.conv2` explodes at the
/// end, `fc.bias` turns NaN.
pub fn layers_batch(records: i64) -> Batch {
    let mut batch = Batch::new(RunId::from("resnet18"), origin());
    for step in (0..records).map(|i| i * 100) {
        let t = step as f64 / 1000.0;
        for (i, (name, n)) in NETWORK.iter().enumerate() {
            let depth = i as f64;
            let weights = stats(*n, 0.001 * depth - 0.004 * t, 0.05 + 0.02 * t);
            batch.records.push(bell(name, LayerKind::Weights, step, &weights));
            let mut size = 1e-4 * 1.5_f64.powf(depth) * (1.2 - 0.6 * t) / n.sqrt();
            if *name == "layer3.0.conv2.weight" && step + 100 >= records * 100 {
                size *= 40.0;
            }
            let mut g = stats(*n, 0.02 * size, size);
            if *name == "layer2.0.conv1.weight" {
                g = LayerStats { zero: Some(1.0), ..stats(*n, 0.0, 0.0) };
            }
            if *name == "fc.bias" && step + 100 >= records * 100 {
                g.nan = Some(12.0);
            }
            batch.records.push(bell(name, LayerKind::Gradients, step, &g));
        }
        for (name, dead) in [("relu1", 0.02), ("relu2", 0.03 + 0.6 * t.min(1.0))] {
            batch.records.push(Record::Layer(LayerRecord {
                layer: LayerName::from(name),
                kind: LayerKind::Activations,
                step,
                wall: WallTime(1_750_000_000.0 + step as f64),
                split: std::sync::Arc::default(),
                stats: LayerStats {
                    mean: Some(0.31),
                    std: Some(0.52),
                    zero: Some(0.6),
                    dead: Some(dead),
                    ..LayerStats::default()
                },
            }));
        }
    }
    batch
        .columns
        .push(column(SeriesKey::plain("train/loss"), (0..120).map(|s| (s * 10, 2.3 - s as f64 * 0.01))));
    batch
}

pub fn confusion(
    split: &str,
    step: i64,
    n: usize,
    quality: f64,
    names: Option<Arc<[Arc<str>]>>,
) -> ConfusionRecord {
    let counts = Array2::from_shape_fn((n, n), |(r, c)| {
        let wrong = (1.0 - quality) * 100.0;
        if r == c {
            (quality * 100.0).round()
        } else if (r, c) == (4, 9 % n) {
            (wrong * 0.6).round()
        } else if c == (r + 1) % n {
            (wrong * 0.3).round()
        } else {
            f64::from(u8::from((r * 7 + c * 3) % 11 == 0))
        }
    });
    ConfusionRecord {
        split: Arc::from(split),
        step,
        epoch: Some(step as f64 / 100.0),
        wall: WallTime(1_750_000_000.0 + step as f64),
        matrix: ConfusionMatrix::new(counts).expect("a square of counts"),
        names,
        task: Arc::from(""),
    }
}

/// Eight evaluations of a digit classifier that gets better, on two splits.
pub fn classes_batch() -> Batch {
    let mut batch = Batch::new(RunId::from("resnet18"), sessions::origin());
    let names: Vec<Arc<str>> =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
            .map(Arc::from)
            .to_vec();
    batch.records.push(Record::Classes { task: Arc::from(""), names: names.into() });
    for i in 1..=8 {
        let quality = 0.97 - 0.5 / f64::from(i);
        batch.records.push(Record::Confusion(confusion("val", i64::from(i) * 100, 10, quality, None)));
    }
    batch.records.push(Record::Confusion(confusion("test", 800, 10, 0.88, None)));
    batch
}

/// Adds to [`desk`] an alert of a layer and one that it explains, one that is over and one that was seen.
pub fn with_alerts() -> Desk {
    let mut desk = desk();
    let mut raise = |rule, severity, series: Option<&str>, layer: Option<&str>, step: i64, message: &str| {
        desk.alerts
            .raise(Draft {
                run: RunId::from("resnet18"),
                rule,
                severity,
                series: series.map(SeriesKey::plain),
                layer: layer.map(LayerName::from),
                kind: None,
                step: Some(step),
                since_step: Some(step - 100),
                time: WallTime(1_750_000_000.0 + step as f64),
                message: message.to_owned(),
                advice: "Go back to the checkpoint before it and lower the learning rate.".to_owned(),
                evidence: Evidence::new()
                    .with("best", 1.24)
                    .with("best_step", 3100.0)
                    .with("now", f64::NAN)
                    .at_least("rise_sigma", 9.1, 5.0),
            })
            .expect("there is room for it")
    };
    raise(
        "nan",
        Severity::Critical,
        None,
        Some("fc.bias"),
        1100,
        "12 of 1,000 gradients of fc.bias are NaN since step 1100",
    );
    raise(
        "divergence",
        Severity::Warn,
        Some("train/loss"),
        None,
        1150,
        "train/loss rose from 1.1 to 4.6 since step 1100",
    );
    let over = raise(
        "not_learning",
        Severity::Info,
        Some("val/accuracy"),
        None,
        400,
        "val/accuracy stays at 0.1 for 300 steps",
    );
    let seen = raise(
        "overfitting",
        Severity::Warn,
        Some("val/loss"),
        None,
        900,
        "val/loss is 9 sigma above its best of 0.62",
    );
    desk.alerts.close(over, Some(600));
    desk.alerts.acknowledge(seen);
    desk
}

/// A session in which reading went wrong in every way there is.
pub fn with_damage() -> Desk {
    let mut desk = desk();
    let mut damaged = FileHealth::found(
        FileId(20),
        Arc::from("lr_high/events.out.tfevents.1750000100.gpu7.4242.0"),
        RunId::from("lr_high"),
        "tfevents",
    );
    damaged.state = FileState::Following;
    (damaged.bytes, damaged.read_bytes, damaged.records, damaged.pending_bytes) =
        (5_000_000, 4_999_980, 48_113, 20);
    damaged.modified = WallTime(1_750_000_000.0);
    for i in 0..3 {
        damaged.skip(Skip {
            offset: 1_048_576 * (i + 1),
            bytes: 64,
            reason: Arc::from("checksum of the payload does not match"),
        });
    }
    damaged.oddities.insert(Arc::from("unknown plugin \"beholder\""), 12);
    let mut dead =
        FileHealth::found(FileId(21), Arc::from("broken/metrics.csv"), RunId::from("broken"), "csv");
    dead.state = FileState::Dead(Arc::from("the header has no column that is a number"));
    dead.bytes = 812;
    let mut gone = FileHealth::found(FileId(22), Arc::from("old/train.jsonl"), RunId::from("old"), "jsonl");
    (gone.state, gone.restarts) = (FileState::Gone, 2);
    for file in [damaged, dead, gone] {
        desk.health.files.insert(file.id, file);
    }
    let scan = &mut desk.health.scan;
    scan.ignored = 412;
    let group = |path: &str, count, reason: &str| PassedOver {
        path: Arc::from(path),
        count,
        reason: Arc::from(reason),
    };
    scan.passed_over = vec![
        group("baseline/*.pt", 411, "no format reads files of this name"),
        group("notes.txt", 1, "no line of its first 4096 bytes reads like training"),
    ];
    scan.unreadable = vec![(Arc::from("private"), Arc::from("permission denied"))];
    scan.watched.push((
        Arc::from("/mnt/nfs/runs"),
        WatchMode::Polled(Arc::from("a network file system tells nothing")),
    ));
    desk
}
