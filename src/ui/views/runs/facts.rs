//! What a row says of a run, kept between frames as long as the run's series stand still.

use std::collections::HashMap;

use crate::{
    detect::tags,
    model::{Goal, Point, RunId, SeriesKey, Step},
    store::{Run, Series},
};

/// Points that a sparkline keeps: enough for any width it is drawn in.
const SPARK_POINTS: usize = 96;

/// Which of a run's series stand for it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    names_version: u64,
    /// The loss that training minimises.
    pub main_loss: Option<SeriesKey>,
    /// What "best" speaks of.
    pub main_metric: Option<(SeriesKey, Goal)>,
    spark: Spark,
}

/// A main loss, thinned for one row of cells.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Spark {
    stamp: Option<(u64, Option<Step>)>,
    /// `[step, value]`, ascending.
    pub points: Vec<[f64; 2]>,
    /// The last value, also if it is not finite.
    pub last: Option<f64>,
}

/// Facts of the runs that were asked for.
#[derive(Default)]
pub struct Memory {
    runs: HashMap<RunId, Facts>,
}

impl Memory {
    /// What stands for `run`, classified again only when series appeared.
    pub fn of(&mut self, run: &Run) -> &mut Facts {
        let facts = self.runs.entry(run.id().clone()).or_default();
        if facts.names_version != run.names_version() {
            *facts = Facts {
                names_version: run.names_version(),
                main_loss: tags::main_loss(run),
                main_metric: tags::main_metric(run),
                spark: Spark::default(),
            };
        }
        facts
    }
}

impl Facts {
    /// The main loss up to `until`.
    pub fn spark(&mut self, run: &Run, until: Option<Step>) -> &Spark {
        if let Some(series) = self.main_loss.as_ref().and_then(|key| run.series_of(key)) {
            let stamp = Some((series.generation(), until));
            if self.spark.stamp != stamp {
                self.spark = thinned(series, until);
                self.spark.stamp = stamp;
            }
        }
        &self.spark
    }

    /// The best value of the main metric up to `until`.
    pub fn best(&self, run: &Run, until: Option<Step>) -> Option<Best> {
        let (key, goal) = self.main_metric.as_ref()?;
        let series = run.series_of(key)?;
        let (step, value) = if until.is_some() {
            let buckets = series.buckets(until);
            let finite = buckets.iter().filter(|b| b.finite > 0);
            match goal {
                Goal::Min => finite.map(|b| (b.min_step, b.min)).min_by(|a, b| a.1.total_cmp(&b.1)),
                // The first of equals, as the summary keeps it.
                Goal::Max => finite.map(|b| (b.max_step, b.max)).rev().max_by(|a, b| a.1.total_cmp(&b.1)),
            }?
        } else {
            let point: Point = match goal {
                Goal::Min => series.summary().min,
                Goal::Max => series.summary().max,
            }?;
            (point.step, point.value)
        };
        Some(Best { key: key.clone(), goal: *goal, value, step })
    }
}

/// The best value of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Best {
    /// Of which series.
    pub key: SeriesKey,
    /// What is better.
    pub goal: Goal,
    /// The value.
    pub value: f64,
    /// Where it was reached.
    pub step: Step,
}

/// Keeps the extremes of equal stretches of steps, so that a spike survives.
fn thinned(series: &Series, until: Option<Step>) -> Spark {
    let buckets = series.buckets(until);
    let last = buckets.last().map(|b| b.last.value);
    let mut points = Vec::with_capacity(SPARK_POINTS);
    let chunk = buckets.len().div_ceil(SPARK_POINTS / 2).max(1);
    for group in buckets.chunks(chunk) {
        if chunk == 1 {
            let b = &group[0];
            let value = b.mean().filter(|_| b.non_finite == 0).unwrap_or(f64::NAN);
            points.push([b.last.step as f64, value]);
            continue;
        }
        let mut low = (0, f64::INFINITY);
        let mut high = (0, f64::NEG_INFINITY);
        let mut broken = None;
        for b in group {
            if b.non_finite > 0 {
                broken = broken.or(b.nan_first);
            }
            if b.finite > 0 && b.min < low.1 {
                low = (b.min_step, b.min);
            }
            if b.finite > 0 && b.max > high.1 {
                high = (b.max_step, b.max);
            }
        }
        let mut found: Vec<(Step, f64)> = [low, high].into_iter().filter(|(_, v)| v.is_finite()).collect();
        found.extend(broken.map(|step| (step, f64::NAN)));
        found.sort_by_key(|(step, _)| *step);
        points.extend(found.into_iter().map(|(step, v)| [step as f64, v]));
    }
    Spark { stamp: None, points, last }
}
