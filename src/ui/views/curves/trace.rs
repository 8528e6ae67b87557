//! One series as it is drawn: thinned points on the chosen axis, smoothed, with its gaps.

use super::smoothing::Smoother;
use crate::{
    model::{SeriesKey, Step},
    store::{Bucket, Run, Series},
    ui::{Axis, widgets::axis::LARGEST},
};

/// One bucket as the read-out shows it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Row {
    /// Where it lies on the axis (its last point).
    pub x: f64,
    /// Its last step.
    pub step: Step,
    /// Its last value.
    pub value: f64,
    /// The smallest finite value, or NaN.
    pub low: f64,
    /// The largest finite value, or NaN.
    pub high: f64,
    /// The moving average there; the value itself without smoothing.
    pub smooth: f64,
}

/// A series ready for a chart.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trace {
    /// First, smallest, largest and last point of each bucket, in order.
    pub raw: Vec<[f64; 2]>,
    /// The moving average; empty without smoothing.
    pub smooth: Vec<[f64; 2]>,
    /// One row per bucket.
    pub rows: Vec<Row>,
    /// Branches that a restart made void.
    pub faded: Vec<Vec<[f64; 2]>>,
    /// Where values are not finite, and how many.
    pub marks: Vec<(f64, u64)>,
    /// How many values are not finite.
    pub non_finite: u64,
    /// From the first to the last point on the axis, also those after the time cursor.
    pub extent: Option<(f64, f64)>,
}

impl Trace {
    /// The row at or before `x`; `None` before the first.
    pub fn at(&self, x: f64) -> Option<&Row> {
        self.rows[..self.rows.partition_point(|r| r.x <= x)].last()
    }

    /// Where a step lies on the axis: at the first row that reaches it.
    pub fn x_of_step(&self, step: Step) -> Option<f64> {
        self.rows.get(self.rows.partition_point(|r| r.step < step)).or(self.rows.last()).map(|r| r.x)
    }
}

/// From steps and times of a run to places on an axis.
pub enum Scale {
    /// The step itself.
    Step,
    /// Seconds since 1970, or since the base.
    Wall {
        /// What counts as zero.
        base: f64,
    },
    /// So many steps are an epoch.
    StepsPerEpoch(f64),
    /// The run's own epoch series, `(step, epoch)` ascending in step.
    Epochs(Vec<(Step, f64)>),
}

impl Scale {
    /// The scale of one run. A run without epochs falls back to steps.
    pub fn of(run: &Run, axis: Axis) -> Self {
        match axis {
            Axis::Step => Self::Step,
            Axis::Wall => Self::Wall { base: 0.0 },
            Axis::Relative => Self::Wall { base: run.first_wall().known().unwrap_or(0.0) },
            Axis::Epoch => {
                if let Some(per_epoch) = run.info().steps_per_epoch.filter(|n| n.is_finite() && *n > 0.0) {
                    return Self::StepsPerEpoch(per_epoch);
                }
                epoch_table(run).map_or(Self::Step, Self::Epochs)
            }
        }
    }

    /// Whether an epoch axis really measures epochs.
    pub fn is_epochs(&self) -> bool {
        matches!(self, Self::StepsPerEpoch(_) | Self::Epochs(_))
    }

    fn x(&self, step: Step, wall: f64) -> f64 {
        match self {
            Self::Step => step as f64,
            Self::Wall { base } => wall - base,
            Self::StepsPerEpoch(n) => step as f64 / n,
            Self::Epochs(table) => interpolate(table, step),
        }
    }
}

fn epoch_table(run: &Run) -> Option<Vec<(Step, f64)>> {
    let is_epoch = |key: &SeriesKey| {
        let leaf = key.tag.as_str().rsplit('/').next().unwrap_or_default();
        leaf.eq_ignore_ascii_case("epoch")
    };
    let series = run.series().find(|s| is_epoch(s.key()))?;
    let table: Vec<(Step, f64)> = series
        .buckets(None)
        .iter()
        .filter(|b| b.last.value.is_finite())
        .map(|b| (b.last.step, b.last.value))
        .collect();
    (table.len() >= 2).then_some(table)
}

