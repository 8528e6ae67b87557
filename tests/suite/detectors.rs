//! Detectors as a user meets them: curves in, alerts out, whatever the pieces in which the points arrive.

#![allow(
    clippy::cast_possible_wrap,
    clippy::cast_lossless,
    reason = "places on made-up curves are small, whatever integer they are counted in"
)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::too_many_lines, reason = "tables of curves")]

use std::sync::Arc;

use epochscope::{
    detect::{
        Alert, AlertBook, AlertState, DETECTORS, Detectors, Severity,
        state::{self, RunState},
        tags,
    },
    model::{
        Batch, Column, FileHealth, FileId, FileState, Goal, Health, LayerKind, LayerName, LayerRecord,
        LayerStats, Origin, Point, Record, RunId, RunInfo, SeriesKey, Step, WallTime,
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
            let mut batch = Bench::batch();
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

    fn batch() -> Batch {
        Batch::new(RunId::from("run"), Origin::new(FileId(1), "a"))
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

/// What would wake somebody: warn or worse, not explained by another alert.
fn loud(alerts: Vec<Alert>) -> Vec<Alert> {
    alerts.into_iter().filter(|a| a.severity >= Severity::Warn && a.caused_by.is_none()).collect()
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
    alert.evidence.get(name).unwrap_or_else(|| panic!("no {name} in {alert:?}"))
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
    let alerts = loud(Log::pair(&falling, &val, 120, 10).alerts());
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
    for seed in 0..4 {
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
        let parts = (0..3000_usize).flat_map(|i| {
            let boxes = 0.5 + 0.3 * (i as f64 / 1500.0).min(1.0);
            let total = falling(i / 20) + 1.0 + n(i, 0.05);
            [("total_loss", i as Step, total), ("loss_box_reg", i as Step, boxes + n(i, 0.02))]
        });
        all.push(("a part that rises while the whole falls", Log::of(parts)));
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

/// Curves with a fault: the rule that must speak, at which severity at least, and between which steps.
fn faulty() -> Vec<(&'static str, Log, &'static str, Severity, std::ops::RangeInclusive<Step>)> {
    let n = |e: usize, s: f64| s * noise(77, e);
    let blown = move |i: usize| {
        if i < 600 {
            falling(i / 10) + n(i, 0.02)
        } else {
            falling(60) * 1.02_f64.powi(i as i32 - 600).min(40.0) + n(i, 0.02)
        }
    };
    let mut all = vec![
        (
            "loss turns NaN",
            Log::of(
                (0..500).map(|i| ("train/loss", i as Step, if i < 300 { falling(i / 10) } else { f64::NAN })),
            ),
            "nan",
            Severity::Critical,
            300..=300,
        ),
        (
            "one NaN",
            Log::of((0..500).map(|i| ("loss", i as Step, if i == 300 { f64::NAN } else { falling(i / 10) }))),
            "nan",
            Severity::Critical,
            300..=300,
        ),
        (
            "NaN from the start",
            Log::of((0..50).map(|i| ("loss", i as Step, f64::NAN))),
            "nan",
            Severity::Critical,
            4..=4,
        ),
        (
            "slow divergence",
            Log::of((0..900).map(|i| ("train/loss", i as Step, blown(i)))),
            "divergence",
            Severity::Critical,
            610..=680,
        ),
        (
            "one huge value",
            Log::of((0..400).map(|i| ("loss", i as Step, if i >= 250 { 1e6 } else { falling(i / 10) }))),
            "divergence",
            Severity::Critical,
            250..=250,
        ),
        (
            "explodes at once",
            Log::of((0..40).map(|i| ("loss", i as Step, 2.3 * 3.0_f64.powi((i - 10).max(0))))),
            "divergence",
            Severity::Critical,
            15..=25,
        ),
        (
            "stuck high",
            Log::of(
                (0..1000)
                    .map(|i| ("loss", i as Step, if i < 150 { 2.0 + n(i, 0.05) } else { 3.5 + n(i, 0.05) })),
            ),
            "divergence",
            Severity::Critical,
            150..=420,
        ),
        (
            "at chance",
            Log::of((0..1000).map(|i| ("loss", i as Step, 10_f64.ln() + n(i, 0.01)))),
            "not_learning",
            Severity::Warn,
            300..=320,
        ),
        (
            "not a bit changes",
            Log::of((0..100).map(|i| ("train/loss", i as Step, 0.731))),
            "not_learning",
            Severity::Critical,
            20..=30,
        ),
        (
            "overfits",
            Log::pair(&falling, &turning(40, 0.02), 120, 10),
            "overfitting",
            Severity::Warn,
            440..=600,
        ),
        (
            "overfits by validation alone",
            Log::of((0..100).map(|i| ("val_loss", i as Step, turning(40, 0.02)(i) + n(i, 0.005)))),
            "overfitting",
            Severity::Warn,
            45..=65,
        ),
        (
            "overfits late, noisy",
            Log::pair(&falling, &move |e| turning(150, 0.01)(e) + n(e, 0.02), 250, 4),
            "overfitting",
            Severity::Warn,
            620..=760,
        ),
    ];
    for (_, log, ..) in &mut all {
        log.info.steps_total = None;
    }
    all
}

#[test]
fn each_fault_is_said_once_where_it_began() {
    for (name, log, rule, severity, steps) in faulty() {
        let alerts = log.alerts();
        let cards: Vec<_> =
            alerts.iter().filter(|a| a.caused_by.is_none() && a.severity >= Severity::Warn).collect();
        assert_eq!(cards.len(), 1, "{name}: {:#?}", essence(&alerts));
        let card = cards[0];
        assert_eq!(card.rule, rule, "{name}: {:#?}", essence(&alerts));
        assert!(card.severity >= severity, "{name}: {:#?}", essence(&alerts));
        assert!(steps.contains(&card.step.unwrap()), "{name}: {:#?}", essence(&alerts));
        assert!(
            card.since_step <= card.step && !card.message.is_empty() && card.advice.ends_with('.'),
            "{name}"
        );
        assert!(card.message.contains(&card.place()), "{name}: {}", card.message);
    }
}

#[test]
fn alerts_do_not_depend_on_the_pieces_in_which_points_arrive() {
    let logs = calm().into_iter().take(12).chain(faulty().into_iter().map(|(name, log, ..)| (name, log)));
    for (name, log) in logs {
        let whole = essence(&log.in_pieces_of(1_000_000));
        for size in [1, 7, 1000] {
            assert_eq!(essence(&log.in_pieces_of(size)), whole, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn alerts_do_not_depend_on_units_counters_or_neighbours() {
    for (name, log, ..) in faulty().into_iter().filter(|(name, ..)| !name.contains("chance")) {
        let before = names(&log.alerts());
        for factor in [1000.0, 0.001] {
            let scaled = log.clone().map(|_, _, value| *value *= factor);
            assert_eq!(names(&scaled.alerts()), before, "{name} × {factor}");
        }
        let shift = 5_000_000;
        let shifted = names(&log.clone().map(|_, step, _| *step += shift).alerts());
        let back: Vec<_> =
            shifted.iter().map(|(r, s, step, state)| (*r, *s, step.map(|s| s - shift), *state)).collect();
        assert_eq!(back, before, "{name} shifted");
        let mut beside = log.clone();
        beside.rows = beside
            .rows
            .iter()
            .enumerate()
            .flat_map(|(i, row)| [row.clone(), (SeriesKey::plain("throughput/tokens"), row.1, noise(9, i))])
            .collect();
        assert_eq!(names(&beside.alerts()), before, "{name} beside another series");
    }
}

#[test]
fn the_evidence_satisfies_the_rule() {
    for (name, log, ..) in faulty() {
        for alert in log.alerts() {
            let facts = alert.evidence.facts();
            assert!(facts.iter().any(|fact| fact.needs.is_some()), "{name}: nothing to hold {alert:?} to");
            assert!(alert.evidence.holds(), "{name}: {alert:?}");
            match alert.rule {
                "overfitting" => {
                    let (best, now) = (number(&alert, "best"), number(&alert, "now"));
                    let least = if alert.severity == Severity::Info { 0.01 } else { 0.03 };
                    assert!(now - best >= least * best, "{name}");
                    assert!(
                        number(&alert, "rise_sigma")
                            >= if alert.severity == Severity::Info { 3.0 } else { 5.0 },
                        "{name}"
                    );
                    assert!(number(&alert, "evaluations_since_best") >= 5.0, "{name}");
                    if alert.evidence.has("train_now") {
                        assert!(number(&alert, "train_now") <= number(&alert, "train_at_best"), "{name}");
                    }
                }
                "divergence" if alert.evidence.has("first_max") => {
                    assert!(number(&alert, "now") > number(&alert, "first_max"), "{name}");
                }
                "divergence" => {
                    let least = if alert.severity == Severity::Critical { 1.5 } else { 1.25 };
                    assert!(number(&alert, "now") >= least * number(&alert, "best"), "{name}");
                    assert!(number(&alert, "rise_sigma") >= 10.0, "{name}");
                }
                "nan" => assert!(!number(&alert, "value").is_finite(), "{name}"),
                _ => {}
            }
        }
    }
}

#[test]
fn nan_that_means_nothing_is_silent() {
    let quiet: Vec<(&str, Log)> = vec![
        (
            "columns that take turns",
            Log::of((0..300_usize).flat_map(|i| {
                let eval = i % 10 == 9;
                [
                    ("val_loss", i as Step, if eval { falling(i / 10) } else { f64::NAN }),
                    ("train_loss", i as Step, if eval { f64::NAN } else { falling(i / 10) }),
                ]
            })),
        ),
        ("a metric that never was", Log::of((0..100).map(|i| ("val/accuracy", i as Step, f64::NAN)))),
        (
            "AUC of one class",
            Log::of((0..100).map(|i| ("val_auc", i as Step, if i % 7 == 0 { f64::NAN } else { 0.8 }))),
        ),
        (
            "reward before the first episode",
            Log::of(
                (0..100)
                    .map(|i| ("rollout/ep_rew_mean", i as Step, if i < 20 { f64::NAN } else { i as f64 })),
            ),
        ),
        (
            "one missing evaluation",
            Log::of((0..100).map(|i| ("val_loss", i as Step, if i == 50 { f64::NAN } else { falling(i) }))),
        ),
        (
            "a duration",
            Log::of((0..100).map(|i| ("step_avg_ms", i as Step, if i < 10 { f64::NAN } else { 3.0 }))),
        ),
        (
            "best so far",
            Log::of((0..100).map(|i| ("best_score", i as Step, if i < 3 { f64::NEG_INFINITY } else { 1.0 }))),
        ),
    ];
    for (name, log) in quiet {
        for size in [1, 1000] {
            let alerts = log.in_pieces_of(size);
            assert!(alerts.is_empty(), "{name}: {:#?}", essence(&alerts));
        }
    }
}

#[test]
fn an_overflow_that_mixed_precision_handled_is_only_info() {
    let rows = |handled: bool| {
        (0..200_usize).flat_map(move |i| {
            let scale = if handled && i >= 100 { 32768.0 } else { 65536.0 };
            [
                ("train/loss", i as Step, falling(i / 10)),
                ("grad_norm", i as Step, if i == 100 { f64::INFINITY } else { 1.0 + noise(3, i).abs() }),
                ("loss_scale", i as Step, scale),
            ]
        })
    };
    for size in [1, 7, 1000] {
        let alerts = Log::of(rows(true)).in_pieces_of(size);
        assert_eq!(
            names(&alerts),
            [("nan", Severity::Info, Some(100), AlertState::Closed)],
            "{:#?}",
            essence(&alerts)
        );
        let alerts = Log::of(rows(false)).in_pieces_of(size);
        assert_eq!(alerts.iter().map(|a| a.severity).collect::<Vec<_>>(), [Severity::Warn]);
    }
}

#[test]
fn one_cause_makes_one_card() {
    let rows = (0..600_usize).flat_map(|i| {
        let loss = if i < 300 { falling(i / 10) } else { falling(30) * 1.05_f64.powi(i as i32 - 300) };
        let loss = if i < 420 { loss } else { f64::NAN };
        let eval = (i % 10 == 9).then_some(("val/loss", i as Step, loss));
        [Some(("train/loss", i as Step, loss)), Some(("grad_norm", i as Step, loss * 3.0)), eval]
            .into_iter()
            .flatten()
    });
    let alerts = Log::of(rows).alerts();
    let roots: Vec<_> = alerts.iter().filter(|a| a.caused_by.is_none()).collect();
    assert_eq!(roots.len(), 2, "{:#?}", essence(&alerts));
    assert_eq!((roots[0].rule, roots[1].rule), ("divergence", "nan"));
    let close = Log::of((0..330_usize).map(|i| {
        let loss = if i < 300 { falling(i / 10) } else { falling(30) * 1.5_f64.powi(i as i32 - 300) };
        ("train/loss", i as Step, if i < 310 { loss } else { f64::NAN })
    }));
    let alerts = close.alerts();
    let roots: Vec<_> = alerts.iter().filter(|a| a.caused_by.is_none()).map(|a| a.rule).collect();
    assert_eq!(roots, ["nan"], "{:#?}", essence(&alerts));
}

#[test]
fn a_layer_that_holds_nan_is_the_root_of_the_loss_that_follows() {
    let mut bench = Bench::new();
    for step in 0..500_i64 {
        let mut batch = Bench::batch();
        let value = if step > 400 { f64::NAN } else { falling(step as usize / 10) };
        let point = Point { step, wall: START + step as f64, value };
        batch.columns.push(Column { key: SeriesKey::plain("train/loss"), points: vec![point] });
        for layer in ["layer6", "layer7"] {
            let nan = if layer == "layer7" && step >= 400 { 12.0 } else { 0.0 };
            let stats = LayerStats { mean: Some(0.1), nan: Some(nan), ..LayerStats::default() };
            let wall = WallTime(START + step as f64);
            batch.records.push(Record::Layer(LayerRecord {
                layer: LayerName::from(layer),
                kind: LayerKind::Activations,
                step,
                wall,
                split: std::sync::Arc::default(),
                stats,
            }));
        }
        bench.apply(&batch);
    }
    let alerts = bench.finish();
    let roots: Vec<_> =
        alerts.iter().filter(|a| a.caused_by.is_none()).map(|a| (a.place(), a.step)).collect();
    assert_eq!(roots, [("layer7".to_owned(), Some(400))], "{:#?}", essence(&alerts));
    assert_eq!(alerts.len(), 2);
}

#[test]
fn a_run_that_starts_again_is_judged_by_its_new_branch() {
    let first = (0..600_usize).map(|i| {
        (
            "loss",
            i as Step,
            if i < 300 { falling(i / 10) } else { falling(30) * 1.02_f64.powi(i as i32 - 300) },
        )
    });
    let again = (250..900_usize).map(|i| ("loss", i as Step, falling(i / 10)));
    let log = Log::of(first.chain(again));
    for size in [1, 7, 1000, 100_000] {
        let alerts = log.in_pieces_of(size);
        assert!(
            alerts.iter().all(|a| a.state == AlertState::Closed) && !alerts.is_empty(),
            "{:#?}",
            essence(&alerts)
        );
    }
}

#[test]
fn the_loss_over_chance_is_known_from_the_classes() {
    let log = Log::of((0..1000).map(|i| ("loss", i as Step, 7_f64.ln() + 0.01 * noise(5, i))));
    assert!(log.alerts().iter().all(|a| a.severity == Severity::Info), "7 classes are not a usual number");
    let mut bench = Bench::new();
    let mut batch = Bench::batch();
    batch.records.push(Record::Classes {
        task: Arc::from(""),
        names: (0..7).map(|i| Arc::from(i.to_string())).collect(),
    });
    let points =
        log.rows.iter().map(|(_, step, value)| Point { step: *step, wall: START, value: *value }).collect();
    batch.columns.push(Column { key: SeriesKey::plain("loss"), points });
    bench.apply(&batch);
    let alerts = loud(bench.finish());
    assert_eq!((alerts[0].rule, number(&alerts[0], "classes")), ("not_learning", 7.0));
    assert!(alerts[0].message.contains("ln(7)"), "{}", alerts[0].message);
}

#[test]
fn rules_have_different_names_and_say_what_to_do() {
    for (i, spec) in DETECTORS.iter().enumerate() {
        assert!(DETECTORS[..i].iter().all(|other| other.id != spec.id), "{} twice", spec.id);
        assert!(
            !spec.summary.is_empty() && spec.advice.ends_with('.') && !spec.scopes.is_empty(),
            "{}",
            spec.id
        );
    }
}

#[test]
fn hostile_values_and_steps_do_not_break_a_judge() {
    let values =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 1.0];
    let steps = [0, 1, -1, Step::MAX, Step::MIN, 5, 5, 4];
    let rows = (0..3000_usize).flat_map(|i| {
        let (value, step) = (values[i * 7 % values.len()], steps[i * 5 % steps.len()]);
        ["loss", "val_loss", "lr", "loss_scale", "grad_norm", "val_acc"].map(|tag| (tag, step, value))
    });
    for size in [1, 1000] {
        Log::of(rows.clone()).in_pieces_of(size);
    }
    Log::of([("loss", 0, 1.0)]).alerts();
    Log::default().alerts();
}

#[test]
fn tags_of_real_logs_are_read_as_what_they_are() {
    let mut count = 0;
    for line in include_str!("tags.tsv").lines().filter(|l| !l.starts_with('#')) {
        let [folder, tag, split, role, goal] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let class = tags::classify(&SeriesKey::plain(tag), &RunId::from(folder));
        let read = (class.split.name(), class.role.name(), class.goal);
        let goal = match goal {
            "min" => Some(Goal::Min),
            "max" => Some(Goal::Max),
            _ => None,
        };
        assert_eq!(read, (split, role, goal), "{folder} {tag}: {}", class.why);
        assert!(!class.why.is_empty() && !class.stem.is_empty(), "{tag}");
        count += 1;
    }
    assert!(count >= 250, "{count}");
}

/// Runs whose first points are these; which pairs, main loss and main metric they have.
#[test]
fn validation_is_paired_with_the_training_series_of_the_same_quantity() {
    type Expected =
        (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str, &'static str);
    let runs: &[Expected] = &[
        (
            &["loss", "accuracy", "val_loss", "val_accuracy", "lr"],
            &[("accuracy", "val_accuracy"), ("loss", "val_loss")],
            "loss",
            "val_loss",
        ),
        (
            &["train_loss_step", "train_loss_epoch", "val_loss", "val_acc", "lr-SGD"],
            &[("train_loss_epoch", "val_loss")],
            "train_loss_epoch",
            "val_loss",
        ),
        (
            &["train/loss", "train/train_loss", "eval/loss", "train/grad_norm"],
            &[("train/loss", "eval/loss")],
            "train/loss",
            "eval/loss",
        ),
        (
            &["loss", "grad_norm", "eval_loss", "train_loss"],
            &[("loss", "eval_loss")],
            "train_loss",
            "eval_loss",
        ),
        (
            &["train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss", "metrics/mAP50(B)"],
            &[("train/box_loss", "val/box_loss"), ("train/cls_loss", "val/cls_loss")],
            "train/box_loss",
            "val/box_loss",
        ),
        (
            &["lm loss", "lm loss validation", "learning-rate"],
            &[("lm loss", "lm loss validation")],
            "lm loss",
            "lm loss validation",
        ),
        (
            &["reduced_train_loss", "val_loss"],
            &[("reduced_train_loss", "val_loss")],
            "reduced_train_loss",
            "val_loss",
        ),
        (&["trl", "tel"], &[("trl", "tel")], "trl", "tel"),
        (
            &["loss/train", "loss/val", "accuracy/val"],
            &[("loss/train", "loss/val")],
            "loss/train",
            "loss/val",
        ),
        (&["rollout/ep_rew_mean", "train/value_loss", "train/loss"], &[], "train/loss", "train/loss"),
        (&["train_loss", "test_loss"], &[("train_loss", "test_loss")], "train_loss", "test_loss"),
    ];
    for (all, expected, main_loss, main_metric) in runs {
        let mut bench = Bench::new();
        let mut batch = Bench::batch();
        for tag in *all {
            let points = vec![Point { step: 0, wall: START, value: 1.0 }];
            batch.columns.push(Column { key: SeriesKey::plain(*tag), points });
        }
        bench.apply(&batch);
        let run = bench.store.run(&batch.run).unwrap();
        let pairs: Vec<_> = tags::pairs(run).into_iter().map(|p| (p.train.label(), p.val.label())).collect();
        let expected: Vec<_> = expected.iter().map(|(t, v)| ((*t).to_owned(), (*v).to_owned())).collect();
        assert_eq!(pairs, expected, "{all:?}");
        assert_eq!(tags::main_loss(run).unwrap().label(), *main_loss, "{all:?}");
        assert_eq!(tags::main_metric(run).unwrap().0.label(), *main_metric, "{all:?}");
    }
}

#[test]
fn one_value_at_the_end_does_not_stand_for_a_curve() {
    // Hugging Face's trainer: `loss` all along, and `train_loss`, the mean of all, when it is over.
    let mut bench = Bench::new();
    let mut batch = Bench::batch();
    for (tag, points) in [("loss", 40), ("eval_loss", 5), ("train_loss", 1)] {
        let points = (0..points).map(|i| Point { step: i as Step, wall: START, value: 1.0 }).collect();
        batch.columns.push(Column { key: SeriesKey::plain(tag), points });
    }
    bench.apply(&batch);
    let run = bench.store.run(&batch.run).unwrap();
    assert_eq!(tags::main_loss(run).unwrap().label(), "loss");
    assert_eq!(tags::pairs(run)[0].train.label(), "loss");
}

/// A run that wrote a point each ten seconds and then fell silent, seen some time later.
fn silent(points: usize, ago: f64, info: RunInfo, live: bool) -> (Bench, Health) {
    let mut bench = Bench::new();
    bench.now = WallTime(START + 10.0 * (points as f64 - 1.0) + ago);
    let mut batch = Bench::batch();
    let column = (0..points)
        .map(|i| Point { step: i as Step, wall: START + 10.0 * i as f64, value: falling(i) })
        .collect();
    batch.records.push(Record::Info(Box::new(info)));
    batch.columns.push(Column { key: SeriesKey::plain("loss"), points: column });
    bench.apply(&batch);
    let mut file = FileHealth::found(FileId(1), Arc::from("run/log"), batch.run.clone(), "jsonl");
    let last = START + 10.0 * (points as f64 - 1.0);
    file.state = FileState::Following;
    file.modified = WallTime(last);
    file.last_news = if live { WallTime(last + 0.2) } else { bench.now };
    let mut health = Health::default();
    health.scan.complete = true;
    health.files.insert(FileId(1), file);
    (bench, health)
}

#[test]
fn silence_is_running_then_late_then_stalled_then_old() {
    // Seen alive; cut off before its planned end; neither: without a sign of a break it may simply have ended.
    for (live, steps_total, sign_of_a_break) in
        [(true, None, true), (false, Some(10_000), true), (false, None, false)]
    {
        let info = RunInfo { steps_total, ..RunInfo::default() };
        let alarm = if sign_of_a_break { Severity::Critical } else { Severity::Info };
        let stages = [
            (30.0, RunState::Running, None),
            (115.0, RunState::Running, None),
            (400.0, RunState::Running, Some(Severity::Info)),
            (1900.0, RunState::Stalled, Some(alarm)),
            (50_000.0, RunState::Stalled, Some(alarm)),
            (100_000.0, RunState::Unknown, None),
            (3.0e7, RunState::Unknown, None),
        ];
        for (ago, expected, severity) in stages {
            let (mut bench, health) = silent(200, ago, info.clone(), live);
            let run = bench.store.run(&RunId::from("run")).unwrap();
            assert_eq!(
                state::run_state(run, &health, bench.now, state::STALE_AFTER_S),
                expected,
                "after {ago} s"
            );
            bench.detectors.heartbeat(&bench.store, &health, &mut bench.book, bench.now);
            assert_eq!(
                bench.book.worst_open(&RunId::from("run")).map(|a| a.severity),
                severity,
                "after {ago} s, live {live}"
            );
            if let Some(alert) = bench.book.alerts().next() {
                assert!(number(alert, "silence_s") > number(alert, "limit_s"));
                assert!(alert.message.contains("since step 199"), "{}", alert.message);
            }
        }
    }
}

#[test]
fn a_run_that_reached_its_end_is_never_stalled() {
    let info = RunInfo { steps_total: Some(200), ..RunInfo::default() };
    let (mut bench, health) = silent(200, 5000.0, info, true);
    let run = bench.store.run(&RunId::from("run")).unwrap();
    assert_eq!(state::run_state(run, &health, bench.now, state::STALE_AFTER_S), RunState::Finished);
    bench.detectors.finish(&bench.store, &health, &mut bench.book, bench.now);
    assert_eq!(bench.book.alerts().count(), 0);
}

#[test]
fn a_plan_in_epochs_is_no_sign_of_a_break_where_the_epoch_is_not_known() {
    // Ultralytics: `epochs` in args.yaml, and tables whose steps are the epochs.
    let info = RunInfo { epochs_total: Some(300.0), ..RunInfo::default() };
    let (mut bench, health) = silent(200, 5000.0, info, false);
    bench.detectors.heartbeat(&bench.store, &health, &mut bench.book, bench.now);
    let alert = bench.book.worst_open(&RunId::from("run")).unwrap();
    assert_eq!((alert.severity, alert.rule), (Severity::Info, "stalled"), "{}", alert.message);
}

#[test]
fn a_stalled_run_that_goes_on_closes_its_alert() {
    let (mut bench, mut health) = silent(200, 4000.0, RunInfo::default(), true);
    bench.detectors.heartbeat(&bench.store, &health, &mut bench.book, bench.now);
    assert_eq!(bench.book.counts().critical, 1);
    let mut batch = Bench::batch();
    batch.columns.push(Column {
        key: SeriesKey::plain("loss"),
        points: vec![Point { step: 200, wall: bench.now.0, value: 0.4 }],
    });
    bench.apply(&batch);
    for file in health.files.values_mut() {
        (file.modified, file.last_news) = (bench.now, bench.now);
    }
    bench.detectors.heartbeat(&bench.store, &health, &mut bench.book, bench.now);
    assert_eq!(bench.book.counts().critical, 0);
    assert_eq!(bench.book.alerts().next().unwrap().state, AlertState::Closed);
}

#[test]
fn the_time_that_is_left_follows_the_recent_pace() {
    let info = RunInfo { steps_total: Some(1000), ..RunInfo::default() };
    let (bench, _) = silent(200, 0.0, info, true);
    let progress = state::progress(bench.store.run(&RunId::from("run")).unwrap(), bench.now);
    assert_eq!(
        (progress.step, progress.steps_total, progress.interval_s),
        (Some(199), Some(1000), Some(10.0))
    );
    assert!((progress.eta_s.unwrap() - 8010.0).abs() < 1.0, "{progress:?}");
}

#[test]
fn a_file_that_is_rewritten_whole_keeps_its_alert_and_what_the_user_said_of_it() {
    let log =
        Log::of((0..500).map(|i| ("loss", i as Step, if i < 300 { falling(i / 10) } else { f64::NAN })));
    let mut bench = Bench::new();
    let mut health = Health::default();
    health.scan.complete = true;
    let whole = |rows: usize, reset: bool| {
        let mut batch = Bench::batch();
        batch.reset = reset;
        let points = log.rows[..rows]
            .iter()
            .map(|(_, step, value)| Point { step: *step, wall: START, value: *value })
            .collect();
        batch.columns.push(Column { key: SeriesKey::plain("loss"), points });
        batch
    };
    bench.apply(&whole(400, false));
    let id = bench.book.alerts().next().unwrap().id;
    bench.book.acknowledge(id);
    bench.apply(&whole(500, true));
    bench.detectors.heartbeat(&bench.store, &health, &mut bench.book, bench.now);
    let all: Vec<_> = bench.book.alerts().map(|a| (a.id, a.acknowledged, a.state)).collect();
    assert_eq!(all, [(id, true, AlertState::Open)]);
    bench.apply(&whole(250, true));
    bench.detectors.heartbeat(&bench.store, &health, &mut bench.book, bench.now);
    assert_eq!(bench.book.alerts().count(), 0, "what the file does not say any more is not said");
}

#[test]
fn files_of_a_run_may_be_read_newest_first() {
    let rows: Vec<_> = (0..900_i64)
        .map(|i| {
            (i, if i < 600 { falling(i as usize / 10) } else { falling(60) * 1.02_f64.powi(i as i32 - 600) })
        })
        .collect();
    let file = |id: u32, part: &[(Step, f64)]| {
        let mut batch = Bench::batch();
        batch.origin = Origin::new(FileId(id), format!("events.{id}"));
        let points =
            part.iter().map(|(step, value)| Point { step: *step, wall: START, value: *value }).collect();
        batch.columns.push(Column { key: SeriesKey::plain("loss"), points });
        batch
    };
    let mut ends = Vec::new();
    for order in [[1, 2], [2, 1]] {
        let mut bench = Bench::new();
        for id in order {
            let part = if id == 1 { &rows[..650] } else { &rows[650..] };
            let batch = file(id, part);
            bench.apply(&batch);
        }
        ends.push(names(&loud(bench.finish())));
    }
    assert_eq!(ends[0].len(), 1, "{ends:?}");
    assert_eq!((ends[0][0].0, ends[0][0].1), (ends[1][0].0, ends[1][0].1), "{ends:?}");
}
