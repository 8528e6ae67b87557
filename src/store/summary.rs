//! What can be said exactly of a series, however much of it was thinned.

use crate::model::Point;

/// Exact facts over every point that was read, superseded and repeated ones included.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Summary {
    /// How many points.
    pub points: u64,
    /// How many of them are NaN or ±infinite.
    pub non_finite: u64,
    /// The first in file order.
    pub first: Option<Point>,
    /// The last in file order.
    pub last: Option<Point>,
    /// The smallest finite one; the earliest of equal ones.
    pub min: Option<Point>,
    /// The largest finite one; the earliest of equal ones.
    pub max: Option<Point>,
}

impl Summary {
    /// Adds points that follow in file order.
    pub(crate) fn extend(&mut self, points: &[Point]) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        let mut low: Option<Point> = None;
        let mut high: Option<Point> = None;
        let mut non_finite = 0;
        for p in points {
            if p.value.is_finite() {
                if low.is_none_or(|l| p.value < l.value) {
                    low = Some(*p);
                }
                if high.is_none_or(|h| p.value > h.value) {
                    high = Some(*p);
                }
            } else {
                non_finite += 1;
            }
        }
        self.follow_by(&Self {
            points: points.len() as u64,
            non_finite,
            first: Some(*first),
            last: Some(*last),
            min: low,
            max: high,
        });
    }

    /// Adds the summary of what follows in file order.
    pub(crate) fn follow_by(&mut self, later: &Self) {
        self.points += later.points;
        self.non_finite += later.non_finite;
        self.first = self.first.or(later.first);
        self.last = later.last.or(self.last);
        if later.min.is_some_and(|l| self.min.is_none_or(|m| l.value < m.value)) {
            self.min = later.min;
        }
        if later.max.is_some_and(|l| self.max.is_none_or(|m| l.value > m.value)) {
            self.max = later.max;
        }
    }
}
