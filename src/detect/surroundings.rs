//! What a judge may know of the run around its subject.

use crate::model::Step;

use super::{
    progress::{Outlook, Progress},
    schedule::{Overflows, Schedule},
    tags::{Role, Split, TagClass},
};

/// The rest of the run, as far as rules need it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Surroundings {
    /// Learning rate and other plans.
    pub schedule: Schedule,
    /// Mixed precision.
    pub overflows: Overflows,
    /// Number of classes, from class names or confusion matrices.
    pub classes: Option<usize>,
    /// The run holds losses against moving targets (GAN, actor-critic), so the level of its total loss says
    /// nothing either.
    pub moving_target: bool,
    /// The run logs a training loss, so that a rise of validation alone is no divergence.
    pub training_loss: bool,
    /// One of them is the whole objective, so that its parts may rise while it falls.
    pub whole_loss: bool,
    /// The first step at which a series of the run began with NaN: from then on its writer is known to put NaN where
    /// there is nothing to say.
    pub nan_for_missing: Option<Step>,
    /// The run logs a rate of work (tokens or steps per second, MFU).
    pub throughput: bool,
    /// The run logs an accuracy: it tells classes apart, however many.
    pub classifies: bool,
    /// The run logs a loss or a metric of validation or test data.
    pub validation: bool,
    /// The main training loss, up to the step that is being judged.
    pub progress: Progress,
    /// Planned steps.
    pub steps_total: Option<Step>,
}

impl Surroundings {
    /// A series has appeared.
    pub fn meet(&mut self, class: &TagClass) {
        self.throughput |= class.role == Role::Throughput;
        self.classifies |= class.role == Role::Metric && class.stem.contains("acc");
        let of_validation = matches!(class.split, Split::Val | Split::Test);
        self.validation |= of_validation && matches!(class.role, Role::Loss | Role::Metric);
    }

    /// How the main training loss is doing; `None` while too little is known, and where its level means nothing.
    pub fn outlook(&self) -> Option<Outlook> {
        if self.moving_target { None } else { self.progress.outlook() }
    }

    /// How far the run is, 0…1, if its length is known.
    pub fn share_done(&self, step: Step) -> Option<f64> {
        self.steps_total.filter(|total| *total > 0).map(|total| step as f64 / total as f64)
    }
}
