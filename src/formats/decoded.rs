//! The sink that decoders write into: groups points by series while the file is walked once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustc_hash::FxHashMap;

use crate::model::{Column, Point, Record, SeriesKey, Skip};

/// Names of oddities that are kept apart; further ones are counted together.
const ODDITIES_KEPT: usize = 64;

/// A new column has room for at most this many points.
const EXPECTED_LIMIT: usize = 1 << 14;

/// What was decoded for one run of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Part {
    /// The run's name within the file; empty for files that hold one run.
    pub run: Arc<str>,
    /// New points by series, in order of first appearance; empty columns may occur.
    pub columns: Vec<Column>,
    /// Everything else, in file order.
    pub records: Vec<Record>,
}

/// Where decoders put what they find in one turn.
///
/// **Invariant:** the order of points within a column and of records within a part is file order.
#[derive(Debug)]
pub struct Decoded {
    parts: Vec<Part>,
    current: usize,
    /// Place of each series in the columns of its part; parallel to `parts`.
    columns: Vec<FxHashMap<SeriesKey, usize>>,
    generation: u64,
    /// Room for new columns: what a column of the last turn held, as long as they have no more than twice what all of
    /// the last turn held.
    expected: usize,
    room: usize,
    skips: Vec<Skip>,
    oddities: BTreeMap<Arc<str>, u64>,
    record_count: u64,
    points: usize,
    mentions_reset: bool,
}

/// A column's place in a [`Decoded`], valid while [`Decoded::generation`] stays the same and in the run in which
/// it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColumnIndex(usize);

impl Default for Decoded {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoded {
    /// An empty sink.
    pub fn new() -> Self {
        Self {
            parts: vec![Part::default()],
            columns: vec![FxHashMap::default()],
            current: 0,
            generation: next_generation(),
            expected: 0,
            room: 0,
            skips: Vec::new(),
            oddities: BTreeMap::new(),
            record_count: 0,
            points: 0,
            mentions_reset: false,
        }
    }

    /// Changes whenever column places become invalid; no two sinks ever have the same.
    #[inline]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Directs what follows to the file's run of that name; the empty name is the file's only or main run.
    pub fn in_run(&mut self, name: &str) {
        if let Some(at) = self.parts.iter().position(|p| &*p.run == name) {
            self.current = at;
        } else {
            self.current = self.parts.len();
            self.parts.push(Part { run: Arc::from(name), ..Part::default() });
            self.columns.push(FxHashMap::default());
        }
    }

    /// The column of `key` in the current run; made if missing.
    pub fn column(&mut self, key: &SeriesKey) -> ColumnIndex {
        let (Some(part), Some(places)) =
            (self.parts.get_mut(self.current), self.columns.get_mut(self.current))
        else {
            return ColumnIndex(usize::MAX);
        };
        if let Some(at) = places.get(key) {
            return ColumnIndex(*at);
        }
        let at = part.columns.len();
        let expected = self.expected.min(self.room);
        self.room -= expected;
        part.columns.push(Column { key: key.clone(), points: Vec::with_capacity(expected) });
        places.insert(key.clone(), at);
        ColumnIndex(at)
    }

    /// Adds a point to a column of the current run. The fast way: ask [`Self::column`] once per series.
    #[inline]
    pub fn push(&mut self, column: ColumnIndex, point: Point) {
        if let Some(column) = self.parts.get_mut(self.current).and_then(|p| p.columns.get_mut(column.0)) {
            column.points.push(point);
            self.points += 1;
        }
    }

    /// Adds a point to the series `key` of the current run.
    pub fn point(&mut self, key: &SeriesKey, point: Point) {
        let column = self.column(key);
        self.push(column, point);
    }

    /// Adds a record to the current run.
    pub fn record(&mut self, record: Record) {
        if let Some(part) = self.parts.get_mut(self.current) {
            part.records.push(record);
        }
    }

    /// Lists a stretch that could not be used.
    pub fn skip(&mut self, offset: u64, bytes: u64, reason: impl Into<Arc<str>>) {
        self.skips.push(Skip { offset, bytes, reason: reason.into() });
    }

    /// Counts something that is kept out of the way without being damage: an unknown record type or key.
    pub fn oddity(&mut self, name: &str) {
        if let Some(n) = self.oddities.get_mut(name) {
            *n += 1;
        } else if self.oddities.len() < ODDITIES_KEPT {
            self.oddities.insert(Arc::from(name), 1);
        } else {
            *self.oddities.entry(Arc::from("others")).or_default() += 1;
        }
    }

