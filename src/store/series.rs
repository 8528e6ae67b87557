//! One curve: its segments, and which of them count.

use std::{ops::Range, sync::Arc};

use super::{Bucket, Segment, Summary, budget::Pressure, file_part::Place, query};
use crate::model::{FileId, Point, SeriesKey, Step};

/// All points of one tag in one run.
#[derive(Debug)]
pub struct Series {
    key: SeriesKey,
    /// The file that it was first read from: which source's it is.
    pub(crate) owner: Arc<Place>,
    /// No better source has it.
    pub(crate) shown: bool,
    /// By place of the file, then arrival.
    segments: Vec<Segment>,
    generation: u64,
}

/// Segments of a series beyond which the oldest of one file are folded together. Logs whose steps begin anew
/// at every epoch would otherwise grow without bound.
const MOST_SEGMENTS: usize = 128;

/// A stretch of an added column.
pub(crate) struct Stretch {
    /// Places in the column.
    pub(crate) range: Range<usize>,
    /// It began a segment.
    pub(crate) began: bool,
    /// It supersedes what was live at and after its first step.
    pub(crate) restarts: bool,
    /// A file that sorts behind holds this series too.
    pub(crate) behind: bool,
}

impl Series {
    pub(crate) fn new(key: SeriesKey, owner: Arc<Place>) -> Self {
        Self { key, owner, shown: false, segments: Vec::new(), generation: 0 }
    }

    /// It takes the place of another one, with which nobody may take it for the same. `generation`: the run's.
    pub(crate) fn renew(&mut self, generation: u64) {
        // More changes than there will be until the next time.
        const STRIDE: u32 = 24;
        self.generation = self.generation.max(generation << STRIDE);
    }

    /// Which curve.
    pub fn key(&self) -> &SeriesKey {
        &self.key
    }

    /// Exact facts over every point read, in file order.
    pub fn summary(&self) -> Summary {
        let mut all = Summary::default();
        for segment in &self.segments {
            all.follow_by(&segment.summary());
        }
        all
    }

    /// By file, then by order within the file. Later ones supersede earlier ones.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Rises with every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The live branch up to and including `until`, ascending in step, superseded points left out.
    ///
    /// Recent points come as buckets of one. At most [`query::FULL_CURVE`] buckets or a few more: a longer
    /// curve is joined evenly, the extremes of each bucket being exact. For a part of the curve in a given
    /// number of columns ask [`Self::buckets_between`].
    pub fn buckets(&self, until: Option<Step>) -> Vec<Bucket> {
        query::live(&self.segments, Step::MIN, until.unwrap_or(Step::MAX), query::FULL_CURVE)
    }

    /// The live branch from `from` to `to`, both included, in about `at_most` buckets (never more than twice
    /// as many per segment).
    pub fn buckets_between(&self, from: Step, to: Step, at_most: usize) -> Vec<Bucket> {
        query::live(&self.segments, from, to, at_most)
    }

    /// The branches that were given up, oldest first, each ascending in step: what a chart draws faded.
    pub fn superseded_buckets(&self, until: Option<Step>) -> Vec<Vec<Bucket>> {
        query::superseded(&self.segments, until.unwrap_or(Step::MAX))
    }

    /// The latest finite point of the live branch.
    pub fn last_finite(&self) -> Option<Point> {
        query::last_finite(&self.segments)
    }

    /// The latest point of the live branch, finite or not.
    pub fn last_live(&self) -> Option<Point> {
        self.value_at(Step::MAX).map(|b| b.last)
    }

    /// What the live branch holds at `step`, or else nearest before it.
    pub fn value_at(&self, step: Step) -> Option<Bucket> {
        query::nearest_before(&self.segments, step)
    }

