//! Histograms, old (`HistogramProto`) and new (a tensor of `left, right, count` rows), with what they tell of
//! the whole tensor.
//!
//! Sources: `tensorflow/tensorboard`, `tensorboard/compat/proto/histogram.proto`, `data_compat.py` (how old ones
//! become new ones), `plugins/histogram/summary_v2.py` (edge cases); `pytorch/pytorch`,
//! `torch/utils/tensorboard/summary.py::make_histogram`.

use std::{cmp::Ordering, sync::Arc};

use super::tensor::Tensor;
use crate::{
    formats::wire::protobuf::{Fields, Malformed, Wire, packed_doubles},
    model::LayerStats,
};

/// A histogram with more buckets than this is left where it is.
const BUCKETS_LIMIT: usize = 1 << 16;

/// Width of the two buckets around zero in the bins of TensorFlow, PyTorch and tensorboardX.
const ZERO_WIDTH: f64 = 1.000_001e-12;

/// Outer edges beyond this stand for infinity.
const BEYOND: f64 = 1e300;

/// Buckets and statistics; `edges` has one more element than `counts` and does not decrease.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Histogram {
    pub edges: Arc<[f64]>,
    pub counts: Arc<[f64]>,
    pub stats: LayerStats,
}

/// Numbers of the histogram in work; kept from one to the next so that no memory is asked for.
#[derive(Default, Debug)]
pub(super) struct Scratch {
    limits: Vec<f64>,
    counts: Vec<f64>,
    edges: Vec<f64>,
}

/// The single numbers of a `HistogramProto`; those that were not written are zero.
#[derive(Clone, Copy, Default, Debug)]
struct Totals {
    min: f64,
    max: f64,
    num: f64,
    sum: f64,
    sum_squares: f64,
}

/// Reads a `HistogramProto`. `Ok(None)`: it is one, and has too many buckets.
///
/// Bucket i covers what lies between `limits[i - 1]` and `limits[i]`; the first has no left edge of its own.
pub(super) fn of_legacy(message: &[u8], scratch: &mut Scratch) -> Result<Option<Histogram>, Malformed> {
    let mut totals = Totals::default();
    scratch.limits.clear();
    scratch.counts.clear();
    for field in Fields::of(message) {
        let (number, wire) = field?;
        let double = || wire.double().ok_or(Malformed);
        match number {
            1 => totals.min = double()?,
            2 => totals.max = double()?,
            3 => totals.num = double()?,
            4 => totals.sum = double()?,
            5 => totals.sum_squares = double()?,
            6 => take_doubles(&mut scratch.limits, wire)?,
            7 => take_doubles(&mut scratch.counts, wire)?,
            _ => {}
        }
    }
    if scratch.limits.len().max(scratch.counts.len()) > BUCKETS_LIMIT {
        return Ok(None);
    }
    Ok(Some(of_buckets(totals, scratch)))
}

/// One field of a `repeated double`, packed or not. Stops soon after [`BUCKETS_LIMIT`].
fn take_doubles(numbers: &mut Vec<f64>, wire: Wire<'_>) -> Result<(), Malformed> {
    let room = BUCKETS_LIMIT.saturating_add(1).saturating_sub(numbers.len());
    match wire {
        Wire::Bytes(packed) => numbers.extend(packed_doubles(packed).take(room)),
        Wire::Fixed64(bits) if room > 0 => numbers.push(f64::from_bits(bits)),
        Wire::Fixed64(_) => {}
        _ => return Err(Malformed),
    }
    Ok(())
}

fn of_buckets(totals: Totals, scratch: &mut Scratch) -> Histogram {
    let Scratch { limits, counts, edges } = scratch;
    let both = limits.len().min(counts.len());
    limits.truncate(both);
    counts.truncate(both);
    for count in counts.iter_mut() {
        *count = usable(*count);
    }
    let mut stats = totals.stats(counts.iter().sum());
    if totals.num > 0.0 {
        stats.zero = totals.zero_share(limits, counts);
    }
    // Empty outer buckets only carry an edge (PyTorch) or infinity (TensorFlow).
    let Some(first) = counts.iter().position(|count| *count > 0.0) else {
        return Histogram { edges: Arc::from([]), counts: Arc::from([]), stats };
    };
    let last = counts.iter().rposition(|count| *count > 0.0).unwrap_or(first);
    let lowest = first.checked_sub(1).and_then(|before| limits.get(before)).copied();
    let highest = limits.get(last).copied();
    let inner = limits.get(first..last).unwrap_or_default();
    let low = outer(totals.min, lowest, inner.first().copied().or(highest), f64::le);
    let high = outer(totals.max, highest, inner.last().copied().or(lowest), f64::ge);
    edges.clear();
    edges.push(low);
    let mut floor = low;
    edges.extend(inner.iter().chain([&high]).map(|edge| {
        floor = if *edge > floor && *edge < f64::INFINITY { *edge } else { floor };
        floor
    }));
    let counts = counts.get(first..=last).unwrap_or_default();
    Histogram { edges: Arc::from(edges.as_slice()), counts: Arc::from(counts), stats }
}

impl Totals {
    /// Exact: the writer added up every element. `in_buckets`: elements that fell into a bucket.
    fn stats(&self, in_buckets: f64) -> LayerStats {
        let mut stats = LayerStats { numel: finite(self.num), ..LayerStats::default() };
        if !(self.sum.is_finite() && self.sum_squares.is_finite()) {
            // NaN elements are in no bucket but in the sum.
            let lost = Some((self.num - in_buckets).max(1.0));
            if self.sum.is_nan() { stats.nan = lost } else { stats.inf = lost }
        }
        if self.num <= 0.0 {
            return stats;
        }
        (stats.min, stats.max) = (finite(self.min), finite(self.max));
        stats.mean = finite(self.sum / self.num);
        let mean_square = finite(self.sum_squares / self.num).filter(|square| *square >= 0.0);
        stats.norm = mean_square.map(|_| self.sum_squares.sqrt());
        stats.std = mean_square.zip(stats.mean).and_then(|(square, mean)| deviation(square, mean));
        stats
    }

