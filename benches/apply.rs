//! How fast batches enter the store, and how much memory they take there.
//!
//! `cargo bench --bench apply` prints both; the memory part fails when the store's own estimate is off.

use std::{alloc::System, hint::black_box};

use cap::Cap;
use epochscope::{
    model::{
        Batch, Column, FileId, HistogramRecord, LayerKind, LayerName, LayerStats, Origin, Point, Record,
        RunId, SeriesKey, Step, WallTime,
    },
    store::{Limits, Store},
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Points that a reader sends at once.
const TURN: usize = 4096;

fn main() {
    println!("memory in MiB                  allocated  estimated  peak  bytes a point");
    let exact = Limits::default();
    measured("1 run, 20 series x 250,000", exact, || logs(1, 20, 250_000, false));
    measured("100 runs, 50 series x 1,000", exact, || logs(100, 50, 1000, false));
    measured("2,000 runs, 10 series x 100", exact, || logs(2000, 10, 100, false));
    measured("the same, 64-bit and uneven", exact, || logs(2000, 10, 100, true));
    measured("100 runs x 50, coarse", Limits::coarse(), || logs(100, 50, 1000, false));
    measured("2,000 runs x 10, coarse", Limits::coarse(), || logs(2000, 10, 100, false));
    measured("1 run, 20 series, coarse", Limits::coarse(), || logs(1, 20, 250_000, false));
    measured("51,200 histograms of 64", exact, histograms);
    measured("51,200 histograms, coarse", Limits::coarse(), histograms);
    divan::main();
}

/// Fills a store and compares what the allocator saw with what the store says.
fn measured<I: Iterator<Item = Batch>>(name: &str, limits: Limits, batches: impl Fn() -> I) {
    let before = ALLOCATOR.allocated();
    let mut store = Store::new(limits);
    let (mut points, mut records, mut peak) = (0, 0, 0);
    for batch in batches() {
        points += batch.point_count();
        records += batch.records.len();
        store.apply(&batch);
        drop(batch);
        peak = peak.max(ALLOCATOR.allocated() - before);
    }
    let (real, told) = (ALLOCATOR.allocated() - before, store.memory_bytes());
    let mib = |bytes: usize| bytes as f64 / 1_048_576.0;
    println!(
        "{name:<30} {:>9.1}  {:>9.1} {:>5.1}  {:>6.1}",
        mib(real),
        mib(told),
        mib(peak),
        real as f64 / (points + records) as f64
    );
    let ratio = told as f64 / real as f64;
    assert!((0.8..1.25).contains(&ratio), "the estimate is off by a factor of {ratio:.2}");
}

fn batch(run: usize, file: usize) -> Batch {
    let origin = Origin::new(FileId(file as u32), "events.out.tfevents.1750000000.host");
    Batch::new(RunId::from(format!("group/run_{run}").as_str()), origin)
}

#[expect(clippy::cast_possible_wrap, reason = "small numbers")]
fn points(from: usize, to: usize, uneven: bool) -> Vec<Point> {
    (from..to)
        .map(|n| {
            let value = (n as f64 * 0.01).sin();
            Point {
                step: if uneven { (n * 10 + n % 3) as Step } else { n as Step },
                wall: 1.75e9 + n as f64 * 0.25,
                value: if uneven { value } else { f64::from(value as f32) },
            }
        })
        .collect()
}

/// Batches as a reader makes them: all series of a run side by side.
fn logs(runs: usize, series: usize, steps: usize, uneven: bool) -> impl Iterator<Item = Batch> {
    let rows = TURN / series;
    (0..runs).flat_map(move |run| {
        (0..steps).step_by(rows).map(move |from| {
            let new = points(from, (from + rows).min(steps), uneven);
            let column = |n| Column {
                key: SeriesKey::plain(format!("train/metric_{n}").as_str()),
                points: new.clone(),
            };
            Batch { columns: (0..series).map(column).collect(), ..batch(run, run) }
        })
    })
}

fn histograms() -> impl Iterator<Item = Batch> {
    let record = |layer: usize, step: u32| {
        Record::Histogram(HistogramRecord {
            layer: LayerName::from(format!("layers.{layer}.weight").as_str()),
            kind: if layer.is_multiple_of(2) { LayerKind::Weights } else { LayerKind::Gradients },
            step: Step::from(step),
            wall: WallTime(1.75e9 + f64::from(step)),
            edges: (0..65).map(f64::from).collect(),
            counts: (0..64).map(f64::from).collect(),
            stats: LayerStats { mean: Some(1.0), ..LayerStats::default() },
        })
    };
    (0..200_u32).flat_map(move |step| {
        (0..2)
            .map(move |run| Batch { records: (0..128).map(|l| record(l, step)).collect(), ..batch(run, run) })
    })
}

#[divan::bench(args = [1, 20, 500, 4096], sample_count = 20)]
fn apply_a_million_points(bencher: divan::Bencher<'_, '_>, series: usize) {
    let batches: Vec<Batch> = logs(1, series, 1_000_000 / series, false).collect();
    let total: usize = batches.iter().map(Batch::point_count).sum();
    bencher.counter(divan::counter::ItemsCount::new(total)).bench(|| fill(&batches, Limits::default()));
}

#[divan::bench(args = [1, 20, 500], sample_count = 20)]
fn apply_a_million_uneven_points(bencher: divan::Bencher<'_, '_>, series: usize) {
    let batches: Vec<Batch> = logs(1, series, 1_000_000 / series, true).collect();
    let total: usize = batches.iter().map(Batch::point_count).sum();
    bencher.counter(divan::counter::ItemsCount::new(total)).bench(|| fill(&batches, Limits::default()));
}

#[divan::bench(args = [1, 20, 500], sample_count = 20)]
fn apply_a_million_points_coarsely(bencher: divan::Bencher<'_, '_>, series: usize) {
    let batches: Vec<Batch> = logs(1, series, 1_000_000 / series, false).collect();
    let total: usize = batches.iter().map(Batch::point_count).sum();
    bencher
        .counter(divan::counter::ItemsCount::new(total))
        .bench(|| fill(&batches, Limits { bytes: 1 << 20 }));
}

#[divan::bench(sample_count = 20)]
fn apply_many_runs(bencher: divan::Bencher<'_, '_>) {
    let batches: Vec<Batch> = logs(2000, 10, 100, false).collect();
    let total: usize = batches.iter().map(Batch::point_count).sum();
    bencher.counter(divan::counter::ItemsCount::new(total)).bench(|| fill(&batches, Limits::default()));
}

#[divan::bench(sample_count = 20)]
fn a_whole_curve_of_a_quarter_million_points(bencher: divan::Bencher<'_, '_>) {
    let batches: Vec<Batch> = logs(1, 1, 250_000, false).collect();
    let store = fill(&batches, Limits::default());
    let series = store.runs().next().and_then(|r| r.series().next());
    bencher.bench(|| series.map(|s| black_box(s.buckets(None)).len()));
}

fn fill(batches: &[Batch], limits: Limits) -> Store {
    let mut store = Store::new(limits);
    for batch in batches {
        black_box(store.apply(batch));
    }
    store
}
