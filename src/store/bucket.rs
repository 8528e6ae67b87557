//! A stretch of a curve as its extremes, counts and ends.

use crate::model::{Point, Step, WallTime};

/// Neighbouring points of one series, summed up so that no extreme and no NaN is lost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    /// The earliest point.
    pub first: Point,
    /// The latest point.
    pub last: Point,
    /// Smallest finite value; NaN where there is none.
    pub min: f64,
    /// Where the smallest value is; the earliest of equal ones. That of `first` where no value is finite.
    pub min_step: Step,
    /// Largest finite value; NaN where there is none.
    pub max: f64,
    /// Where the largest value is; the earliest of equal ones. That of `first` where no value is finite.
    pub max_step: Step,
    /// Sum of the finite values.
    pub sum: f64,
    /// How many finite values.
    pub finite: u64,
    /// How many NaN and ±infinite values.
    pub non_finite: u64,
    /// Where the first of those is.
    pub nan_first: Option<Step>,
}

impl Bucket {
    /// A bucket that holds one point.
    #[inline]
    pub fn of(point: Point) -> Self {
        let Point { step, value, .. } = point;
        let finite = value.is_finite();
        let seen = if finite { value } else { f64::NAN };
        Self {
            first: point,
            last: point,
            min: seen,
            min_step: step,
            max: seen,
            max_step: step,
            sum: if finite { value } else { 0.0 },
            finite: u64::from(finite),
            non_finite: u64::from(!finite),
            nan_first: (!finite).then_some(step),
        }
    }

    /// Adds what comes after it.
    #[inline]
    pub fn absorb(&mut self, later: &Self) {
        self.last = later.last;
        if later.min < self.min || self.finite == 0 {
            (self.min, self.min_step) = (later.min, later.min_step);
        }
        if later.max > self.max || self.finite == 0 {
            (self.max, self.max_step) = (later.max, later.max_step);
        }
        self.sum += later.sum;
        self.finite += later.finite;
        self.non_finite += later.non_finite;
        self.nan_first = self.nan_first.or(later.nan_first);
    }

    /// How many points, finite or not.
    pub fn count(&self) -> u64 {
        self.finite + self.non_finite
    }

    /// Mean of the finite values; `None` where there is none.
    pub fn mean(&self) -> Option<f64> {
        (self.finite > 0).then(|| self.sum / self.finite as f64)
    }

    /// Step of the earliest point.
    pub fn first_step(&self) -> Step {
        self.first.step
    }

    /// Step of the latest point.
    pub fn last_step(&self) -> Step {
        self.last.step
    }

    /// When the latest point was written.
    pub fn wall(&self) -> WallTime {
        WallTime(self.last.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: Step, value: f64) -> Point {
        Point { step, wall: f64::NAN, value }
    }

    #[test]
    fn merging_keeps_ends_extremes_and_the_first_nan() {
        let mut all = Bucket::of(point(1, f64::NAN));
        for (step, value) in [(2, 5.0), (3, -7.0), (4, f64::INFINITY), (5, 5.0)] {
            all.absorb(&Bucket::of(point(step, value)));
        }
        assert_eq!((all.first.step, all.last.step), (1, 5));
        assert_eq!((all.min, all.min_step, all.max, all.max_step), (-7.0, 3, 5.0, 2));
        assert_eq!((all.finite, all.non_finite, all.nan_first), (3, 2, Some(1)));
        assert_eq!(all.mean(), Some(1.0));
    }

    #[test]
    fn a_bucket_of_nothing_finite_has_no_mean_and_no_extremes() {
        let nan = Bucket::of(point(9, f64::NEG_INFINITY));
        assert!(nan.min.is_nan() && nan.max.is_nan());
        assert_eq!((nan.mean(), nan.min_step), (None, 9));
    }
}
