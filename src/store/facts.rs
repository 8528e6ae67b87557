//! What the files of a run say of it together: later files overrule earlier ones.

use std::{collections::BTreeMap, sync::Arc};

use super::file_part::FilePart;
use crate::model::{EndStatus, HyperValue, RunInfo, Sharing, Step, WallTime};

/// The files' facts, merged in the order of the files.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) info: RunInfo,
    pub(crate) hyperparameters: BTreeMap<Arc<str>, HyperValue>,
    pub(crate) classes: BTreeMap<Arc<str>, Arc<[Arc<str>]>>,
    pub(crate) end: Option<EndStatus>,
    pub(crate) epoch: Option<f64>,
    pub(crate) first_wall: Option<f64>,
    pub(crate) last_wall: Option<f64>,
}

/// Names under which trainers log the planned number of steps.
const STEP_TOTALS: [&str; 4] = ["steps_total", "total_steps", "max_steps", "num_training_steps"];
/// The same for epochs.
const EPOCH_TOTALS: [&str; 7] =
    ["epochs_total", "total_epochs", "max_epochs", "num_epochs", "num_train_epochs", "n_epochs", "epochs"];

/// Seconds by which another file must have gone on after a file's end mark for the mark to be void.
///
/// Writers of several files flush them one after the other; a resumed run is later by more.
const END_SLACK_S: f64 = 1.0;

impl Facts {
    pub(crate) fn of(files: &[FilePart]) -> Self {
        let mut all = Self::default();
        for part in files {
            if let Some(info) = &part.info {
                merge_info(&mut all.info, info);
            }
            for (name, value) in &part.hyperparameters {
                all.hyperparameters.insert(name.clone(), value.clone());
            }
            for (task, names) in &part.classes {
                all.classes.insert(task.clone(), names.clone());
            }
            all.epoch = part.epoch.or(all.epoch);
        }
        all.refresh(files);
        all
    }

    /// Only what ordinary points can change: times and whether an end mark still holds.
    pub(crate) fn refresh(&mut self, files: &[FilePart]) {
        let walls = || files.iter().filter_map(|f| f.walls);
        self.first_wall = walls().map(|w| w.0).reduce(f64::min);
        self.last_wall = walls().map(|w| w.1).reduce(f64::max);
        let last_wall = self.last_wall;
        let last_timeless = files.iter().rposition(|f| f.has_points && f.walls.is_none());
        let last_with_points = files.iter().rposition(|f| f.has_points);
        // Whether the run went on in another file after the end mark: a resumed run has not ended.
        let went_on = |at: usize| match files[at].walls {
            Some((_, end)) => {
                last_wall.is_some_and(|last| last > end + END_SLACK_S)
                    || last_timeless.is_some_and(|n| n > at)
            }
            // A document about the run (MLflow's `meta.yaml`) speaks of all of it, wherever it stands.
            None if !files[at].has_points && files[at].place.source.sharing != Sharing::Continues => false,
            None => last_with_points.is_some_and(|n| n > at),
        };
        self.end = (0..files.len()).rev().find_map(|at| files[at].end.filter(|_| !went_on(at)));
    }

    pub(crate) fn wall(seconds: Option<f64>) -> WallTime {
        seconds.map_or(WallTime::UNKNOWN, WallTime)
    }

    pub(crate) fn steps_total(&self) -> Option<Step> {
        let named = || self.number_named(&STEP_TOTALS).filter(|n| *n < 9.0e18).map(|n| n as Step);
        self.info.steps_total.or_else(named)
    }

    pub(crate) fn epochs_total(&self) -> Option<f64> {
        self.info.epochs_total.or_else(|| self.number_named(&EPOCH_TOTALS))
    }

    /// A positive hyper-parameter by one of these names, the last part of a dotted or slashed name counting.
    fn number_named(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|wanted| {
            self.hyperparameters.iter().find_map(|(name, value)| match value {
                HyperValue::Number(n) if n.is_finite() && *n > 0.0 && leaf(name) == *wanted => Some(*n),
                _ => None,
            })
        })
    }
}

/// The last part of a name such as `trainer.max_steps` or `trainer/max_steps`.
pub(crate) fn leaf(name: &str) -> &str {
    name.rsplit(['/', '.']).next().unwrap_or(name)
}

/// Fields that `newer` knows replace those of `into`.
pub(crate) fn merge_info(into: &mut RunInfo, newer: &RunInfo) {
    let n = newer.clone();
    into.name = n.name.or(into.name.take());
    into.id = n.id.or(into.id.take());
    into.task = n.task.or(into.task.take());
    into.framework = n.framework.or(into.framework.take());
    into.host = n.host.or(into.host.take());
    into.git = n.git.or(into.git.take());
    into.started = n.started.or(into.started);
    into.steps_total = n.steps_total.or(into.steps_total);
    into.epochs_total = n.epochs_total.or(into.epochs_total);
    into.steps_per_epoch = n.steps_per_epoch.or(into.steps_per_epoch);
    into.goal = n.goal.or(into.goal.take());
    into.segment = n.segment.or(into.segment);
    if !n.labels.is_empty() {
        into.labels = n.labels;
    }
}
