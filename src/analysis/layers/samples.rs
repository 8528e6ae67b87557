//! From the records of a layer to the values of one measure, one record after the other.

use super::{
    at::At,
    measure::{GRADIENT_INTERVAL, Measure},
    perplexity::{Refused, Snapshot},
    pools::POOL,
    ring::Ring,
    subjects::Records,
    transport::{Quantiles, relative_change},
};
use crate::{
    model::{Artefact, LayerKind, LayerStats, Step},
    store::{LayerPoint, LayerTrack, StoredArtefact, StoredHistogram, up_to},
};

/// The records from which a measure of a layer is worked out.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Statistics of one tensor.
    Points(&'a [LayerPoint]),
    /// Norms of updates, and the weights that they are of.
    Updates(&'a [LayerPoint], &'a [LayerPoint]),
    /// Histograms of one tensor.
    Histograms(&'a [StoredHistogram]),
    /// Records with a store of their own.
    Artefacts(&'a [StoredArtefact]),
}

/// How many records there were of those that the store keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thinned {
    /// Records that were read.
    pub count: u64,
    /// Of so many one is kept, the first and the last apart; 1 while none were left out.
    pub stride: u64,
}

/// The newest records among which a field is looked for: it may be in every tenth only.
const LOOKED_AT: usize = 64;

impl<'a> Source<'a> {
    /// The records of a measure, and how they were thinned; `None` where the log has none up to the step.
    pub fn of(at: &At<'a>, measure: Measure) -> Option<(Self, Thinned)> {
        let subject = at.subject;
        let of_track = |track: &'a LayerTrack| Thinned { count: track.count(), stride: track.stride() };
        let points = |kind, has: fn(&LayerStats) -> bool| {
            let track = subject.track(kind)?;
            let known = at.records(kind).iter().rev().take(LOOKED_AT).any(|r| has(&r.stats));
            known.then(|| (Self::Points(track.records()), of_track(track)))
        };
        let artefacts = |of: Records<'a>| {
            let thinned = Thinned { count: of.count, stride: of.stride() };
            (!of.kept.is_empty()).then_some((Self::Artefacts(of.kept), thinned))
        };
        match measure {
            Measure::Perplexity => artefacts(subject.perplexity).or_else(|| artefacts(subject.responses)),
            Measure::Cka => artefacts(subject.cka),
            Measure::Svcca => artefacts(subject.svcca),
            Measure::Update => points(LayerKind::Weights, |s| s.update_norm.is_some()).or_else(|| {
                let (updates, weights) =
                    (subject.track(LayerKind::Updates)?, subject.track(LayerKind::Weights)?);
                Some((Self::Updates(updates.records(), weights.records()), of_track(updates)))
            }),
            Measure::Histogram(kind) => {
                let track = subject.track(kind).filter(|t| !t.histograms().is_empty())?;
                let thinned = Thinned { count: track.histogram_count(), stride: track.histogram_stride() };
                Some((Self::Histograms(track.histograms()), thinned))
            }
            Measure::Gradient => points(LayerKind::Gradients, |s| norm(s).is_some()),
            Measure::Alpha => points(LayerKind::Weights, |s| s.alpha.is_some()),
        }
    }

    /// Records kept.
    pub fn len(&self) -> usize {
        match self {
            Self::Points(of) | Self::Updates(of, _) => of.len(),
            Self::Histograms(of) => of.len(),
            Self::Artefacts(of) => of.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Since when no instance excited anything, if that is so in the newest of the first `records`, and in as many as make
    /// a pool: there is no perplexity to compare then, and what was said before is no news.
    pub fn silent_since(&self, records: usize) -> Option<Step> {
        let Self::Artefacts(of) = self else { return None };
        let silent = |record: &&StoredArtefact| {
            matches!(Snapshot::of(&record.artefact), Err(Refused::Empty))
                && record.artefact.number("no_response").is_none_or(|n| n > 0.0)
        };
        let last = of.get(..records)?.iter().rev().take_while(silent).enumerate().last();
        last.filter(|(n, _)| n + 1 >= POOL).and_then(|(_, record)| record.artefact.step)
    }

    /// The step of a record.
    pub fn step(&self, at: usize) -> Option<Step> {
        match self {
            Self::Points(of) | Self::Updates(of, _) => of.get(at).map(|r| r.step),
            Self::Histograms(of) => of.get(at).map(|r| r.step),
            Self::Artefacts(of) => of.get(at).map(|r| r.artefact.step.unwrap_or_default()),
        }
    }

    /// Records of a measure up to and with the step at which its layer is looked at.
    pub fn until(&self, at: &At<'_>, measure: Measure) -> usize {
        let Some(until) = at.until else { return self.len() };
        match self {
            Self::Points(_) if measure == Measure::Gradient => at.records(LayerKind::Gradients).len(),
            Self::Points(_) => at.records(LayerKind::Weights).len(),
            Self::Updates(..) => at.records(LayerKind::Updates).len(),
            Self::Histograms(of) => up_to(of, Some(until)).len(),
            Self::Artefacts(of) => up_to(of, Some(until)).len(),
        }
    }

    /// How many records of the log lie between a record that is kept and one before it, this one included. 1 where
    /// others lie between them that are kept: they say nothing of the measure, and how many of those that were left out
    /// would have is not known.
    fn apart(&self, thinned: Thinned, (before, at): (usize, usize)) -> f64 {
        if at.saturating_sub(before) != 1 {
            return 1.0;
        }
        // The newest is kept wherever it stands.
        let rest = thinned.count.saturating_sub(1) % thinned.stride.max(1);
        let newest = at + 1 == self.len() && rest > 0;
        (if newest { rest } else { thinned.stride }) as f64
    }
}

/// The norm, worked out from spread and mean where only those were logged.
pub fn norm(stats: &LayerStats) -> Option<f64> {
    stats.norm.or_else(|| {
        let (n, mean, std) = (stats.numel?, stats.mean?, stats.std?);
        Some((n * (mean * mean + std * std)).sqrt())
    })
}

/// ‖update‖ / ‖weights‖ of a record of weights. The update is the last one before the record, so that the weights
/// before it are those after it to well within the precision of a logged norm. Weights that are all zero have no ratio,
/// unless the update is zero, too.
pub fn update_ratio(stats: &LayerStats) -> Option<f64> {
    ratio(stats.update_norm?, norm(stats)?)
}

fn ratio(update: f64, weights: f64) -> Option<f64> {
    if update == 0.0 {
        return Some(0.0);
    }
    (weights != 0.0).then(|| update / weights)
}

/// What is remembered from one record to the next.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// The place of the record before, and what it said.
    before: Option<(usize, Before)>,
    norms: Ring<{ 2 * GRADIENT_INTERVAL }>,
}

#[derive(Clone, Debug)]
enum Before {
    Histogram(Quantiles),
    Value { value: f64, reference: Option<f64> },
}

impl Reader {
    /// The value of a measure at a record, compared with the records before it, which must have been read in order;
    /// `None` where the record says nothing.
    ///
    /// Differences of consecutive records are of those that are kept. Where the store has left out k − 1 between two, the
    /// difference is divided by √k: exact for a random walk, and it does not make a drift look smaller than it is. Steps
    /// say nothing of it: a trainer may write more rarely as it goes on.
    pub fn value(
        &mut self,
        measure: Measure,
        source: &Source<'_>,
        at: usize,
        thinned: Thinned,
    ) -> Option<f64> {
        let step = source.step(at)?;
        let apart = |before: usize| source.apart(thinned, (before, at)).sqrt();
        match (measure, source) {
            (Measure::Update, Source::Points(of)) => update_ratio(&of.get(at)?.stats),
            (Measure::Update, Source::Updates(updates, weights)) => {
                let weights = weights.get(..weights.partition_point(|w| w.step <= step))?.last()?;
                ratio(norm(&updates.get(at)?.stats)?, norm(&weights.stats)?)
            }
            (Measure::Gradient, Source::Points(of)) => {
                self.norms.push(norm(&of.get(at)?.stats)?);
                gradient_test(self.norms.as_slice())
            }
            (Measure::Alpha, Source::Points(of)) => {
                let value = of.get(at)?.stats.alpha?;
                let before = self.before.replace((at, Before::Value { value, reference: None }));
                let Some((since, Before::Value { value: earlier, .. })) = before else { return None };
                Some((value - earlier).abs() / earlier.abs() / apart(since))
            }
            (Measure::Histogram(_), Source::Histograms(of)) => {
                let record = of.get(at)?;
                let now = Quantiles::of(&record.edges, &record.counts)?;
                let before = self.before.replace((at, Before::Histogram(now.clone())));
                let Some((since, Before::Histogram(earlier))) = before else { return None };
                Some(relative_change(&earlier, &now) / apart(since))
            }
            (Measure::Cka | Measure::Svcca, Source::Artefacts(of)) => {
                let (value, reference) = similarity(&of.get(at)?.artefact)?;
                let before = self.before.replace((at, Before::Value { value, reference: Some(reference) }));
                let Some((since, Before::Value { value: earlier, reference: Some(of_earlier) })) = before
                else {
                    return None;
                };
                // A reference that stays, such as the first step: what counts is how the similarity to it changes.
                let stays = reference.to_bits() == of_earlier.to_bits();
                if stays {
                    return Some((value - earlier).abs() / apart(since));
                }
                // Not `max`, which would make a perfect similarity of NaN.
                let distance = 1.0 - value;
                Some(if distance < 0.0 { 0.0 } else { distance })
            }
            _ => None,
        }
    }
}

/// The similarity of a record and the step that it is to.
fn similarity(artefact: &Artefact) -> Option<(f64, f64)> {
    Some((artefact.number("value")?, artefact.number("to/step")?))
}

/// `AutoFreeze`'s test η = |‖Δ before‖ − ‖Δ now‖| / ‖Δ before‖ of the newest ten norms: Δ is the mean norm over an
/// interval of five. `None` for fewer, or if both are zero.
pub fn gradient_test(norms: &[f64]) -> Option<f64> {
    let now = norms.len().checked_sub(GRADIENT_INTERVAL)?;
    let before = now.checked_sub(GRADIENT_INTERVAL)?;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (before, now) = (mean(&norms[before..now]), mean(&norms[now..]));
    if before == 0.0 && now == 0.0 {
        return None;
    }
    Some((before - now).abs() / before)
}
