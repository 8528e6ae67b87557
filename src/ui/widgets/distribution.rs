//! Numbers out of histograms: percentiles, and densities over a common axis.

pub use crate::analysis::layers::transport::BASIS_POINTS;
use crate::analysis::layers::transport::Quantiles;

/// A range this many times the one between the outer basis points is made of outliers: the axis leaves them out.
const OUTLIER_SPAN: f64 = 4.0;

/// A histogram as it is stored: one more edge than counts; edges do not fall.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bars<'a> {
    /// Bucket bounds.
    pub edges: &'a [f64],
    /// Elements in each bucket.
    pub counts: &'a [f64],
}

impl Bars<'_> {
    /// All elements; zero for an empty histogram.
    pub fn total(&self) -> f64 {
        self.counts.iter().filter(|c| c.is_finite()).sum()
    }

    fn buckets(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.counts
            .iter()
            .zip(self.edges.windows(2))
            .map(|(count, edge)| (edge[0], edge[1], *count))
            .filter(|(l, r, count)| *count > 0.0 && count.is_finite() && l.is_finite() && r.is_finite())
    }

    /// The values at [`BASIS_POINTS`], linear inside of each bucket as TensorBoard's `compressor.py` does it.
    /// `None` for an empty histogram, or one with numbers that are none.
    pub fn percentiles(&self) -> Option<[f64; 9]> {
        Quantiles::of(self.edges, self.counts).map(|quantiles| quantiles.compressed())
    }

    /// Share of all elements in each of `columns` equal parts of `low…high`; what lies outside is counted at the
    /// ends. A bucket of no width (constant data) falls into one column.
    pub fn shares(&self, low: f64, high: f64, columns: usize) -> Vec<f64> {
        let mut shares = vec![0.0; columns];
        let total: f64 = self.buckets().map(|b| b.2).sum();
        if columns == 0 || total <= 0.0 {
            return shares;
        }
        let span = high - low;
        let place =
            |v: f64| if span > 0.0 { (v - low) / span * columns as f64 } else { columns as f64 / 2.0 };
        let column_of = |p: f64| (p.max(0.0) as usize).min(columns - 1);
        for (left, right, count) in self.buckets() {
            let (from, to) = (place(left), place(right));
            let share = count / total;
            if to - from < 1e-9 {
                shares[column_of(f64::midpoint(from, to))] += share;
                continue;
            }
            let (first, last) = (column_of(from), column_of(to));
            for (column, sum) in shares.iter_mut().enumerate().take(last + 1).skip(first) {
                let begin = if column == 0 { f64::NEG_INFINITY } else { column as f64 };
                let end = if column + 1 == columns { f64::INFINITY } else { (column + 1) as f64 };
                *sum += share * (to.min(end) - from.max(begin)).max(0.0) / (to - from);
            }
        }
        shares
    }
}

/// The common axis of several histograms.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Span {
    /// Left end.
    pub low: f64,
    /// Right end.
    pub high: f64,
    /// Some values lie outside; they are drawn at the ends.
    pub cut: bool,
}

/// An axis on which all of `many` can be read: from the smallest to the largest value, or, when a few outliers would
/// squeeze the rest, between the outer basis points. `None` when all are empty.
pub fn common_span<'a>(many: impl Iterator<Item = Bars<'a>>) -> Option<Span> {
    let mut whole = (f64::INFINITY, f64::NEG_INFINITY);
    let mut bulk = whole;
    for p in many.filter_map(|b| b.percentiles()) {
        whole = (whole.0.min(p[0]), whole.1.max(p[8]));
        bulk = (bulk.0.min(p[1]), bulk.1.max(p[7]));
    }
    if whole.0 > whole.1 {
        return None;
    }
    let bulk_width = bulk.1 - bulk.0;
    let cut = bulk_width > 0.0 && whole.1 - whole.0 > OUTLIER_SPAN * bulk_width;
    let (mut low, mut high) = whole;
    if cut {
        low = low.max(bulk.0 - bulk_width / 2.0);
        high = high.min(bulk.1 + bulk_width / 2.0);
    }
    if high - low <= 0.0 {
        // Constant data: some room around it, so that it is not drawn at an end.
        let pad = (low.abs() * 0.1).max(1e-12);
        (low, high) = (low - pad, high + pad);
    }
    Some(Span { low, high, cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_3_distributions_are_compressed_as_tensorboard_does() {
        let bars = Bars { edges: &[0.0, 1.0, 2.0], counts: &[10.0, 10.0] };
        let expected = [0.0, 0.1336, 0.3174, 0.617, 1.0, 1.383, 1.6826, 1.8664, 2.0];
        for (got, wanted) in bars.percentiles().unwrap().into_iter().zip(expected) {
            assert!((got - wanted).abs() < 1e-9, "{got} {wanted}");
        }
    }

    #[test]
    fn empty_buckets_at_the_ends_do_not_stretch_a_distribution() {
        let bars = Bars { edges: &[-9.0, 0.0, 1.0, 2.0, 9.0], counts: &[0.0, 10.0, 10.0, 0.0] };
        let p = bars.percentiles().unwrap();
        assert_eq!((p[0], p[4], p[8]), (0.0, 1.0, 2.0));
        assert_eq!(Bars { edges: &[0.0, 1.0], counts: &[0.0] }.percentiles(), None);
        assert_eq!(Bars { edges: &[], counts: &[] }.percentiles(), None);
    }

    #[test]
    fn constant_data_has_equal_percentiles_and_one_column() {
        let bars = Bars { edges: &[3.0, 3.0], counts: &[8.0] };
        assert_eq!(bars.percentiles(), Some([3.0; 9]));
        let span = common_span([bars].into_iter()).unwrap();
        assert!(span.low < 3.0 && span.high > 3.0);
        let shares = bars.shares(span.low, span.high, 11);
        assert_eq!(shares.iter().filter(|s| **s > 0.0).count(), 1);
        assert!((shares[5] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn no_element_is_lost_whatever_the_axis() {
        let bars = Bars { edges: &[-1.0, -0.3, 0.0, 0.1, 5.0], counts: &[3.0, 8.0, 2.0, 1.0] };
        for (low, high) in [(-1.0, 5.0), (0.0, 0.05), (7.0, 9.0), (-9.0, 90.0)] {
            for columns in [1, 2, 7, 60] {
                let sum: f64 = bars.shares(low, high, columns).iter().sum();
                assert!((sum - 1.0).abs() < 1e-9, "{low} {high} {columns} {sum}");
            }
        }
    }

    #[test]
    fn one_outlier_does_not_squeeze_the_rest() {
        let bars = Bars { edges: &[0.0, 1.0, 2.0, 1000.0], counts: &[1e4, 1e4, 1.0] };
        let span = common_span([bars].into_iter()).unwrap();
        assert!(span.cut && span.high < 5.0, "{span:?}");
    }
}
