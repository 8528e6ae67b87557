//! What a log says of a run as a whole.

use std::{fmt, sync::Arc};

use super::{Step, Tag, WallTime};

/// What is better, less or more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Goal {
    /// Lower is better.
    Min,
    /// Higher is better.
    Max,
}

/// How the log says that the run ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EndStatus {
    /// Came to its planned end.
    Finished,
    /// Broke off.
    Failed,
}

/// Facts of a run. `None`: the log has not said.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RunInfo {
    /// The name that its owner gave it.
    pub name: Option<Arc<str>>,
    /// The writer's identifier.
    pub id: Option<Arc<str>>,
    /// `classification`, ….
    pub task: Option<Arc<str>>,
    /// Framework and version.
    pub framework: Option<Arc<str>>,
    /// Host it runs on.
    pub host: Option<Arc<str>>,
    /// Commit of its code.
    pub git: Option<Arc<str>>,
    /// Seconds since 1970.
    pub started: Option<f64>,
    /// Planned steps.
    pub steps_total: Option<Step>,
    /// Planned epochs.
    pub epochs_total: Option<f64>,
    /// Steps in an epoch.
    pub steps_per_epoch: Option<f64>,
    /// The metric that decides, and its direction.
    pub goal: Option<(Tag, Goal)>,
    /// The owner's labels.
    pub labels: Vec<Arc<str>>,
    /// How many times it was resumed before this part.
    pub segment: Option<i64>,
}

/// The value of a hyper-parameter.
#[derive(Clone, PartialEq, Debug)]
pub enum HyperValue {
    /// A number; may be NaN or infinite.
    Number(f64),
    /// Yes or no.
    Bool(bool),
    /// Anything else, as text.
    Text(Arc<str>),
}

impl fmt::Display for HyperValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Text(t) => f.write_str(t),
        }
    }
}

/// A text at a step.
#[derive(Clone, PartialEq, Debug)]
pub struct TextRecord {
    /// The writer's name.
    pub tag: Tag,
    /// The trainer's counter.
    pub step: Step,
    /// When.
    pub wall: WallTime,
    /// As it was written; readers cut it at a limit, never in the middle of a character.
    pub text: Arc<str>,
}
