//! Which layer was the first to leave its own history (failure localisation of `DGMTracker`, Liu et al. 2018).
//!
//! A layer departs where one of its statistics is no finite number, or far from what it was: a robust z of more than
//! 6 on a logarithmic scale against its last 64 records. Of all that have departed and not come back, the earliest is the
//! cause; within a step in the order in which training computes: activations forward, gradients backward.
//!
//! Layers of a healthy training leave their history too, early and slowly. So only what lies within 20 % of the way
//! before or after the trouble is looked at, and nothing is said of a run without any.

use std::{collections::VecDeque, ops::RangeInclusive};

use crate::{
    analysis::Cancel,
    model::{LayerKind, LayerName, LayerStats, Step, robust::mad_sigma},
    store::{LayerPoint, Layers, up_to},
};

/// Robust z beyond which a statistic has left its history.
pub const Z_LIMIT: f64 = 6.0;
/// One record alone counts only beyond this: single records do leave by chance, where there are many layers.
const Z_ALONE: f64 = 30.0;
/// Records that a history is made of.
const WINDOW: usize = 64;
/// Records before which nothing is called unusual.
const LEAST_HISTORY: usize = 8;
/// Least standard deviation of a logarithm: what changes by less than a third has not left.
const LEAST_SIGMA: f64 = 0.05;
/// What stays at a new level for so many records is the new history: learning rates are lowered on purpose.
const ADOPTED: usize = 32;
/// Records in a row that make a departure, if nothing broke after it.
const IN_A_ROW: usize = 3;
/// Statistics in the order in which they are looked at.
const STATISTICS: [&str; 3] = ["max", "norm", "std"];
/// Values below this are as good as zero.
const TINY: f64 = 1e-30;

/// Records before the failure (or the end) that are looked at: a window, and what may have left it since.
const COPIED: usize = WINDOW + 2 * ADOPTED;

/// Statistics of one tensor at one step in which departures are looked for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HistoryRecord {
    /// The trainer's counter.
    step: Step,
    /// Largest magnitude, norm and standard deviation; NaN where it was not logged.
    values: [f64; 3],
}

impl HistoryRecord {
    fn of(point: &LayerPoint) -> Self {
        let s = &point.stats;
        let largest = match (s.min, s.max) {
            (Some(a), Some(b)) => Some(a.abs().max(b.abs())),
            (one, other) => one.or(other).map(f64::abs),
        };
        let values = [largest, s.norm.or(s.absmean), s.std].map(|v| v.unwrap_or(f64::NAN));
        Self { step: point.step, values }
    }
}

/// Elements that are no finite numbers; at least 1 where a statistic itself is none.
fn non_finite(s: &LayerStats) -> f64 {
    let counted = s.nan.unwrap_or(0.0).max(0.0) + s.inf.unwrap_or(0.0).max(0.0);
    let all = [s.mean, s.std, s.min, s.max, s.absmean, s.norm];
    let broken = all.into_iter().flatten().any(|v| !v.is_finite());
    if counted > 0.0 { counted } else { f64::from(u8::from(broken)) }
}

/// One tensor of one layer up to a step: all that [`first_to_leave`] needs, copied, so that it may run elsewhere.
#[derive(Clone, PartialEq, Debug)]
pub struct History {
    /// The layer.
    layer: LayerName,
    /// Its place in the network, from 0.
    index: usize,
    /// Which of its tensors.
    kind: LayerKind,
    /// The last sound records up to the first failure anywhere in the network, ascending.
    records: Vec<HistoryRecord>,
    /// Since when it has been NaN or infinite, and how many elements were then.
    broken: Option<(Step, f64)>,
}

/// How a layer left its history.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Departure {
    /// So many elements are NaN or infinite, as far as the log says.
    NonFinite(f64),
    /// A statistic is far from its history.
    Left {
        /// `max`, `norm` or `std`.
        statistic: &'static str,
        /// Its value when it left.
        value: f64,
        /// The median of its history.
        usual: f64,
        /// How far that is, in robust standard deviations of the logarithm; never negative.
        z: f64,
    },
}

