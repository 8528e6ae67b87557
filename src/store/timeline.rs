//! Records of one subject over steps, bounded in number, first and last always kept.

use std::{ops::Range, sync::Arc};

use super::file_part::Place;
use crate::model::{FileId, Step};

/// Something that stands at a step and takes memory.
pub(crate) trait Dated {
    fn step(&self) -> Step;
    /// Bytes that it holds beyond its own size.
    fn heap_bytes(&self) -> usize;
}

/// The records up to and with `until`, of records in ascending order of steps.
pub(crate) fn up_to<T: Dated>(records: &[T], until: Option<Step>) -> &[T] {
    let end = until.map_or(records.len(), |until| records.partition_point(|r| r.step() <= until));
    records.get(..end).unwrap_or_default()
}

/// Records in ascending order of steps; a record written later supersedes those at and after its step.
///
/// When there are too many, every second one goes, evenly over the whole time; the first and the last stay.
#[derive(Debug)]
pub(crate) struct Timeline<T> {
    entries: Vec<T>,
    /// Of each entry.
    marks: Vec<Mark>,
    files: Vec<FileShare>,
    /// Entries stand for this many records each.
    stride: u64,
    heap_bytes: usize,
}

#[derive(Debug)]
struct Mark {
    file: FileId,
    /// How many records of the subject came before it.
    ordinal: u64,
}

/// What one file brought.
#[derive(Debug)]
struct FileShare {
    place: Arc<Place>,
    /// The least step, to tell a record of an earlier file that comes late.
    first_step: Step,
    /// Of all records ever.
    count: u64,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), marks: Vec::new(), files: Vec::new(), stride: 1, heap_bytes: 0 }
    }
}

impl<T: Dated> Timeline<T> {
    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }

    /// Records that were read, thinned and superseded ones included.
    pub(crate) fn count(&self) -> u64 {
        self.files.iter().map(|f| f.count).sum()
    }

    /// Of how many records one is kept, the first and the last apart.
    pub(crate) fn stride(&self) -> u64 {
        self.stride
    }

    pub(crate) fn add(&mut self, place: &Arc<Place>, record: T, most: usize) {
        let ordinal = self.count();
        let step = record.step();
        if let Some(share) = self.files.iter_mut().rev().find(|f| f.place == *place) {
            share.count += 1;
            share.first_step = share.first_step.min(step);
        } else {
            self.files.push(FileShare { place: place.clone(), first_step: step, count: 1 });
        }
        if self.files.iter().any(|f| f.place > *place && f.first_step <= step) {
            return;
        }
        // Nothing of a later file lies at or after this step, see above.
        let at = self.entries.partition_point(|e| e.step() < step);
        let end = at + self.superseded_by(place, at);
        self.remove(at..end);
        let at = self.drop_former_last(at);
        self.heap_bytes += record.heap_bytes();
        self.entries.insert(at, record);
        self.marks.insert(at, Mark { file: place.file, ordinal });
        self.thin(most);
    }

    /// How many entries from `at` on are of the file at `place` or of earlier ones.
    fn superseded_by(&self, place: &Place, at: usize) -> usize {
        let later = |file| self.files.iter().any(|f| f.place.file == file && *f.place > *place);
        self.marks[at..].iter().position(|m| later(m.file)).unwrap_or(self.marks.len() - at)
    }

    /// What was last until now stays only if it would have been kept anyway. Returns where to go on.
    fn drop_former_last(&mut self, at: usize) -> usize {
        let aligned = |m: &Mark| m.ordinal.is_multiple_of(self.stride);
        if at > 1 && at == self.entries.len() && !self.marks.last().is_some_and(aligned) {
            self.remove(at - 1..at);
            return at - 1;
        }
        at
    }

    fn remove(&mut self, range: Range<usize>) {
        self.marks.drain(range.clone());
        for gone in self.entries.drain(range) {
            self.heap_bytes -= gone.heap_bytes();
        }
    }

    pub(crate) fn thin(&mut self, most: usize) {
        while self.entries.len() > most.max(2) {
            self.stride = self.stride.saturating_mul(2);
            let (stride, last) = (self.stride, self.entries.len() - 1);
            self.keep(|at, mark| at == 0 || at == last || mark.ordinal.is_multiple_of(stride));
        }
        if self.entries.capacity() > 2 * self.entries.len() + 4 {
            self.entries.shrink_to_fit();
            self.marks.shrink_to_fit();
        }
    }

    fn keep(&mut self, stays: impl Fn(usize, &Mark) -> bool) {
        let mut at = 0;
        let (marks, heap_bytes) = (&self.marks, &mut self.heap_bytes);
        self.entries.retain(|entry| {
            let kept = marks.get(at).is_none_or(|m| stays(at, m));
            at += 1;
            if !kept {
                *heap_bytes -= entry.heap_bytes();
            }
            kept
        });
        let mut at = 0;
        self.marks.retain(|mark| {
            at += 1;
            stays(at - 1, mark)
        });
    }

    /// Forgets what a file said; true when no file is left.
    pub(crate) fn forget(&mut self, file: FileId) -> bool {
        self.keep(|_, mark| mark.file != file);
        self.files.retain(|f| f.place.file != file);
        self.files.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.heap_bytes
            + self.entries.capacity() * size_of::<T>()
            + self.marks.capacity() * size_of::<Mark>()
            + self.files.capacity() * size_of::<FileShare>()
    }
}
