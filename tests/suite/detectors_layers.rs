//! Rules on layers, classes and groups as a user meets them: statistics and matrices in, alerts out, whatever the pieces
//! in which they arrive.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::too_many_lines, reason = "tables of made-up networks")]
#![allow(clippy::cast_possible_wrap, reason = "places in made-up networks are small")]

use std::sync::Arc;

use epochscope::{
    detect::{Alert, AlertBook, AlertState, Detectors, Severity},
    model::{
        Batch, Column, ConfusionMatrix, ConfusionRecord, FileId, Health, LayerKind, LayerName, LayerRecord,
        LayerStats, Origin, Point, Record, RunId, SeriesKey, Step, WallTime,
    },
    store::{Limits, Store},
};
use ndarray::Array2;

use LayerKind::{Activations, Gradients, Weights};

/// Something that a file says, in its order.
#[derive(Clone)]
enum Row {
    Point(&'static str, Step, f64),
    Record(Box<Record>),
}

#[derive(Clone, Default)]
pub struct Log {
    rows: Vec<Row>,
}

impl Log {
    pub fn point(&mut self, tag: &'static str, step: Step, value: f64) {
        self.rows.push(Row::Point(tag, step, value));
    }

    pub fn layer(&mut self, name: &str, kind: LayerKind, step: Step, stats: &LayerStats) {
        self.rows.push(Row::Record(Box::new(Record::Layer(LayerRecord {
            layer: LayerName::new(name),
            kind,
            step,
            wall: WallTime::UNKNOWN,
            split: std::sync::Arc::default(),
            stats: *stats,
        }))));
    }

    fn matrix(&mut self, split: &str, step: Step, counts: Array2<f64>) {
        self.rows.push(Row::Record(Box::new(Record::Confusion(ConfusionRecord {
            split: split.into(),
            step,
            epoch: None,
            wall: WallTime::UNKNOWN,
            matrix: ConfusionMatrix::new(counts).unwrap(),
            names: None,
            task: Arc::from(""),
        }))));
    }

    pub fn alerts(&self) -> Vec<Alert> {
        self.in_pieces_of(1000)
    }

    fn in_pieces_of(&self, size: usize) -> Vec<Alert> {
        let mut store = Store::new(Limits::default());
        let (mut detectors, mut book, now) = (Detectors::new(), AlertBook::new(), WallTime(2e9));
        for piece in self.rows.chunks(size) {
            let mut batch = Batch::new(RunId::from("run"), Origin::new(FileId(1), "a"));
            for row in piece {
                match row {
                    Row::Record(record) => batch.records.push((**record).clone()),
                    Row::Point(tag, step, value) => {
                        let key = SeriesKey::plain(*tag);
                        let point = Point { step: *step, wall: f64::NAN, value: *value };
                        match batch.columns.iter_mut().find(|c| c.key == key) {
                            Some(column) => column.points.push(point),
                            None => batch.columns.push(Column { key, points: vec![point] }),
                        }
                    }
                }
            }
            let changes = store.apply(&batch);
            detectors.observe(&batch, &changes, store.run(&batch.run).unwrap(), &mut book, now);
        }
        detectors.finish(&store, &Health::default(), &mut book, now);
        let mut alerts: Vec<Alert> = book.alerts().cloned().collect();
        alerts.sort_by_key(|a| (a.step, a.rule, a.place()));
        alerts
    }
}

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

/// Between −1 and 1, the same everywhere: a hash of the place.
fn noise(seed: u64, at: Step) -> f64 {
    let mut x = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ at.unsigned_abs().wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(17);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    2.0 * (x as f64 / u64::MAX as f64) - 1.0
}

/// A training whose layers are logged each 20 steps, 40 times; what is told of a layer may be changed.
pub struct Network {
    pub layers: Vec<&'static str>,
    pub loss: fn(f64) -> f64,
    pub rate: Option<fn(f64) -> f64>,
    pub logs: Step,
}

/// Layer by place, log by place, statistics to be changed.
pub type Change<'a> = &'a dyn Fn(usize, Step, LayerKind, &mut LayerStats);

const EVERY: Step = 20;
const LOSS_EACH: Step = 4;

pub fn learns(t: f64) -> f64 {
    0.05 + 2.25 * (-6.0 * t).exp()
}

pub fn stuck(_: f64) -> f64 {
    2.303
}

pub fn network(loss: fn(f64) -> f64) -> Network {
    Network { layers: vec!["fc1", "fc2", "fc3", "fc4", "fc5", "head"], loss, rate: None, logs: 40 }
}

impl Network {
    /// A healthy network: weights drift, gradients shrink with the loss and differ by a factor of 3 over the depth.
    pub fn log(&self, change: Change<'_>) -> Log {
        let mut log = Log::default();
        let end = self.logs * EVERY;
        for step in 1..=end {
            let t = step as f64 / end as f64;
            if step % LOSS_EACH == 0 {
                log.point("train/loss", step, (self.loss)(t) * (1.0 + 0.02 * noise(1, step)));
                if let Some(rate) = self.rate {
                    log.point("train/lr", step, rate(t));
                }
            }
            if step % EVERY != 0 {
                continue;
            }
            for kind in [Weights, Gradients, Activations] {
                for (at, name) in self.layers.iter().enumerate() {
                    let mut stats = self.stats(at, step, t, kind);
                    change(at, step / EVERY, kind, &mut stats);
                    log.layer(name, kind, step, &stats);
                }
            }
        }
        log
    }

