//! Records of one subject over steps, bounded in number, first and last always kept.

use std::sync::Arc;

use super::file_part::Place;
use crate::model::{FileId, Step};

/// Something that stands at a step and takes memory.
pub(crate) trait Dated {
    fn step(&self) -> Step;
    /// Bytes of memory, its own and those it alone holds.
    fn bytes(&self) -> usize;
}

/// Records in ascending order of steps; a record written later supersedes those at and after its step.
///
/// When there are too many, every second one goes, evenly over the whole time; the first and the last stay.
#[derive(Debug)]
pub(crate) struct Timeline<T> {
    entries: Vec<T>,
    marks: Vec<Mark>,
    /// The least step of each file, to tell a record of an earlier file that comes late.
    starts: Vec<(Arc<Place>, Step)>,
    /// Of all records ever, by file, so that a file can be forgotten.
    counts: Vec<(FileId, u64)>,
    stride: u64,
}

#[derive(Clone, Debug)]
struct Mark {
    place: Arc<Place>,
    /// How many records of the subject came before it.
    ordinal: u64,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), marks: Vec::new(), starts: Vec::new(), counts: Vec::new(), stride: 1 }
    }
}

impl<T: Dated> Timeline<T> {
    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }

    /// Records that were read, thinned and superseded ones included.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().map(|(_, n)| n).sum()
    }

    pub(crate) fn add(&mut self, place: &Arc<Place>, record: T, most: usize) {
        let ordinal = self.count();
        match self.counts.iter_mut().find(|(file, _)| *file == place.file) {
            Some((_, n)) => *n += 1,
            None => self.counts.push((place.file, 1)),
        }
        let step = record.step();
        match self.starts.iter_mut().find(|(p, _)| p == place) {
            Some((_, least)) => *least = step.min(*least),
            None => self.starts.push((place.clone(), step)),
        }
        if self.starts.iter().any(|(p, least)| p > place && *least <= step) {
            return;
        }
        let at = self.entries.partition_point(|e| e.step() < step);
        let mut superseded = at;
        while self.marks.get(superseded).is_some_and(|m| m.place <= *place) {
            superseded += 1;
        }
        self.entries.drain(at..superseded);
        self.marks.drain(at..superseded);
        // What was last until now stays only if it would have been kept anyway.
        let mut at = at;
        if at > 1 && at == self.entries.len() && !self.marks[at - 1].ordinal.is_multiple_of(self.stride) {
            self.entries.pop();
            self.marks.pop();
            at -= 1;
        }
        self.entries.insert(at, record);
        self.marks.insert(at, Mark { place: place.clone(), ordinal });
        self.thin(most);
    }

    pub(crate) fn thin(&mut self, most: usize) {
        while self.entries.len() > most.max(2) {
            self.stride = self.stride.saturating_mul(2);
            let last = self.entries.len() - 1;
            let marks = &self.marks;
            let mut at = 0;
            let kept: Vec<bool> = (0..=last)
                .map(|n| n == 0 || n == last || marks[n].ordinal.is_multiple_of(self.stride))
                .collect();
            self.entries.retain(|_| {
                at += 1;
                kept[at - 1]
            });
            let mut at = 0;
            self.marks.retain(|_| {
                at += 1;
                kept[at - 1]
            });
        }
    }

    /// Forgets what a file said; true when no file is left.
    pub(crate) fn forget(&mut self, file: FileId) -> bool {
        let kept: Vec<bool> = self.marks.iter().map(|m| m.place.file != file).collect();
        let mut kept = kept.into_iter();
        self.entries.retain(|_| kept.next().unwrap_or(true));
        self.marks.retain(|m| m.place.file != file);
        self.starts.retain(|(p, _)| p.file != file);
        self.counts.retain(|(f, _)| *f != file);
        self.counts.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.iter().map(Dated::bytes).sum::<usize>()
            + (self.entries.capacity() - self.entries.len()) * size_of::<T>()
            + self.marks.capacity() * size_of::<Mark>()
            + self.starts.capacity() * size_of::<(Arc<Place>, Step)>()
            + self.counts.capacity() * size_of::<(FileId, u64)>()
    }
}