/// Linear between the rows of an ascending table, and onwards beyond its ends.
fn interpolate(table: &[(Step, f64)], step: Step) -> f64 {
    let at = table.partition_point(|(s, _)| *s <= step).clamp(1, table.len() - 1);
    let ((s0, e0), (s1, e1)) = (table[at - 1], table[at]);
    if s1 == s0 {
        return e1;
    }
    e0 + (e1 - e0) * (step as f64 - s0 as f64) / (s1 as f64 - s0 as f64)
}

fn clamped(v: f64) -> f64 {
    if v.is_finite() { v.clamp(-LARGEST, LARGEST) } else { f64::NAN }
}

/// The places of a bucket's extremes; their times are not kept, so they are taken from between its ends.
fn push_bucket(out: &mut Vec<[f64; 2]>, bucket: &Bucket, scale: &Scale) {
    let (first, last) = (&bucket.first, &bucket.last);
    let steps = last.step as f64 - first.step as f64;
    let x = |step: Step| {
        let share = if steps > 0.0 { (step as f64 - first.step as f64) / steps } else { 1.0 };
        scale.x(step, first.wall + (last.wall - first.wall) * share)
    };
    if bucket.finite == 0 {
        out.push([x(last.step), f64::NAN]);
        return;
    }
    let mut points = [
        (first.step, first.value),
        (bucket.min_step, bucket.min),
        (bucket.max_step, bucket.max),
        (last.step, last.value),
    ];
    if bucket.min_step > bucket.max_step {
        points.swap(1, 2);
    }
    let single = first.step == last.step;
    for (step, value) in points {
        if value.is_finite() {
            out.push([x(step), clamped(value)]);
            if single {
                break;
            }
        }
    }
}

impl Trace {
    /// Takes in buckets at the end.
    pub(super) fn add(&mut self, buckets: &[Bucket], scale: &Scale, smoother: &mut Smoother, smooths: bool) {
        for bucket in buckets {
            let x = scale.x(bucket.last.step, bucket.last.wall);
            if !x.is_finite() {
                continue;
            }
            push_bucket(&mut self.raw, bucket, scale);
            if bucket.non_finite > 0 {
                let step = bucket.nan_first.unwrap_or(bucket.last.step);
                let single = bucket.first.step == bucket.last.step;
                let at = if single { x } else { scale.x(step, bucket.last.wall) };
                self.marks.push((at, bucket.non_finite));
                self.non_finite += bucket.non_finite;
            }
            let mean = bucket.mean().filter(|_| smooths);
            let smooth = mean.map_or(bucket.last.value, |mean| {
                let smooth = smoother.next_many(clamped(mean), bucket.finite);
                self.smooth.push([x, smooth]);
                smooth
            });
            let (low, high) = if bucket.finite > 0 { (bucket.min, bucket.max) } else { (f64::NAN, f64::NAN) };
            self.rows.push(Row { x, step: bucket.last.step, value: bucket.last.value, low, high, smooth });
        }
    }

    /// Takes in the branches that were given up.
    pub(super) fn add_faded(&mut self, series: &Series, scale: &Scale, until: Option<Step>) {
        for branch in &series.superseded_buckets(until) {
            let mut points = Vec::new();
            for bucket in branch {
                push_bucket(&mut points, bucket, scale);
            }
            points.retain(|p| p[0].is_finite());
            self.faded.push(points);
        }
    }
}

/// From the first to the last point, whatever the time cursor hides.
pub(super) fn extent(series: &Series, scale: &Scale) -> Option<(f64, f64)> {
    let summary = series.summary();
    let xs = [summary.first?, summary.last?].map(|p| scale.x(p.step, p.wall));
    (xs[0].is_finite() && xs[1].is_finite()).then(|| (xs[0].min(xs[1]), xs[0].max(xs[1])))
}
