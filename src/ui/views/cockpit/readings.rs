//! Everything that the page of a step shows, gathered from scalars, layers and noise records.

use super::gauges::{self, Gauge};
use crate::{
    analysis::cockpit::{Alphas, NoiseEstimate, NoiseRecord, NoiseScale, whole_norm},
    model::{ArtefactKind, HyperValue, LayerKind, LayerStats, RunId, Step},
    store::{Run, StoredArtefact},
};

/// Values of α that the median and the histogram are of.
pub(super) const WINDOW: usize = 256;

/// Names of hyper-parameters that are a batch size.
const BATCH_SIZES: [&str; 3] = ["batch_size", "train_batch_size", "global_batch_size"];

/// A quantity over time.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// What it is read from: a tag, or the layers.
    pub source: String,
    /// `[step, value]`; NaN where it is.
    pub points: Vec<[f64; 2]>,
}

impl Course {
    /// The latest value, also if it is NaN.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|p| p[1])
    }
}

/// α of the steps.
#[derive(Clone, Debug)]
pub(super) struct AlphaReading {
    pub course: Course,
    /// Of the newest values.
    pub newest: Option<Alphas>,
}

/// The noise scale.
#[derive(Clone, Debug, Default)]
pub(super) struct NoiseReading {
    /// `B_simple` over time; NaN where it is not estimable.
    pub course: Course,
    /// The averages, where records give them.
    pub estimate: Option<NoiseEstimate>,
    /// Share of the records whose own |G|² is not positive.
    pub negative: Option<f64>,
    /// Records that were averaged, and how many were read.
    pub records: (u64, u64),
    /// Records that say nothing.
    pub unusable: u64,
    /// A batch size to compare with, and where it comes from.
    pub batch: Option<(f64, &'static str)>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Readings {
    pub alpha: Option<AlphaReading>,
    /// Gradient norm, weight norm, distance from the start, size of updates.
    pub norms: [Option<Course>; 4],
    /// Norm, inner-product and orthogonality test.
    pub tests: [Option<Course>; 3],
    pub noise: Option<NoiseReading>,
    /// From the first to the last step of everything, also after the time cursor, so that lines stay where they are.
    pub span: (f64, f64),
    source: Option<(RunId, u64, Option<Step>)>,
}

impl Readings {
    /// Gathers anew where the run or the time cursor have changed.
    pub fn refresh(&mut self, run: &Run, until: Option<Step>) {
        let source = Some((run.id().clone(), run.generation(), until));
        if self.source == source {
            return;
        }
        let scalar = |gauge| {
            let series = gauges::series(run, gauge)?;
            let source = series.key().tag.as_str().to_owned();
            let points = gauges::course(series, until);
            (!points.is_empty()).then_some(Course { source, points })
        };
        let alpha = scalar(Gauge::Alpha).map(|course| {
            let values = gauges::series(run, Gauge::Alpha).map(|s| gauges::newest(s, until, WINDOW));
            AlphaReading { course, newest: values.and_then(Alphas::of) }
        });
        let layers = |kind, norm: fn(&LayerStats) -> Option<f64>| {
            let points = whole_norm(run.layers(), kind, norm, until);
            (!points.is_empty()).then(|| Course { source: "layer records".to_owned(), points })
        };
        let norms = [
            scalar(Gauge::GradientNorm).or_else(|| layers(LayerKind::Gradients, |s| s.norm)),
            scalar(Gauge::WeightNorm).or_else(|| layers(LayerKind::Weights, |s| s.norm)),
            scalar(Gauge::Distance).or_else(|| layers(LayerKind::Weights, |s| s.dist_init)),
            scalar(Gauge::UpdateSize).or_else(|| layers(LayerKind::Weights, |s| s.update_norm)),
        ];
        let tests = [scalar(Gauge::NormTest), scalar(Gauge::InnerTest), scalar(Gauge::OrthoTest)];
        let noise = noise(run, until)
            .or_else(|| {
                scalar(Gauge::NoiseScale).map(|course| NoiseReading { course, ..NoiseReading::default() })
            })
            .map(|reading| NoiseReading { batch: batch_size(run).or(reading.batch), ..reading });
        *self = Self { alpha, norms, tests, noise, span: span(run), source };
    }

    /// Nothing of it is logged, or nothing up to the time cursor.
    pub fn is_empty(&self) -> bool {
        self.alpha.is_none()
            && self.noise.is_none()
            && self.norms.iter().chain(&self.tests).all(Option::is_none)
    }
}

/// Steps of everything that the page may show, ascending: where the time cursor stops.
pub(super) fn moments(run: &Run) -> Vec<Step> {
    use Gauge::{
        Alpha, Distance, GradientNorm, InnerTest, NoiseScale, NormTest, OrthoTest, UpdateSize, WeightNorm,
    };
    let mut steps: Vec<Step> = Vec::new();
    for gauge in
        [Alpha, NormTest, InnerTest, OrthoTest, GradientNorm, WeightNorm, Distance, UpdateSize, NoiseScale]
    {
        if let Some(series) = gauges::series(run, gauge) {
            steps.extend(series.buckets(None).iter().map(|b| b.last.step));
        }
    }
    for (_, records) in run.tracks(ArtefactKind::Noise) {
        steps.extend(records.iter().filter_map(|r| r.artefact.step));
    }
    let tracks = run.layers().rows().filter_map(|row| row.track(LayerKind::Weights));
    if let Some(track) = tracks.max_by_key(|track| track.records().len()) {
        steps.extend(track.records().iter().map(|r| r.step));
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

fn span(run: &Run) -> (f64, f64) {
    let last = run.last_step().unwrap_or(0);
    let steps = moments(run);
    let first = steps.first().copied().unwrap_or(0);
    let last = steps.last().copied().unwrap_or(last);
    (first as f64, (last as f64).max(first as f64 + 1.0))
}

fn noise(run: &Run, until: Option<Step>) -> Option<NoiseReading> {
    let (key, records) = run.tracks(ArtefactKind::Noise).max_by_key(|(_, records)| records.len())?;
    let mut scale = NoiseScale::default();
    let mut reading = NoiseReading::default();
    for record in records {
        let step = record.artefact.step?;
        if until.is_some_and(|until| step > until) {
            break;
        }
        let Some(read) = numbers(record) else { continue };
        scale.push(&read);
        let now = scale.estimate().and_then(|e| e.scale()).unwrap_or(f64::NAN);
        reading.course.points.push([step as f64, now]);
        reading.batch = Some((read.b_big, "the larger batch"));
    }
    reading.course.source = "noise records".to_owned();
    reading.estimate = scale.estimate();
    reading.negative = scale.negative_share();
    let read = if until.is_some() { scale.records() } else { run.track_count(key) };
    reading.records = (scale.records(), read.max(scale.records()));
    reading.unusable = scale.unusable();
    (!reading.course.points.is_empty()).then_some(reading)
}

fn numbers(record: &StoredArtefact) -> Option<NoiseRecord> {
    let of = |name| record.artefact.number(name);
    Some(NoiseRecord {
        b_small: of("b_small")?,
        b_big: of("b_big")?,
        g2_small: of("g2_small")?,
        g2_big: of("g2_big")?,
    })
}

fn batch_size(run: &Run) -> Option<(f64, &'static str)> {
    BATCH_SIZES.iter().find_map(|name| match run.hyperparameters().get(*name)? {
        HyperValue::Number(n) if n.is_finite() && *n >= 1.0 => Some((*n, *name)),
        _ => None,
    })
}
