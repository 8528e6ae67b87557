//! Layers of a run: statistics and histograms over time.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    budget::Pressure,
    file_part::Place,
    timeline::{Dated, Timeline},
};
use crate::model::{FileId, HistogramRecord, LayerKind, LayerName, LayerRecord, LayerStats, Step, WallTime};

/// Statistics of one tensor at one step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LayerPoint {
    /// The trainer's counter.
    pub step: Step,
    /// When.
    pub wall: WallTime,
    /// The numbers.
    pub stats: LayerStats,
}

/// A histogram at one step; see [`HistogramRecord`] for what its parts are.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredHistogram {
    /// The trainer's counter.
    pub step: Step,
    /// When.
    pub wall: WallTime,
    /// Bucket bounds, one more than counts.
    pub edges: Arc<[f64]>,
    /// Elements in each bucket.
    pub counts: Arc<[f64]>,
}

/// One tensor of one layer over time.
#[derive(Debug, Default)]
pub struct LayerTrack {
    points: Timeline<LayerPoint>,
    histograms: Timeline<StoredHistogram>,
}

/// A layer with its tensors.
#[derive(Debug)]
pub struct LayerRow {
    /// Which layer.
    pub layer: LayerName,
    /// Its tensors, in the order of [`LayerKind`].
    pub kinds: BTreeMap<LayerKind, LayerTrack>,
}

/// The layers of a run.
#[derive(Debug, Default)]
pub struct Layers {
    rows: Vec<LayerRow>,
    index: FxHashMap<LayerName, usize>,
    bytes: usize,
}

impl Dated for LayerPoint {
    fn step(&self) -> Step {
        self.step
    }
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Dated for StoredHistogram {
    fn step(&self) -> Step {
        self.step
    }
    fn heap_bytes(&self) -> usize {
        // Two allocations with two counters each.
        8 * (self.edges.len() + self.counts.len()) + 32
    }
}

impl LayerTrack {
    /// Statistics in ascending order of steps, thinned; first and last are always there. A histogram brings
    /// statistics along, so that this is never empty where there are histograms.
    pub fn records(&self) -> &[LayerPoint] {
        self.points.entries()
    }

    /// Histograms in ascending order of steps, thinned; first and last are always there.
    pub fn histograms(&self) -> &[StoredHistogram] {
        self.histograms.entries()
    }

    /// The latest statistics.
    pub fn last(&self) -> Option<&LayerPoint> {
        self.records().last()
    }

    /// How many statistics were read, thinned ones included.
    pub fn count(&self) -> u64 {
        self.points.count()
    }

    /// How many histograms were read, thinned ones included.
    pub fn histogram_count(&self) -> u64 {
        self.histograms.count()
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes() + self.histograms.bytes()
    }

    fn thin(&mut self, pressure: Pressure) {
        self.points.thin(pressure.layer_points());
        self.histograms.thin(pressure.histograms());
    }
}

impl LayerRow {
    /// One of its tensors.
    pub fn track(&self, kind: LayerKind) -> Option<&LayerTrack> {
        self.kinds.get(&kind)
    }
}

impl Layers {
    /// In order of first appearance, which is the order in which the writer walks its network.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &LayerRow> {
        self.rows.iter()
    }

    /// One layer.
    pub fn row(&self, layer: &LayerName) -> Option<&LayerRow> {
        self.index.get(layer).and_then(|at| self.rows.get(*at))
    }

    /// How many layers.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no layer was logged.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn add(&mut self, place: &Arc<Place>, record: &LayerRecord, pressure: Pressure) {
        let point = LayerPoint { step: record.step, wall: record.wall, stats: record.stats };
        self.change(&record.layer, record.kind, |track| {
            track.points.add(place, point, pressure.layer_points());
        });
    }

    pub(crate) fn add_histogram(&mut self, place: &Arc<Place>, record: &HistogramRecord, pressure: Pressure) {
        let point = LayerPoint { step: record.step, wall: record.wall, stats: record.stats };
        let histogram = StoredHistogram {
            step: record.step,
            wall: record.wall,
            edges: record.edges.clone(),
            counts: record.counts.clone(),
        };
        self.change(&record.layer, record.kind, |track| {
            track.points.add(place, point, pressure.layer_points());
            track.histograms.add(place, histogram, pressure.histograms());
        });
    }

    fn change(&mut self, layer: &LayerName, kind: LayerKind, with: impl FnOnce(&mut LayerTrack)) {
        let at = if let Some(at) = self.index.get(layer) {
            *at
        } else {
            self.index.insert(layer.clone(), self.rows.len());
            self.rows.push(LayerRow { layer: layer.clone(), kinds: BTreeMap::new() });
            // The row, its name, its place in the index.
            self.bytes += size_of::<LayerRow>() + layer.as_str().len() + 64;
            self.rows.len() - 1
        };
        let Some(row) = self.rows.get_mut(at) else { return };
        let track = row.kinds.entry(kind).or_default();
        let before = track.bytes();
        with(track);
        self.bytes = (self.bytes + track.bytes()).saturating_sub(before);
    }

    pub(crate) fn thin(&mut self, pressure: Pressure) {
        for track in self.rows.iter_mut().flat_map(|r| r.kinds.values_mut()) {
            track.thin(pressure);
        }
        self.recount();
    }

    pub(crate) fn forget(&mut self, file: FileId) {
        for row in &mut self.rows {
            row.kinds.retain(|_, t| {
                let empty = t.points.forget(file);
                !(t.histograms.forget(file) && empty)
            });
        }
        self.rows.retain(|r| !r.kinds.is_empty());
        self.index = self.rows.iter().enumerate().map(|(at, r)| (r.layer.clone(), at)).collect();
        self.recount();
    }

    fn recount(&mut self) {
        self.bytes = self
            .rows
            .iter()
            .map(|r| {
                let tracks: usize = r.kinds.values().map(LayerTrack::bytes).sum();
                size_of::<LayerRow>() + r.layer.as_str().len() + 64 + tracks
            })
            .sum();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
