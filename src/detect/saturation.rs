//! How much of an activation histogram lies at the ends of its function's range.
//!
//! Only where the range is known: by a name that says `tanh` or `sigmoid`, or by outputs that reach both ends of −1…1
//! and nothing beyond. Outputs within 0…1 may as well be probabilities, which lie at the ends by design.

use crate::model::{HistogramRecord, LayerKind};

use super::part::{Part, words};

/// Share of the range, from each end, that counts as saturated.
const END: f64 = 0.01;

/// Share of the elements within 1 % of the bounds; `None` where the range is not known.
pub(super) fn of_histogram(record: &HistogramRecord) -> Option<f64> {
    if record.kind != LayerKind::Activations {
        return None;
    }
    let name = record.layer.as_str();
    if Part::of(name) == Part::Gate {
        return None;
    }
    let (min, max) = record.stats.min.zip(record.stats.max)?;
    let words = words(name);
    let named = |stem: &str| words.iter().any(|word| word.contains(stem));
    let (low, high) = if named("sigmoid") && min >= 0.0 && max <= 1.0 {
        (0.0, 1.0)
    } else if min >= -1.0 && max <= 1.0 && (named("tanh") || min < END - 1.0 && max > 1.0 - END) {
        (-1.0, 1.0)
    } else {
        return None;
    };
    // Outputs are within 1 % of ±1, or below 0.01 and above 0.99.
    let (below, above) = (low + END, high - END);
    let total: f64 = record.counts.iter().sum();
    let mut outside = 0.0;
    for (edges, count) in record.edges.windows(2).zip(record.counts.iter()) {
        let (left, right) = (edges[0], edges[1]);
        let width = right - left;
        outside += count
            * if width > 0.0 {
                let share = |from: f64, to: f64| ((to.min(right) - from.max(left)) / width).max(0.0);
                (share(f64::NEG_INFINITY, below) + share(above, f64::INFINITY)).min(1.0)
            } else {
                f64::from(u8::from(left <= below || left >= above))
            };
    }
    (total > 0.0).then(|| outside / total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LayerName, LayerStats, WallTime};

    fn record(name: &str, edges: &[f64], counts: &[f64]) -> HistogramRecord {
        HistogramRecord {
            layer: LayerName::from(name),
            kind: LayerKind::Activations,
            step: 1,
            wall: WallTime::UNKNOWN,
            edges: edges.into(),
            counts: counts.into(),
            stats: LayerStats {
                min: edges.first().copied(),
                max: edges.last().copied(),
                ..LayerStats::default()
            },
        }
    }

    #[test]
    fn outputs_at_both_ends_of_a_known_range_are_saturated() {
        let edges = [-1.0, -0.99, 0.0, 0.99, 1.0];
        let share = of_histogram(&record("act3", &edges, &[40.0, 10.0, 10.0, 40.0])).unwrap();
        assert!((share - 0.8).abs() < 1e-9);
        let unit = [0.0, 0.01, 0.5, 1.0];
        assert_eq!(of_histogram(&record("probs", &unit, &[90.0, 5.0, 5.0])), None, "may be probabilities");
        let share = of_histogram(&record("sigmoid_2", &unit, &[90.0, 5.0, 5.0])).unwrap();
        assert!((share - 0.901).abs() < 1e-9);
        assert_eq!(of_histogram(&record("relu", &[0.0, 0.5, 3.0], &[9.0, 1.0])), None);
        assert_eq!(of_histogram(&record("lstm.tanh", &edges, &[40.0, 10.0, 10.0, 40.0])), None);
    }
}
