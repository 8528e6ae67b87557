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

/// `repeated double`, packed in one field or not.
#[derive(Clone, Default, Debug)]
enum Doubles<'a> {
    #[default]
    None,
    Packed(&'a [u8]),
    Own(Vec<f64>),
}

impl<'a> Doubles<'a> {
    fn take(&mut self, wire: Wire<'a>) -> Result<(), Malformed> {
        match (&mut *self, wire) {
            (Self::None, Wire::Bytes(packed)) => *self = Self::Packed(packed),
            (Self::Own(own), Wire::Fixed64(bits)) if own.len() <= BUCKETS_LIMIT => {
                own.push(f64::from_bits(bits));
            }
            (Self::Own(_), Wire::Fixed64(_)) => {}
            (Self::None, Wire::Fixed64(bits)) => *self = Self::Own(vec![f64::from_bits(bits)]),
            // Packed and unpacked, or packed in two pieces: nobody writes that, the rules allow it.
            (_, wire @ (Wire::Bytes(_) | Wire::Fixed64(_))) => {
                let mut own: Vec<f64> = self.iter().take(BUCKETS_LIMIT).collect();
                match wire {
                    Wire::Bytes(packed) => own.extend(packed_doubles(packed).take(BUCKETS_LIMIT)),
                    Wire::Fixed64(bits) => own.push(f64::from_bits(bits)),
                    _ => {}
                }
                *self = Self::Own(own);
            }
            _ => return Err(Malformed),
        }
        Ok(())
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = f64> + Clone + '_ {
        let (packed, own): (&[u8], &[f64]) = match self {
            Self::None => (&[], &[]),
            Self::Packed(packed) => (packed, &[]),
            Self::Own(own) => (&[], own),
        };
        let packed = packed.as_chunks::<8>().0;
        let length = packed.len().max(own.len());
        (0..length).map(move |at| match packed.get(at) {
            Some(bytes) => f64::from_le_bytes(*bytes),
            None => own.get(at).copied().unwrap_or_default(),
        })
    }
}

/// `HistogramProto`. Bucket i covers what lies between `limits[i - 1]` and `limits[i]`; the first has no left
/// edge of its own.
#[derive(Clone, Default, Debug)]
struct Legacy<'a> {
    min: f64,
    max: f64,
    num: f64,
    sum: f64,
    sum_squares: f64,
    limits: Doubles<'a>,
    buckets: Doubles<'a>,
}

/// Reads a `HistogramProto`. `Ok(None)`: it is one, and cannot be used.
pub(super) fn of_legacy(message: &[u8]) -> Result<Option<Histogram>, Malformed> {
    let mut proto = Legacy::default();
    for field in Fields::of(message) {
        let (number, wire) = field?;
        let double = || wire.double().ok_or(Malformed);
        match number {
            1 => proto.min = double()?,
            2 => proto.max = double()?,
            3 => proto.num = double()?,
            4 => proto.sum = double()?,
            5 => proto.sum_squares = double()?,
            6 => proto.limits.take(wire)?,
            7 => proto.buckets.take(wire)?,
            _ => {}
        }
    }
    if proto.limits.iter().len() > BUCKETS_LIMIT {
        return Ok(None);
    }
    Ok(Some(proto.histogram()))
}

impl Legacy<'_> {
    fn histogram(&self) -> Histogram {
        // Empty outer buckets only carry an edge (PyTorch) or infinity (TensorFlow).
        let buckets = || self.buckets.iter().zip(self.limits.iter());
        let first = buckets().position(|(count, _)| count > 0.0);
        let total = buckets().map(|(count, _)| usable(count)).sum();
        let (edges, counts) = match first {
            None => (Arc::from([]), Arc::from([])),
            Some(first) => {
                let last = buckets().enumerate().filter(|(_, (count, _))| *count > 0.0).last();
                let last = last.map_or(first, |(at, _)| at);
                let used = last.saturating_sub(first).saturating_add(1);
                let inner = self.limits.iter().skip(first).take(used.saturating_sub(1));
                let lowest = first.checked_sub(1).and_then(|before| self.limits.iter().nth(before));
                let highest = self.limits.iter().nth(last);
                let low = outer(self.min, lowest, inner.clone().next().or(highest), f64::le);
                let high = outer(self.max, highest, inner.clone().last().or(lowest), f64::ge);
                let mut floor = low;
                let edges = std::iter::once(low)
                    .chain(inner)
                    .chain([high])
                    .map(|edge| {
                        floor = if edge > floor && edge.is_finite() { edge } else { floor };
                        floor
                    })
                    .collect();
                let counts = self.buckets.iter().skip(first).take(used).map(usable).collect();
                (edges, counts)
            }
        };
        Histogram { edges, counts, stats: self.stats(total) }
    }

    /// Exact: the writer added up every element. `in_buckets`: elements that fell into a bucket.
    fn stats(&self, in_buckets: f64) -> LayerStats {
        let finite = |number: f64| Some(number).filter(|n| n.is_finite());
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
        stats.std = mean_square.zip(stats.mean).map(|(square, mean)| (square - mean * mean).max(0.0).sqrt());
        stats.zero = self.zero_share();
        stats
    }

    /// Share of zeros: the usual bins have two of 1e-12 around zero, and nothing else falls into those. `None`
    /// for other bins.
    fn zero_share(&self) -> Option<f64> {
        if self.min > 0.0 || self.max < 0.0 {
            return Some(0.0);
        }
        let lefts = std::iter::once(f64::NEG_INFINITY).chain(self.limits.iter());
        let (mut zeros, mut found) = (0.0, false);
        for ((left, right), count) in lefts.zip(self.limits.iter()).zip(self.buckets.iter()) {
            if left >= -ZERO_WIDTH && right <= ZERO_WIDTH {
                (zeros, found) = (zeros + usable(count), true);
            } else if left <= 0.0 && right >= 0.0 && count > 0.0 && !(left == 0.0 || right == 0.0) {
                return None;
            }
        }
        (found && self.num > 0.0).then(|| (zeros / self.num).clamp(0.0, 1.0))
    }
}

/// An outer edge: the exact extreme if it is in order with the edge next to it, else the written limit.
fn outer(extreme: f64, limit: Option<f64>, next: Option<f64>, in_order: fn(&f64, &f64) -> bool) -> f64 {
    let usable = |edge: &f64| edge.abs() < BEYOND;
    let next = next.filter(usable);
    let fits = |edge: &f64| usable(edge) && next.is_none_or(|next| in_order(edge, &next));
    Some(extreme).filter(fits).or(limit.filter(fits)).or(next).unwrap_or_default()
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
    let mut stats = LayerStats { numel: Some(num), ..LayerStats::default() };
    if num > 0.0 {
        let mean = sum / num;
        (stats.mean, stats.min, stats.max) = (Some(mean), Some(min), Some(max));
        stats.std = Some((squares / num - mean * mean).max(0.0).sqrt());
        stats.norm = Some(squares.max(0.0).sqrt());
        if min > 0.0 || max < 0.0 {
            stats.zero = Some(0.0);
        } else if min == 0.0 && max == 0.0 {
            stats.zero = Some(1.0);
        }
    }
    stats
}
