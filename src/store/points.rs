//! Recent points, exactly and compactly.
//!
//! Most logs count steps evenly and hold 32-bit values: then a point takes 8 bytes. Each of the three parts
//! widens by itself when a point does not fit. Steps and values are exact; times are kept to the millisecond.

use crate::model::{Point, Step};

/// Points in strictly ascending order of steps.
#[derive(Clone, Debug)]
pub(crate) struct Points {
    steps: Steps,
    values: Values,
    walls: Walls,
}

#[derive(Clone, Debug)]
enum Steps {
    Even { first: Step, stride: Step },
    Narrow { base: Step, offsets: Vec<u32> },
    Wide(Vec<Step>),
}

#[derive(Clone, Debug)]
enum Values {
    Narrow(Vec<f32>),
    Wide(Vec<f64>),
}

#[derive(Clone, Debug)]
enum Walls {
    /// No point has a time.
    Unknown,
    /// Milliseconds after `base`; [`NO_WALL`] where unknown.
    Millis {
        base: f64,
        offsets: Vec<u32>,
    },
    Wide(Vec<f64>),
}

/// Stands for NaN among the milliseconds.
const NO_WALL: u32 = u32::MAX;

/// How far before the first point's time a later point may lie (a clock that was put back) without
/// widening: a day. 48 days after it remain.
const WALL_MARGIN_S: f64 = 86_400.0;

