//! Shares of units that are dead, always on, duplicates or saturated, and how special they are, from whatever was logged.

use super::{
    at::At,
    filters::Filters,
    perplexity::Snapshot,
    subjects::{Records, Subject},
};
use crate::{
    model::{FileId, LayerKind, LayerStats, NumericArray, Step},
    store::{StoredArtefact, up_to},
};

/// Of one layer at a step; `None` where the log does not say it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct UnitShares {
    /// 1 − (mean perplexity − 1) / (F − 1), 0…1.
    pub specialisation: Option<f64>,
    /// Share of units that never answer.
    pub dead: Option<f64>,
    /// Share of units that always answer.
    pub always_on: Option<f64>,
    /// Share of units that do what an earlier one does: one of two copies.
    pub duplicate: Option<f64>,
    /// Share of saturated units.
    pub saturated: Option<f64>,
    /// Share of instances that excite no unit.
    pub unanswered: Option<f64>,
}

/// Which records were read: file, step and offset of the newest responses, maxima and perplexities.
type Source = [Option<(FileId, Step, u64)>; 3];

/// What was found in the records of a layer last, so that records that are the same are not read again.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Read {
    source: Source,
    shares: UnitShares,
}

impl UnitShares {
    /// What the trainer computed over all units itself counts most, then unit statistics, then matrices of
    /// responses, which are samples.
    pub fn of(at: &At<'_>, read: &mut Read) -> Self {
        let Subject { responses, maxima, perplexity, .. } = at.subject;
        let records = [*responses, *maxima, *perplexity].map(|of| newest(of, at.until));
        let source =
            records.map(|r| r.map(|r| (r.file, r.artefact.step.unwrap_or_default(), r.artefact.offset)));
        if read.source != source {
            *read = Read { source, shares: Self::of_records(records) };
        }
        let kinds = [LayerKind::Activations, LayerKind::Other, LayerKind::Weights];
        let stats = kinds.map(|kind| at.newest(kind));
        let said = |of: fn(&LayerStats) -> Option<f64>| stats.iter().flatten().find_map(|s| of(s));
        Self {
            dead: said(|s| s.dead).or(read.shares.dead),
            always_on: said(|s| s.always_on).or(read.shares.always_on),
            duplicate: said(|s| s.duplicate).or(read.shares.duplicate),
            saturated: said(|s| s.saturated),
            ..read.shares
        }
    }

    fn of_records([responses, maxima, perplexity]: [Option<&StoredArtefact>; 3]) -> Self {
        let sampled = responses.and_then(|r| {
            let m = r.artefact.array("m")?;
            let [_, units] = *m.shape() else { return None };
            Some(Filters::of_responses(m.values(), units))
        });
        let counted = maxima.and_then(|r| {
            let largest = r.artefact.array("v")?.values();
            Some(Filters::of_maxima(largest, r.artefact.array("freq").map(NumericArray::values)))
        });
        let has_frequency = maxima.is_some_and(|r| r.artefact.array("freq").is_some());
        let snapshot = perplexity.and_then(|r| Snapshot::of(&r.artefact).ok());
        let counted = counted.as_ref();
        let sampled = sampled.as_ref();
        Self {
            specialisation: snapshot
                .as_ref()
                .and_then(Snapshot::specialisation)
                .or_else(|| sampled.and_then(Filters::specialisation)),
            dead: counted.or(sampled).and_then(Filters::dead_share),
            always_on: counted.filter(|_| has_frequency).or(sampled).and_then(Filters::always_on_share),
            duplicate: sampled.and_then(Filters::duplicate_share),
            saturated: None,
            unanswered: snapshot.as_ref().map(Snapshot::unanswered),
        }
    }
}

fn newest(records: Records<'_>, until: Option<Step>) -> Option<&StoredArtefact> {
    up_to(records.kept, until).last()
}