    /// Counts whole frames (events, lines) that were understood.
    pub fn count_records(&mut self, n: u64) {
        self.record_count += n;
    }

    /// Points so far; a tail ends its turn by it.
    pub fn points(&self) -> usize {
        self.points
    }

    /// What was said before in this file is void, though the file was not replaced: the header of a CSV came
    /// again with other columns. Readers forward it as a reset of the batch that follows.
    pub fn void_earlier(&mut self) {
        self.restart();
        self.mentions_reset = true;
    }

    /// Empties the sink: parts that hold something, skips, oddities, record count, and whether
    /// [`Self::void_earlier`] was called.
    pub fn take(&mut self) -> Taken {
        let columns: usize = self.parts.iter().map(|p| p.columns.len()).sum();
        self.expected = (self.points / columns.max(1)).min(EXPECTED_LIMIT);
        self.room = self.points.saturating_mul(2);
        let mut parts = self.restart();
        for part in &mut parts {
            part.columns.retain(|c| !c.points.is_empty());
        }
        parts.retain(|p| !p.columns.is_empty() || !p.records.is_empty());
        Taken {
            parts,
            skips: std::mem::take(&mut self.skips),
            oddities: std::mem::take(&mut self.oddities),
            records: std::mem::take(&mut self.record_count),
            void_earlier: std::mem::take(&mut self.mentions_reset),
        }
    }

    fn restart(&mut self) -> Vec<Part> {
        self.columns.truncate(1);
        self.columns.iter_mut().for_each(FxHashMap::clear);
        self.current = 0;
        self.points = 0;
        self.generation = next_generation();
        std::mem::replace(&mut self.parts, vec![Part::default()])
    }
}

fn next_generation() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The content of a [`Decoded`].
#[derive(Debug, Default)]
pub struct Taken {
    /// Per run of the file.
    pub parts: Vec<Part>,
    /// Damage.
    pub skips: Vec<Skip>,
    /// Curiosities with their counts.
    pub oddities: BTreeMap<Arc<str>, u64>,
    /// Whole frames understood.
    pub records: u64,
    /// Everything said before this is void.
    pub void_earlier: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: i64) -> Point {
        Point { step, wall: 0.0, value: 1.0 }
    }

    #[test]
    fn no_two_sinks_and_no_two_turns_share_a_generation() {
        let (mut one, two) = (Decoded::new(), Decoded::default());
        let before = one.generation();
        assert_ne!(before, two.generation());
        one.take();
        let after = one.generation();
        one.void_earlier();
        assert!(before != after && after != one.generation() && one.generation() != two.generation());
    }

    #[test]
    fn runs_of_one_file_keep_their_columns_apart() {
        let (a, b) = (SeriesKey::plain("a"), SeriesKey::plain("b"));
        let mut out = Decoded::new();
        out.point(&a, point(1));
        out.in_run("other");
        out.point(&b, point(2));
        out.point(&a, point(3));
        out.in_run("");
        out.point(&a, point(4));
        assert_eq!(out.points(), 4);
        let parts = out.take().parts;
        let steps = |part: &Part| -> Vec<Vec<i64>> {
            part.columns.iter().map(|c| c.points.iter().map(|p| p.step).collect()).collect()
        };
        assert_eq!(parts.iter().map(steps).collect::<Vec<_>>(), [vec![vec![1, 4]], vec![vec![2], vec![3]]]);
    }

    #[test]
    fn what_was_said_before_a_void_is_gone_and_damage_is_not() {
        let mut out = Decoded::new();
        out.point(&SeriesKey::plain("a"), point(1));
        out.skip(5, 6, "damage");
        out.void_earlier();
        out.point(&SeriesKey::plain("b"), point(2));
        let taken = out.take();
        assert!(taken.void_earlier && taken.skips.len() == 1);
        assert_eq!(taken.parts.len(), 1);
        assert_eq!(taken.parts[0].columns[0].key, SeriesKey::plain("b"));
        assert!(out.take().parts.is_empty());
    }

    #[test]
    fn kinds_of_oddities_are_bounded_and_all_are_counted() {
        let mut out = Decoded::new();
        for n in 0..1000 {
            out.oddity(&format!("unknown {n}"));
        }
        let oddities = out.take().oddities;
        assert!(oddities.len() <= ODDITIES_KEPT + 1);
        assert_eq!(oddities.values().sum::<u64>(), 1000);
    }
}