    /// Share of zeros: the usual bins have two of 1e-12 around zero, and nothing else falls into those. `None`
    /// for other bins. As long as `limits`: `counts`.
    fn zero_share(&self, limits: &[f64], counts: &[f64]) -> Option<f64> {
        if self.min > 0.0 || self.max < 0.0 {
            return Some(0.0);
        }
        let below = limits.iter().position(|right| *right >= -ZERO_WIDTH)?;
        let mut left =
            below.checked_sub(1).and_then(|at| limits.get(at)).copied().unwrap_or(f64::NEG_INFINITY);
        let (mut zeros, mut found) = (0.0, false);
        for (right, count) in limits.iter().zip(counts).skip(below) {
            if left >= -ZERO_WIDTH && *right <= ZERO_WIDTH {
                (zeros, found) = (zeros + count, true);
            } else if left < 0.0 && *right > 0.0 && *count > 0.0 {
                return None;
            }
            if *right > ZERO_WIDTH {
                break;
            }
            left = *right;
        }
        found.then(|| (zeros / self.num).clamp(0.0, 1.0))
    }
}

/// An outer edge: the exact extreme if it is in order with the edge next to it, else the written limit.
fn outer(extreme: f64, limit: Option<f64>, next: Option<f64>, in_order: fn(&f64, &f64) -> bool) -> f64 {
    let usable = |edge: &f64| edge.abs() < BEYOND;
    let next = next.filter(usable);
    let fits = |edge: &f64| usable(edge) && next.is_none_or(|next| in_order(edge, &next));
    Some(extreme).filter(fits).or(limit.filter(fits)).or(next).unwrap_or_default()
}

fn finite(number: f64) -> Option<f64> {
    Some(number).filter(|n| n.is_finite())
}

/// Standard deviation from the mean of the squares and the mean; `None` where numbers are too large for it.
fn deviation(mean_square: f64, mean: f64) -> Option<f64> {
    let variance = mean_square - mean * mean;
    finite(variance).map(|variance| variance.max(0.0).sqrt())
}

/// A count that can be drawn.
fn usable(count: f64) -> f64 {
    if count.is_finite() && count > 0.0 { count } else { 0.0 }
}

/// Reads a tensor of shape `[k, 3]`; `None` for any other and for rows that are no buckets.
pub(super) fn of_tensor(tensor: &Tensor<'_>) -> Option<Histogram> {
    let [buckets, 3] = *tensor.shape() else { return None };
    if usize::try_from(buckets).ok()? > BUCKETS_LIMIT {
        return None;
    }
    let numbers = tensor.numbers()?;
    let rows = numbers.as_chunks::<3>().0;
    let mut floor = rows.iter().map(|[left, ..]| *left).find(|left| left.abs() < BEYOND)?;
    let last = rows.last().map(|[_, right, _]| *right);
    let edges = rows
        .iter()
        .map(|[left, ..]| *left)
        .chain(last)
        .map(|edge| {
            floor = if edge > floor && edge < BEYOND { edge } else { floor };
            floor
        })
        .collect();
    let counts = rows.iter().map(|[.., count]| usable(*count)).collect();
    Some(Histogram { edges, counts, stats: stats_of_rows(rows) })
}

/// An empty tensor histogram, shape `[0, 3]`: the writer was given no elements or no buckets.
pub(super) fn is_empty(tensor: &Tensor<'_>) -> bool {
    matches!(tensor.shape(), [0, 3])
}

/// True for rows as a histogram has them: each starts where the one before ends, counts are whole numbers.
pub(super) fn looks_like_one(tensor: &Tensor<'_>) -> bool {
    let [2..=u64::MAX, 3] = *tensor.shape() else { return false };
    let Some(numbers) = tensor.numbers() else { return false };
    let rows = numbers.as_chunks::<3>().0;
    rows.iter().all(|[left, right, count]| left <= right && *count >= 0.0 && count.fract() == 0.0)
        && rows
            .iter()
            .zip(rows.iter().skip(1))
            .all(|([_, right, _], [left, ..])| right.partial_cmp(left) == Some(Ordering::Equal))
}

/// From the buckets, as if elements were spread evenly within each.
fn stats_of_rows(rows: &[[f64; 3]]) -> LayerStats {
    let (mut num, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for [left, right, count] in rows {
        let count = usable(*count);
        if count == 0.0 || !left.is_finite() || !right.is_finite() {
            continue;
        }
        num += count;
        sum += count * f64::midpoint(*left, *right);
        squares += count * (left * left + left * right + right * right) / 3.0;
        (min, max) = (min.min(*left), max.max(*right));
    }
    let mut stats = LayerStats { numel: finite(num), ..LayerStats::default() };
    if num > 0.0 {
        (stats.mean, stats.min, stats.max) = (finite(sum / num), Some(min), Some(max));
        stats.std = stats.mean.and_then(|mean| deviation(squares / num, mean));
        stats.norm = finite(squares.max(0.0).sqrt());
        if min > 0.0 || max < 0.0 {
            stats.zero = Some(0.0);
        } else if min == 0.0 && max == 0.0 {
            stats.zero = Some(1.0);
        }
    }
    stats
}
