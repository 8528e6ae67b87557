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
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut finite = 0;
        // Without branches, so that it is quick; where the extremes are is asked only if they matter.
        for value in points.iter().map(|p| p.value) {
            let counts = value.is_finite();
            finite += u64::from(counts);
            low = if counts && value < low { value } else { low };
            high = if counts && value > high { value } else { high };
        }
        let lower = finite > 0 && self.min.is_none_or(|m| low < m.value);
        let higher = finite > 0 && self.max.is_none_or(|m| high > m.value);
        self.follow_by(&Self {
            points: points.len() as u64,
            non_finite: points.len() as u64 - finite,
            first: Some(*first),
            last: Some(*last),
            min: if lower { first_at(points, low) } else { None },
            max: if higher { first_at(points, high) } else { None },
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

/// The first point of that value.
#[expect(clippy::float_cmp, reason = "looks for a value that was taken from the list")]
fn first_at(points: &[Point], value: f64) -> Option<Point> {
    points.iter().find(|p| p.value == value).copied()
}
