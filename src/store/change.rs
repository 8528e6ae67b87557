//! What an applied batch changed. Detectors and the screen live off it.

use std::{ops::Range, sync::Arc};

use crate::model::{EndStatus, FileId, LayerKind, LayerName, RunId, SeriesKey, Step};

/// One thing that [`super::Store::apply`] changed, in the order in which it happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A run was seen for the first time.
    RunAppeared {
        /// Which.
        run: RunId,
    },
    /// A series was seen for the first time.
    SeriesAppeared {
        /// Whose.
        run: RunId,
        /// Which.
        key: SeriesKey,
    },
    /// What is shown under this name is another file's from here on, or not shown under this name any more: a better
    /// source of the same series appeared, or one went.
    Switched {
        /// Whose.
        run: RunId,
        /// Which series.
        key: SeriesKey,
    },
    /// Points of a column were added to a series that is not shown, because a better source has it.
    Shadowed {
        /// Whose.
        run: RunId,
        /// The series was not known before.
        new: bool,
        /// Place of the column in [`crate::model::Batch::columns`].
        column: usize,
    },
    /// Points of a column were added.
    Points {
        /// Whose.
        run: RunId,
        /// Which series.
        key: SeriesKey,
        /// Place of the column in [`crate::model::Batch::columns`].
        column: usize,
        /// Places of the points in that column. A step that goes back begins another range.
        range: Range<usize>,
        /// A file that sorts behind holds the same series: some of these points may already be superseded.
        superseded: bool,
    },
    /// The trainer went back: what was written at and after `at` is superseded from here on.
    Restarted {
        /// Whose.
        run: RunId,
        /// Which series.
        key: SeriesKey,
        /// The step at which it goes on.
        at: Step,
    },
    /// The writer said that everything at and after `at` is void, for all series of earlier files.
    Purged {
        /// Whose.
        run: RunId,
        /// First step that is void.
        at: Step,
    },
    /// A file was rewritten or replaced; what it had said is gone. Series may have gone with it.
    FileForgotten {
        /// Whose.
        run: RunId,
        /// Which file.
        file: FileId,
    },
    /// Statistics of a layer came.
    Layer {
        /// Whose.
        run: RunId,
        /// Which layer.
        layer: LayerName,
        /// Which of its tensors.
        kind: LayerKind,
        /// When, in the trainer's count.
        step: Step,
        /// Place of the record in [`crate::model::Batch::records`].
        record: usize,
    },
    /// A histogram of a layer came.
    Histogram {
        /// Whose.
        run: RunId,
        /// Which layer.
        layer: LayerName,
        /// Which of its tensors.
        kind: LayerKind,
        /// When, in the trainer's count.
        step: Step,
        /// Place of the record in [`crate::model::Batch::records`].
        record: usize,
    },
    /// A confusion matrix came.
    Confusion {
        /// Whose.
        run: RunId,
        /// On which data.
        split: Arc<str>,
        /// When, in the trainer's count.
        step: Step,
        /// Place of the record in [`crate::model::Batch::records`].
        record: usize,
    },
    /// Facts of the run, its hyper-parameters or class names changed.
    Info {
        /// Whose.
        run: RunId,
    },
    /// A text, an artefact, an event or an alert of the trainer's own came.
    Noted {
        /// Whose.
        run: RunId,
        /// Place of the record in [`crate::model::Batch::records`].
        record: usize,
    },
    /// The log says that the run has ended.
    Ended {
        /// Whose.
        run: RunId,
        /// How.
        status: EndStatus,
    },
}

impl Change {
    /// The run that changed.
    pub fn run(&self) -> &RunId {
        match self {
            Self::RunAppeared { run }
            | Self::SeriesAppeared { run, .. }
            | Self::Switched { run, .. }
            | Self::Shadowed { run, .. }
            | Self::Points { run, .. }
            | Self::Restarted { run, .. }
            | Self::Purged { run, .. }
            | Self::FileForgotten { run, .. }
            | Self::Layer { run, .. }
            | Self::Histogram { run, .. }
            | Self::Confusion { run, .. }
            | Self::Info { run }
            | Self::Noted { run, .. }
            | Self::Ended { run, .. } => run,
        }
    }
}
