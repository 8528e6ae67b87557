//! Detectors as a user meets them: curves in, alerts out, whatever the pieces in which the points arrive.

use std::sync::Arc;

use epochscope::{
    detect::{Alert, AlertBook, AlertState, DETECTORS, Detectors, Severity},
    model::{
        Batch, Column, FileId, Health, LayerKind, LayerName, LayerRecord, LayerStats, Origin, Point, Record,
        RunId, RunInfo, SeriesKey, Step, WallTime,
    },
    store::{Limits, Store},
};

/// A value of a series at a step, in the order of a file.
type Row = (&'static str, Step, f64);

const START: f64 = 1_750_000_000.0;

/// A run's file, written row by row, and what is made of it when it arrives in pieces of so many points.
#[derive(Clone, Default)]
struct Log {
    rows: Vec<(SeriesKey, Step, f64)>,
    info: RunInfo,
}

impl Log {
    fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        let rows = rows.into_iter().map(|(tag, step, value)| (SeriesKey::plain(tag), step, value)).collect();
        Self { rows, info: RunInfo::default() }
    }

    /// Training loss each `stride` steps and validation loss at each evaluation.
    fn pair(
        train: &dyn Fn(usize) -> f64,
        val: &dyn Fn(usize) -> f64,
        evaluations: usize,
        stride: usize,
    ) -> Self {
        let mut rows = Vec::new();
        for e in 0..evaluations {
            for i in 0..stride {
                rows.push(("train/loss", (e * stride + i + 1) as Step, train(e)));
            }
            rows.push(("val/loss", ((e + 1) * stride) as Step, val(e)));
        }
        Self::of(rows)
    }

    fn map(mut self, change: impl Fn(&mut SeriesKey, &mut Step, &mut f64)) -> Self {
        for (key, step, value) in &mut self.rows {
            change(key, step, value);
        }
        self
    }

    fn alerts(&self) -> Vec<Alert> {
        self.in_pieces_of(1000)
    }

    fn in_pieces_of(&self, size: usize) -> Vec<Alert> {
        let mut bench = Bench::new();
        let mut first = true;
        for piece in self.rows.chunks(size) {
            let mut batch = bench.batch();
            if std::mem::take(&mut first) {
                batch.records.push(Record::Info(Box::new(self.info.clone())));
            }
            for (key, step, value) in piece {
                let point = Point { step: *step, wall: START + *step as f64, value: *value };
                match batch.columns.iter_mut().find(|c| &c.key == key) {
                    Some(column) => column.points.push(point),
                    None => batch.columns.push(Column { key: key.clone(), points: vec![point] }),
                }
            }
            bench.apply(&batch);
        }
        bench.finish()
    }
}

struct Bench {
    store: Store,
    detectors: Detectors,
    book: AlertBook,
    now: WallTime,
}

impl Bench {
    fn new() -> Self {
        Self {
            store: Store::new(Limits::default()),
            detectors: Detectors::new(),
            book: AlertBook::new(),
            now: WallTime(START + 1e9),
        }
    }

    fn batch(&self) -> Batch {
        Batch::new(RunId::from("run"), Origin { file: FileId(1), order: Arc::from("a") })
    }

    fn apply(&mut self, batch: &Batch) {
        let changes = self.store.apply(batch);
        let run = self.store.run(&batch.run).unwrap();
        self.detectors.observe(batch, &changes, run, &mut self.book, self.now);
    }

    fn finish(mut self) -> Vec<Alert> {
        self.detectors.finish(&self.store, &Health::default(), &mut self.book, self.now);
        let mut alerts: Vec<Alert> = self.book.alerts().cloned().collect();
        alerts.sort_by_key(|a| (a.step, a.rule, a.place()));
        alerts
    }
}

