//! The bounded history of a series that curve rules look at: points while there are few, equal bins later.
//!
//! A loss of millions of points and one of a hundred look alike to a rule: at most [`BINS`] bins. When they are
//! full, pairs are joined, so every bin holds the same number of points. What the journal holds is a function
//! of the points in their order alone, however they arrived.

use crate::model::Step;

/// Bins at most; after joining there are half as many.
pub const BINS: usize = 256;

/// Some neighbouring points of a series.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bin {
    /// Step of the last point.
    pub last_step: Step,
    sum: f64,
    /// Finite points.
    pub points: u32,
    /// Points above the maximum of the first window.
    pub above: u32,
}

impl Bin {
    /// Mean of the points.
    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.points.max(1))
    }
}

/// A series since its (re)start.
#[derive(Clone, PartialEq, Debug)]
pub struct Journal {
    bins: Vec<Bin>,
    open: Bin,
    /// Points in a whole bin: a power of two.
    per_bin: u32,
    points: u64,
    first: Vec<f64>,
    first_max: f64,
    last_step: Option<Step>,
    last_value: f64,
}

/// How many first points the level of the start is taken from.
const START_POINTS: usize = 8;

/// Points in the first window (Megatron, llm-foundry).
pub const FIRST_WINDOW: u64 = 100;

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}

impl Journal {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            bins: Vec::new(),
            open: Bin { last_step: 0, sum: 0.0, points: 0, above: 0 },
            per_bin: 1,
            points: 0,
            first: Vec::new(),
            first_max: f64::NEG_INFINITY,
            last_step: None,
            last_value: f64::NAN,
        }
    }

    /// Adds a finite value; true when a bin became whole. `weight` is the number of points that the value is
    /// the mean of.
    pub fn push(&mut self, step: Step, value: f64, weight: u32) -> bool {
        self.last_step = Some(step);
        self.last_value = value;
        if self.points < FIRST_WINDOW {
            self.first_max = self.first_max.max(value);
        }
        self.points += u64::from(weight);
        if self.first.len() < START_POINTS {
            self.first.push(value);
        }
        self.open.last_step = step;
        self.open.sum += value * f64::from(weight);
        self.open.points += weight;
        self.open.above += if value > self.first_max { weight } else { 0 };
        if self.open.points < self.per_bin {
            return false;
        }
        if self.bins.capacity() == 0 {
            self.bins.reserve(32);
        }
        self.bins.push(self.open);
        self.open = Bin { last_step: step, sum: 0.0, points: 0, above: 0 };
        if self.bins.len() >= BINS {
            self.join();
        }
        true
    }

    /// The newest point was written again: the later value counts.
    pub fn replace_last(&mut self, value: f64) {
        let change = value - self.last_value;
        if self.open.points > 0 {
            self.open.sum += change;
        } else if let Some(bin) = self.bins.last_mut() {
            bin.sum += change;
        }
        self.last_value = value;
    }

    fn join(&mut self) {
        for i in 0..self.bins.len() / 2 {
            let (a, b) = (self.bins[2 * i], self.bins[2 * i + 1]);
            self.bins[i] = Bin {
                last_step: b.last_step,
                sum: a.sum + b.sum,
                points: a.points + b.points,
                above: a.above + b.above,
            };
        }
        self.bins.truncate(BINS / 2);
        self.per_bin *= 2;
    }

    /// Forgets everything at and after `step`. A bin that reaches beyond goes whole.
    pub fn rewind(&mut self, step: Step) {
        self.bins.truncate(self.bins.partition_point(|b| b.last_step < step));
        self.open = Bin { last_step: step, sum: 0.0, points: 0, above: 0 };
        self.points = self.bins.iter().map(|b| u64::from(b.points)).sum();
        self.last_step = self.bins.last().map(|b| b.last_step);
        self.last_value = self.bins.last().map_or(f64::NAN, Bin::mean);
        if self.points < FIRST_WINDOW {
            // The start is not known point by point any more; what is left of it stands in.
            let left = usize::try_from(self.points).unwrap_or(usize::MAX);
            self.first.truncate(left);
            self.first_max = self.bins.iter().map(Bin::mean).fold(f64::NEG_INFINITY, f64::max);
        }
    }

    /// Whole bins, oldest first.
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// Means of the whole bins whose last step is at or after `since`.
    pub fn means_since(&self, since: Step) -> Vec<f64> {
        self.bins.iter().filter(|b| b.last_step >= since).map(Bin::mean).collect()
    }

    /// Points in a whole bin.
    pub fn per_bin(&self) -> u32 {
        self.per_bin
    }

    /// Finite points since the start.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// The level at which the series began: the median of its first points.
    pub fn start(&self) -> Option<f64> {
        super::running::median_of(&self.first)
    }

    /// The largest of the first [`FIRST_WINDOW`] points.
    pub fn first_max(&self) -> f64 {
        self.first_max
    }

    /// The step of the newest point.
    pub fn last_step(&self) -> Option<Step> {
        self.last_step
    }

    /// The newest value.
    pub fn last_value(&self) -> f64 {
        self.last_value
    }

    /// Mean over the points after `from` up to and including `to`, as far as bins can tell; the newest mean at
    /// or before `to` when no bin ends in between.
    pub fn mean_between(&self, from: Option<Step>, to: Step) -> Option<f64> {
        let all = || self.bins.iter().chain((self.open.points > 0).then_some(&self.open));
        let inside = all().filter(|b| b.last_step <= to && from.is_none_or(|from| b.last_step > from));
        let (sum, points) = inside.fold((0.0, 0_u64), |(s, n), b| (s + b.sum, n + u64::from(b.points)));
        if points > 0 {
            return Some(sum / points as f64);
        }
        all().take_while(|b| b.last_step <= to).last().or_else(|| all().next()).map(Bin::mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_stay_bounded_and_keep_the_sum() {
        let mut journal = Journal::new();
        for i in 0..10_000 {
            journal.push(i, i as f64, 1);
        }
        assert!(journal.bins().len() < BINS);
        assert_eq!(journal.per_bin(), 64);
        let sum: f64 = journal.bins().iter().map(|b| b.mean() * f64::from(b.points)).sum();
        let whole = journal.bins().last().map_or(0, |b| b.last_step);
        assert_eq!(sum, (0..=whole).sum::<i64>() as f64);
        assert_eq!(journal.start(), Some(3.5));
        assert_eq!(journal.first_max(), 99.0);
    }

    #[test]
    fn going_back_forgets_the_branch() {
        let mut journal = Journal::new();
        for i in 0..100 {
            journal.push(i, 1.0, 1);
        }
        journal.rewind(40);
        assert_eq!((journal.points(), journal.last_step()), (40, Some(39)));
        journal.rewind(0);
        assert_eq!((journal.points(), journal.last_step(), journal.start()), (0, None, None));
    }

    #[test]
    fn a_mean_between_two_steps_is_that_of_the_points_there() {
        let mut journal = Journal::new();
        for i in 1..=20 {
            journal.push(i * 10, i as f64, 1);
        }
        assert_eq!(journal.mean_between(Some(100), 150), Some(13.0));
        assert_eq!(journal.mean_between(Some(151), 155), Some(15.0));
        assert_eq!(journal.mean_between(None, 20), Some(1.5));
    }
}
