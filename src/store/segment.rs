//! One unbroken stretch of a series from one file: history in buckets, then exact points.

use std::sync::Arc;

use super::{Bucket, Summary, file_part::Place, points::Points};
use crate::model::{FileId, Point, Step};

/// Points of one series whose steps ascend, all from one file.
///
/// A step that goes back begins another segment; so does another file.
#[derive(Debug)]
pub struct Segment {
    pub(crate) place: Arc<Place>,
    summary: Summary,
    repeated: u64,
    first_step: Step,
    last_step: Step,
    cut: Option<Step>,
    folded: Option<Box<Bucket>>,
    history: Vec<Bucket>,
    /// Points in a full bucket of the history, a power of two.
    width: u64,
    points: Points,
}

impl Segment {
    /// A segment that begins with `first`, which is not added yet.
    pub(crate) fn beginning(place: Arc<Place>, first: Step) -> Self {
        Self {
            place,
            summary: Summary::default(),
            repeated: 0,
            first_step: first,
            last_step: first,
            cut: None,
            folded: None,
            history: Vec::new(),
            width: 1,
            points: Points::new(),
        }
    }

    /// The file.
    pub fn file(&self) -> FileId {
        self.place.file
    }

    /// The file's place among the run's files; see [`crate::model::Origin::order`].
    pub fn order(&self) -> &str {
        &self.place.order
    }

    /// Step of the first point.
    pub fn first_step(&self) -> Step {
        self.first_step
    }

    /// Step of the last point.
    pub fn last_step(&self) -> Step {
        self.last_step
    }

    /// From which step on a later segment (or the writer's own word) has made this one void; `None` while all
    /// of it counts.
    pub fn superseded_from(&self) -> Option<Step> {
        self.cut.filter(|cut| *cut <= self.last_step)
    }

    /// Exact facts over every point of this segment.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Points that were written again at once with the same step: only the later one is in the curve, both
    /// are in the summary.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// What is kept of the curve, superseded or not: history, then each exact point as a bucket of one.
    ///
    /// Steps ascend. The counts of all buckets add up to the points of the summary less [`Self::repeated`].
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let folded = self.folded.as_deref().copied();
        folded.into_iter().chain(self.history.iter().copied()).chain(self.points.iter().map(Bucket::of))
    }

    /// Older superseded segments that were folded into this one to bound their number.
    pub(crate) fn folded(&self) -> Option<&Bucket> {
        self.folded.as_deref()
    }

    pub(crate) fn history(&self) -> &[Bucket] {
        &self.history
    }

    pub(crate) fn exact(&self) -> &Points {
        &self.points
    }

    pub(crate) fn supersede_from(&mut self, cut: Option<Step>) {
        self.cut = cut;
    }

    /// Adds points whose steps ascend strictly and lie above [`Self::last_step`] unless this is the first.
    pub(crate) fn extend(&mut self, points: &[Point]) {
        self.summary.extend(points);
        self.points.extend(points);
        if let Some(last) = points.last() {
            self.last_step = last.step;
        }
    }

    /// The last point again, with another value.
    pub(crate) fn repeat(&mut self, point: Point) {
        self.summary.extend(&[point]);
        self.repeated += 1;
        self.points.replace_last(point);
    }

    /// Moves the oldest exact points into the history until `exact` points and `buckets` buckets are enough.
    ///
    /// The latest point always stays exact, so that it can be replaced by [`Self::repeat`].
    pub(crate) fn thin(&mut self, exact: usize, buckets: usize) {
        let exact = exact.max(1);
        if self.points.len() > exact {
            // A quarter more than needed, so that it is not done at every point.
            let keep = (exact - exact / 4).max(1);
            let surplus = self.points.len() - keep;
            self.bury(surplus, buckets);
        }
        while self.history.len() > buckets.max(1) {
            self.halve();
        }
    }

    fn bury(&mut self, count: usize, buckets: usize) {
        for at in 0..count {
            let point = Bucket::of(self.points.get(at));
            match self.history.last_mut() {
                Some(open) if open.count() < self.width => open.absorb(&point),
                _ => {
                    if self.history.len() >= buckets.max(1) {
                        self.halve();
                    }
                    match self.history.last_mut() {
                        Some(open) if open.count() < self.width => open.absorb(&point),
                        _ => self.history.push(point),
                    }
                }
            }
        }
        self.points.drop_front(count);
    }

    /// Joins neighbouring buckets in pairs.
    fn halve(&mut self) {
        let mut at = 0;
        for from in (0..self.history.len()).step_by(2) {
            let mut joined = self.history[from];
            if let Some(next) = self.history.get(from + 1) {
                joined.absorb(next);
            }
            self.history[at] = joined;
            at += 1;
        }
        self.history.truncate(at);
        self.width = self.width.saturating_mul(2);
        if self.history.capacity() > self.history.len() * 4 {
            self.history.shrink_to(self.history.len() * 2);
        }
    }

    /// Heap bytes, and its own.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.points.bytes()
            + self.history.capacity() * size_of::<Bucket>()
            + self.folded.as_ref().map_or(0, |_| size_of::<Bucket>())
    }
}