/// What must not depend on how the points arrived.
fn essence(alerts: &[Alert]) -> Vec<String> {
    alerts
        .iter()
        .map(|a| {
            let cause = a.caused_by.and_then(|id| alerts.iter().find(|b| b.id == id));
            format!(
                "{} {} {:?} {:?} {:?} {:?} {:?} because of {:?}: {} | {:?}",
                a.rule,
                a.place(),
                a.severity,
                a.state,
                a.step,
                a.since_step,
                a.closed_step,
                cause.map(|c| (c.rule, c.place())),
                a.message,
                a.evidence
            )
        })
        .collect()
}

fn names(alerts: &[Alert]) -> Vec<(&'static str, Severity, Option<Step>, AlertState)> {
    alerts.iter().map(|a| (a.rule, a.severity, a.step, a.state)).collect()
}

fn number(alert: &Alert, name: &str) -> f64 {
    alert.evidence.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no {name} in {alert:?}")).1
}

/// Noise that is the same everywhere: a hash of the place, roughly normal, σ = 1.
fn noise(seed: u64, at: usize) -> f64 {
    let mut sum = 0.0;
    for part in 0..4 {
        let mut x =
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ part;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        sum += x as f64 / u64::MAX as f64 - 0.5;
    }
    sum * 3.0_f64.sqrt()
}

fn falling(e: usize) -> f64 {
    0.3 + 2.0 * (-(e as f64) / 20.0).exp()
}

/// Falls to a best at evaluation `turn` and rises by `slope` per evaluation after it.
fn turning(turn: usize, slope: f64) -> impl Fn(usize) -> f64 {
    move |e| {
        if e <= turn {
            1.0 + 1.3 * (-(e as f64) / 12.0).exp()
        } else {
            1.0 + 1.3 * (-(turn as f64) / 12.0).exp() + slope * (e - turn) as f64
        }
    }
}

#[test]
fn overfitting_is_said_soon_after_the_turn_and_names_the_best_step() {
    for (seed, sigma) in [(1, 0.0), (2, 0.003), (3, 0.01), (4, 0.02)] {
        let val = turning(40, 0.02);
        let log = Log::pair(&falling, &|e| val(e) + sigma * noise(seed, e), 120, 10);
        let alerts = log.alerts();
        let warned: Vec<_> = alerts.iter().filter(|a| a.severity >= Severity::Warn).collect();
        assert_eq!(warned.len(), 1, "σ {sigma}: {:#?}", essence(&alerts));
        let alert = warned[0];
        assert_eq!(alert.rule, "overfitting");
        let opened = alert.step.unwrap() / 10;
        assert!((44..=65).contains(&opened), "σ {sigma}: opened at evaluation {opened}");
        let best = number(alert, "best_step") / 10.0;
        assert!((best - 41.0).abs() <= 8.0, "σ {sigma}: best at {best}");
        assert!(alert.message.contains("val/loss") && alert.message.contains("while train/loss fell"));
        assert_eq!(alert.state, AlertState::Open);
    }
}

#[test]
fn overfitting_that_is_cured_closes() {
    let val = |e: usize| match e {
        0..=40 => turning(40, 0.02)(e),
        41..=60 => turning(40, 0.02)(40) + 0.02 * (e - 40) as f64,
        _ => turning(40, 0.02)(40) - 0.004 * (e - 60) as f64,
    };
    let alerts = Log::pair(&falling, &val, 120, 10).alerts();
    assert_eq!(alerts.len(), 1, "{:#?}", essence(&alerts));
    assert_eq!((alerts[0].rule, alerts[0].state), ("overfitting", AlertState::Closed));
    let closed = alerts[0].closed_step.unwrap() / 10;
    assert!((63..=75).contains(&closed), "closed at {closed}");
}

#[test]
fn train_that_rises_with_val_is_not_overfitting() {
    let val = turning(40, 0.02);
    let alerts = Log::pair(&|e| val(e) - 0.1, &val, 80, 10).alerts();
    assert!(
        alerts.iter().all(|a| a.rule != "overfitting" || a.caused_by.is_some()),
        "{:#?}",
        essence(&alerts)
    );
}

