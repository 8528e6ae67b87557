//! Which layer was the first to leave its own history (failure localisation of `DGMTracker`, Liu et al. 2018).
//!
//! A layer departs where one of its statistics is no finite number, or far from what it was: a robust z of more than
//! 6 on a logarithmic scale against its last 64 records. Of all that have departed and not come back, the earliest is the
//! cause; within a step in the order in which training computes: activations forward, gradients backward.

use std::collections::VecDeque;

use super::robust::mad_sigma;
use crate::{
    analysis::Cancel,
    model::{LayerKind, LayerName, LayerStats, Step},
    store::Layers,
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

/// Statistics of one tensor at one step, as far as departures are looked for in them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HistoryRecord {
    /// The trainer's counter.
    pub step: Step,
    /// Largest magnitude, norm and standard deviation.
    values: [Option<f64>; 3],
    /// Elements that are no finite numbers; at least 1 where a statistic itself is none.
    non_finite: f64,
}

impl HistoryRecord {
    fn of(step: Step, s: &LayerStats) -> Self {
        let counted = s.nan.unwrap_or(0.0).max(0.0) + s.inf.unwrap_or(0.0).max(0.0);
        let all = [s.mean, s.std, s.min, s.max, s.absmean, s.norm];
        let broken = all.into_iter().flatten().any(|v| !v.is_finite());
        let largest = match (s.min, s.max) {
            (Some(a), Some(b)) => Some(a.abs().max(b.abs())),
            (one, other) => one.or(other).map(f64::abs),
        };
        let non_finite = if counted > 0.0 { counted } else { f64::from(u8::from(broken)) };
        Self { step, values: [largest, s.norm.or(s.absmean), s.std], non_finite }
    }
}

