//! One run: its series, layers, matrices and facts.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    Confusions, Event, Layers, Series, StoredArtefact, TrackKey, Tracks,
    facts::{Facts, leaf},
    file_part::{FilePart, Place},
    kept::Kept,
    rivals::{Rivals, same_source},
};
use crate::model::{
    ArtefactKind, EndStatus, FileId, HyperValue, LoggedAlert, Meanings, RunId, RunInfo, SeriesKey, Step,
    TextRecord, WallTime,
};

/// Everything that was read of one run.
#[derive(Debug)]
pub struct Run {
    pub(crate) id: RunId,
    /// What the user says of its series.
    pub(crate) meanings: Arc<Meanings>,
    /// What its owner calls it, where that says more than the path.
    pub(crate) title: Option<Arc<str>>,
    pub(crate) generation: u64,
    /// Rises when other series are shown than before.
    pub(crate) names_version: u64,
    /// In order of arrival, those that are not shown included; `index` and `sorted` hold those that are.
    pub(crate) series: Vec<Series>,
    pub(crate) index: FxHashMap<SeriesKey, u32>,
    pub(crate) sorted: Vec<u32>,
    pub(crate) rivals: Option<Rivals>,
    /// By place.
    pub(crate) files: Vec<FilePart>,
    pub(crate) facts: Facts,
    pub(crate) layers: Layers,
    pub(crate) confusions: Confusions,
    pub(crate) texts: Kept<TextRecord>,
    pub(crate) artefacts: Kept<StoredArtefact>,
    pub(crate) tracks: Tracks,
    /// How many of each kind, by file.
    pub(crate) artefact_files: BTreeMap<FileId, BTreeMap<ArtefactKind, u64>>,
    pub(crate) artefact_counts: BTreeMap<ArtefactKind, u64>,
    pub(crate) events: Kept<Event>,
    pub(crate) logged_alerts: Kept<LoggedAlert>,
    pub(crate) last_step: Option<Step>,
    pub(crate) series_bytes: usize,
}

impl Run {
    pub(crate) fn new(id: RunId, meanings: Arc<Meanings>) -> Self {
        Self {
            id,
            meanings,
            title: None,
            names_version: 0,
            generation: 0,
            series: Vec::new(),
            index: FxHashMap::default(),
            sorted: Vec::new(),
            rivals: None,
            files: Vec::new(),
            facts: Facts::default(),
            layers: Layers::default(),
            confusions: Confusions::default(),
            texts: Kept::default(),
            artefacts: Kept::default(),
            tracks: Tracks::default(),
            artefact_files: BTreeMap::new(),
            artefact_counts: BTreeMap::new(),
            events: Kept::default(),
            logged_alerts: Kept::default(),
            last_step: None,
            series_bytes: 0,
        }
    }

    /// Its name.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// What the user says that its series mean.
    pub fn meanings(&self) -> &Meanings {
        &self.meanings
    }

    /// What the log says of the run as a whole; later files overrule earlier ones.
    pub fn info(&self) -> &RunInfo {
        &self.facts.info
    }

    /// By name; later values replaced earlier ones.
    pub fn hyperparameters(&self) -> &BTreeMap<Arc<str>, HyperValue> {
        &self.facts.hyperparameters
    }

    /// How the log says that the run ended. A mark after which another file went on says nothing.
    pub fn end(&self) -> Option<EndStatus> {
        self.facts.end
    }

