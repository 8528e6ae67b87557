//! Steps of OpenMMLab's logs, which count in two units under one name; everything else passes through.
//!
//! * MMEngine writes `step` = iteration in training lines and `step` = epoch in validation lines, which lack
//!   `iter` and `epoch`. They belong to the last iteration.
//! * MMCV 1.x writes `mode`, `epoch` and an `iter` that begins anew in every epoch, and no `step`.

use super::slots::Found;
use crate::{
    formats::wire::{
        axes::{Axis, Stepper},
        numbers::integer,
    },
    model::Step,
};

/// Decides at which step a line stands.
#[derive(Debug, Default)]
pub struct OpenMmLab {
    general: Stepper,
    last_train: Option<(Step, Step)>,
    per_epoch: PerEpoch,
}

/// Iterations that begin anew in every epoch.
#[derive(Debug, Default)]
struct PerEpoch {
    epoch: Step,
    iteration: Step,
    longest: Step,
    before: Step,
}

impl OpenMmLab {
    /// The step of a line, and the rank of the name that it came from where that name is used up by it.
    pub fn step(&mut self, found: &Found) -> (Step, Option<usize>) {
        let (step, rank) = self.general.step(&found.steps);
        let of = |name| match Axis::of(name) {
            Axis::Step(rank) => found.steps.get(usize::from(rank)).copied().flatten().and_then(integer),
            _ => None,
        };
        match (of("step"), of("iter"), of("epoch")) {
            (Some(step), Some(iteration), Some(epoch)) => {
                self.last_train = (step == iteration).then_some((iteration, epoch));
            }
            (Some(step), None, None) => {
                if let Some((iteration, epoch)) = self.last_train
                    && step == epoch
                {
                    return (iteration, rank);
                }
            }
            (None, Some(iteration), Some(epoch)) if found.has_mode => {
                return (self.per_epoch.step(epoch, iteration, found.validation), rank);
            }
            _ => {}
        }
        (step, rank)
    }
}

impl PerEpoch {
    fn step(&mut self, epoch: Step, iteration: Step, validation: bool) -> Step {
        if validation {
            return self.before.saturating_add(self.iteration);
        }
        if epoch != self.epoch {
            let begins_anew = iteration <= self.iteration || self.before > 0;
            if epoch < self.epoch {
                self.longest = 0;
            }
            self.before = if begins_anew { epoch.saturating_sub(1).saturating_mul(self.longest) } else { 0 };
            self.epoch = epoch;
        }
        self.iteration = iteration;
        self.longest = self.longest.max(iteration);
        self.before.saturating_add(iteration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(numbers: &[(&str, f64)], mode: Option<&str>) -> Found {
        let mut found =
            Found { has_mode: mode.is_some(), validation: mode == Some("val"), ..Found::default() };
        for (name, value) in numbers {
            let Axis::Step(rank) = Axis::of(name) else { panic!("{name}") };
            found.steps[usize::from(rank)] = Some(*value);
        }
        found
    }

    #[test]
    fn a_validation_line_that_counts_epochs_belongs_to_the_last_iteration() {
        let mut steps = OpenMmLab::default();
        let train = |step: f64, epoch| line(&[("step", step), ("iter", step), ("epoch", epoch)], None);
        assert_eq!(steps.step(&train(20.0, 1.0)).0, 20);
        assert_eq!(steps.step(&line(&[("step", 1.0)], None)).0, 20);
        assert_eq!(steps.step(&train(27.0, 2.0)).0, 27);
        assert_eq!(steps.step(&line(&[("step", 54.0)], None)).0, 54, "a validation that counts iterations");
    }

    #[test]
    fn iterations_that_begin_anew_in_every_epoch_are_added_up() {
        let mut steps = OpenMmLab::default();
        let at = |epoch, iter, mode| line(&[("epoch", epoch), ("iter", iter)], Some(mode));
        let read = [
            at(1.0, 50.0, "train"),
            at(1.0, 100.0, "train"),
            at(1.0, 7.0, "val"),
            at(2.0, 50.0, "train"),
            at(2.0, 100.0, "train"),
            at(3.0, 50.0, "train"),
            at(1.0, 50.0, "train"),
        ]
        .map(|found| steps.step(&found).0);
        assert_eq!(read, [50, 100, 100, 150, 200, 250, 50]);
    }
}