/// One tensor of one layer up to a step: all that [`first_to_leave`] needs, copied, so that it may run elsewhere.
#[derive(Clone, PartialEq, Debug)]
pub struct History {
    /// The layer.
    pub layer: LayerName,
    /// Its place in the network, from 0.
    pub index: usize,
    /// Which of its tensors.
    pub kind: LayerKind,
    /// In ascending order of steps.
    pub records: Vec<HistoryRecord>,
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

/// Copies what is known of all layers up to and with `until`.
pub fn histories(layers: &Layers, until: Option<Step>) -> Vec<History> {
    let rows = layers.rows().enumerate();
    rows.flat_map(|(index, row)| row.kinds.iter().map(move |(kind, track)| (index, row, *kind, track)))
        .map(|(index, row, kind, track)| {
            let known = track.records().iter().take_while(|r| until.is_none_or(|until| r.step <= until));
            let records = known.map(|r| HistoryRecord::of(r.step, &r.stats)).collect();
            History { layer: row.layer.clone(), index, kind, records }
        })
        .collect()
}

/// The earliest departure that lasts until the last record; `None` where nothing has left its history (or
/// `cancel` says so).
pub fn first_to_leave(histories: &[History], cancel: &Cancel) -> Option<Cause> {
    let depth = histories.iter().map(|h| h.index).max().unwrap_or(0);
    let broken: Vec<Option<usize>> = histories.iter().map(|h| broken_since(&h.records)).collect();
    let failure = histories
        .iter()
        .zip(&broken)
        .filter_map(|(h, at)| at.and_then(|at| h.records.get(at)).map(|r| r.step))
        .min();
    let mut found: Vec<((Step, u8, usize), &History, Departure)> = Vec::new();
    for (history, broken) in histories.iter().zip(&broken) {
        if cancel.is_cancelled() {
            return None;
        }
        let sound = broken.unwrap_or(history.records.len());
        // What came after the failure is its consequence.
        let sound =
            sound.min(failure.map_or(usize::MAX, |f| history.records.partition_point(|r| r.step <= f)));
        let left = (0..STATISTICS.len())
            .filter_map(|which| left_since(&history.records[..sound], which, failure.is_some()))
            .min_by_key(|(at, _)| *at);
        let first = match (left, broken) {
            (Some((at, departure)), _) => Some((at, departure)),
            (None, Some(at)) => history.records.get(*at).map(|r| (*at, Departure::NonFinite(r.non_finite))),
            (None, None) => None,
        };
        if let Some((at, departure)) = first
            && let Some(record) = history.records.get(at)
        {
            let (pass, place) = order(history.kind, history.index, depth);
            found.push(((record.step, pass, place), history, departure));
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
        failed: failure.is_some(),
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

/// The first of the records at the end that are all broken.
fn broken_since(records: &[HistoryRecord]) -> Option<usize> {
    let sound = records.iter().rposition(|r| r.non_finite <= 0.0).map_or(0, |i| i + 1);
    (sound < records.len()).then_some(sound)
}

/// The first of the records at the end in all of which a statistic is outside of its history, and how far it was.
fn left_since(records: &[HistoryRecord], which: usize, failed: bool) -> Option<(usize, Departure)> {
    let mut usual = Usual::default();
    let mut since: Option<(usize, Departure)> = None;
    let mut outside: Vec<f64> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let Some(value) = record.values[which].filter(|v| v.is_finite()) else { continue };
        let log = value.abs().max(TINY).ln();
        match usual.z(log) {
            Some((z, centre)) if z > Z_LIMIT => {
                let usual = centre.exp();
                let statistic = STATISTICS[which];
                since.get_or_insert((at, Departure::Left { statistic, value, usual, z }));
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
    let (_, Departure::Left { z, .. }) = since? else { return None };
    let needed = if failed { 2 } else { IN_A_ROW };
    (outside.len() >= needed || (failed && z > Z_ALONE)).then_some(since?)
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

    /// Nine layers with activations and gradients every 20 steps; `change` may alter a record.
    fn network(records: i64, change: &dyn Fn(usize, LayerKind, Step, &mut LayerStats)) -> Vec<History> {
        let mut all = Vec::new();
        for index in 0..9 {
            for kind in [LayerKind::Activations, LayerKind::Gradients] {
                let records = (1..=records).map(|i| {
                    let mut s = stats(wobble(index, i));
                    change(index, kind, i * 20, &mut s);
                    HistoryRecord::of(i * 20, &s)
                });
                let layer = LayerName::new(format!("layer{}", index + 1));
                all.push(History { layer, index, kind, records: records.collect() });
            }
        }
        all
    }

    #[test]
    fn t_23_nan_that_starts_in_layer_7_at_step_400_is_found_there() {
        let all = network(21, &|index, kind, step, s| {
            // Forward from layer 7 in that step, everywhere in the next.
            let forward = index >= 6 && kind == LayerKind::Activations && step >= 400;
            if forward || step > 400 || (step == 400 && kind == LayerKind::Gradients) {
                (s.mean, s.norm, s.nan) = (Some(f64::NAN), Some(f64::NAN), Some(12.0));
            }
        });
        let cause = first_to_leave(&all, &Cancel::default()).unwrap();
        assert_eq!((cause.layer.as_str(), cause.step), ("layer7", 400));
        assert_eq!((cause.kind, cause.departure), (LayerKind::Activations, Departure::NonFinite(12.0)));
        assert!(cause.failed && cause.others == 8, "{cause:?}");
        // Nothing of it was known before.
        let before: Vec<History> =
            all.iter().map(|h| History { records: h.records[..19].to_vec(), ..h.clone() }).collect();
        assert_eq!(first_to_leave(&before, &Cancel::default()), None);
    }

    #[test]
    fn what_grew_before_it_broke_is_the_cause() {
        let all = network(30, &|index, kind, step, s| {
            if index == 2 && kind == LayerKind::Gradients && step >= 360 {
                *s = stats(40.0_f64.powi((step / 20 - 17).min(9) as i32));
            }
            if step >= 420 {
                s.nan = Some(1.0);
            }
        });
        let cause = first_to_leave(&all, &Cancel::default()).unwrap();
        assert_eq!((cause.layer.as_str(), cause.kind, cause.step), ("layer3", LayerKind::Gradients, 360));
        let Departure::Left { statistic, value, usual, z } = cause.departure else { panic!("{cause:?}") };
        assert!(statistic == "max" && value == 120.0 && (2.0..4.0).contains(&usual) && z > 6.0);
    }

    #[test]
    fn gradients_leave_backwards_and_need_to_stay_away() {
        let surge = |from: Step, to: Step| {
            network(60, &move |_, kind, step, s| {
                if kind == LayerKind::Gradients && (from..=to).contains(&step) {
                    *s = stats(50.0);
                }
            })
        };
        // All in one step: the last layer has its gradient first.
        let cause = first_to_leave(&surge(1100, 1200), &Cancel::default()).unwrap();
        assert_eq!((cause.layer.as_str(), cause.step, cause.failed), ("layer9", 1100, false));
        assert_eq!(first_to_leave(&surge(1180, 1200), &Cancel::default()), None, "two records are chance");
        assert_eq!(first_to_leave(&surge(900, 1100), &Cancel::default()), None, "it came back");
        assert_eq!(
            first_to_leave(&surge(400, 1200), &Cancel::default()),
            None,
            "a level that stays is the new history"
        );
    }

    #[test]
    fn healthy_layers_do_not_leave() {
        // Gradients that shrink a hundredfold with noise of a factor of 1.2.
        let all = network(500, &|index, _, step, s| {
            *s = stats(0.01_f64.powf(step as f64 / 10_000.0) * wobble(index, step));
        });
        for upto in (1..500).step_by(17) {
            let cut: Vec<History> =
                all.iter().map(|h| History { records: h.records[..upto].to_vec(), ..h.clone() }).collect();
            assert_eq!(first_to_leave(&cut, &Cancel::default()), None, "{upto}");
        }
        assert_eq!(first_to_leave(&[], &Cancel::default()), None);
    }
}
