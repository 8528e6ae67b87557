//! What a reader found in one turn at one file, grouped by series.

use std::sync::Arc;

use super::{
    Artefact, ConfusionRecord, EndStatus, FileHealth, FileId, HistogramRecord, HyperValue, LayerRecord,
    LoggedAlert, RunId, RunInfo, ScanReport, SeriesKey, Step, TextRecord, WallTime,
};

/// One value of one series.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// The trainer's counter.
    pub step: Step,
    /// Seconds since 1970; NaN where the log does not say.
    pub wall: f64,
    /// The value; NaN and the infinities are data.
    pub value: f64,
}

/// New points of one series, in the order in which they were written.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Which curve.
    pub key: SeriesKey,
    /// Never empty in a batch that leaves a reader.
    pub points: Vec<Point>,
}

/// Anything that is rarer than a scalar point.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// Statistics of one layer at one step.
    Layer(LayerRecord),
    /// A histogram of one layer (or of any tag) at one step.
    Histogram(HistogramRecord),
    /// A confusion matrix at one step.
    Confusion(ConfusionRecord),
    /// Class names; `task` is empty for the only one.
    Classes {
        /// Which task these names belong to.
        task: Arc<str>,
        /// In the order of rows and columns.
        names: Arc<[Arc<str>]>,
    },
    /// Hyper-parameters; later ones replace earlier ones of the same name.
    Hyperparameters(Vec<(Arc<str>, HyperValue)>),
    /// What the log says of the run as a whole. Fields that are `None` leave what is known.
    Info(Box<RunInfo>),
    /// A piece of text.
    Text(TextRecord),
    /// A record that is counted and kept addressable but has no view yet.
    Artefact(Artefact),
    /// An alert that the trainer raised itself.
    LoggedAlert(LoggedAlert),
    /// A checkpoint, an evaluation, any named moment.
    Event {
        /// When it happened.
        step: Option<Step>,
        /// Seconds since 1970, if known.
        wall: WallTime,
        /// `checkpoint`, `restart`, ….
        kind: Arc<str>,
        /// Free text, such as a path.
        value: Arc<str>,
    },
    /// The writer says that everything at and after `step` that it wrote before is void
    /// (`SessionLog.START`, `purge_step`).
    Purge {
        /// First step that is void.
        step: Step,
    },
    /// The log says that the run has ended.
    End(EndStatus),
}

/// A stretch of a file that could not be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skip {
    /// Byte offset of the damage from the start of the file.
    pub offset: u64,
    /// Length of what was passed over.
    pub bytes: u64,
    /// One clause, lower case, no full stop: `checksum of the payload does not match`.
    pub reason: Arc<str>,
}

/// How files of one format share the series of their run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Sharing {
    /// Each goes on where the one before it stopped.
    #[default]
    Continues,
    /// Each stands for itself; the first by order counts.
    First,
    /// Each holds the whole history; the last by order counts.
    Last,
}

/// What decides whose points are shown when several files of a run hold the same series.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Source {
    /// Place of the file's format among all formats: the least wins.
    pub rank: u16,
    /// Which of several files of that format.
    pub sharing: Sharing,
}

/// Which file a batch came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The file.
    pub file: FileId,
    /// The file's path within its run. Files of a run are ordered by it: writers put the time of creation
    /// first, so that a resumed run's file sorts behind the one it continues.
    pub order: Arc<str>,
    /// How good it is compared with other files of its run.
    pub source: Source,
}

impl Origin {
    /// A file whose points continue those of the files before it.
    pub fn new(file: FileId, order: impl Into<Arc<str>>) -> Self {
        Self { file, order: order.into(), source: Source::default() }
    }
}

/// What one turn at one file brought for one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// The run.
    pub run: RunId,
    /// The file.
    pub origin: Origin,
    /// The file was rewritten or replaced: everything it said before is void.
    pub reset: bool,
    /// New points by series.
    pub columns: Vec<Column>,
    /// Everything else, in file order.
    pub records: Vec<Record>,
}

impl Batch {
    /// An empty batch of a run's file.
    pub fn new(run: RunId, origin: Origin) -> Self {
        Self { run, origin, reset: false, columns: Vec::new(), records: Vec::new() }
    }

    /// It brings nothing: as a reset it only takes back.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.records.is_empty()
    }

    /// Scalar points in all columns.
    pub fn point_count(&self) -> usize {
        self.columns.iter().map(|c| c.points.len()).sum()
    }
}

/// What flows from the readers to the engine.
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    /// New data.
    Batch(Batch),
    /// A file was found, moved on, was damaged, disappeared or came back.
    File(Box<FileHealth>),
    /// How far the search for files has come.
    Scan(ScanReport),
}
