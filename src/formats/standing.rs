//! How a file stands to its run.

use std::borrow::Cow;

/// Where a file's run lives, and what the file is to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// How many folders above its own the run's folder is: 1 for `vis_data/scalars.json` and
    /// `checkpoint-44/trainer_state.json`.
    pub up: usize,
    /// What it is to the run.
    pub part: Part,
    /// Set before the context of each of its series; empty for most. A split (`train`) where the writer keeps that in
    /// the name of a file or folder.
    pub context: Cow<'static, str>,
}

/// What a file is to a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Part {
    /// A log whose name says nothing of the run. Alone it makes its folder a run; beside other such logs it is a run
    /// of its own, called after its file; beside files that speak for the folder it belongs to the folder's run.
    #[default]
    Log,
    /// A log under a name that its writer uses once per run: it speaks for the folder. All such files of one folder
    /// are one run.
    Folder,
    /// A log whose name the writer chose to be the run's: alone it makes its folder a run, beside any other log it is
    /// a run of its own.
    Named,
    /// A log of a writer for whom the folder is the run, and who spreads one run over folders named after splits and
    /// groups (event files).
    Stream,
    /// Says something about a run (configuration, tables) that other files make: alone it makes none.
    Side,
    /// Holds runs of its own, each with a name within the file.
    Several,
}

impl Standing {
    /// A log that speaks for the folder that is `up` above its own.
    pub fn folder(up: usize) -> Self {
        Self { up, part: Part::Folder, context: Cow::Borrowed("") }
    }

    /// A file about the run whose folder is `up` above its own.
    pub fn side(up: usize) -> Self {
        Self { up, part: Part::Side, context: Cow::Borrowed("") }
    }

    /// A file that holds several runs.
    pub fn several() -> Self {
        Self { up: 0, part: Part::Several, context: Cow::Borrowed("") }
    }

    /// A log whose folder, `up` above its own, is the run unless that is a part of a run above it.
    pub fn stream(up: usize) -> Self {
        Self { up, part: Part::Stream, context: Cow::Borrowed("") }
    }

    /// A log that is called as its run.
    pub fn named() -> Self {
        Self { up: 0, part: Part::Named, context: Cow::Borrowed("") }
    }

    /// The same with a context.
    #[must_use]
    pub fn within(mut self, context: impl Into<Cow<'static, str>>) -> Self {
        self.context = context.into();
        self
    }
}

/// The split that a file's name without its ending stands for: writers that keep each split in a file of its own.
/// The name is returned as it is listed here, whatever its case in the file's name.
pub(crate) fn split_of(stem: &str) -> Option<&'static str> {
    const NAMES: &[&str] =
        &["train", "training", "train_inner", "learn", "val", "valid", "validation", "eval", "dev", "test"];
    NAMES.iter().copied().find(|name| name.eq_ignore_ascii_case(stem))
}
