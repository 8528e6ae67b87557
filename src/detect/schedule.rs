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
    /// Where it was first seen to be done.
    first: Step,
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
    rates: Trace,
    raises: Vec<Raise>,
    settings: Vec<Step>,
}

/// A learning rate that was set beyond everything before it, after warm-up.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Raise {
    /// The first step with the higher rate.
    pub step: Step,
    /// The rate before.
    pub from: f64,
    /// The rate after.
    pub to: f64,
}

/// How much higher than every rate before counts as a raise.
const RAISE_RATIO: f64 = 1.5;

/// Raises that are remembered.
const RAISES_KEPT: usize = 8;

/// Where the learning rate changed, by how much at least depending on how often it did.
#[derive(Clone, PartialEq, Debug)]
struct Trace {
    kept: Vec<(Step, f64)>,
    /// Logarithm of the ratio below which two rates count as one.
    tolerance: f64,
}

/// Places of a trace.
const TRACE: usize = 256;

impl Default for Trace {
    fn default() -> Self {
        Self { kept: Vec::new(), tolerance: 0.01 }
    }
}

impl Trace {
    fn push(&mut self, step: Step, rate: f64) {
        if self.kept.last().is_some_and(|(_, last)| same_rate(*last, rate, self.tolerance)) {
            return;
        }
        self.kept.push((step, rate));
        while self.kept.len() >= TRACE {
            self.tolerance *= 2.0;
            let mut last = f64::NAN;
            self.kept.retain(|(_, rate)| {
                let differs = !same_rate(last, *rate, self.tolerance);
                if differs {
                    last = *rate;
                }
                differs
            });
            if self.tolerance > 1e3 {
                self.kept.truncate(TRACE / 2);
            }
        }
    }

    /// The entries up to and including `step`.
    fn until(&self, step: Step) -> &[(Step, f64)] {
        &self.kept[..self.kept.partition_point(|(s, _)| *s <= step)]
    }
}

fn same_rate(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || a > 0.0 && b > 0.0 && (a / b).ln().abs() <= tolerance
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
                let warm = self.warm_up_end.is_some();
                let peak = self.rates.kept.iter().map(|(_, r)| *r).fold(0.0, f64::max);
                if warm && rate >= RAISE_RATIO * peak && self.raises.len() < RAISES_KEPT {
                    self.raises.push(Raise { step, from: last, to: rate });
                }
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
        self.rates.push(step, rate);
    }

    /// Another setting (batch size, sequence length, annealing weight) changed between two steps.
    pub fn setting(&mut self, from: Step, to: Step) {
        if self.settings.len() == CHANGES_KEPT {
            self.settings.remove(0);
        }
        self.settings.push(to);
        self.note(from, to);
    }

    /// True when a setting other than the learning rate changed after `from`, up to `to`.
    pub fn setting_changed(&self, from: Step, to: Step) -> bool {
        self.settings.iter().any(|s| *s > from && *s <= to)
    }

    /// Something of the plan changed between two steps.
    fn note(&mut self, from: Step, to: Step) {
        if let Some(last) = self.changes.last_mut()
            && from <= last.to
        {
            last.to = last.to.max(to);
            return;
        }
        if self.changes.len() == CHANGES_KEPT {
            self.changes.remove(0);
        }
        self.changes.push(Change { from, first: to, to });
    }

    /// Everything at and after `step` is void.
    pub fn rewind(&mut self, step: Step) {
        self.changes.retain(|c| c.from < step);
        self.rates.kept.retain(|(s, _)| *s < step);
        self.raises.retain(|raise| raise.step < step);
        self.settings.retain(|s| *s < step);
        self.rate = self.rates.kept.last().copied();
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
        self.changes.iter().rev().find(|c| c.first <= step).map(|c| c.to.min(step))
    }

    /// The learning rate at or before `step`, to a hundredth where it changes often.
    pub fn rate_at(&self, step: Step) -> Option<f64> {
        self.rates.until(step).last().map(|(_, rate)| *rate)
    }

    /// The highest rate up to `step` and where it was first reached.
    pub fn peak(&self, step: Step) -> Option<(Step, f64)> {
        let entries = self.rates.until(step).iter().copied();
        entries.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// The rate at `step` as a share of its peak so far.
    pub fn share_of_peak(&self, step: Step) -> Option<f64> {
        let (_, peak) = self.peak(step)?;
        (peak > 0.0).then(|| self.rate_at(step).map_or(f64::NAN, |rate| rate / peak))
    }

    /// The last step up to `step` at which the rate changed; `None` if none is known.
    pub fn last_rate_change(&self, step: Step) -> Option<Step> {
        self.rates.until(step).last().map(|(s, _)| *s)
    }

    /// The end of the last change at or before `step` that was no raise beyond everything before.
    pub fn last_planned_change(&self, step: Step) -> Option<Step> {
        let raised = |c: &Change| self.raises.iter().any(|raise| raise.step >= c.from && raise.step <= c.to);
        self.changes.iter().rev().find(|c| c.first <= step && !raised(c)).map(|c| c.to.min(step))
    }

    /// The last raise up to `step`.
    pub fn last_raise(&self, step: Step) -> Option<Raise> {
        self.raises.iter().rev().find(|raise| raise.step <= step).copied()
    }

    /// The first rate that was logged.
    pub fn first_rate(&self) -> Option<f64> {
        self.rates.kept.first().map(|(_, rate)| *rate)
    }

    /// True when the rate rose at the start and has stopped to.
    pub fn warmed_up(&self) -> bool {
        self.rose && self.warm_up_end.is_some()
    }

    /// True when the log tells the learning rate.
    pub fn known(&self) -> bool {
        self.rate.is_some()
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
        assert_eq!(schedule.last_change(0), None);
    }
}
