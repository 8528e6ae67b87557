//! Layers of a run: statistics and histograms over time.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    budget::Pressure,
    file_part::Place,
    timeline::{Dated, Timeline},
};
use crate::model::{
    FileId, HistogramRecord, LayerKind, LayerName, LayerRecord, LayerStats, Step, WallTime, same_layer,
};

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
    /// Statistics that came as scalars; apart, because they have steps of their own.
    scalars: Timeline<LayerPoint>,
    /// Both of these in one, where there are both.
    merged: Vec<LayerPoint>,
    histograms: Timeline<StoredHistogram>,
}

/// A layer with its tensors.
#[derive(Debug)]
pub struct LayerRow {
    /// Which layer.
    pub layer: LayerName,
    /// Its tensors, in the order of [`LayerKind`]; activations are those on training data, or of unknown data.
    pub kinds: BTreeMap<LayerKind, LayerTrack>,
    /// Statistics on other data, by split.
    others: BTreeMap<(LayerKind, Arc<str>), LayerTrack>,
}

/// The layers of a run.
#[derive(Debug, Default)]
pub struct Layers {
    rows: Vec<LayerRow>,
    /// By every spelling that was met, and by the one under which they are the same.
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
        match (self.points.entries(), self.scalars.entries()) {
            (points, []) => points,
            ([], scalars) => scalars,
            _ => &self.merged,
        }
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
        self.points.count() + self.scalars.count()
    }

    /// Of how many statistics one is kept, the first and the last apart; 1 while none were left out. Where scalars and
    /// whole records are mixed, it is that of the denser ones.
    pub fn stride(&self) -> u64 {
        match (self.points.entries(), self.scalars.entries()) {
            (_, []) => self.points.stride(),
            ([], _) => self.scalars.stride(),
            _ => self.points.stride().min(self.scalars.stride()),
        }
    }

    /// The same for histograms.
    pub fn histogram_stride(&self) -> u64 {
        self.histograms.stride()
    }

    /// How many histograms were read, thinned ones included.
    pub fn histogram_count(&self) -> u64 {
        self.histograms.count()
    }

    fn bytes(&self) -> usize {
        let merged = self.merged.capacity() * size_of::<LayerPoint>();
        size_of::<Self>() + self.points.bytes() + self.scalars.bytes() + merged + self.histograms.bytes()
    }

    fn merge_if_both(&mut self) {
        if !self.scalars.entries().is_empty() && !self.points.entries().is_empty() {
            self.merge();
        }
    }

    /// Brings [`Self::merged`] up to date.
    fn merge(&mut self) {
        self.merged.clear();
        let (points, scalars) = (self.points.entries(), self.scalars.entries());
        if points.is_empty() || scalars.is_empty() {
            return self.merged.shrink_to_fit();
        }
        let mut rest = scalars;
        for point in points {
            let before = rest.partition_point(|s| s.step < point.step);
            let (earlier, from) = rest.split_at(before);
            self.merged.extend_from_slice(earlier);
            let same = from.first().filter(|s| s.step == point.step);
            rest = from.get(usize::from(same.is_some())..).unwrap_or_default();
            // what the writer computed over the whole tensor counts more than what a histogram's buckets give
            let stats = same.map_or(point.stats, |s| s.stats.or(point.stats));
            self.merged.push(LayerPoint { stats, ..*point });
        }
        self.merged.extend_from_slice(rest);
    }

    fn thin(&mut self, pressure: Pressure) {
        self.points.thin(pressure.layer_points());
        self.scalars.thin(pressure.layer_points());
        self.merge();
        self.histograms.thin(pressure.histograms());
    }
}

impl LayerRow {
    /// One of its tensors.
    pub fn track(&self, kind: LayerKind) -> Option<&LayerTrack> {
        self.kinds.get(&kind)
    }

    /// The same on other data than what the network is trained on (`val`).
    pub fn track_of(&self, kind: LayerKind, split: &str) -> Option<&LayerTrack> {
        if matches!(split, "" | "train") {
            return self.track(kind);
        }
        self.others.get(&(kind, Arc::from(split)))
    }

    /// The splits on which a tensor was looked at besides training data, sorted.
    pub fn splits(&self, kind: LayerKind) -> impl Iterator<Item = &Arc<str>> {
        self.others.keys().filter(move |(of, _)| *of == kind).map(|(_, split)| split)
    }

    fn tracks_mut(&mut self) -> impl Iterator<Item = &mut LayerTrack> {
        self.kinds.values_mut().chain(self.others.values_mut())
    }

    fn place_of(&mut self, kind: LayerKind, split: &Arc<str>) -> &mut LayerTrack {
        match &**split {
            "" | "train" => self.kinds.entry(kind).or_default(),
            _ => self.others.entry((kind, split.clone())).or_default(),
        }
    }
}

