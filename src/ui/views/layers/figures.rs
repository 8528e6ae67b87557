//! The numbers of each layer up to the time cursor: one row of the table.

use crate::{
    model::{LayerKind, LayerStats, Step},
    store::{LayerPoint, LayerRow, LayerTrack},
};

/// Records before the shown one that "usual" is the median of.
const HISTORY: usize = 64;

/// The numbers of one layer at the time cursor.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Figures {
    /// Place in the network, from 0.
    pub index: usize,
    /// Name as it was written.
    pub name: String,
    /// Step of the newest record that is shown.
    pub step: Option<Step>,
    /// Elements of the weights, or of whatever was logged.
    pub parameters: Option<f64>,
    /// Norm of the weights.
    pub weight_norm: Option<f64>,
    /// Norm of the gradients.
    pub gradient_norm: Option<f64>,
    /// Median of the norms of the gradients before; `None` while there are fewer than [`USUAL_NEEDS`].
    pub usual_gradient: Option<f64>,
    /// Statistics of the chosen kind.
    pub stats: LayerStats,
    /// Norm of the chosen kind.
    pub norm: Option<f64>,
    /// Relative change of that norm since the record before: 0.1 is ten per cent more.
    pub change: Option<f64>,
    /// Elements that are NaN or infinite, over all kinds.
    pub broken: f64,
    /// Largest share of dead units of any kind.
    pub dead: Option<f64>,
    /// The trainer says that it does not train this layer.
    pub frozen: bool,
}

/// Records before which nothing is called unusual.
pub(super) const USUAL_NEEDS: usize = 5;

impl Figures {
    /// Reads a row of the store at `until` (live without), with `kind` as the chosen one.
    pub fn of(index: usize, row: &LayerRow, kind: LayerKind, until: Option<Step>) -> Self {
        let at = |kind| row.track(kind).map(|track| shown(track.records(), until)).unwrap_or_default();
        let (weights, gradients, chosen) = (at(LayerKind::Weights), at(LayerKind::Gradients), at(kind));
        let norm_of = |records: &[LayerPoint]| records.last().and_then(|r| norm(&r.stats));
        let before = chosen.len().checked_sub(2).and_then(|i| norm(&chosen[i].stats));
        let now = norm_of(chosen);
        let newest = |track: &LayerTrack| shown(track.records(), until).last().copied();
        let last: Vec<LayerPoint> = row.kinds.values().filter_map(newest).collect();
        Self {
            index,
            name: row.layer.as_str().to_owned(),
            step: last.iter().map(|r| r.step).max(),
            parameters: [weights, gradients, chosen].iter().find_map(|r| r.last()?.stats.numel),
            weight_norm: norm_of(weights),
            gradient_norm: norm_of(gradients),
            usual_gradient: usual(gradients),
            stats: chosen.last().map(|r| r.stats).unwrap_or_default(),
            norm: now,
            change: now
                .zip(before)
                .filter(|(_, b)| *b != 0.0)
                .map(|(now, before)| (now - before) / before.abs()),
            broken: last.iter().map(|r| r.stats.nan.unwrap_or(0.0) + r.stats.inf.unwrap_or(0.0)).sum(),
            dead: last.iter().filter_map(|r| r.stats.dead).reduce(f64::max),
            frozen: last.iter().any(|r| r.stats.frozen == Some(true)),
        }
    }
}

/// The records up to and with `until`.
pub(super) fn shown(records: &[LayerPoint], until: Option<Step>) -> &[LayerPoint] {
    match until {
        Some(step) => &records[..records.partition_point(|r| r.step <= step)],
        None => records,
    }
}

/// The norm, worked out from spread and mean where only those were logged.
pub(super) fn norm(stats: &LayerStats) -> Option<f64> {
    stats.norm.or_else(|| {
        let (n, mean, std) = (stats.numel?, stats.mean?, stats.std?);
        Some((n * (mean * mean + std * std)).sqrt())
    })
}

/// The median norm of the records before the last one.
fn usual(records: &[LayerPoint]) -> Option<f64> {
    let before = &records[..records.len().saturating_sub(1)];
    let recent = &before[before.len().saturating_sub(HISTORY)..];
    let mut norms: Vec<f64> =
        recent.iter().filter_map(|r| norm(&r.stats)).filter(|n| n.is_finite()).collect();
    if norms.len() < USUAL_NEEDS {
        return None;
    }
    let middle = norms.len() / 2;
    Some(*norms.select_nth_unstable_by(middle, f64::total_cmp).1)
}