    /// All series in natural order of tag, then context. Of the same series by several files, the best one's.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.sorted.iter().filter_map(|at| self.series.get(*at as usize))
    }

    /// One series.
    pub fn series_of(&self, key: &SeriesKey) -> Option<&Series> {
        self.index.get(key).and_then(|at| self.series.get(*at as usize))
    }

    /// How many series.
    pub fn series_count(&self) -> usize {
        self.sorted.len()
    }

    /// Changes whenever other series are shown than before.
    pub fn names_version(&self) -> u64 {
        self.names_version
    }

    /// Layer statistics and histograms.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// Confusion matrices.
    pub fn confusions(&self) -> &Confusions {
        &self.confusions
    }

    /// The newest texts, in file order.
    pub fn texts(&self) -> &[TextRecord] {
        self.texts.entries()
    }

    /// How many texts were read, those that are no longer listed included.
    pub fn text_count(&self) -> u64 {
        self.texts.count()
    }

    /// How many artefacts of each kind were read, those that are no longer listed included.
    pub fn artefact_counts(&self) -> &BTreeMap<ArtefactKind, u64> {
        &self.artefact_counts
    }

    /// Records of a kind that are kept by subject, each subject's in ascending order of steps. Kinds of which each
    /// record stands for itself (pictures, predictions) are among [`Self::artefacts`] instead.
    pub fn tracks(&self, kind: ArtefactKind) -> impl Iterator<Item = (&TrackKey, &[StoredArtefact])> {
        self.tracks.of(kind)
    }

    /// The records of one subject in ascending order of steps; empty if there are none.
    pub fn track(&self, kind: ArtefactKind, name: &str, aspect: &str) -> &[StoredArtefact] {
        self.tracks.records(&TrackKey { kind, name: name.into(), aspect: aspect.into() })
    }

    /// How many records of a subject were read, thinned ones included: tells whether there are new ones.
    pub fn track_count(&self, key: &TrackKey) -> u64 {
        self.tracks.count(key)
    }

    /// The newest artefacts that are not kept by subject, in file order.
    pub fn artefacts(&self) -> &[StoredArtefact] {
        self.artefacts.entries()
    }

    /// The newest events, in file order.
    pub fn events(&self) -> &[Event] {
        self.events.entries()
    }

    /// The newest alerts that the trainer raised itself, in file order.
    pub fn logged_alerts(&self) -> &[LoggedAlert] {
        self.logged_alerts.entries()
    }

    /// Class names of a task, or of the only one where the task is not known.
    pub fn class_names(&self, task: &str) -> Option<&Arc<[Arc<str>]>> {
        let classes = &self.facts.classes;
        let only = || (classes.len() == 1).then(|| classes.values().next()).flatten();
        classes.get(task).or_else(|| classes.get("")).or_else(only)
    }

    /// The least known time of any point or record.
    pub fn first_wall(&self) -> WallTime {
        Facts::wall(self.facts.first_wall)
    }

    /// The greatest known time of any point or record.
    pub fn last_wall(&self) -> WallTime {
        Facts::wall(self.facts.last_wall)
    }

    /// The greatest step of live data. Series of one run may count in different units.
    pub fn last_step(&self) -> Option<Step> {
        self.last_step
    }

    /// The trainer's epoch: last value of the series `epoch` (or whose last part is `epoch`), else what
    /// records say.
    pub fn epoch(&self) -> Option<f64> {
        let named = |s: &&Series| leaf(s.key().tag.as_str()).eq_ignore_ascii_case("epoch");
        let exact = self.series_of(&SeriesKey::plain("epoch"));
        exact
            .or_else(|| self.series().find(named))
            .and_then(Series::last_finite)
            .map(|p| p.value)
            .or(self.facts.epoch)
    }

    /// The planned number of steps: what the log says, or a hyper-parameter or series of a well-known name.
    pub fn steps_total(&self) -> Option<Step> {
        self.facts.steps_total().or_else(|| {
            let tag = ["max_steps", "steps_total", "total_steps"];
            tag.iter()
                .filter_map(|t| self.series_of(&SeriesKey::plain(*t))?.last_finite())
                .map(|p| p.value)
                .find(|v| *v > 0.0 && *v < 9.0e18)
                .map(|v| v as Step)
        })
    }

    /// The planned number of epochs: what the log says, or a hyper-parameter of a well-known name.
    pub fn epochs_total(&self) -> Option<f64> {
        self.facts.epochs_total()
    }

    /// No file says anything of it.
    pub fn is_abandoned(&self) -> bool {
        self.files.is_empty()
    }

    /// Rises with every batch of this run.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The file's part; made if missing, at its place among the others.
    pub(crate) fn part(&mut self, place: &Place) -> usize {
        let at = self.files.partition_point(|f| *f.place < *place);
        if self.files.get(at).is_none_or(|f| *f.place != *place) {
            if self.files.iter().any(|f| !same_source(&f.place, place)) {
                self.expect_rivals();
            }
            self.files.insert(at, FilePart::new(Arc::new(place.clone())));
        }
        at
    }

    pub(crate) fn purges(&self) -> Vec<(Arc<Place>, Step)> {
        self.files.iter().filter_map(|f| f.purge.map(|step| (f.place.clone(), step))).collect()
    }

    pub(crate) fn find_last_step(&mut self) {
        self.last_step = self.series().filter_map(|s| s.last_live().map(|p| p.step)).max();
    }

    /// Memory of everything but the series.
    pub(crate) fn record_bytes(&self) -> usize {
        self.layers.bytes()
            + self.confusions.bytes()
            + self.texts.bytes()
            + self.artefacts.bytes()
            + self.tracks.bytes()
            + self.events.bytes()
            + self.logged_alerts.bytes()
    }
}
