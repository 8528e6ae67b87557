//! What the plan of a run changes while it runs: learning-rate steps and restarts, warm-up, other settings.
//!
//! Right after such a change a loss may jump without anything being wrong. Queries are by step, so that the
//! answer does not depend on whether the learning rate or the loss of a step was read first.

use crate::model::Step;

/// Changes that are remembered; older ones cannot matter to a window any more.
const CHANGES_KEPT: usize = 16;

/// Relative change that counts as a step of the learning rate.
const STEP_RATIO: f64 = 1.2;

/// A stretch in which the plan changed something.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Change {
    from: Step,
    to: Step,
}

/// The plan as far as it showed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Schedule {
    rate: Option<(Step, f64)>,
    rate_points: u64,
    /// First step at which the learning rate did not rise any more.
    warm_up_end: Option<Step>,
    rose: bool,
    changes: Vec<Change>,
    rates: Vec<(Step, f64)>,
}

impl Schedule {
    /// A learning rate at a step.
    pub fn learning_rate(&mut self, step: Step, rate: f64) {
        if !rate.is_finite() {
            return;
        }
        if let Some((last_step, last)) = self.rate {
            if step <= last_step {
                self.rewind(step);
            } else if last > 0.0 && rate > 0.0 {
                let warming = self.warm_up_end.is_none() && rate > last;
                self.rose |= rate > last;
                if self.warm_up_end.is_none() && rate <= last {
                    self.warm_up_end = Some(step);
                }
                let ratio = (rate / last).max(last / rate);
                if !warming && ratio > STEP_RATIO {
                    self.note(last_step, step);
                }
            }
        }
        self.rate = Some((step, rate));
        self.rate_points += 1;
        if self.rates.len() == CHANGES_KEPT {
            self.rates.remove(0);
        }
        self.rates.push((step, rate));
    }

    /// Another setting (batch size, annealing weight) changed between two steps.
    pub fn note(&mut self, from: Step, to: Step) {
        if let Some(last) = self.changes.last_mut()
            && from <= last.to
        {
            last.to = last.to.max(to);
            return;
        }
        if self.changes.len() == CHANGES_KEPT {
            self.changes.remove(0);
        }
        self.changes.push(Change { from, to });
    }

    /// Everything at and after `step` is void.
    pub fn rewind(&mut self, step: Step) {
        self.changes.retain(|c| c.from < step);
        self.rates.retain(|(s, _)| *s < step);
        self.rate = self.rates.last().copied();
        if self.warm_up_end.is_some_and(|end| end >= step) {
            self.warm_up_end = None;
        }
    }

    /// True while a learning rate that began by rising still rises.
    pub fn warming_up(&self, step: Step) -> bool {
        self.rose && self.warm_up_end.is_none_or(|end| end > step)
    }

    /// The end of the last change at or before `step`.
    pub fn last_change(&self, step: Step) -> Option<Step> {
        self.changes.iter().rev().find(|c| c.from <= step).map(|c| c.to.min(step))
    }

    /// The learning rate at or before `step`, if it is remembered.
    pub fn rate_at(&self, step: Step) -> Option<f64> {
        self.rates.iter().rev().find(|(s, _)| *s <= step).map(|(_, rate)| *rate)
    }
}

/// Signs of mixed-precision training: where the loss scale fell or an iteration was skipped.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Overflows {
    scale: Option<f64>,
    skipped: Option<f64>,
    at: Vec<Step>,
    known: bool,
}

impl Overflows {
    /// A loss scale at a step.
    pub fn loss_scale(&mut self, step: Step, scale: f64) {
        self.known = true;
        if self.scale.is_some_and(|last| scale < last) {
            self.note(step);
        }
        self.scale = Some(scale);
    }

    /// A counter of skipped iterations at a step.
    pub fn skipped_iterations(&mut self, step: Step, count: f64) {
        self.known = true;
        if self.skipped.map_or(count > 0.0, |last| count > last) {
            self.note(step);
        }
        self.skipped = Some(count);
    }

    fn note(&mut self, step: Step) {
        if self.at.len() == 64 {
            self.at.remove(0);
        }
        self.at.push(step);
    }

    /// True when the run logs a loss scale or skipped iterations at all.
    pub fn known(&self) -> bool {
        self.known
    }

    /// True when an overflow was handled after `from`, up to `to`.
    pub fn between(&self, from: Step, to: Step) -> bool {
        self.at.iter().any(|s| *s > from && *s <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_up_ends_where_the_rate_stops_rising_and_a_restart_is_a_change() {
        let mut schedule = Schedule::default();
        for step in 0..10 {
            schedule.learning_rate(step, 0.1 * (step + 1) as f64);
        }
        assert!(schedule.warming_up(9));
        for step in 10..20 {
            schedule.learning_rate(step, 1.0 - 0.05 * (step - 9) as f64);
        }
        assert!(schedule.warming_up(5) && !schedule.warming_up(10));
        assert_eq!(schedule.last_change(19), None);
        schedule.learning_rate(20, 1.0);
        assert_eq!(schedule.last_change(25), Some(20));
        assert_eq!(schedule.last_change(15), None);
    }

    #[test]
    fn a_setting_that_changes_all_the_time_is_one_long_change() {
        let mut schedule = Schedule::default();
        for step in 0..1000 {
            schedule.note(step, step + 1);
        }
        assert_eq!((schedule.last_change(500), schedule.last_change(2000)), (Some(500), Some(1000)));
    }
}
