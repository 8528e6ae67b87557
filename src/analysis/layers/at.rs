//! A layer as it was at a step: where each of its tensors' records end is looked up once, for there are many layers and
//! many numbers of each.

use super::subjects::Subject;
use crate::{
    model::{LayerKind, LayerStats, Step},
    store::{LayerPoint, up_to},
};

const KINDS: [LayerKind; 6] = [
    LayerKind::Weights,
    LayerKind::Gradients,
    LayerKind::Activations,
    LayerKind::Updates,
    LayerKind::Moments,
    LayerKind::Other,
];

/// A layer with its records up to and with a step.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The layer.
    pub subject: &'a Subject<'a>,
    /// The step; `None` for all records.
    pub until: Option<Step>,
    records: [&'a [LayerPoint]; KINDS.len()],
}

impl<'a> At<'a> {
    /// Looks the ends up.
    pub fn new(subject: &'a Subject<'a>, until: Option<Step>) -> Self {
        let shown = |kind| {
            let records = subject.track(kind).map(crate::store::LayerTrack::records).unwrap_or_default();
            up_to(records, until)
        };
        Self { subject, until, records: KINDS.map(shown) }
    }

    /// The statistics of one of its tensors in ascending order of steps.
    pub fn records(&self, kind: LayerKind) -> &'a [LayerPoint] {
        KINDS.iter().position(|k| *k == kind).and_then(|at| self.records.get(at)).copied().unwrap_or_default()
    }

    /// The newest statistics of one of its tensors.
    pub fn newest(&self, kind: LayerKind) -> Option<&'a LayerStats> {
        self.records(kind).last().map(|r| &r.stats)
    }

    /// The newest record of each of its tensors.
    pub fn all_newest(&self) -> impl Iterator<Item = &'a LayerPoint> {
        self.records.into_iter().filter_map(<[LayerPoint]>::last)
    }
}