impl Layers {
    /// In order of first appearance, which is the order in which the writer walks its network; layers that are known
    /// from scalars only come in the order that `engine` finds for them.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &LayerRow> {
        self.rows.iter()
    }

    /// One layer.
    pub fn row(&self, layer: &LayerName) -> Option<&LayerRow> {
        self.place(layer).and_then(|at| self.rows.get(at))
    }

    fn place(&self, layer: &LayerName) -> Option<usize> {
        let same = || self.index.get(&LayerName::new(&*same_layer(layer.as_str())));
        self.index.get(layer).or_else(same).copied()
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
        let mut point = LayerPoint { step: record.step, wall: record.wall, stats: record.stats };
        self.change(&record.layer, record.kind, &record.split, |track| {
            // What is seen in training and what a probe shows are two records of one step.
            if let Some(last) = track.points.entries().last().filter(|last| last.step == point.step) {
                point.stats = point.stats.or(last.stats);
            }
            track.points.add(place, point, pressure.layer_points());
            track.merge_if_both();
        });
    }

    /// Adds statistics that came as scalars, in file order. Numbers of one step may come one after the other.
    pub(crate) fn add_scalars(&mut self, place: &Arc<Place>, records: &[LayerRecord], pressure: Pressure) {
        for of_one in records.chunk_by(|a, b| a.layer == b.layer && a.kind == b.kind) {
            let Some(first) = of_one.first() else { continue };
            self.change(&first.layer, first.kind, &first.split, |track| {
                for record in of_one {
                    let mut point = LayerPoint { step: record.step, wall: record.wall, stats: record.stats };
                    if let Some(last) = track.scalars.entries().last().filter(|last| last.step == point.step)
                    {
                        point.stats = point.stats.or(last.stats);
                    }
                    track.scalars.add(place, point, pressure.layer_points());
                }
                track.merge_if_both();
            });
        }
    }

    pub(crate) fn add_histogram(&mut self, place: &Arc<Place>, record: &HistogramRecord, pressure: Pressure) {
        let mut point = LayerPoint { step: record.step, wall: record.wall, stats: record.stats };
        let histogram = StoredHistogram {
            step: record.step,
            wall: record.wall,
            edges: record.edges.clone(),
            counts: record.counts.clone(),
        };
        self.change(&record.layer, record.kind, &Arc::default(), |track| {
            // Exact numbers count more than those of buckets, whichever came first.
            if let Some(last) = track.points.entries().last().filter(|last| last.step == point.step) {
                point.stats = last.stats.or(point.stats);
            }
            track.points.add(place, point, pressure.layer_points());
            track.merge_if_both();
            track.histograms.add(place, histogram, pressure.histograms());
        });
    }

    fn change(
        &mut self,
        layer: &LayerName,
        kind: LayerKind,
        split: &Arc<str>,
        with: impl FnOnce(&mut LayerTrack),
    ) {
        let at = match self.index.get(layer) {
            Some(at) => *at,
            None => self.spelled(layer),
        };
        let Some(row) = self.rows.get_mut(at) else { return };
        let track = row.place_of(kind, split);
        let before = track.bytes();
        with(track);
        self.bytes = (self.bytes + track.bytes()).saturating_sub(before);
    }

    /// The row of a layer in a spelling that was not met before.
    fn spelled(&mut self, layer: &LayerName) -> usize {
        let at = self.place(layer).unwrap_or(self.rows.len());
        if at == self.rows.len() {
            self.rows.push(LayerRow {
                layer: layer.clone(),
                kinds: BTreeMap::new(),
                others: BTreeMap::new(),
            });
            self.bytes += size_of::<LayerRow>() + layer.as_str().len();
        }
        self.index.insert(LayerName::new(&*same_layer(layer.as_str())), at);
        self.index.insert(layer.clone(), at);
        self.bytes += 64;
        at
    }

    pub(crate) fn thin(&mut self, pressure: Pressure) {
        for track in self.rows.iter_mut().flat_map(LayerRow::tracks_mut) {
            track.thin(pressure);
        }
        self.recount();
    }

    pub(crate) fn forget(&mut self, file: FileId) {
        for row in &mut self.rows {
            let goes_on = |t: &mut LayerTrack| {
                let empty = t.points.forget(file) & t.scalars.forget(file);
                t.merge();
                !(t.histograms.forget(file) && empty)
            };
            row.kinds.retain(|_, t| goes_on(t));
            row.others.retain(|_, t| goes_on(t));
        }
        self.rows.retain(|r| !(r.kinds.is_empty() && r.others.is_empty()));
        let spellings = |(at, row): (usize, &LayerRow)| {
            [(row.layer.clone(), at), (LayerName::new(&*same_layer(row.layer.as_str())), at)]
        };
        self.index = self.rows.iter().enumerate().flat_map(spellings).collect();
        self.recount();
    }

    fn recount(&mut self) {
        self.bytes = self
            .rows
            .iter()
            .map(|r| {
                let tracks: usize = r.kinds.values().chain(r.others.values()).map(LayerTrack::bytes).sum();
                size_of::<LayerRow>() + r.layer.as_str().len() + 64 + tracks
            })
            .sum();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
