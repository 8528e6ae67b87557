//! At which step a line stands.

use rustc_hash::FxHashMap;

use super::grammar::Line;
use crate::{formats::wire::numbers::integer, model::Step};

/// Shapes of lines that are counted apart.
const SHAPES: usize = 256;

/// Decides, line by line, for one run of a file.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// The last step, and that it was one and no epoch.
    last: Option<Step>,
    stepped: bool,
    /// The number of the first epoch: 0, or 1 for any other.
    base: Option<Step>,
    /// The step of lines that name their epoch as well begins anew in every epoch.
    anew: bool,
    epoch: Step,
    within: Option<Step>,
    least: Step,
    longest: Step,
    /// Some epoch was a fraction: epochs are no steps.
    fractions: bool,
    /// Lines are counted.
    counted: bool,
    counts: FxHashMap<u64, Step>,
    rows: Step,
}

impl Steps {
    /// The last step that a line stood at.
    pub fn last(&self) -> Option<Step> {
        self.last
    }

    /// Where a line stands that names neither step nor epoch, if that is known already.
    pub fn place(&self) -> Option<Step> {
        if self.stepped { self.last } else { self.counted.then_some(self.rows) }
    }

    /// The step of `line`, whose numbers make the shape `shape`.
    pub fn step(&mut self, line: &Line<'_>, shape: u64) -> Step {
        let epoch = line.epoch.and_then(integer);
        self.fractions |= line.epoch.is_some() && epoch.is_none();
        let step = match (line.step, line.batch, epoch) {
            (Some(step), _, None) => step,
            (Some(step), _, Some(epoch)) => self.with_epoch(epoch, step, line.batches.or(line.steps_total)),
            (None, Some(batch), _) => {
                self.anew = true;
                let whole = epoch.or_else(|| line.epoch.map(|e| e.floor() as Step));
                self.with_epoch(whole.unwrap_or(self.epoch), batch, line.batches)
            }
            (None, None, Some(epoch)) if !self.stepped && !self.fractions => {
                self.last = Some(epoch);
                return epoch;
            }
            _ => match self.last {
                Some(last) if self.stepped || !(self.fractions || self.counted) => return last,
                _ => return self.count(shape),
            },
        };
        self.stepped = true;
        self.last = Some(step);
        step
    }

    /// The step of a line that names its epoch, too: begins it anew in every epoch?
    fn with_epoch(&mut self, epoch: Step, within: Step, length: Option<Step>) -> Step {
        let base = *self.base.get_or_insert(Step::from(epoch != 0));
        if let Some(before) = self.within {
            self.anew |= epoch > self.epoch && within <= before;
        } else {
            self.least = within;
        }
        if epoch < self.epoch {
            self.longest = 0;
        }
        let known = length.unwrap_or(self.longest.saturating_add(Step::from(self.least == 0)));
        self.longest = self.longest.max(within);
        self.epoch = epoch;
        self.within = Some(within);
        if !self.anew {
            return within;
        }
        epoch.saturating_sub(base).max(0).saturating_mul(known).saturating_add(within)
    }

    /// Counts lines of a shape. Rarer shapes stand where the most frequent one has come.
    fn count(&mut self, shape: u64) -> Step {
        if self.counts.len() >= SHAPES && !self.counts.contains_key(&shape) {
            return self.rows;
        }
        let count = self.counts.entry(shape).or_default();
        let row = (*count).max(self.rows);
        *count = count.saturating_add(1);
        self.rows = self.rows.max(*count - 1);
        self.last = Some(row);
        self.counted = true;
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(steps: &mut Steps, epoch: Option<f64>, step: Option<Step>, total: Option<Step>) -> Step {
        steps.step(&Line { epoch, step, steps_total: total, ..Line::default() }, 7)
    }

    #[test]
    fn a_step_that_begins_anew_in_every_epoch_is_added_up() {
        let mut steps = Steps::default();
        let read = [(1, 50), (1, 100), (2, 50), (2, 100), (3, 50)]
            .map(|(epoch, step)| at(&mut steps, Some(f64::from(epoch)), Some(step), Some(100)));
        assert_eq!(read, [50, 100, 150, 200, 250]);
        let mut steps = Steps::default();
        let read = [(0, 0), (0, 10), (0, 20), (1, 0), (1, 10)]
            .map(|(epoch, step)| at(&mut steps, Some(f64::from(epoch)), Some(step), None));
        assert_eq!(read, [0, 10, 20, 21, 31], "the length of an epoch is what was seen of it");
    }

    #[test]
    fn a_step_that_goes_on_over_epochs_is_left_alone() {
        let mut steps = Steps::default();
        let read = [(0, 50), (1, 100), (2, 150), (0, 10)]
            .map(|(epoch, step)| at(&mut steps, Some(f64::from(epoch)), Some(step), Some(1000)));
        assert_eq!(read, [50, 100, 150, 10]);
    }

    #[test]
    fn an_epoch_is_the_step_only_where_nothing_finer_is_there() {
        let mut steps = Steps::default();
        assert_eq!(at(&mut steps, Some(3.0), None, None), 3);
        assert_eq!(at(&mut steps, None, Some(120), None), 120);
        assert_eq!(at(&mut steps, Some(4.0), None, None), 120);
        assert_eq!(at(&mut steps, None, None, None), 120);
    }

    #[test]
    fn lines_are_counted_where_nothing_else_tells_them_apart() {
        let mut steps = Steps::default();
        let mut row = |epoch, shape| steps.step(&Line { epoch: Some(epoch), ..Line::default() }, shape);
        assert_eq!([row(0.25, 1), row(0.5, 1), row(0.75, 1)], [0, 1, 2]);
        assert_eq!(row(0.99, 2), 2, "an evaluation stands at the last line of training");
        assert_eq!([row(1.25, 1), row(1.5, 1)], [3, 4]);
        assert_eq!(row(2.0, 1), 5, "a fraction that happens to be whole");
    }
}
