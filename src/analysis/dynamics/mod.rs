//! Instances over the epochs: which are learnt easily, which are ambiguous, and which look mislabelled.
//!
//! Dataset cartography (Swayamdipta et al. 2020), forgetting events (Toneva et al. 2019) and the area under the
//! margin (Pleiss et al. 2020), from predictions of the same instances at several epochs.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::Step;

mod predictions;
mod regions;
#[cfg(test)]
mod tests;

pub use predictions::{Sight, length, sights};
pub use regions::{DataMap, Region};

/// Instances that are told apart; more are counted and left out. Takes about 30 MiB.
pub const MOST_INSTANCES: usize = 200_000;

/// One instance over the epochs at which it was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Instance {
    /// The writer's name of it.
    pub id: Arc<str>,
    /// How often it was seen.
    pub seen: u32,
    /// Number of its class, where the log gives one.
    pub class: Option<usize>,
    judged: u32,
    right: u32,
    was_right: Option<bool>,
    forgotten: u32,
    /// Probabilities: how many, their mean, and the sum of squared distances from it.
    known: u32,
    mean: f64,
    spread: f64,
    margins: u32,
    margin: f64,
    broken: u32,
    last: Step,
}

impl Instance {
    fn new(id: Arc<str>) -> Self {
        Self {
            id,
            seen: 0,
            class: None,
            judged: 0,
            right: 0,
            was_right: None,
            forgotten: 0,
            known: 0,
            mean: 0.0,
            spread: 0.0,
            margins: 0,
            margin: 0.0,
            broken: 0,
            last: Step::MIN,
        }
    }

    fn take(&mut self, sight: &Sight) {
        self.seen += 1;
        self.class = sight.class.or(self.class);
        if let Some(right) = sight.right {
            self.judged += 1;
            self.right += u32::from(right);
            self.forgotten += u32::from(self.was_right == Some(true) && !right);
            self.was_right = Some(right);
        }
        self.broken += u32::from(sight.broken);
        if let Some(p) = sight.confidence {
            self.known += 1;
            let off = p - self.mean;
            self.mean += off / f64::from(self.known);
            self.spread += off * (p - self.mean);
        }
        if let Some(margin) = sight.margin {
            self.margins += 1;
            self.margin += (margin - self.margin) / f64::from(self.margins);
        }
    }

    /// Mean probability of its own class; `None` where no record gave one.
    pub fn confidence(&self) -> Option<f64> {
        (self.known > 0).then_some(self.mean)
    }

    /// Standard deviation of that probability over the epochs, by the number of epochs, as cartography defines it.
    /// `None` for fewer than two: one epoch has no variability, not a variability of zero.
    pub fn variability(&self) -> Option<f64> {
        (self.known > 1).then(|| (self.spread.max(0.0) / f64::from(self.known)).sqrt())
    }

    /// At how many epochs it was right, and at how many that is known.
    pub fn correctness(&self) -> (u32, u32) {
        (self.right, self.judged)
    }

    /// How often it was right and then wrong at the next epoch; `None` where it was never right: what was never
    /// learnt cannot be forgotten.
    pub fn forgetting_events(&self) -> Option<u32> {
        (self.right > 0).then_some(self.forgotten)
    }

    /// Area under the margin: mean over the epochs of the logit of its class minus the largest other one. The lower
    /// the more likely is a wrong label.
    pub fn area_under_margin(&self) -> Option<f64> {
        (self.margins > 0).then_some(self.margin)
    }

    /// At how many epochs a probability or logit was not finite. Those epochs are in none of the means; whether they
    /// were right is counted as wrong where nothing else says it.
    pub fn broken(&self) -> u32 {
        self.broken
    }
}

/// All instances of a run.
#[derive(Clone, Debug, Default)]
pub struct Instances {
    index: FxHashMap<Arc<str>, usize>,
    all: Vec<Instance>,
    most: Option<usize>,
    step: Option<Step>,
    epochs: u32,
    /// Instances without a place at the present step, and the most of any step before.
    strangers: (usize, usize),
    repeated: u64,
}

impl Instances {
    /// With another limit than [`MOST_INSTANCES`].
    pub fn with_limit(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// Takes what was seen of an instance at a step; all batches of an evaluation carry its step. Steps ascend. An
    /// instance that comes again at the same step is counted and left out.
    pub fn observe(&mut self, step: Step, id: &Arc<str>, sight: &Sight) {
        if self.step != Some(step) {
            self.step = Some(step);
            self.epochs += 1;
            self.strangers = (0, self.strangers.1.max(self.strangers.0));
        }
        let at = match self.index.get(id) {
            Some(at) => *at,
            None if self.all.len() >= self.most.unwrap_or(MOST_INSTANCES) => {
                self.strangers.0 += 1;
                return;
            }
            None => {
                self.index.insert(id.clone(), self.all.len());
                self.all.push(Instance::new(id.clone()));
                self.all.len() - 1
            }
        };
        let Some(instance) = self.all.get_mut(at) else { return };
        if instance.seen > 0 && instance.last == step {
            self.repeated += 1;
            return;
        }
        instance.last = step;
        instance.take(sight);
    }

    /// In the order in which they were first seen.
    pub fn all(&self) -> &[Instance] {
        &self.all
    }

    /// At how many steps there were predictions.
    pub fn epochs(&self) -> u32 {
        self.epochs
    }

    /// Instances beyond the limit: the most that any one step had.
    pub fn left_out(&self) -> usize {
        self.strangers.0.max(self.strangers.1)
    }

    /// Records of an instance that came again at the same step.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }
}
