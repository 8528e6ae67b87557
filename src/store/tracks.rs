//! Records that speak of one subject over time and have no store of their own: unit statistics, perplexity
//! histograms, similarities, credit, maps.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use super::{
    StoredArtefact,
    budget::Pressure,
    file_part::Place,
    kept::Weight,
    timeline::{Dated, Timeline},
};
use crate::model::{Artefact, ArtefactKind, FileId, Step};

/// Subjects of one run; records of further ones are only listed among the newest artefacts.
const SUBJECTS: usize = 1 << 14;

/// What one such record speaks of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TrackKey {
    /// Which kind of record.
    pub kind: ArtefactKind,
    /// The layer where the record names one, else the method or the word for the kind.
    pub name: Arc<str>,
    /// What else tells subjects apart: a unit statistic, a kind of map and its instance, `matrix` or `to step` or
    /// `to layer …` and the method of a similarity, with `start` behind it where the step is 0, so that a comparison with
    /// the beginning and one with the step before can stand at the same step; a target of credit, the split unless it is
    /// `train`.
    pub aspect: Arc<str>,
}

impl TrackKey {
    /// The word in the aspect of similarities to step 0.
    pub const START: &str = "start";

    /// Whether it is a similarity to step 0.
    pub fn is_to_start(&self) -> bool {
        self.kind == ArtefactKind::Similarity && self.aspect.split(' ').any(|word| word == Self::START)
    }

    /// The subject of a record; `None` for kinds that are not kept by subject, and for records without a step.
    pub fn of(artefact: &Artefact) -> Option<Self> {
        use ArtefactKind::{Credit, Map, Noise, Perplexity, Responses, Similarity, Units};
        artefact.step?;
        let text = |name: &str| artefact.text(name).unwrap_or_default().to_owned();
        let parts = match artefact.kind {
            Noise | Perplexity | Responses => Vec::new(),
            Units => vec![text("stat")],
            Map => vec![text("kind"), text("id")],
            Credit => {
                let unit = artefact.number("target/unit").map_or_else(String::new, |unit| unit.to_string());
                vec![text("method"), text("target/layer"), unit]
            }
            Similarity => {
                let other = text("to/layer");
                let to = match (artefact.field("m"), artefact.number("to/step")) {
                    (Some(_), _) => "matrix",
                    _ if !other.is_empty() => "to layer",
                    (None, Some(_)) => "to step",
                    (None, None) => "",
                };
                let method = text("method");
                let start = to == "to step" && !method.is_empty() && artefact.number("to/step") == Some(0.0);
                vec![to.to_owned(), other, method, if start { Self::START } else { "" }.to_owned()]
            }
            _ => return None,
        };
        let split = artefact.text("split").filter(|split| *split != "train").unwrap_or_default();
        let mut aspect = String::new();
        for part in parts.iter().map(String::as_str).chain([split]).filter(|part| !part.is_empty()) {
            if !aspect.is_empty() {
                aspect.push(' ');
            }
            aspect.push_str(part);
        }
        Some(Self { kind: artefact.kind, name: artefact.name.clone(), aspect: aspect.into() })
    }
}

/// Such records of a run, by subject.
#[derive(Debug, Default)]
pub struct Tracks {
    by_subject: BTreeMap<TrackKey, Timeline<StoredArtefact>>,
    bytes: usize,
}

impl Dated for StoredArtefact {
    fn step(&self) -> Step {
        self.artefact.step.unwrap_or_default()
    }
    fn heap_bytes(&self) -> usize {
        Weight::heap_bytes(self)
    }
}

impl Tracks {
    /// The subjects of a kind with their records in ascending order of steps, thinned; first and last are always there.
    pub fn of(&self, kind: ArtefactKind) -> impl Iterator<Item = (&TrackKey, &[StoredArtefact])> {
        let first = TrackKey { kind, name: Arc::default(), aspect: Arc::default() };
        let from = (Bound::Included(first), Bound::Unbounded);
        let same = move |(key, _): &(&TrackKey, &Timeline<StoredArtefact>)| key.kind == kind;
        self.by_subject.range(from).take_while(same).map(|(key, timeline)| (key, timeline.entries()))
    }

