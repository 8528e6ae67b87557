//! What judging costs: microseconds a point over all rules, and bytes that the judges keep.
//!
//! `cargo bench --bench detect` prints both. The store's own work is done before and not counted.

use std::{alloc::System, hint::black_box, time::Instant};

use cap::Cap;
use epochscope::{
    detect::{AlertBook, Detectors},
    model::{
        Batch, Column, FileId, LayerKind, LayerName, LayerRecord, LayerStats, Origin, Point, Record, RunId,
        SeriesKey, Step, WallTime,
    },
    store::{Change, Limits, Store},
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Steps that a reader sends at once.
const TURN: Step = 400;
/// Points of the typical run, of twelve series.
const POINTS: Step = 100_000;
/// An evaluation each so many steps.
const EVERY: Step = 50;
const LAYERS: usize = 100;
const LOGS: Step = 500;
const START: f64 = 1.75e9;

/// What every step of a typical run writes.
const EACH_STEP: [&str; 8] = [
    "train/loss",
    "train/accuracy",
    "train/grad_norm",
    "lr",
    "tokens_per_second",
    "mfu",
    "iteration-time",
    "system/gpu.0.memoryAllocated",
];
/// … and every evaluation.
const EACH_EVALUATION: [&str; 4] = ["val/loss", "val/accuracy", "val/f1", "val/perplexity"];

fn main() {
    println!("judging                              points    µs/point   subjects    KiB kept  bytes/subject");
    let run = typical();
    measured("12 series of a typical run", &run, EACH_STEP.len() + EACH_EVALUATION.len());
    for (i, tag) in EACH_STEP.iter().enumerate() {
        measured(tag, &alone(&run, i), 1);
    }
    measured("val/loss and train/loss", &pair(&run), 2);
    measured("100 layers, weights and gradients", &layers(), 2 * LAYERS);
    divan::main();
}

/// Judges everything three times and prints what the fastest took.
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn measured(name: &str, batches: &[Batch], subjects: usize) {
    let points: usize = batches.iter().map(|b| b.point_count() + b.records.len()).sum();
    let (mut judging, mut kept) = (f64::INFINITY, 0);
    for _ in 0..3 {
        let mut store = Store::new(Limits::default());
        let (mut detectors, mut book) = (Detectors::new(), AlertBook::new());
        let (mut seconds, mut bytes) = (0.0, 0);
        for batch in batches {
            let changes = store.apply(batch);
            let before = ALLOCATOR.allocated();
            let since = Instant::now();
            judge(&mut detectors, &mut book, &store, batch, &changes);
            seconds += since.elapsed().as_secs_f64();
            bytes += ALLOCATOR.allocated().cast_signed() - before.cast_signed();
        }
        (judging, kept) = (f64::min(judging, seconds), bytes);
        black_box(&book);
    }
    println!(
        "{name:<35} {points:>8}  {:>9.2}  {subjects:>9}  {:>9.1}  {:>13.0}",
        1e6 * judging / points as f64,
        kept as f64 / 1024.0,
        kept as f64 / subjects as f64
    );
}

fn judge(detectors: &mut Detectors, book: &mut AlertBook, store: &Store, batch: &Batch, changes: &[Change]) {
    if let Some(run) = store.run(&batch.run) {
        detectors.observe(batch, changes, run, book, WallTime(START + 1e6));
    }
}

fn batch() -> Batch {
    Batch::new(RunId::from("run"), Origin::new(FileId(1), "events.out.tfevents.1750000000.host"))
}

/// The same noise everywhere, between -0.5 and 0.5.
fn noise(seed: u64, at: Step) -> f64 {
    let mut x =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at.unsigned_abs().wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as f64 / u64::MAX as f64 - 0.5
}

fn value(series: usize, step: Step, steps: Step) -> f64 {
    let done = step as f64 / steps as f64;
    let n = noise(series as u64, step);
    let loss = 0.5 + 2.0 * (-8.0 * done).exp();
    match series {
        0 => loss + 0.1 * n,
        1 | 9 | 10 => 0.9 - 0.7 * (-8.0 * done).exp() + 0.02 * n,
        2 => 1.0 + 0.3 * n,
        3 => 3e-4 * (done * 50.0).min(1.0) * (1.0 - done),
        4 => 9000.0 * (1.0 + 0.05 * n),
        5 => 0.45 * (1.0 + 0.01 * n),
        6 => 0.8 * (1.0 + 0.05 * n),
        7 => 70.0 + n,
        8 => loss + 0.1 + 0.02 * n,
        _ => loss.exp() + 0.1 * n,
    }
}

/// A healthy run of eight series a step and four an evaluation.
fn typical() -> Vec<Batch> {
    let steps = POINTS * EVERY / (8 * EVERY + 4);
    let column = |series: usize, tag: &str, from: Step, every: Step| Column {
        key: SeriesKey::plain(tag),
        points: (from..(from + TURN).min(steps))
            .filter(|step| step % every == 0)
            .map(|step| Point { step, wall: START + step as f64, value: value(series, step, steps) })
            .collect(),
    };
    (0..steps)
        .step_by(TURN as usize)
        .map(|from| {
            let each = EACH_STEP.iter().enumerate().map(|(i, tag)| column(i, tag, from, 1));
            let seldom = EACH_EVALUATION.iter().enumerate().map(|(i, tag)| column(8 + i, tag, from, EVERY));
            Batch { columns: each.chain(seldom).collect(), ..batch() }
        })
        .collect()
}

fn alone(run: &[Batch], series: usize) -> Vec<Batch> {
    run.iter().map(|b| Batch { columns: vec![b.columns[series].clone()], ..batch() }).collect()
}

fn pair(run: &[Batch]) -> Vec<Batch> {
    let both = |b: &Batch| vec![b.columns[0].clone(), b.columns[EACH_STEP.len()].clone()];
    run.iter().map(|b| Batch { columns: both(b), ..batch() }).collect()
}

/// Statistics of the weights and the gradients of every layer.
fn layers() -> Vec<Batch> {
    let record = |layer: usize, kind: LayerKind, log: Step| {
        let n = noise(layer as u64, log);
        let (mean, std) =
            (0.001 * n, 0.05 * (1.0 + 0.1 * n) * if kind == LayerKind::Weights { 1.0 } else { 0.1 });
        Record::Layer(LayerRecord {
            layer: LayerName::new(format!("layers.{layer}.weight")),
            kind,
            step: 10 * log,
            wall: WallTime(START + log as f64),
            split: std::sync::Arc::default(),
            stats: LayerStats {
                mean: Some(mean),
                std: Some(std),
                numel: Some(65536.0),
                ..LayerStats::default()
            },
        })
    };
    (1..=LOGS)
        .map(|log| {
            let both =
                |layer| [LayerKind::Weights, LayerKind::Gradients].map(|kind| record(layer, kind, log));
            Batch { records: (0..LAYERS).flat_map(both).collect(), ..batch() }
        })
        .collect()
}

#[divan::bench(sample_count = 10)]
fn judge_a_typical_run(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, &typical());
}

#[divan::bench(sample_count = 10)]
fn judge_a_hundred_layers(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, &layers());
}

/// Store and judges together, as the engine runs them.
fn bench(bencher: divan::Bencher<'_, '_>, batches: &[Batch]) {
    let total: usize = batches.iter().map(|b| b.point_count() + b.records.len()).sum();
    bencher.counter(divan::counter::ItemsCount::new(total)).bench(|| {
        let mut store = Store::new(Limits::default());
        let (mut detectors, mut book) = (Detectors::new(), AlertBook::new());
        for batch in batches {
            let changes = store.apply(batch);
            judge(&mut detectors, &mut book, &store, batch, &changes);
        }
        book
    });
}
