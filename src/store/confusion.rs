//! Confusion matrices of a run over time, by split.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    budget::Pressure,
    file_part::Place,
    timeline::{Dated, Timeline},
};
use crate::model::{ConfusionRecord, FileId, PackedMatrix, Step, WallTime};

/// A [`ConfusionRecord`] with its matrix packed.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    /// Which data it was computed on (`val`), with the group if there is one (`val age=old`).
    pub split: Arc<str>,
    /// The trainer's counter.
    pub step: Step,
    /// The epoch, if the log says.
    pub epoch: Option<f64>,
    /// When.
    pub wall: WallTime,
    /// The counts.
    pub matrix: PackedMatrix,
    /// Class names in the order of the rows, if the record brought them along.
    pub names: Option<Arc<[Arc<str>]>>,
    /// The task whose names the rows have otherwise; empty for the only one.
    pub task: Arc<str>,
}

impl From<&ConfusionRecord> for Evaluation {
    fn from(record: &ConfusionRecord) -> Self {
        Self {
            split: record.split.clone(),
            step: record.step,
            epoch: record.epoch,
            wall: record.wall,
            matrix: PackedMatrix::new(&record.matrix),
            names: record.names.clone(),
            task: record.task.clone(),
        }
    }
}

/// Matrices by split (`val`, `val age=old`), each over time.
#[derive(Debug, Default)]
pub struct Confusions {
    splits: BTreeMap<Arc<str>, Timeline<Evaluation>>,
}

impl Dated for Evaluation {
    fn step(&self) -> Step {
        self.step
    }
    fn heap_bytes(&self) -> usize {
        self.matrix.heap_bytes()
    }
}

impl Confusions {
    /// The splits for which there are matrices, sorted.
    pub fn splits(&self) -> impl Iterator<Item = &Arc<str>> {
        self.splits.keys()
    }

    /// The matrices of a split in ascending order of steps, thinned; first and last are always there.
    pub fn of(&self, split: &str) -> &[Evaluation] {
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
        self.splits.entry(record.split.clone()).or_default().add(place, record.into(), most);
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