    pub fn stats(&self, at: usize, step: Step, t: f64, kind: LayerKind) -> LayerStats {
        let wobble = 1.0 + 0.1 * noise(7 + at as u64, step);
        let (mean, std) = match kind {
            Weights => (0.001 * t + 0.0003 * wobble, 0.1 * (1.0 + 0.4 * t) + 0.0002 * wobble),
            Gradients => (0.0, 0.0025 * (self.loss)(t) * (1.0 + 0.5 * at as f64) * wobble),
            _ => (0.4 * wobble, 0.8 * wobble),
        };
        let numel: f64 = if kind == Activations { 12_800.0 } else { 4096.0 };
        LayerStats {
            mean: Some(mean),
            std: Some(std),
            min: Some(if kind == Activations { 0.0 } else { -3.0 * std }),
            max: Some(3.0 * std),
            norm: Some((mean * mean + std * std).sqrt() * numel.sqrt()),
            numel: Some(numel),
            zero: Some(if kind == Activations { 0.6 + 0.05 * wobble } else { 0.0 }),
            ..LayerStats::default()
        }
    }
}

pub fn nothing() -> LayerStats {
    LayerStats { mean: Some(0.0), std: Some(0.0), min: Some(0.0), max: Some(0.0), norm: Some(0.0), ..none() }
}

fn none() -> LayerStats {
    LayerStats { zero: Some(1.0), numel: Some(4096.0), ..LayerStats::default() }
}

fn scale(stats: &mut LayerStats, by: f64) {
    for value in [&mut stats.mean, &mut stats.std, &mut stats.min, &mut stats.max, &mut stats.norm] {
        *value = value.map(|v| v * by);
    }
}

/// Ten classes of `support` samples, each right with its share and otherwise the next one, but for `change`.
pub fn matrix(classes: usize, support: f64, right: f64) -> Array2<f64> {
    Array2::from_shape_fn((classes, classes), |(t, p)| {
        let hits = (support * right).round();
        if t == p {
            hits
        } else {
            // Spread over the others, the rest to the next one.
            let each = ((support - hits) / (classes - 1) as f64).floor();
            let rest = support - hits - each * (classes - 1) as f64;
            each + if p == (t + 1) % classes { rest } else { 0.0 }
        }
    })
}

/// Moves a share of a row's hits to a column.
fn mistake(m: &mut Array2<f64>, t: usize, p: usize, share: f64) {
    let moved = (m.row(t).sum() * share).round().min(m[[t, t]]);
    m[[t, t]] -= moved;
    m[[t, p]] += moved;
}

/// Evaluations each 100 steps.
pub fn evaluations(count: Step, of: impl Fn(Step) -> Array2<f64>) -> Log {
    let mut log = Log::default();
    for e in 1..=count {
        log.matrix("val", 100 * e, of(e));
    }
    log
}

fn learning(e: Step) -> f64 {
    0.95 - 0.8 * (-(e as f64) / 3.0).exp()
}

struct Fault {
    name: &'static str,
    log: Log,
    rule: &'static str,
    severity: Severity,
    layer: Option<&'static str>,
    since: std::ops::RangeInclusive<Step>,
}

fn fault(
    (name, rule, severity): (&'static str, &'static str, Severity),
    layer: Option<&'static str>,
    since: std::ops::RangeInclusive<Step>,
    log: Log,
) -> Fault {
    Fault { name, log, rule, severity, layer, since }
}

fn faults() -> Vec<Fault> {
    use Severity::{Info, Warn};
    let net = network;
    let mut slow = net(learns);
    slow.rate = Some(|_| 0.1);
    vec![
        fault(
            ("gradient that shrinks tenfold a layer", "vanishing_gradient", Warn),
            Some("fc1"),
            20..=60,
            net(stuck).log(&|at, _, kind, stats| {
                if kind == Gradients {
                    scale(stats, 0.1_f64.powi(5 - at as i32));
                }
            }),
        ),
        fault(
            ("layer whose gradient doubles again and again", "exploding_gradient", Warn),
            Some("fc3"),
            380..=420,
            net(learns).log(&|at, log, kind, stats| {
                if kind == Gradients && at == 2 && log > 20 {
                    scale(stats, 2.6_f64.powi((log - 20).min(10) as i32));
                }
            }),
        ),
        fault(
            (
                "gradient that grows towards the input of a network that learns nothing",
                "exploding_gradient",
                Warn,
            ),
            Some("fc1"),
            400..=600,
            net(stuck).log(&|at, log, kind, stats| {
                if kind == Gradients && log > 16 {
                    scale(stats, 1.0 + f64::from(u8::from(at < 2)) * 20.0 * (log - 16) as f64);
                }
            }),
        ),
        fault(
            ("network that was drawn far too large", "exploding_gradient", Warn),
            Some("fc1"),
            20..=20,
            net(learns).log(&|_, _, kind, stats| {
                if kind != Activations {
                    scale(stats, 6.0);
                }
            }),
        ),
        fault(
            ("gradient of all layers that leaves its range as the loss rises", "exploding_gradient", Warn),
            Some("fc1"),
            400..=700,
            net(|t| if t < 0.5 { 1.0 - t } else { t + 1.0 }).log(&|_, log, kind, stats| {
                if kind == Gradients && log > 20 {
                    scale(stats, 60.0);
                }
            }),
        ),
        fault(
            ("layer that takes nearly all of a gradient that grows", "exploding_gradient", Warn),
            Some("fc2"),
            400..=700,
            net(|t| if t < 0.5 { 1.0 - t } else { t + 1.0 }).log(&|at, log, kind, stats| {
                if kind == Gradients && at == 1 && log > 20 {
                    scale(stats, 60.0);
                }
            }),
        ),
        fault(
            ("units that die one after the other", "dead_units", Warn),
            Some("fc2"),
            300..=640,
            net(learns).log(&|at, log, kind, stats| {
                if kind == Activations {
                    stats.dead = Some(if at == 1 { 0.02 + 0.018 * log as f64 } else { 0.05 });
                }
            }),
        ),
        fault(
            ("layer that puts out nothing", "dead_units", Warn),
            Some("fc4"),
            200..=220,
            net(stuck).log(&|at, log, kind, stats| {
                if at == 3 && kind == Activations && log >= 10 {
                    *stats = nothing();
                }
            }),
        ),
        fault(
            ("outputs and gradients that turn to zeros", "dead_units", Warn),
            Some("fc2"),
            400..=700,
            net(learns).log(&|at, log, kind, stats| {
                if at == 1 && kind != Weights {
                    stats.zero =
                        Some(if log < 10 { 0.6 } else { (0.6 + 0.02 * (log - 10) as f64).min(0.98) });
                }
            }),
        ),
        fault(
            ("tanh units that saturate while it learns nothing", "saturated_units", Warn),
            Some("fc1"),
            200..=360,
            net(learns).log(&|at, log, kind, stats| {
                if kind == Activations {
                    stats.saturated = Some(if at == 0 { (0.05 * log as f64).min(0.9) } else { 0.1 });
                }
            }),
        ),
        fault(
            ("layers saturated from the start and a loss that stays", "saturated_units", Warn),
            Some("fc1"),
            20..=60,
            net(stuck).log(&|at, _, kind, stats| {
                if kind == Activations {
                    stats.saturated = Some(if at == 0 { 0.93 } else { 0.2 });
                }
            }),
        ),
        fault(
            ("layer that stops in the middle", "frozen_layer", Warn),
            Some("fc3"),
            400..=400,
            net(learns).log(&|at, log, kind, stats| {
                if kind == Weights && at == 2 && log > 20 {
                    *stats = net(learns).stats(2, 400, 0.5, Weights);
                }
            }),
        ),
        fault(
            ("optimiser that moves nothing", "frozen_layer", Warn),
            None,
            20..=20,
            net(stuck).log(&|at, _, kind, stats| {
                if kind == Weights {
                    *stats = net(stuck).stats(at, 20, 0.0, Weights);
                }
            }),
        ),
        fault(
            ("layer whose gradient is gone", "frozen_layer", Warn),
            Some("fc2"),
            420..=420,
            net(learns).log(&|at, log, kind, stats| {
                if kind == Gradients && at == 1 && log > 20 {
                    *stats = nothing();
                }
            }),
        ),
        fault(
            ("backbone that was frozen on purpose", "frozen_layer", Info),
            None,
            20..=20,
            net(learns).log(&|at, _, kind, stats| {
                if kind == Weights && at < 3 {
                    *stats = net(learns).stats(at, 20, 0.0, Weights);
                }
            }),
        ),
        fault(
            ("layer that is moved by 100 times its rate", "unstable_layer", Warn),
            Some("fc5"),
            20..=800,
            slow.log(&|at, log, kind, stats| {
                if kind == Weights && at == 4 && log > 20 {
                    scale(stats, 15.0 + noise(3, log));
                }
            }),
        ),
        fault(
            ("layer that changes by a fifth of itself each step", "unstable_layer", Info),
            Some("fc5"),
            260..=300,
            slow.log(&|at, _, kind, stats| {
                if kind == Weights {
                    let share = if at == 4 { 0.2 } else { 0.001 };
                    stats.update_norm = stats.norm.map(|norm| share * norm);
                }
            }),
        ),
        fault(
            ("activations that shrink with depth from the start", "poor_initialisation", Warn),
            None,
            40..=200,
            net(stuck).log(&|at, _, kind, stats| {
                if kind == Activations {
                    scale(stats, 0.4_f64.powi(at as i32));
                }
            }),
        ),
        fault(
            ("all weights the same", "poor_initialisation", Info),
            None,
            20..=20,
            net(learns).log(&|_, log, kind, stats| {
                if kind == Weights && log == 1 {
                    (stats.std, stats.mean) = (Some(0.0), Some(0.5));
                }
            }),
        ),
        fault(("first loss of an exploded head", "poor_initialisation", Info), None, 1..=1, {
            let mut log = Log::default();
            for step in 1..=200 {
                let begin = if step < 4 { 60.0 } else { 2.3 };
                log.point("train/loss", step, begin * (-(step as f64) / 400.0).exp());
            }
            log
        }),
        fault(
            ("everything is one class", "class_collapse", Warn),
            None,
            1200..=1200,
            evaluations(20, |e| {
                let mut m = matrix(10, 50.0, learning(e));
                if e >= 12 {
                    m.fill(0.0);
                    m.column_mut(7).fill(50.0);
                }
                m
            }),
        ),
        fault(
            ("pair of classes that is mixed up", "class_confusion", Info),
            None,
            600..=1200,
            evaluations(20, |e| {
                let mut m = matrix(10, 60.0, learning(e));
                mistake(&mut m, 3, 5, 0.35);
                mistake(&mut m, 5, 3, 0.35);
                m
            }),
        ),
        fault(
            ("pair of classes that were told apart", "class_confusion", Warn),
            None,
            1400..=1800,
            evaluations(24, |e| {
                let mut m = matrix(10, 60.0, learning(e));
                if e >= 14 {
                    mistake(&mut m, 3, 5, 0.4);
                    mistake(&mut m, 5, 3, 0.4);
                }
                m
            }),
        ),
        fault(
            ("class that is found less while accuracy rises", "class_confusion", Warn),
            None,
            1500..=2200,
            evaluations(30, |e| {
                let mut m = matrix(10, 100.0, 0.7 + 0.005 * e as f64);
                for p in (0..10).filter(|p| *p != 4) {
                    mistake(&mut m, 4, p, 0.006 * (e - 8).max(0) as f64);
                }
                m
            }),
        ),
        fault(
            ("class that is hardly ever found", "class_confusion", Warn),
            None,
            800..=1200,
            evaluations(20, |e| {
                let mut m = matrix(10, 60.0, learning(e));
                for p in 0..6 {
                    mistake(&mut m, 6, p, 0.15);
                }
                m
            }),
        ),
        fault(
            ("rare class that is hardly ever found", "class_imbalance", Warn),
            None,
            500..=1200,
            evaluations(20, |e| {
                let mut m = matrix(6, 400.0, learning(e));
                m.row_mut(2).assign(&ndarray::array![10.0, 10.0, 4.0, 8.0, 4.0, 4.0]);
                m
            }),
        ),
        fault(
            ("recall that follows the size of the class", "class_imbalance", Info),
            None,
            500..=700,
            evaluations(20, |e| {
                let mut m = matrix(6, 400.0, learning(e));
                for (class, (support, recall)) in
                    [(20.0, 0.4), (40.0, 0.5), (80.0, 0.6), (150.0, 0.7), (300.0, 0.8)]
                        .into_iter()
                        .enumerate()
                {
                    m.row_mut(class).fill(support * (1.0 - recall) / 5.0);
                    m[[class, class]] = support * recall;
                }
                m
            }),
        ),
    ]
}

#[test]
fn each_fault_is_said_where_it_is_and_since_when() {
    let mut wrong = Vec::new();
    for Fault { name, log, rule, severity, layer, since } in faults() {
        let alerts = log.alerts();
        let top: Vec<_> = alerts
            .iter()
            .filter(|a| a.caused_by.is_none() && a.severity >= severity && a.rule != "divergence")
            .collect();
        let right = |alert: &&Alert| {
            let place = alert.layer.as_ref().map(LayerName::as_str);
            (alert.rule, alert.severity, place) == (rule, severity, layer)
                && since.contains(&alert.since_step.unwrap())
                && alert.since_step <= alert.step
                && !alert.message.contains("NaN")
                && alert.message.contains(place.unwrap_or_default())
        };
        if top.len() != 1 || !top.iter().all(right) {
            wrong.push(format!("{name}: {:#?}", essence(&alerts)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn alerts_do_not_depend_on_the_pieces_in_which_records_arrive() {
    for (name, log) in faults().into_iter().map(|f| (f.name, f.log)).chain(healthy()) {
        let whole = essence(&log.in_pieces_of(usize::MAX));
        for size in [1, 7, 1000] {
            assert_eq!(essence(&log.in_pieces_of(size)), whole, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn every_alert_has_numbers_that_satisfy_its_rule() {
    for Fault { name, log, .. } in faults() {
        for alert in log.alerts() {
            let asked = alert.evidence.facts().iter().filter(|fact| fact.needs.is_some()).count();
            assert!(asked > 0, "{name}: {:?}", alert.evidence);
            assert!(alert.evidence.holds(), "{name}: {} {:?}", alert.rule, alert.evidence);
        }
    }
}

/// Networks, classes and groups that look ill to a fixed threshold and are well.
fn healthy() -> Vec<(&'static str, Log)> {
    let plain = network(learns);
    let mut deep = network(learns);
    deep.layers =
        vec!["wte", "h.0.mlp", "h.1.mlp", "h.2.mlp", "h.3.mlp", "ln_f.weight", "lm_head.bias", "head"];
    let mut decayed = network(learns);
    decayed.rate = Some(|t| (1.0 - t).max(0.0));
    let mut warmed = network(learns);
    warmed.rate = Some(|t| if t < 0.01 { 0.0 } else { 0.1 });
    let mut lora = network(learns);
    lora.layers = vec!["q.lora_A", "q.lora_B", "v.lora_A", "v.lora_B", "up", "head"];
    let mut experts = network(learns);
    experts.layers = vec!["moe.experts.0", "moe.experts.1", "moe.experts.2", "moe.experts.3", "fc", "head"];
    let mut gates = network(learns);
    gates.layers = vec!["lstm.gate", "attn.probs", "block.0", "block.1", "fc", "sigmoid_out"];
    let mut logs = vec![
        ("a network that learns", plain.log(&|_, _, _, _| {})),
        (
            "gradients that go to zero with the loss",
            network(|t| 2.3 * (-20.0 * t).exp() + 1e-9).log(&|_, _, _, _| {}),
        ),
        (
            "ReLU layers with 90 % zeros and some dead units",
            plain.log(&|at, _, kind, stats| {
                if kind == Activations {
                    (stats.zero, stats.dead) = (Some(0.9 + 0.01 * at as f64), Some(0.1 + 0.02 * at as f64));
                }
            }),
        ),
        (
            "a good classifier's last sigmoid",
            plain.log(&|at, log, kind, stats| {
                if kind == Activations && at == 5 {
                    stats.saturated = Some((0.05 * log as f64).min(0.99));
                }
            }),
        ),
        (
            "gates and attention at the ends of their range",
            gates.log(&|at, _, kind, stats| {
                if kind == Activations && (at < 2 || at == 5) {
                    (stats.saturated, stats.zero) = (Some(0.97), Some(0.96));
                }
            }),
        ),
        (
            "experts that are not used for a while, and their gradients",
            experts.log(&|at, log, kind, stats| {
                if at == 2 && kind != Weights && log > 10 {
                    *stats = nothing();
                    stats.dead = Some(1.0);
                }
            }),
        ),
        (
            "adapters that begin at zero and grow",
            lora.log(&|at, log, kind, stats| {
                if kind == Weights && matches!(at, 1 | 3) {
                    if log == 1 {
                        *stats = nothing();
                    } else {
                        scale(stats, 1e-4 * 1.7_f64.powi(log.min(12) as i32));
                    }
                }
            }),
        ),
        (
            "a zero head and zero last convolutions at the start",
            plain.log(&|at, log, kind, stats| {
                if kind == Weights && log == 1 && (at == 5 || at == 2) {
                    *stats = nothing();
                }
            }),
        ),
        (
            "biases and norm scales far larger than the rest, embeddings with few rows used",
            deep.log(&|at, log, kind, stats| match (at, kind) {
                (5 | 6, Gradients) => scale(stats, 500.0 * (1.0 + noise(9, log).abs())),
                (0, Gradients) => scale(stats, 1e-7),
                (0, Weights) if log % 3 != 0 => *stats = LayerStats { numel: Some(9.0), ..nothing() },
                _ => {}
            }),
        ),
        (
            "low-precision weights that stand still when the rate has decayed",
            decayed.log(&|at, log, kind, stats| {
                if kind == Weights && log > 38 - at as Step / 3 {
                    *stats = network(learns).stats(at, 740, 0.95, Weights);
                }
            }),
        ),
        (
            "all layers unchanged while the rate is 0 at the start",
            warmed.log(&|at, log, kind, stats| {
                if kind == Weights && log < 3 {
                    *stats = network(learns).stats(at, 20, 0.0, Weights);
                }
            }),
        ),
        ("weights logged more often than they change", {
            let mut log = Log::default();
            for step in 1..=400 {
                log.point("train/loss", step, learns(step as f64 / 400.0));
                for at in 0..6 {
                    let whole = step / 8 * 8;
                    let stats = plain.stats(at, whole, whole as f64 / 400.0, Weights);
                    log.layer(plain.layers[at], Weights, step, &stats);
                }
            }
            log
        }),
        (
            "a gradient that spikes for a log",
            plain.log(&|_, log, kind, stats| {
                if kind == Gradients && log % 13 == 12 {
                    scale(stats, 40.0);
                }
            }),
        ),
        ("a regression whose loss falls a hundredfold as it learns", {
            let mut log = Log::default();
            for step in 1..=200 {
                log.point("train/loss", step, 40.0 * (-(step as f64) / 12.0).exp() + 0.05);
            }
            log
        }),
        ("a loss that is summed over a batch of 64", {
            let mut log = Log::default();
            for step in 1..=200 {
                log.point("train/loss", step, 64.0 * learns(step as f64 / 800.0));
            }
            log
        }),
        ("classes that are learnt one after the other", {
            evaluations(20, |e| {
                let mut m = matrix(10, 50.0, learning(e));
                for class in 0..10_usize {
                    if (class as Step) > 2 * e {
                        mistake(&mut m, class, 0, 1.0);
                    }
                }
                m
            })
        }),
        ("a class that most samples are of", {
            evaluations(12, |_| ndarray::array![[960.0, 5.0], [14.0, 21.0]])
        }),
        ("a small evaluation set", {
            evaluations(20, |e| {
                Array2::from_shape_fn((10, 10), |(t, p)| {
                    let luck = noise(t as u64 * 31 + p as u64, e);
                    if t == p { 3.0 } else { f64::from(u8::from(luck > 0.9)) * 2.0 }
                })
            })
        }),
        ("shares instead of counts", evaluations(12, |e| matrix(10, 1000.0, 0.3 + 0.01 * e as f64) / 1000.0)),
        ("a class that everything was taken for at first", {
            evaluations(20, |e| {
                let mut m = matrix(6, 100.0, learning(e));
                for t in 1..6 {
                    mistake(&mut m, t, 0, 0.9 * (-(e as f64) / 2.0).exp());
                }
                if e > 3 {
                    mistake(&mut m, 0, 1, 0.05);
                }
                m
            })
        }),
        ("T-70: a group of 4 with 3 right", {
            let mut log = Log::default();
            for e in 1..=20 {
                log.matrix("val age=old", e, ndarray::array![[2.0, 0.0], [1.0, 1.0]]);
                log.matrix("val age=young", e, ndarray::array![[480.0, 20.0], [15.0, 485.0]]);
            }
            log
        }),
    ];
    logs.push(("an empty network", Log::default()));
    logs
}

#[test]
fn what_only_looks_ill_raises_no_alarm() {
    let mut wrong = Vec::new();
    for (name, log) in healthy() {
        let alerts = log.alerts();
        let quiet = |a: &Alert| {
            let remark = ["class_imbalance", "class_confusion", "frozen_layer"].contains(&a.rule);
            remark && a.severity == Severity::Info
        };
        if !alerts.iter().all(quiet) {
            wrong.push(format!("{name}: {:#?}", essence(&alerts)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn units_of_loss_and_gradient_do_not_matter() {
    for Fault { name, log, .. } in faults() {
        let said = |log: &Log| -> Vec<_> {
            let alerts = log.alerts();
            alerts.iter().map(|a| (a.rule, a.place(), a.severity, a.step, a.since_step)).collect()
        };
        let mut scaled = log.clone();
        for row in &mut scaled.rows {
            match row {
                Row::Point("train/loss", _, value) => *value *= 1000.0,
                Row::Record(record) => {
                    if let Record::Layer(layer) = &mut **record
                        && layer.kind == Gradients
                    {
                        scale(&mut layer.stats, 1000.0);
                    }
                }
                Row::Point(..) => {}
            }
        }
        // What a loss of ln C is, is a matter of units.
        assert_eq!(
            said(&scaled).iter().filter(|a| a.0 != "not_learning").collect::<Vec<_>>(),
            said(&log).iter().filter(|a| a.0 != "not_learning").collect::<Vec<_>>(),
            "{name}"
        );
    }
}

#[test]
fn a_layer_that_moves_again_closes_its_alert() {
    let log = network(learns).log(&|at, log, kind, stats| {
        if kind == Weights && at == 2 && (10..20).contains(&log) {
            *stats = network(learns).stats(2, 200, 0.25, Weights);
        }
    });
    let alerts = log.alerts();
    assert_eq!(alerts.len(), 1, "{:#?}", essence(&alerts));
    assert_eq!((alerts[0].rule, alerts[0].state), ("frozen_layer", AlertState::Closed));
    assert_eq!(alerts[0].closed_step, Some(420));
}

#[test]
fn frozen_layers_are_one_line_that_names_them() {
    let log = network(learns).log(&|at, _, kind, stats| {
        if kind == Weights && at < 5 {
            *stats = network(learns).stats(at, 20, 0.0, Weights);
        }
    });
    let alerts = log.alerts();
    assert_eq!(alerts.len(), 1, "{:#?}", essence(&alerts));
    assert!(alerts[0].message.contains("5 of 6 layers"), "{}", alerts[0].message);
    assert!(alerts[0].message.contains("fc1, fc2, fc3 and 2 more"), "{}", alerts[0].message);
}

#[test]
fn what_is_broken_inside_explains_the_loss_that_stays() {
    let log = network(stuck).log(&|at, log, kind, stats| {
        if at == 3 && kind == Activations && log >= 2 {
            *stats = nothing();
        }
    });
    let alerts = log.alerts();
    let dead = alerts.iter().find(|a| a.rule == "dead_units").unwrap();
    let loss = alerts.iter().find(|a| a.rule == "not_learning").map(|a| a.caused_by);
    assert!(loss.is_none_or(|cause| cause == Some(dead.id)), "{:#?}", essence(&alerts));
}

#[test]
fn layers_that_are_logged_as_scalars_are_judged_beside_histograms_of_the_same_step() {
    let mut batch = Batch::new(RunId::from("run"), Origin::new(FileId(1), "a"));
    let record = |layer: &str, step, stats| LayerRecord {
        layer: LayerName::new(layer),
        kind: Activations,
        step,
        wall: WallTime::UNKNOWN,
        split: std::sync::Arc::default(),
        stats,
    };
    let mut records = Vec::new();
    for step in (10..=200).step_by(10) {
        for (layer, dead) in [("relu1", 0.1), ("relu2", 0.95)] {
            let stats = network(learns).stats(0, step, 0.5, Activations);
            batch.records.push(Record::Layer(record(layer, step, stats)));
            records.push(record(layer, step, LayerStats { dead: Some(dead), ..LayerStats::default() }));
        }
    }
    let mut store = Store::new(Limits::default());
    let (mut detectors, mut book, now) = (Detectors::new(), AlertBook::new(), WallTime(2e9));
    let changes = store.apply(&batch);
    let run = store.run(&batch.run).unwrap();
    detectors.observe_with_layers(&batch, &records, &changes, run, &mut book, now);
    let said: Vec<_> = book.alerts().map(|a| (a.rule, a.place(), a.since_step)).collect();
    assert_eq!(said, [("dead_units", "relu2".to_owned(), Some(10))]);
}

/// T-71.
#[test]
fn t_71_a_gap_between_groups_is_said_when_it_opens_although_all_in_all_more_is_right() {
    let mut log = Log::default();
    for e in 1..=20 {
        let old = if e < 12 { 0.80 } else { 0.66 };
        let young = 0.80 + 0.008 * e as f64;
        let of = |right: f64, n: f64| {
            let hits = (n * right).round();
            ndarray::array![[hits / 2.0, (n - hits) / 2.0], [(n - hits) / 2.0, hits / 2.0]]
        };
        log.matrix("val age=old", e, of(old, 200.0));
        log.matrix("val age=young", e, of(young, 2000.0));
    }
    let alerts = log.alerts();
    assert_eq!(alerts.len(), 1, "{:#?}", essence(&alerts));
    let alert = &alerts[0];
    assert_eq!((alert.rule, alert.severity), ("subgroup_gap", Severity::Warn));
    assert!((12..=14).contains(&alert.step.unwrap()), "{:?}", alert.step);
    assert!(alert.message.contains("age=old"), "{}", alert.message);
    assert!(alert.evidence.holds());
    for size in [1, 7] {
        assert_eq!(essence(&log.in_pieces_of(size)), essence(&alerts), "in pieces of {size}");
    }
}