/// The first layer that left its history.
#[derive(Clone, PartialEq, Debug)]
pub struct Cause {
    /// The layer.
    pub layer: LayerName,
    /// Its place in the network, from 0.
    pub index: usize,
    /// Which of its tensors.
    pub kind: LayerKind,
    /// When.
    pub step: Step,
    /// How.
    pub departure: Departure,
    /// Layers that have left theirs as well, this one not counted.
    pub others: usize,
    /// Something in the network is NaN or infinite.
    pub failed: bool,
}

/// Copies what is known of all layers up to and with `until`, as far back as it matters: 4 KiB a tensor.
pub fn histories(layers: &Layers, until: Option<Step>) -> Vec<History> {
    let rows = layers.rows().enumerate();
    let tracks =
        rows.flat_map(|(index, row)| row.kinds.iter().map(move |(kind, track)| (index, row, kind, track)));
    let tracks: Vec<Track<'_>> = tracks
        .map(|(index, row, kind, track)| Track {
            layer: &row.layer,
            index,
            kind: *kind,
            records: up_to(track.records(), until),
        })
        .collect();
    copied(&tracks)
}

/// One tensor of one layer up to a step.
struct Track<'a> {
    layer: &'a LayerName,
    index: usize,
    kind: LayerKind,
    records: &'a [LayerPoint],
}

