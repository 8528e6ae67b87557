//! A series' segments as one curve: this range in about so many buckets.

use super::{Bucket, Segment};
use crate::model::{Point, Step};

/// Buckets of a whole curve: eight to each dot-column of a chart 256 cells wide.
pub const FULL_CURVE: usize = 4096;

/// The part of a segment that counts: steps below this.
fn live_end(segment: &Segment) -> Option<Step> {
    segment.superseded_from()
}

/// Live buckets of all segments between `from` and `to`, both included, ascending.
pub(crate) fn live(segments: &[Segment], from: Step, to: Step, at_most: usize) -> Vec<Bucket> {
    let mut out = Vec::new();
    for segment in segments {
        let end = match live_end(segment) {
            Some(cut) => match cut.checked_sub(1) {
                Some(last) => last.min(to),
                None => continue,
            },
            None => to,
        };
        collect(segment, from, end, at_most, &mut out);
    }
    out
}

/// What was given up, segment by segment.
pub(crate) fn superseded(segments: &[Segment], to: Step) -> Vec<Vec<Bucket>> {
    let mut branches = Vec::new();
    for segment in segments {
        if let Some(folded) = segment.folded().filter(|b| b.first.step <= to) {
            branches.push(vec![*folded]);
        }
        let Some(cut) = segment.superseded_from() else { continue };
        let mut branch = Vec::new();
        collect(segment, cut, to, FULL_CURVE, &mut branch);
        if !branch.is_empty() {
            branches.push(branch);
        }
    }
    branches
}

/// Adds what a segment holds between `from` and `to`, both included, in about `at_most` buckets.
fn collect(segment: &Segment, from: Step, to: Step, at_most: usize, out: &mut Vec<Bucket>) {
    if from > to {
        return;
    }
    let history = segment.history();
    let begin = history.partition_point(|b| b.last.step < from);
    let end = history.partition_point(|b| b.first.step <= to);
    let exact = segment.exact();
    let (low, high) = (exact.position(from), upper(segment, to));
    let stored = end.saturating_sub(begin) + high.saturating_sub(low);
    let join = stored.div_ceil(at_most.max(1)).next_power_of_two();
    push_joined(
        history.get(begin..end).unwrap_or_default().iter().map(|b| clip(b, from, to)),
        begin,
        join,
        out,
    );
    push_joined((low..high).map(|at| Bucket::of(exact.get(at))), low, join, out);
}

/// Joins `join` neighbours to one bucket. Borders are at multiples of `join` counted from the start of what is
/// stored, so that a curve that grows at its end does not change elsewhere.
fn push_joined(buckets: impl Iterator<Item = Bucket>, offset: usize, join: usize, out: &mut Vec<Bucket>) {
    let mut open: Option<Bucket> = None;
    for (n, bucket) in buckets.enumerate() {
        if (offset + n).is_multiple_of(join) {
            out.extend(open.take());
        }
        match &mut open {
            Some(open) => open.absorb(&bucket),
            None => open = Some(bucket),
        }
    }
    out.extend(open);
}

/// Place after the last exact point at or before `to`.
fn upper(segment: &Segment, to: Step) -> usize {
    to.checked_add(1).map_or(segment.exact().len(), |after| segment.exact().position(after))
}

/// The part of a bucket between `from` and `to`, as well as it is known: what is outside is replaced by the
/// nearest known point inside; counts and sum are shared out by steps.
fn clip(bucket: &Bucket, from: Step, to: Step) -> Bucket {
    if bucket.first.step >= from && bucket.last.step <= to {
        return *bucket;
    }
    let at = |step, value| Point { step, wall: bucket.first.wall, value };
    let mut known: Vec<Point> =
        [bucket.first, at(bucket.min_step, bucket.min), at(bucket.max_step, bucket.max), bucket.last]
            .into_iter()
            .filter(|p| (from..=to).contains(&p.step) && !p.value.is_nan())
            .collect();
    known.sort_by_key(|p| p.step);
    let edge = at(bucket.first.step.clamp(from, to), bucket.mean().unwrap_or(f64::NAN));
    let mut part = Bucket::of(known.first().copied().unwrap_or(edge));
    for p in known.iter().skip(1) {
        part.absorb(&Bucket::of(*p));
    }
    let width = (bucket.last.step as f64 - bucket.first.step as f64).max(1.0);
    let inside =
        (bucket.last.step.min(to) as f64 - bucket.first.step.max(from) as f64 + 1.0).max(0.0) / (width + 1.0);
    part.finite = (bucket.finite as f64 * inside).round() as u64;
    part.sum = bucket.mean().unwrap_or(0.0) * part.finite as f64;
    let nan_inside = bucket.nan_first.filter(|s| (from..=to).contains(s));
    part.nan_first = nan_inside;
    part.non_finite = (bucket.non_finite as f64 * inside).round() as u64;
    part.non_finite = part.non_finite.max(u64::from(nan_inside.is_some()));
    part
}

/// The bucket of the live branch that holds `step`, or else the nearest before it.
pub(crate) fn nearest_before(segments: &[Segment], step: Step) -> Option<Bucket> {
    for segment in segments.iter().rev() {
        let end = match live_end(segment) {
            Some(cut) => match cut.checked_sub(1) {
                Some(last) => last.min(step),
                None => continue,
            },
            None => step,
        };
        let exact = segment.exact();
        if let Some(at) = upper(segment, end).checked_sub(1) {
            return Some(Bucket::of(exact.get(at)));
        }
        let history = segment.history();
        if let Some(at) = history.partition_point(|b| b.first.step <= end).checked_sub(1) {
            return Some(clip(&history[at], Step::MIN, end));
        }
    }
    None
}

/// The latest finite point of the live branch.
pub(crate) fn last_finite(segments: &[Segment]) -> Option<Point> {
    for segment in segments.iter().rev() {
        let end = match live_end(segment) {
            Some(cut) => match cut.checked_sub(1) {
                Some(last) => last,
                None => continue,
            },
            None => Step::MAX,
        };
        let exact = segment.exact();
        let exact_hit = (0..upper(segment, end)).rev().map(|at| exact.get(at)).find(|p| p.value.is_finite());
        if exact_hit.is_some() {
            return exact_hit;
        }
        let in_history = segment
            .history()
            .iter()
            .rev()
            .filter(|b| b.first.step <= end)
            .find_map(|b| latest_finite(&clip(b, Step::MIN, end)));
        if in_history.is_some() {
            return in_history;
        }
    }
    None
}

/// The latest finite point that a bucket still knows.
fn latest_finite(bucket: &Bucket) -> Option<Point> {
    if bucket.last.value.is_finite() {
        return Some(bucket.last);
    }
    if bucket.min.is_nan() {
        return None;
    }
    let (step, value) = if bucket.min_step > bucket.max_step {
        (bucket.min_step, bucket.min)
    } else {
        (bucket.max_step, bucket.max)
    };
    Some(Point { step, wall: bucket.last.wall, value })
}