/// Curves on which nothing may be said above info.
fn calm() -> Vec<(&'static str, Log)> {
    let mut all: Vec<(&'static str, Log)> = Vec::new();
    for seed in 0..8 {
        let n = move |e: usize, s: f64| s * noise(seed, e);
        all.push(("smooth", Log::pair(&falling, &|e| falling(e) + 0.1, 100, 10)));
        all.push((
            "plateau",
            Log::pair(&|e| falling(e) + n(e, 0.01), &|e| falling(e) + 0.1 + n(e + 5000, 0.01), 200, 5),
        ));
        all.push((
            "small noisy validation set",
            Log::pair(&|e| falling(e), &|e| falling(e) + 0.2 + n(e, 0.08), 150, 5),
        ));
        let sawtooth = (0..6000).map(|i| {
            let within = (i % 600) as f64 / 600.0;
            ("train/loss", i as Step, 2.0 * 0.8_f64.powi((i / 600) as i32) + 0.1 * within + n(i, 0.05))
        });
        all.push(("sawtooth of epochs", Log::of(sawtooth)));
        let bump = (0..1500).map(|i| {
            let x = i as f64;
            let level = 2.3 - 0.6 * (1.0 - (-x / 100.0).exp()) + 0.45 * (-((x - 180.0) / 40.0).powi(2)).exp()
                - x / 1500.0;
            ("loss", i as Step, level + n(i, 0.03))
        });
        all.push(("bump in warm-up", Log::of(bump)));
        let restarts = (0..4000_usize).flat_map(|i| {
            let phase = (i % 1000) as f64 / 1000.0;
            let rate = 0.05 + 0.95 * 0.5 * (1.0 + (std::f64::consts::PI * phase).cos());
            let floor = 2.0 * (-(i as f64) / 600.0).exp() + 0.4;
            [("lr", i as Step, 0.1 * rate), ("train/loss", i as Step, floor + 0.3 * rate + n(i, 0.02))]
        });
        all.push(("learning-rate restarts", Log::of(restarts)));
        let gan = (0..3000_usize).flat_map(|i| {
            let swing = (i as f64 / 200.0).sin();
            [
                ("loss_D", i as Step, 0.69 + 0.3 * swing + n(i, 0.1)),
                ("loss_G", i as Step, 1.0 + i as f64 / 800.0 - 0.5 * swing + n(i, 0.2)),
            ]
        });
        all.push(("gan", Log::of(gan)));
        let negative = (0..2000)
            .map(|i| ("loss", i as Step, 3.0 - 8.0 * (1.0 - (-(i as f64) / 300.0).exp()) + n(i, 0.2)));
        all.push(("negative log-likelihood", Log::of(negative)));
        let tiny = (0..4000)
            .map(|i| ("loss", i as Step, (-(i as f64) / 200.0).exp() + 1e-7 * (1.0 + n(i, 0.5).abs() * 5.0)));
        all.push(("regression to nothing", Log::of(tiny)));
        let spikes = (0..3000).map(|i| {
            ("train/loss", i as Step, falling(i / 20) * if i % 170 == 3 { 1.9 } else { 1.0 } + n(i, 0.05))
        });
        all.push(("one-step spikes", Log::of(spikes)));
        let tuned = (0..800).flat_map(|i| {
            let val = (i % 50 == 49).then_some((
                "eval_loss",
                i as Step,
                1.05 - 0.05 * (i as f64 / 800.0) + n(i, 0.004),
            ));
            [Some(("loss", i as Step, 1.1 - 0.08 * (i as f64 / 800.0) + n(i, 0.15))), val]
                .into_iter()
                .flatten()
        });
        all.push(("fine-tuning near the floor", Log::of(tuned)));
    }
    all
}

#[test]
fn calm_curves_raise_nothing() {
    for (name, log) in calm() {
        let alerts = log.alerts();
        let loud: Vec<_> = alerts.iter().filter(|a| a.severity >= Severity::Warn).cloned().collect();
        assert!(loud.is_empty(), "{name}: {:#?}", essence(&loud));
    }
}
