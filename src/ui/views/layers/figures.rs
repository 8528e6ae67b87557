//! The numbers of each layer up to the time cursor: one row of the table.

use crate::{
    analysis::layers::{At, Quantiles, Subject, UnitShares, Verdict, samples},
    model::{LayerKind, LayerStats, Step},
    store::LayerPoint,
};

pub(super) use crate::analysis::layers::samples::norm;

/// Records before the shown one that "usual" is the median of.
const HISTORY: usize = 64;

/// The numbers of one layer at the time cursor.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Figures {
    /// Place in the network, from 0.
    pub index: usize,
    /// Name as it was written.
    pub name: String,
    /// Letters of the kinds of tensors and records that were logged of it: `WGA`.
    pub kinds: String,
    /// Step of the newest record that is shown.
    pub step: Option<Step>,
    /// Elements of the weights, or of whatever was logged.
    pub parameters: Option<f64>,
    /// The newest weights.
    pub weights: LayerStats,
    /// The newest gradients.
    pub gradients: LayerStats,
    /// Norm of the weights.
    pub weight_norm: Option<f64>,
    /// Norm of the gradients.
    pub gradient_norm: Option<f64>,
    /// Median of the norms of the gradients before; `None` while there are fewer than [`USUAL_NEEDS`].
    pub usual_gradient: Option<f64>,
    /// Size of the update relative to that of the weights.
    pub update: Option<Update>,
    /// Statistics of the chosen kind.
    pub stats: LayerStats,
    /// Norm of the chosen kind.
    pub norm: Option<f64>,
    /// Relative change of that norm since the record before: 0.1 is ten per cent more.
    pub change: Option<f64>,
    /// Elements that are NaN or infinite, over all kinds; `None` where no record counts them.
    pub broken: Option<f64>,
    /// Largest share of dead units of any kind.
    pub dead: Option<f64>,
    /// The trainer says that it does not train this layer.
    pub frozen: bool,
    /// What its units do.
    pub units: UnitShares,
    /// Share of zeros among the outputs.
    pub zero_outputs: Option<f64>,
    /// Mean share of active units, class separation: of the outputs.
    pub outputs: LayerStats,
    /// Whether it is stable.
    pub verdict: Verdict,
}

/// ‖update‖ / ‖weights‖ of one step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Update {
    /// As logged.
    Logged(f64),
    /// It cannot be smaller: from two histograms of the weights.
    AtLeast(f64),
}

impl Update {
    pub fn value(self) -> f64 {
        match self {
            Self::Logged(v) | Self::AtLeast(v) => v,
        }
    }
}

/// Records before which nothing is called unusual.
pub(super) const USUAL_NEEDS: usize = 5;

impl Figures {
    /// Reads what was logged of a layer at `until` (live without), with `kind` as the chosen one.
    pub fn of(index: usize, at: &At<'_>, kind: LayerKind, (units, verdict): (UnitShares, Verdict)) -> Self {
        let (subject, until) = (at.subject, at.until);
        let (weights, gradients, chosen) =
            (at.records(LayerKind::Weights), at.records(LayerKind::Gradients), at.records(kind));
        let outputs = at.newest(LayerKind::Activations).copied().unwrap_or_default();
        let newest_of = |records: &[LayerPoint]| records.last().map(|r| r.stats).unwrap_or_default();
        let norm_of = |records: &[LayerPoint]| records.last().and_then(|r| norm(&r.stats));
        let before = chosen.len().checked_sub(2).and_then(|i| norm(&chosen[i].stats));
        let now = norm_of(chosen);
        let counted = at.all_newest().filter(|r| r.stats.nan.is_some() || r.stats.inf.is_some());
        let broken =
            counted.map(|r| r.stats.nan.unwrap_or(0.0) + r.stats.inf.unwrap_or(0.0)).reduce(|a, b| a + b);
        let records = [subject.perplexity, subject.responses, subject.maxima].map(|of| {
            of.kept.iter().rev().filter_map(|r| r.artefact.step).find(|s| until.is_none_or(|u| *s <= u))
        });
        Self {
            index,
            name: subject.name.as_str().to_owned(),
            kinds: letters(subject),
            step: at.all_newest().map(|r| r.step).chain(records.into_iter().flatten()).max(),
            parameters: [weights, gradients, chosen].iter().find_map(|r| r.last()?.stats.numel),
            weights: newest_of(weights),
            gradients: newest_of(gradients),
            weight_norm: norm_of(weights),
            gradient_norm: norm_of(gradients),
            usual_gradient: usual(gradients),
            update: update(at),
            stats: newest_of(chosen),
            norm: now,
            change: now
                .zip(before)
                .filter(|(_, b)| *b != 0.0)
                .map(|(now, before)| (now - before) / before.abs()),
            broken,
            dead: at.all_newest().filter_map(|r| r.stats.dead).chain(units.dead).reduce(f64::max),
            frozen: at.all_newest().any(|r| r.stats.frozen == Some(true)),
            units,
            zero_outputs: outputs.zero,
            outputs,
            verdict,
        }
    }

