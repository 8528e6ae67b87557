//! Histograms of which a log holds edges and counts and nothing else: what they tell of the whole.

use std::sync::Arc;

use crate::model::LayerStats;

/// A histogram with more buckets than this is left where it is.
pub const BUCKETS_LIMIT: usize = 1 << 16;

/// Edges, counts, and what is known of the tensor.
#[derive(Clone, PartialEq, Debug)]
pub struct Buckets {
    /// One more than counts; finite, not decreasing.
    pub edges: Arc<[f64]>,
    /// Finite, not negative.
    pub counts: Arc<[f64]>,
    /// As if elements were spread evenly within each bucket; minimum and maximum are edges of buckets that hold
    /// something.
    pub stats: LayerStats,
}

impl Buckets {
    /// `None` where the numbers are no histogram: not one more edge than counts, edges that decrease or are not
    /// finite, counts that are negative or not finite, or too many of them.
    pub fn new(edges: &[f64], counts: &[f64]) -> Option<Self> {
        let fits = edges.len() == counts.len() + 1
            && counts.len() <= BUCKETS_LIMIT
            && edges.iter().all(|e| e.is_finite())
            && edges.iter().zip(edges.iter().skip(1)).all(|(left, right)| left <= right)
            && counts.iter().all(|c| c.is_finite() && *c >= 0.0);
        fits.then(|| Self { edges: edges.into(), counts: counts.into(), stats: stats(edges, counts) })
    }
}

fn stats(edges: &[f64], counts: &[f64]) -> LayerStats {
    let (mut num, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for ((left, right), count) in edges.iter().zip(edges.iter().skip(1)).zip(counts) {
        if *count > 0.0 {
            num += count;
            sum += count * f64::midpoint(*left, *right);
            squares += count * (left * left + left * right + right * right) / 3.0;
            (min, max) = (min.min(*left), max.max(*right));
        }
    }
    let mut stats = LayerStats { numel: finite(num), ..LayerStats::default() };
    if num > 0.0 {
        (stats.mean, stats.min, stats.max) = (finite(sum / num), finite(min), finite(max));
        stats.std = stats
            .mean
            .and_then(|mean| finite(squares / num - mean * mean))
            .map(|variance| variance.max(0.0).sqrt());
        stats.norm = finite(squares.max(0.0).sqrt());
        if min > 0.0 || max < 0.0 {
            stats.zero = Some(0.0);
        }
    }
    stats
}

fn finite(number: f64) -> Option<f64> {
    Some(number).filter(|n| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_histogram_are_none() {
        for (edges, counts) in [
            (&[0.0, 1.0][..], &[1.0, 2.0][..]),
            (&[], &[]),
            (&[1.0, 0.0], &[1.0]),
            (&[0.0, f64::NAN], &[1.0]),
            (&[0.0, 1.0], &[-1.0]),
            (&[0.0, 1.0], &[f64::INFINITY]),
        ] {
            assert_eq!(Buckets::new(edges, counts), None, "{edges:?} {counts:?}");
        }
    }

    #[test]
    fn a_constant_tensor_and_an_empty_one_are_histograms() {
        let constant = Buckets::new(&[2.0, 2.0], &[9.0]).unwrap().stats;
        assert_eq!((constant.mean, constant.std, constant.numel), (Some(2.0), Some(0.0), Some(9.0)));
        assert_eq!(constant.norm, Some(6.0));
        let empty = Buckets::new(&[0.0, 1.0], &[0.0]).unwrap().stats;
        assert_eq!((empty.numel, empty.mean, empty.min), (Some(0.0), None, None));
    }

    #[test]
    fn extremes_are_those_of_buckets_that_hold_something() {
        let stats = Buckets::new(&[-3.0, -1.0, 1.0, 3.0, 5.0], &[0.0, 2.0, 2.0, 0.0]).unwrap().stats;
        assert_eq!((stats.min, stats.max, stats.mean), (Some(-1.0), Some(3.0), Some(1.0)));
        assert_eq!(stats.zero, None);
    }
}
