//! Lists bounded in number: the newest are kept, in the order of files.

use std::sync::Arc;

use super::file_part::Place;
use crate::model::FileId;

/// A list that forgets its oldest entries, and what a file said.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    entries: Vec<T>,
    places: Vec<Arc<Place>>,
    bytes: usize,
    /// Of all entries ever, by file.
    counts: Vec<(FileId, u64)>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: Vec::new(), bytes: 0, counts: Vec::new() }
    }
}

/// Memory that an entry holds beyond its own size.
pub(crate) trait Weight {
    fn heap_bytes(&self) -> usize;
}

impl<T: Weight> Kept<T> {
    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }

    /// Entries that were read, those forgotten for want of room included.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().map(|(_, n)| n).sum()
    }

    pub(crate) fn add(&mut self, place: &Arc<Place>, entry: T, most: usize) {
        self.bytes += entry.heap_bytes();
        match self.counts.iter_mut().rev().find(|(file, _)| *file == place.file) {
            Some((_, n)) => *n += 1,
            None => self.counts.push((place.file, 1)),
        }
        let at = match self.places.last() {
            Some(last) if last > place => self.places.partition_point(|p| p <= place),
            _ => self.entries.len(),
        };
        self.entries.insert(at, entry);
        self.places.insert(at, place.clone());
        self.thin(most);
    }

    /// Forgets the oldest beyond `most`, a quarter more at once so that it is not done for every entry.
    pub(crate) fn thin(&mut self, most: usize) {
        if self.entries.len() <= most.max(1) {
            return;
        }
        let surplus = self.entries.len() - (most - most / 4).max(1);
        for gone in self.entries.drain(..surplus) {
            self.bytes -= gone.heap_bytes();
        }
        self.places.drain(..surplus);
        if self.entries.capacity() > 2 * self.entries.len() + 4 {
            self.entries.shrink_to_fit();
            self.places.shrink_to_fit();
        }
    }

    pub(crate) fn forget(&mut self, file: FileId) {
        let mut places = self.places.iter();
        let mut freed = 0;
        self.entries.retain(|entry| {
            let stays = places.next().is_none_or(|p| p.file != file);
            freed += if stays { 0 } else { entry.heap_bytes() };
            stays
        });
        self.places.retain(|p| p.file != file);
        self.bytes -= freed;
        self.counts.retain(|(f, _)| *f != file);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
            + self.entries.capacity() * size_of::<T>()
            + self.places.capacity() * size_of::<Arc<Place>>()
    }
}
