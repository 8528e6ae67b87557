//! The layers of a run with everything that was logged of them, whatever kind of record it came in.

use rustc_hash::FxHashMap;

use crate::{
    model::{ArtefactKind, LayerKind, LayerName},
    store::{LayerRow, LayerTrack, Run, StoredArtefact},
};

/// Records of one kind and subject in ascending order of steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Records<'a> {
    /// What the store keeps of them.
    pub kept: &'a [StoredArtefact],
    /// How many there were.
    pub count: u64,
}

impl Records<'_> {
    /// Of how many records one is kept: the power of two that fits the numbers. A run that was begun anew, whose
    /// records were superseded, has fewer records than were read, too; up to three quarters of them are allowed for.
    pub fn stride(&self) -> u64 {
        let mut stride = 1;
        while self.count as f64 >= 1.75 * stride as f64 * self.kept.len().max(1) as f64 {
            stride *= 2;
        }
        stride
    }
}

/// One layer.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// As it was written.
    pub name: LayerName,
    /// Statistics and histograms of its tensors.
    pub row: Option<&'a LayerRow>,
    /// Perplexity histograms.
    pub perplexity: Records<'a>,
    /// Matrices of responses.
    pub responses: Records<'a>,
    /// Largest activation of each unit, and how often it is active.
    pub maxima: Records<'a>,
    /// CKA to an earlier state.
    pub cka: Records<'a>,
    /// SVCCA or PWCCA to an earlier state.
    pub svcca: Records<'a>,
}

impl<'a> Subject<'a> {
    fn new(name: LayerName, row: Option<&'a LayerRow>) -> Self {
        let none = Records::default();
        Self { name, row, perplexity: none, responses: none, maxima: none, cka: none, svcca: none }
    }

    /// One of its tensors.
    pub fn track(&self, kind: LayerKind) -> Option<&'a LayerTrack> {
        self.row.and_then(|row| row.track(kind))
    }

    /// Whether it has parameters, as far as the log says: only those layers can be frozen.
    pub fn has_parameters(&self) -> bool {
        [LayerKind::Weights, LayerKind::Gradients, LayerKind::Updates, LayerKind::Moments]
            .into_iter()
            .any(|kind| self.track(kind).is_some())
    }
}

/// All layers: those with statistics in the order of the store, then those that are known from other records only, by
/// name.
pub fn subjects(run: &Run) -> Vec<Subject<'_>> {
    let mut all: Vec<Subject<'_>> =
        run.layers().rows().map(|row| Subject::new(row.layer.clone(), Some(row))).collect();
    let mut places: FxHashMap<LayerName, usize> =
        all.iter().enumerate().map(|(at, subject)| (subject.name.clone(), at)).collect();
    for kind in
        [ArtefactKind::Perplexity, ArtefactKind::Responses, ArtefactKind::Units, ArtefactKind::Similarity]
    {
        for (key, kept) in run.tracks(kind) {
            let Some(which) = which(kind, &key.aspect) else { continue };
            let name = LayerName::from(&*key.name);
            // Another spelling of a layer that is there.
            let name = run.layers().row(&name).map_or(name, |row| row.layer.clone());
            let at = *places.entry(name.clone()).or_insert_with(|| {
                all.push(Subject::new(name, None));
                all.len() - 1
            });
            let Some(subject) = all.get_mut(at) else { continue };
            let place = match which {
                Which::Perplexity => &mut subject.perplexity,
                Which::Responses => &mut subject.responses,
                Which::Maxima => &mut subject.maxima,
                Which::Cka => &mut subject.cka,
                Which::Svcca => &mut subject.svcca,
            };
            // Aspects ascend: records of training data, whose aspect is shorter, come first and stay.
            if place.kept.is_empty() {
                *place = Records { kept, count: run.track_count(key) };
            }
        }
    }
    all
}

enum Which {
    Perplexity,
    Responses,
    Maxima,
    Cka,
    Svcca,
}

/// What a subject's records say of a layer; `None` for those that say nothing of its stability or its units.
fn which(kind: ArtefactKind, aspect: &str) -> Option<Which> {
    Some(match kind {
        ArtefactKind::Perplexity => Which::Perplexity,
        ArtefactKind::Responses => Which::Responses,
        ArtefactKind::Units if aspect.starts_with("max") => Which::Maxima,
        ArtefactKind::Similarity => {
            let method = aspect.strip_prefix("to step")?.trim_start();
            let known = |word| method.contains(word);
            if known("cca") {
                Which::Svcca
            } else if known("cka") || method.is_empty() {
                Which::Cka
            } else {
                return None;
            }
        }
        _ => return None,
    })
}