    /// The records of one subject; empty if there are none.
    pub fn records(&self, key: &TrackKey) -> &[StoredArtefact] {
        self.by_subject.get(key).map_or(&[], Timeline::entries)
    }

    /// How many records of a subject were read, thinned ones included.
    pub fn count(&self, key: &TrackKey) -> u64 {
        self.by_subject.get(key).map_or(0, Timeline::count)
    }

    /// Whether the record is kept here.
    pub(crate) fn add(&mut self, place: &Arc<Place>, record: &StoredArtefact, pressure: Pressure) -> bool {
        let Some(key) = TrackKey::of(&record.artefact) else { return false };
        if self.by_subject.len() >= SUBJECTS && !self.by_subject.contains_key(&key) {
            return false;
        }
        let new = key_bytes(&key);
        let timeline = self.by_subject.entry(key).or_insert_with(|| {
            self.bytes += new;
            Timeline::default()
        });
        let before = timeline.bytes();
        timeline.add(place, record.clone(), pressure.histograms());
        self.bytes = (self.bytes + timeline.bytes()).saturating_sub(before);
        true
    }

    pub(crate) fn thin(&mut self, pressure: Pressure) {
        for timeline in self.by_subject.values_mut() {
            timeline.thin(pressure.histograms());
        }
        self.recount();
    }

    pub(crate) fn forget(&mut self, file: FileId) {
        self.by_subject.retain(|_, timeline| !timeline.forget(file));
        self.recount();
    }

    fn recount(&mut self) {
        self.bytes = self.by_subject.iter().map(|(key, t)| key_bytes(key) + t.bytes()).sum();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A node of the tree: two texts with their counters, the key and the timeline's own size.
fn key_bytes(key: &TrackKey) -> usize {
    key.name.len() + key.aspect.len() + 32 + size_of::<TrackKey>() + size_of::<Timeline<StoredArtefact>>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Payload, WallTime};

    fn artefact(kind: ArtefactKind, name: &str, fields: &[(&str, Payload)]) -> Artefact {
        let fields = fields.iter().map(|(name, payload)| (Arc::from(*name), payload.clone())).collect();
        Artefact {
            kind,
            name: Arc::from(name),
            step: Some(1),
            wall: WallTime::UNKNOWN,
            offset: 0,
            bytes: 1,
            fields,
        }
    }

    #[test]
    fn records_of_different_subjects_are_told_apart() {
        let text = |t: &str| Payload::Text(Arc::from(t));
        for (record, aspect) in [
            (artefact(ArtefactKind::Units, "fc1", &[("stat", text("max_act"))]), "max_act"),
            (
                artefact(ArtefactKind::Units, "fc1", &[("stat", text("eta2")), ("split", text("val"))]),
                "eta2 val",
            ),
            (artefact(ArtefactKind::Perplexity, "relu", &[("split", text("train"))]), ""),
            (
                artefact(
                    ArtefactKind::Similarity,
                    "fc1",
                    &[("method", text("cka_unbiased")), ("to/step", Payload::Number(300.0))],
                ),
                "to step cka_unbiased",
            ),
            (
                artefact(
                    ArtefactKind::Similarity,
                    "fc1",
                    &[("method", text("cka_unbiased")), ("to/step", Payload::Number(0.0))],
                ),
                "to step cka_unbiased start",
            ),
            (
                artefact(ArtefactKind::Map, "conv1", &[("kind", text("filter")), ("id", text("a2"))]),
                "filter a2",
            ),
        ] {
            assert_eq!(TrackKey::of(&record).map(|key| key.aspect.to_string()).as_deref(), Some(aspect));
        }
        let mut timeless = artefact(ArtefactKind::Units, "fc1", &[]);
        timeless.step = None;
        assert_eq!(TrackKey::of(&timeless), None);
        assert_eq!(TrackKey::of(&artefact(ArtefactKind::Predictions, "pred", &[])), None);
    }
}