fn copied(tracks: &[Track<'_>]) -> Vec<History> {
    // The first of the records at the end that are all broken.
    let sound =
        |t: &Track<'_>| t.records.iter().rposition(|r| non_finite(&r.stats) <= 0.0).map_or(0, |i| i + 1);
    let sound: Vec<usize> = tracks.iter().map(sound).collect();
    let begins = |(track, sound): (&Track<'_>, &usize)| track.records.get(*sound).map(|r| r.step);
    let failure = tracks.iter().zip(&sound).filter_map(begins).min();
    let copy = |(track, sound): (&Track<'_>, &usize)| {
        // What came after the failure is its consequence.
        let before = failure.map_or(*sound, |f| track.records.partition_point(|r| r.step <= f).min(*sound));
        let records = track.records.get(before.saturating_sub(COPIED)..before).unwrap_or_default();
        let broken = track.records.get(*sound).map(|r| (r.step, non_finite(&r.stats)));
        History {
            layer: track.layer.clone(),
            index: track.index,
            kind: track.kind,
            records: records.iter().map(HistoryRecord::of).collect(),
            broken,
        }
    };
    tracks.iter().zip(&sound).map(copy).collect()
}

/// The steps within which the cause of a trouble is looked for that began at `trouble`: 20 % of the way on both sides.
pub fn around(trouble: Step) -> RangeInclusive<Step> {
    let slack = trouble.saturating_abs() / 5;
    trouble.saturating_sub(slack)..=trouble.saturating_add(slack.max(1))
}

/// The earliest departure near the trouble that lasts until the last record. `trouble` is where an alert says that it
/// began; where something is NaN or infinite earlier, that is the trouble. `None` where there is none, where nothing has
/// left its history, or when `cancel` says so.
pub fn first_to_leave(histories: &[History], trouble: Option<Step>, cancel: &Cancel) -> Option<Cause> {
    let failure = histories.iter().filter_map(|h| h.broken.map(|(step, _)| step)).min();
    let near = around([trouble, failure].into_iter().flatten().min()?);
    let depth = histories.iter().map(|h| h.index).max().unwrap_or(0);
    let failed = histories.iter().any(|h| h.broken.is_some());
    let mut found: Vec<((Step, u8, usize), &History, Departure)> = Vec::new();
    for history in histories {
        if cancel.is_cancelled() {
            return None;
        }
        let left = (0..STATISTICS.len())
            .filter_map(|which| left_since(&history.records, which, failed))
            .filter(|(step, _)| near.contains(step))
            .min_by_key(|(step, _)| *step);
        let broken = history.broken.map(|(step, elements)| (step, Departure::NonFinite(elements)));
        if let Some((step, departure)) = left.or(broken) {
            let (pass, place) = order(history.kind, history.index, depth);
            found.push(((step, pass, place), history, departure));
        }
    }
    let (key, history, departure) = found.iter().min_by_key(|(key, ..)| *key)?;
    let mut others: Vec<usize> =
        found.iter().map(|(_, h, _)| h.index).filter(|i| *i != history.index).collect();
    others.sort_unstable();
    others.dedup();
    Some(Cause {
        layer: history.layer.clone(),
        index: history.index,
        kind: history.kind,
        step: key.0,
        departure: *departure,
        others: others.len(),
        failed,
    })
}

/// Which of two things a training step computes first.
fn order(kind: LayerKind, index: usize, depth: usize) -> (u8, usize) {
    match kind {
        LayerKind::Activations => (0, index),
        LayerKind::Gradients => (1, depth - index),
        LayerKind::Updates => (2, index),
        LayerKind::Weights => (3, index),
        LayerKind::Moments => (4, index),
        LayerKind::Other => (5, index),
    }
}

/// The step since which a statistic has been outside of its history, and how far it was then.
fn left_since(records: &[HistoryRecord], which: usize, failed: bool) -> Option<(Step, Departure)> {
    let mut usual = Usual::default();
    let mut since: Option<(Step, Departure, f64)> = None;
    let mut outside: Vec<f64> = Vec::new();
    for record in records {
        let value = record.values[which];
        if !value.is_finite() {
            continue;
        }
        let log = value.abs().max(TINY).ln();
        match usual.z(log) {
            Some((z, centre)) if z > Z_LIMIT => {
                let left = Departure::Left { statistic: STATISTICS[which], value, usual: centre.exp(), z };
                since.get_or_insert((record.step, left, z));
                outside.push(log);
            }
            _ => {
                since = None;
                outside.clear();
                usual.add(log);
            }
        }
        if outside.len() >= ADOPTED {
            usual = Usual::default();
            outside.drain(..).for_each(|log| usual.add(log));
            since = None;
        }
    }
    let (step, left, z) = since?;
    let needed = if failed { 2 } else { IN_A_ROW };
    (outside.len() >= needed || (failed && z > Z_ALONE)).then_some((step, left))
}

/// The last [`WINDOW`] values, in their order and sorted.
#[derive(Default)]
struct Usual {
    order: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Usual {
    fn add(&mut self, v: f64) {
        if self.order.len() == WINDOW
            && let Some(old) = self.order.pop_front()
        {
            let at = self.sorted.partition_point(|s| *s < old);
            if at < self.sorted.len() {
                self.sorted.remove(at);
            }
        }
        self.order.push_back(v);
        self.sorted.insert(self.sorted.partition_point(|s| *s < v), v);
    }

    /// How far `v` is from the median, and the median. `None` while the history is too short.
    fn z(&self, v: f64) -> Option<(f64, f64)> {
        let n = self.sorted.len();
        if n < LEAST_HISTORY {
            return None;
        }
        let centre = f64::midpoint(self.sorted[(n - 1) / 2], self.sorted[n / 2]);
        let far = (v - centre).abs();
        if far <= Z_LIMIT * LEAST_SIGMA {
            return Some((0.0, centre));
        }
        let sigma = mad_sigma(&mut self.sorted.clone(), centre).unwrap_or(0.0).max(LEAST_SIGMA);
        Some((far / sigma, centre))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WallTime;

    fn stats(size: f64) -> LayerStats {
        LayerStats {
            std: Some(size),
            norm: Some(10.0 * size),
            min: Some(-2.0 * size),
            max: Some(3.0 * size),
            ..LayerStats::default()
        }
    }

    fn wobble(layer: usize, at: i64) -> f64 {
        1.0 + 0.2 * ((at * 7) as f64 + layer as f64 * 13.0).sin()
    }

    /// Nine layers with activations and gradients every 20 steps up to `last`; `change` may alter a record.
    fn network(last: Step, change: &dyn Fn(usize, LayerKind, Step, &mut LayerStats)) -> Option<Cause> {
        let names: Vec<LayerName> = (1..=9).map(|i| LayerName::new(format!("layer{i}"))).collect();
        let mut all = Vec::new();
        for index in 0..9 {
            for kind in [LayerKind::Activations, LayerKind::Gradients] {
                let records = (20..=last).step_by(20).map(|step| {
                    let mut s = stats(wobble(index, step / 20));
                    change(index, kind, step, &mut s);
                    LayerPoint { step, wall: WallTime::UNKNOWN, stats: s }
                });
                all.push((index, kind, records.collect::<Vec<_>>()));
            }
        }
        let tracks: Vec<Track<'_>> = all
            .iter()
            .map(|(index, kind, records)| Track {
                layer: &names[*index],
                index: *index,
                kind: *kind,
                records,
            })
            .collect();
        first_to_leave(&copied(&tracks), Some(last), &Cancel::default())
    }

    #[test]
    fn t_23_nan_that_starts_in_layer_7_at_step_400_is_found_there() {
        let fails = |index: usize, kind, step: Step, s: &mut LayerStats| {
            // Forward from layer 7 in that step, everywhere in the next.
            let forward = index >= 6 && kind == LayerKind::Activations && step >= 400;
            if forward || step > 400 || (step == 400 && kind == LayerKind::Gradients) {
                (s.mean, s.norm, s.nan) = (Some(f64::NAN), Some(f64::NAN), Some(12.0));
            }
        };
        for last in [400, 420, 8000] {
            let cause = network(last, &fails).unwrap();
            assert_eq!((cause.layer.as_str(), cause.step), ("layer7", 400));
            assert_eq!((cause.kind, cause.departure), (LayerKind::Activations, Departure::NonFinite(12.0)));
            assert!(cause.failed && cause.others == 8, "{cause:?}");
        }
        assert_eq!(network(380, &fails), None);
    }

    #[test]
    fn what_grew_before_it_broke_is_the_cause() {
        let cause = network(600, &|index, kind, step, s| {
            if index == 2 && kind == LayerKind::Gradients && step >= 360 {
                *s = stats(40.0_f64.powi((step / 20 - 17).min(9) as i32));
            }
            if step >= 420 {
                s.nan = Some(1.0);
            }
        })
        .unwrap();
        assert_eq!((cause.layer.as_str(), cause.kind, cause.step), ("layer3", LayerKind::Gradients, 360));
        let Departure::Left { statistic, value, usual, z } = cause.departure else { panic!("{cause:?}") };
        assert!(statistic == "max" && value == 120.0 && (2.0..4.0).contains(&usual) && z > 6.0);
    }

    #[test]
    fn gradients_leave_backwards_and_need_to_stay_away() {
        let surge = |from: Step, to: Step| {
            network(1200, &move |_, kind, step, s| {
                if kind == LayerKind::Gradients && (from..=to).contains(&step) {
                    *s = stats(50.0);
                }
            })
        };
        // All in one step: the last layer has its gradient first.
        let cause = surge(1100, 1200).unwrap();
        assert_eq!((cause.layer.as_str(), cause.step, cause.failed), ("layer9", 1100, false));
        assert_eq!(surge(1180, 1200), None, "two records are chance");
        assert_eq!(surge(900, 1100), None, "it came back");
        assert_eq!(surge(400, 1200), None, "a level that stays is the new history");
    }

    #[test]
    fn what_leaves_far_from_the_trouble_or_without_any_is_no_cause() {
        let name = LayerName::from("fc");
        let points: Vec<LayerPoint> = (1..=40)
            .map(|i| LayerPoint {
                step: i * 10,
                wall: WallTime::UNKNOWN,
                stats: stats(if i > 30 { 9.0 } else { wobble(0, i) }),
            })
            .collect();
        let track = Track { layer: &name, index: 0, kind: LayerKind::Weights, records: &points };
        let of = |trouble| first_to_leave(&copied(std::slice::from_ref(&track)), trouble, &Cancel::default());
        assert_eq!(of(Some(330)).map(|cause| cause.step), Some(310));
        assert_eq!(of(Some(500)), None, "the departure is older");
        assert_eq!(of(Some(200)), None, "the departure is younger");
        assert_eq!(of(None), None);
    }

    #[test]
    fn healthy_layers_do_not_leave() {
        // Gradients that shrink a hundredfold with noise of a factor of 1.2.
        for last in (20..10_000).step_by(340) {
            let found = network(last, &|index, _, step, s| {
                *s = stats(0.01_f64.powf(step as f64 / 10_000.0) * wobble(index, step));
            });
            assert_eq!(found, None, "{last}");
        }
        assert_eq!(first_to_leave(&[], Some(1), &Cancel::default()), None);
    }
}