    /// The largest element of the gradients by size.
    pub fn largest_gradient(&self) -> Option<f64> {
        let g = &self.gradients;
        match (g.min, g.max) {
            (Some(min), Some(max)) => {
                Some(if min.is_nan() || max.is_nan() { f64::NAN } else { min.abs().max(max.abs()) })
            }
            (one, other) => one.or(other).map(f64::abs),
        }
    }

    /// The mean size of an element of the gradients: as logged, else the root of the mean square, which is not smaller.
    pub fn mean_gradient(&self) -> Option<f64> {
        let g = &self.gradients;
        g.absmean.or_else(|| Some(self.gradient_norm? / g.numel.filter(|n| *n > 0.0)?.sqrt()))
    }
}

/// Which tensors were logged, a letter each, then `p` for perplexities, `r` for responses, `u` for units.
fn letters(subject: &Subject<'_>) -> String {
    let letter = |kind: &LayerKind| match kind {
        LayerKind::Weights => 'W',
        LayerKind::Gradients => 'G',
        LayerKind::Activations => 'A',
        LayerKind::Updates => 'U',
        LayerKind::Moments => 'M',
        LayerKind::Other => '?',
    };
    let mut text: String = subject.row.iter().flat_map(|row| row.kinds.keys()).map(letter).collect();
    for (records, letter) in [(subject.perplexity, 'p'), (subject.responses, 'r'), (subject.maxima, 'u')] {
        if !records.kept.is_empty() {
            text.push(letter);
        }
    }
    text
}

/// The update of the newest record. Where no norm of it was logged, what two histograms of the weights say: elements that
/// moved from one to the other moved at least as far as Wasserstein-1 says on average, √n times that is the least norm of
/// the change, and the steps between them shared it.
fn update(at: &At<'_>) -> Option<Update> {
    let weights = at.newest(LayerKind::Weights)?;
    if let Some(ratio) = samples::update_ratio(weights) {
        return Some(Update::Logged(ratio));
    }
    let size = norm(weights).filter(|n| *n > 0.0)?;
    if let Some(norm) = at.newest(LayerKind::Updates).and_then(norm) {
        return Some(Update::Logged(norm / size));
    }
    let (track, until) = (at.subject.track(LayerKind::Weights)?, at.until);
    let histograms = track.histograms();
    let end = until.map_or(histograms.len(), |until| histograms.partition_point(|h| h.step <= until));
    let [before, now] = histograms.get(end.checked_sub(2)?..end)? else { return None };
    let distance =
        Quantiles::of(&before.edges, &before.counts)?.wasserstein(&Quantiles::of(&now.edges, &now.counts)?);
    let elements: f64 = now.counts.iter().sum();
    let steps = now.step.saturating_sub(before.step).max(1) as f64;
    Some(Update::AtLeast(elements.sqrt() * distance / steps / size))
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