    /// Adds points of a file in the order in which they were written; says where the steps went back.
    pub(crate) fn append(&mut self, place: &Arc<Place>, points: &[Point]) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::with_capacity(1);
        let mut at = 0;
        while at < points.len() {
            let end = at + ascending(&points[at..]);
            let first = points[at].step;
            let after = self.segments.partition_point(|s| s.place <= *place);
            let own = after.checked_sub(1).filter(|i| self.segments[*i].place == *place);
            match own.map(|i| &mut self.segments[i]) {
                Some(segment) if first >= segment.last_step() => {
                    let repeats = usize::from(first == segment.last_step());
                    if repeats == 1 {
                        segment.repeat(points[at]);
                    }
                    segment.extend(&points[at + repeats..end]);
                    match stretches.last_mut() {
                        Some(open) => open.range.end = end,
                        None => stretches.push(Stretch {
                            range: at..end,
                            began: false,
                            restarts: false,
                            behind: after < self.segments.len(),
                        }),
                    }
                }
                _ => {
                    let restarts = self.begin(place, after, &points[at..end]);
                    let behind = after + 1 < self.segments.len();
                    stretches.push(Stretch { range: at..end, began: true, restarts, behind });
                }
            }
            at = end;
        }
        self.generation += 1;
        stretches
    }

    /// A new segment at `index`; true when it supersedes points that were live.
    fn begin(&mut self, place: &Arc<Place>, index: usize, points: &[Point]) -> bool {
        let Some(first) = points.first().map(|p| p.step) else { return false };
        let restarts = self.segments[..index]
            .iter()
            .any(|s| s.last_step() >= first && s.superseded_from().is_none_or(|cut| cut > first));
        let mut segment = Segment::beginning(place.clone(), first);
        segment.extend(points);
        // Most series have one segment for ever: growing by doubling would waste three.
        self.segments.reserve_exact(1 + self.segments.len() / 4);
        self.segments.insert(index, segment);
        self.fold();
        restarts
    }

    /// Bounds the number of segments: the two oldest neighbours from one file become one.
    fn fold(&mut self) {
        if self.segments.len() <= MOST_SEGMENTS {
            return;
        }
        let pair = self.segments.windows(2).position(|w| w[0].place == w[1].place);
        if let Some(at) = pair.filter(|at| at + 2 < self.segments.len()) {
            let older = self.segments.remove(at);
            self.segments[at].fold(older);
        }
    }

    /// Computes anew from where each segment is superseded: by the least first step after it, and by what
    /// files behind it declared void.
    pub(crate) fn recut(&mut self, purges: &[(Arc<Place>, Step)]) {
        let mut least: Option<Step> = None;
        for segment in self.segments.iter_mut().rev() {
            let purged = purges
                .iter()
                .filter(|(place, _)| *place > segment.place && place.source.rank == segment.place.source.rank)
                .map(|(_, step)| *step)
                .min();
            let cut = [least, purged].into_iter().flatten().min();
            segment.supersede_from(cut);
            let first = segment.first_step();
            least = Some(least.map_or(first, |l| l.min(first)));
        }
    }

    /// Forgets what a file said; true when nothing is left.
    pub(crate) fn forget(&mut self, file: FileId) -> bool {
        let before = self.segments.len();
        self.segments.retain(|s| s.file() != file);
        if self.segments.len() != before {
            self.generation += 1;
        }
        self.segments.is_empty()
    }

    /// Brings the series under its capacity. The newest segment may keep half of it, the others share the rest.
    pub(crate) fn thin(&mut self, pressure: Pressure) {
        let (exact, buckets) = (pressure.exact_points(), pressure.buckets());
        let Some((newest, older)) = self.segments.split_last_mut() else { return };
        if older.is_empty() {
            newest.thin(exact, buckets);
            return;
        }
        newest.thin(exact / 2, buckets / 2);
        let share = older.len() * 2;
        for segment in older {
            segment.thin(exact / share, buckets / share);
        }
    }

    /// Bytes of memory, names included.
    pub(crate) fn bytes(&self) -> usize {
        let spare = (self.segments.capacity() - self.segments.len()) * size_of::<Segment>();
        size_of::<Self>() + self.segments.iter().map(Segment::bytes).sum::<usize>() + spare
    }
}

/// Memory of a series' names: they are shared between the series and its run's index.
pub(crate) fn name_bytes(key: &SeriesKey) -> usize {
    // Two allocations with two counters each, and about two slots of the index.
    key.tag.as_str().len() + key.context.len() + 32 + 2 * (size_of::<SeriesKey>() + 8)
}

/// How many points at the start ascend strictly; at least one unless there is none.
fn ascending(points: &[Point]) -> usize {
    points.windows(2).position(|w| w[1].step <= w[0].step).map_or(points.len(), |at| at + 1)
}
