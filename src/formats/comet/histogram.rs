//! Comet's histograms: counts in bins that grow by a factor on both sides of an offset.
//!
//! The edges are `-∞, …, offset - start·step, offset - start, offset, offset + start, …, ∞`; only bins that hold
//! something are written, each with its place among them (`index_values`).

use crate::formats::wire::{
    buckets::{BUCKETS_LIMIT, Buckets},
    json_tree::Json,
    lines::trim,
    numbers::integer,
};

pub(super) fn histogram(content: &[u8]) -> Option<Buckets> {
    let json = Json::parse(trim(content)).ok()?;
    let object = json.object()?;
    let number = |key, usual| object.number(key).unwrap_or(usual);
    let (start, stop) = (number("start", 1e-12), number("stop", 1e20));
    let widths = widths(start, stop, number("step", 1.1), number("offset", 0.0))?;
    let mut bins = Vec::new();
    for pair in object.get("index_values")?.elements()?.iter() {
        let pair = pair.numbers()?;
        let [place, count] = *pair else { return None };
        bins.push((usize::try_from(integer(place)?).ok()?, count));
    }
    let first = bins.iter().map(|(place, _)| *place).min()?;
    let last = bins.iter().map(|(place, _)| *place).max()?;
    if last.checked_sub(first)? > BUCKETS_LIMIT {
        return None;
    }
    let edges: Option<Vec<f64>> =
        (first..=last + 1).map(|place| edge(&widths, number("offset", 0.0), place)).collect();
    let mut counts = vec![0.0; last - first + 1];
    for (place, count) in bins {
        *counts.get_mut(place - first)? += count;
    }
    Buckets::new(&edges?, &counts)
}

/// Distances of the edges from the offset.
fn widths(start: f64, stop: f64, step: f64, offset: f64) -> Option<Vec<f64>> {
    if !(start > 0.0 && step > 1.0 && stop.is_finite() && offset.is_finite()) {
        return None;
    }
    let mut widths = Vec::new();
    let mut width = start;
    while offset + width <= stop {
        widths.push(width);
        width *= step;
        if widths.len() > BUCKETS_LIMIT {
            return None;
        }
    }
    Some(widths)
}

/// The left edge of a bin; the outermost ones, which are infinite, stand for their neighbours.
fn edge(widths: &[f64], offset: f64, place: usize) -> Option<f64> {
    let middle = widths.len() + 1;
    let outermost = widths.last().copied().unwrap_or(0.0);
    Some(match place.checked_sub(middle) {
        Some(0) => offset,
        Some(right) if right <= widths.len() => offset + widths.get(right - 1)?,
        Some(right) if right == widths.len() + 1 => offset + outermost,
        Some(_) => return None,
        None => match widths.get(middle - place - 1) {
            Some(width) => offset - width,
            None => offset - outermost,
        },
    })
}
