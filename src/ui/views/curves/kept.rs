//! Traces kept from frame to frame, and carried on where their series only grew.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    smoothing::Smoother,
    trace::{Scale, Trace, extent},
};
use crate::{
    model::{RunId, SeriesKey, Step},
    store::{Run, Series},
    ui::{Axis, Selection},
};

/// What a kept trace was made of.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Stamp {
    until: Option<Step>,
    axis: Axis,
    weight: f64,
    /// Of the run, where other series decide the scale.
    scale: u64,
    /// Of the series' segments: a restart or a rewritten file makes all of it new.
    segments: u64,
}

/// The part of a trace that more points at the end do not change, as lengths of its lists.
#[derive(Clone, Copy, Debug)]
struct Settled {
    step: Step,
    rows: usize,
    raw: usize,
    smooth: usize,
    marks: usize,
    non_finite: u64,
    smoother: Smoother,
}

/// One trace with what is needed to carry it on.
struct Kept {
    stamp: Stamp,
    generation: u64,
    used: bool,
    trace: Trace,
    settled: Option<Settled>,
}

/// Rows that a trace may gain at its end before it is made anew, coarser.
const TAIL_ROWS: usize = 1024;

impl Kept {
    fn new(series: &Series, scale: &Scale, stamp: Stamp) -> Self {
        let mut trace = Trace { extent: extent(series, scale), ..Trace::default() };
        let mut smoother = Smoother::new(stamp.weight);
        let smooths = stamp.weight > 0.0;
        let buckets = series.buckets(stamp.until);
        // The last bucket may still grow.
        let (whole, open) = buckets.split_at(buckets.len().saturating_sub(1));
        trace.add(whole, scale, &mut smoother, smooths);
        let settled = whole.last().map(|b| Settled {
            step: b.last.step,
            rows: trace.rows.len(),
            raw: trace.raw.len(),
            smooth: trace.smooth.len(),
            marks: trace.marks.len(),
            non_finite: trace.non_finite,
            smoother,
        });
        trace.add(open, scale, &mut smoother, smooths);
        trace.add_faded(series, scale, stamp.until);
        Self { stamp, generation: series.generation(), used: true, trace, settled }
    }

    /// Takes in what was added at the end. False if it must be made anew.
    fn carry_on(&mut self, series: &Series, scale: &Scale) -> bool {
        let Some(settled) = self.settled else { return false };
        if self.trace.rows.len() > settled.rows + TAIL_ROWS || !self.still_true(series, settled.rows) {
            return false;
        }
        let trace = &mut self.trace;
        trace.rows.truncate(settled.rows);
        trace.raw.truncate(settled.raw);
        trace.smooth.truncate(settled.smooth);
        trace.marks.truncate(settled.marks);
        trace.non_finite = settled.non_finite;
        trace.extent = extent(series, scale);
        let to = self.stamp.until.unwrap_or(Step::MAX);
        let tail = series.buckets_between(settled.step.saturating_add(1), to, 4 * TAIL_ROWS);
        let mut smoother = settled.smoother;
        trace.add(&tail, scale, &mut smoother, self.stamp.weight > 0.0);
        self.generation = series.generation();
        true
    }

    /// A look at both ends and the middle of the first `rows` rows: a file that was rewritten under the same name
    /// and first step says something else there.
    fn still_true(&self, series: &Series, rows: usize) -> bool {
        let rows = &self.trace.rows[..rows.min(self.trace.rows.len())];
        let places = [0, rows.len() / 2, rows.len().saturating_sub(1)];
        places.iter().filter_map(|i| rows.get(*i)).all(|row| {
            series
                .value_at(row.step)
                .is_some_and(|b| b.last.step == row.step && b.last.value.to_bits() == row.value.to_bits())
        })
    }
}

fn segments_stamp(series: &Series) -> u64 {
    let mut hasher = DefaultHasher::new();
    for segment in series.segments() {
        (segment.file(), segment.first_step(), segment.superseded_from()).hash(&mut hasher);
    }
    hasher.finish()
}

/// Traces of what was on screen in the last frame, carried on when their series grew.
#[derive(Default)]
pub struct Traces {
    kept: HashMap<(RunId, SeriesKey), Kept>,
}