impl Points {
    pub(crate) fn new() -> Self {
        Self {
            steps: Steps::Even { first: 0, stride: 0 },
            values: Values::Narrow(Vec::new()),
            walls: Walls::Unknown,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.values {
            Values::Narrow(v) => v.len(),
            Values::Wide(v) => v.len(),
        }
    }

    /// The point at `at`, which must be below [`Self::len`].
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Point {
        let value = match &self.values {
            Values::Narrow(v) => f64::from(v[at]),
            Values::Wide(v) => v[at],
        };
        let wall = match &self.walls {
            Walls::Unknown => f64::NAN,
            Walls::Millis { offsets, .. } if offsets[at] == NO_WALL => f64::NAN,
            Walls::Millis { base, offsets } => base + f64::from(offsets[at]) / 1000.0,
            Walls::Wide(v) => v[at],
        };
        Point { step: self.step(at), wall, value }
    }

    #[inline]
    pub(crate) fn step(&self, at: usize) -> Step {
        match &self.steps {
            Steps::Even { first, stride } => first.wrapping_add(stride.wrapping_mul(distance(at))),
            Steps::Narrow { base, offsets } => base.wrapping_add(Step::from(offsets[at])),
            Steps::Wide(v) => v[at],
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Point> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Place of the first point at or after `step`.
    pub(crate) fn position(&self, step: Step) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.step(middle) < step { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Adds points whose steps ascend strictly and lie above all that are here.
    pub(crate) fn extend(&mut self, points: &[Point]) {
        let before = self.len();
        self.extend_steps(points, before);
        self.extend_walls(points, before);
        self.extend_values(points);
    }

    /// Replaces time and value of the last point.
    pub(crate) fn replace_last(&mut self, point: Point) {
        let Some(last) = self.len().checked_sub(1) else { return };
        match &mut self.values {
            Values::Narrow(v) => v.truncate(last),
            Values::Wide(v) => v.truncate(last),
        }
        match &mut self.walls {
            Walls::Unknown => {}
            Walls::Millis { offsets, .. } => offsets.truncate(last),
            Walls::Wide(v) => v.truncate(last),
        }
        self.extend_walls(&[point], last);
        self.extend_values(&[point]);
    }

    /// Drops the oldest `count` points.
    pub(crate) fn drop_front(&mut self, count: usize) {
        let count = count.min(self.len());
        match &mut self.steps {
            Steps::Even { first, stride } => {
                *first = first.wrapping_add(stride.wrapping_mul(distance(count)));
            }
            Steps::Narrow { offsets, .. } => shorten(offsets, count),
            Steps::Wide(v) => shorten(v, count),
        }
        match &mut self.values {
            Values::Narrow(v) => shorten(v, count),
            Values::Wide(v) => shorten(v, count),
        }
        match &mut self.walls {
            Walls::Unknown => {}
            Walls::Millis { offsets, .. } => shorten(offsets, count),
            Walls::Wide(v) => shorten(v, count),
        }
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        let steps = match &self.steps {
            Steps::Even { .. } => 0,
            Steps::Narrow { offsets, .. } => offsets.capacity() * 4,
            Steps::Wide(v) => v.capacity() * 8,
        };
        let values = match &self.values {
            Values::Narrow(v) => v.capacity() * 4,
            Values::Wide(v) => v.capacity() * 8,
        };
        let walls = match &self.walls {
            Walls::Unknown => 0,
            Walls::Millis { offsets, .. } => offsets.capacity() * 4,
            Walls::Wide(v) => v.capacity() * 8,
        };
        steps + values + walls
    }

    fn extend_steps(&mut self, points: &[Point], before: usize) {
        if let Steps::Even { first, stride } = &mut self.steps {
            if before == 0
                && let Some(p) = points.first()
            {
                (*first, *stride) = (p.step, 1);
            }
            let second = if before == 1 { points.first() } else { points.get(1).filter(|_| before == 0) };
            if let Some(p) = second {
                *stride = p.step.wrapping_sub(*first);
            }
            let mut expected = first.wrapping_add(stride.wrapping_mul(distance(before)));
            let even = |p: &Point| {
                let fits = p.step == expected;
                expected = expected.wrapping_add(*stride);
                fits
            };
            // A stride below zero is a distance beyond an i64.
            if *stride > 0 && points.iter().all(even) {
                return;
            }
            self.widen_steps(before);
        }
        if let Steps::Narrow { base, offsets } = &mut self.steps {
            let fits = points
                .last()
                .is_none_or(|p| p.step.checked_sub(*base).is_some_and(|d| u32::try_from(d).is_ok()));
            if fits {
                grow(offsets, points.len());
                offsets.extend(points.iter().map(|p| p.step.wrapping_sub(*base) as u32));
                return;
            }
            let wide = offsets.iter().map(|o| base.wrapping_add(Step::from(*o))).collect();
            self.steps = Steps::Wide(wide);
        }
        if let Steps::Wide(v) = &mut self.steps {
            grow(v, points.len());
            v.extend(points.iter().map(|p| p.step));
        }
    }

    /// From even steps to single ones, for the first `count` points.
    fn widen_steps(&mut self, count: usize) {
        let steps: Vec<Step> = (0..count).map(|at| self.step(at)).collect();
        let Steps::Even { first, .. } = self.steps else { return };
        let offsets: Option<Vec<u32>> =
            steps.iter().map(|s| s.checked_sub(first).and_then(|d| u32::try_from(d).ok())).collect();
        self.steps = match offsets {
            Some(offsets) => Steps::Narrow { base: first, offsets },
            None => Steps::Wide(steps),
        };
    }

    fn extend_values(&mut self, points: &[Point]) {
        if let Values::Narrow(v) = &mut self.values {
            let before = v.len();
            grow(v, points.len());
            let mut exact = true;
            v.extend(points.iter().map(|p| {
                exact &= fits_f32(p.value);
                p.value as f32
            }));
            if exact {
                return;
            }
            self.values = Values::Wide(v[..before].iter().map(|x| f64::from(*x)).collect());
        }
        if let Values::Wide(v) = &mut self.values {
            grow(v, points.len());
            v.extend(points.iter().map(|p| p.value));
        }
    }

    /// Adds the times of points that follow the first `before` ones.
    fn extend_walls(&mut self, points: &[Point], before: usize) {
        if let Walls::Unknown = self.walls {
            let Some(known) = points.iter().find(|p| p.wall.is_finite()) else { return };
            self.walls = Walls::Millis { base: known.wall - WALL_MARGIN_S, offsets: vec![NO_WALL; before] };
        }
        if let Walls::Millis { base, offsets } = &mut self.walls {
            grow(offsets, points.len());
            let mut fit = true;
            offsets.extend(points.iter().map(|p| {
                let ms = millis(p.wall, *base);
                fit &= ms.is_some() || !p.wall.is_finite();
                ms.unwrap_or(NO_WALL)
            }));
            if fit {
                return;
            }
            offsets.truncate(before);
            let base = *base;
            let wide = |o: &u32| if *o == NO_WALL { f64::NAN } else { base + f64::from(*o) / 1000.0 };
            self.walls = Walls::Wide(offsets.iter().map(wide).collect());
        }
        if let Walls::Wide(v) = &mut self.walls {
            grow(v, points.len());
            v.extend(points.iter().map(|p| if p.wall.is_finite() { p.wall } else { f64::NAN }));
        }
    }
}

/// A number of points as a factor of steps; they are far fewer than an i64 can count.
#[inline]
#[expect(clippy::cast_possible_wrap, reason = "no list is that long")]
fn distance(points: usize) -> Step {
    points as Step
}

/// Whole milliseconds from `base` to `wall`, rounded, if they can be stored.
#[inline]
fn millis(wall: f64, base: f64) -> Option<u32> {
    let ms = (wall - base) * 1000.0 + 0.5;
    (ms >= 0.0 && ms < f64::from(NO_WALL)).then_some(ms as u32)
}

#[inline]
#[expect(clippy::float_cmp, reason = "asks whether the narrow form is exact")]
fn fits_f32(value: f64) -> bool {
    f64::from(value as f32) == value || value.is_nan()
}

/// Makes room for `more` and a quarter beyond: doubling would leave half of the memory empty.
fn grow<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more + list.len() / 4);
    }
}

fn shorten<T>(list: &mut Vec<T>, count: usize) {
    list.drain(..count);
    if list.capacity() > list.len() * 2 {
        list.shrink_to(list.len() + list.len() / 4);
    }
}
