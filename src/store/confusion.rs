//! Confusion matrices of a run over time, by split.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    budget::Pressure,
    file_part::Place,
    timeline::{Dated, Timeline},
};
use crate::model::{ConfusionRecord, FileId, Step};

/// Matrices by split (`val`, `val age=old`), each over time.
#[derive(Debug, Default)]
pub struct Confusions {
    splits: BTreeMap<Arc<str>, Timeline<ConfusionRecord>>,
}

impl Dated for ConfusionRecord {
    fn step(&self) -> Step {
        self.step
    }
    fn heap_bytes(&self) -> usize {
        8 * self.matrix.counts().len()
    }
}

impl Confusions {
    /// The splits for which there are matrices, sorted.
    pub fn splits(&self) -> impl Iterator<Item = &Arc<str>> {
        self.splits.keys()
    }

    /// The matrices of a split in ascending order of steps, thinned; first and last are always there.
    pub fn of(&self, split: &str) -> &[ConfusionRecord] {
        self.splits.get(split).map_or(&[], Timeline::entries)
    }

    /// How many matrices of a split were read, thinned ones included.
    pub fn count(&self, split: &str) -> u64 {
        self.splits.get(split).map_or(0, Timeline::count)
    }

    /// Whether no matrix was logged.
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty()
    }

    pub(crate) fn add(&mut self, place: &Arc<Place>, record: &ConfusionRecord, pressure: Pressure) {
        let most = pressure.matrices();
        self.splits.entry(record.split.clone()).or_default().add(place, record.clone(), most);
    }

    pub(crate) fn thin(&mut self, pressure: Pressure) {
        for timeline in self.splits.values_mut() {
            timeline.thin(pressure.matrices());
        }
    }

    pub(crate) fn forget(&mut self, file: FileId) {
        self.splits.retain(|_, timeline| !timeline.forget(file));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.splits.iter().map(|(name, t)| name.len() + 64 + t.bytes()).sum()
    }
}