impl Traces {
    /// Makes sure that the trace of a series is up to date.
    pub fn refresh(&mut self, run: &Run, key: &SeriesKey, selection: &Selection) {
        let Some(series) = run.series_of(key) else { return };
        let stamp = Stamp {
            until: selection.until(run.id()),
            axis: selection.axis,
            weight: selection.smoothing,
            scale: if selection.axis == Axis::Epoch { run.generation() } else { 0 },
            segments: segments_stamp(series),
        };
        let id = (run.id().clone(), key.clone());
        if let Some(kept) = self.kept.get_mut(&id).filter(|k| k.stamp == stamp) {
            kept.used = true;
            if kept.generation == series.generation() || kept.carry_on(series, &Scale::of(run, stamp.axis)) {
                return;
            }
        }
        self.kept.insert(id, Kept::new(series, &Scale::of(run, stamp.axis), stamp));
    }

    /// A trace that was refreshed in this frame.
    pub fn get(&self, run: &RunId, key: &SeriesKey) -> Option<&Trace> {
        self.kept.get(&(run.clone(), key.clone())).map(|k| &k.trace)
    }

    /// Forgets what the frame did not use.
    pub fn end_frame(&mut self) {
        self.kept.retain(|_, kept| std::mem::take(&mut kept.used));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Batch, Column, FileId, Origin, Point},
        store::{Limits, Store},
    };

    fn batch(reset: bool, points: impl Iterator<Item = (Step, f64)>) -> Batch {
        let origin = Origin::new(FileId(1), "0");
        let mut batch = Batch::new(RunId::from("r"), origin);
        batch.reset = reset;
        let points = points.map(|(step, value)| Point { step, wall: f64::NAN, value }).collect();
        batch.columns.push(Column { key: SeriesKey::plain("loss"), points });
        batch
    }

    fn fresh(store: &Store, selection: &Selection) -> Trace {
        let mut traces = Traces::default();
        let run = store.runs().next().unwrap();
        traces.refresh(run, &SeriesKey::plain("loss"), selection);
        traces.get(run.id(), &SeriesKey::plain("loss")).unwrap().clone()
    }

    /// A trace that was carried on from batch to batch equals one that was made at the end.
    fn carried(batches: &[Batch], selection: &Selection) -> (Trace, Trace) {
        let mut store = Store::new(Limits::default());
        let mut traces = Traces::default();
        let key = SeriesKey::plain("loss");
        for batch in batches {
            store.apply(batch);
            traces.refresh(store.runs().next().unwrap(), &key, selection);
        }
        let kept = traces.get(&RunId::from("r"), &key).unwrap().clone();
        (kept, fresh(&store, selection))
    }

    #[test]
    fn a_trace_carried_on_equals_one_made_anew() {
        let wave = |s: Step| if s % 97 == 0 { f64::NAN } else { (s as f64).sin() };
        let batches: Vec<Batch> =
            (0..50).map(|i| batch(false, (i * 37..(i + 1) * 37).map(|s| (s, wave(s))))).collect();
        for smoothing in [0.0, 0.9] {
            let (kept, anew) = carried(&batches, &Selection { smoothing, ..Selection::default() });
            // As text, because NaN differs from itself; not printed, because it is long.
            assert!(format!("{kept:?}") == format!("{anew:?}"), "smoothing {smoothing}");
        }
    }

    #[test]
    fn a_file_rewritten_with_other_values_is_drawn_anew() {
        let batches = [
            batch(false, (0..100).map(|s| (s, 1.0))),
            batch(false, (100..110).map(|s| (s, 1.0))),
            batch(true, (0..120).map(|s| (s, 2.0))),
            batch(false, (120..130).map(|s| (s, 2.0))),
        ];
        let (kept, anew) = carried(&batches, &Selection::default());
        assert!(kept == anew);
        assert!(kept.rows.iter().all(|r| r.value > 1.5));
    }

    #[test]
    fn a_restart_leaves_a_faded_branch() {
        let batches = [batch(false, (0..100).map(|s| (s, 1.0))), batch(false, (50..80).map(|s| (s, 3.0)))];
        let (kept, anew) = carried(&batches, &Selection::default());
        assert!(kept == anew);
        assert_eq!(kept.faded.len(), 1);
        assert_eq!(kept.extent, Some((0.0, 79.0)));
        assert_eq!(kept.rows.last().map(|r| (r.step, r.value)), Some((79, 3.0)));
    }
}
