//! A database as one stretch of bytes: its file, with what its log adds or its journal puts back.

use std::io::{self, Read};

use rustc_hash::FxHashMap;

use super::{
    Trouble,
    header::Header,
    journal,
    wal::{self, Committed},
};

/// Databases beyond this are not read: a copy of each is held in memory.
pub const DATABASE_LIMIT: u64 = 1 << 30;

/// Where the version numbers of the header stand; 1 says "no write-ahead log", which this image no longer has.
const VERSIONS: [usize; 2] = [18, 19];

/// The pages of a database as of its last whole transaction.
#[derive(Debug)]
pub struct Image<'a> {
    file: &'a [u8],
    changed: FxHashMap<u32, &'a [u8]>,
    page_size: usize,
    pages: u32,
}

impl<'a> Image<'a> {
    /// Joins the content of the three files; those that do not exist are empty.
    pub fn of(file: &'a [u8], log: &'a [u8], old: &'a [u8]) -> Result<Self, Trouble> {
        let header = Header::of(file);
        let page_size = header.map(|h| h.page_size);
        let mut changed = FxHashMap::default();
        let mut pages = None;
        if let Some(before) = journal::before(old).filter(|b| fits(page_size, b.page_size)) {
            pages = Some((before.page_size, before.pages));
            changed = before.changed;
        }
        if let Some(log) = wal::committed(log).filter(|log| belongs(log, page_size)) {
            pages = Some((log.page_size, log.pages));
            changed.extend(log.changed);
        }
        let first = changed.get(&1).copied().unwrap_or(file);
        let header = Header::of(first).ok_or(Trouble::NotYet)?;
        let (page_size, pages) = match pages {
            Some((size, pages)) => (size, pages),
            None => (header.page_size, header.pages.ok_or(Trouble::Refused("written by SQLite before 3.7"))?),
        };
        let image = Self { file, changed, page_size, pages };
        if header.page_size != page_size {
            return Err(Trouble::NotYet);
        }
        if image.bytes() > DATABASE_LIMIT {
            return Err(Trouble::Refused("a database of more than 1 GiB"));
        }
        // a log or journal may name pages that were never written, a database alone has all of its pages
        if image.changed.is_empty() && (file.len() as u64) < image.bytes() {
            return Err(Trouble::NotYet);
        }
        Ok(image)
    }

    /// Length of the image.
    pub fn bytes(&self) -> u64 {
        self.page_size as u64 * u64::from(self.pages)
    }

    /// The bytes in order.
    pub fn reader(&self) -> Reader<'_> {
        Reader { image: self, at: 0 }
    }

    /// The content of a page, counted from 1; what its file does not have is zero.
    fn page(&self, number: u32) -> &'a [u8] {
        if let Some(page) = self.changed.get(&number) {
            return page;
        }
        let start = (number as usize).saturating_sub(1).saturating_mul(self.page_size);
        let rest = self.file.get(start..).unwrap_or_default();
        rest.get(..self.page_size).unwrap_or(rest)
    }
}

fn fits(known: Option<usize>, page_size: usize) -> bool {
    known.is_none_or(|known| known == page_size)
}

/// A log with pages of another size is one that was left behind by another database, unless it has every page.
fn belongs(log: &Committed<'_>, page_size: Option<usize>) -> bool {
    fits(page_size, log.page_size) || log.changed.len() == log.pages as usize
}

/// Reads an image from its start.
#[derive(Debug)]
pub struct Reader<'a> {
    image: &'a Image<'a>,
    at: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.image.page_size;
        let number = self.at / size;
        if into.is_empty() || number >= self.image.pages as usize {
            return Ok(0);
        }
        let page = self.image.page(u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1));
        let within = self.at % size;
        let Some(target) = into.get_mut(..(size - within).min(into.len())) else { return Ok(0) };
        let there = page.get(within..).unwrap_or_default();
        let there = there.get(..target.len()).unwrap_or(there);
        let (written, missing) = target.split_at_mut(there.len());
        written.copy_from_slice(there);
        missing.fill(0);
        for place in VERSIONS {
            if let Some(byte) = place.checked_sub(self.at).and_then(|at| into.get_mut(at)) {
                *byte = 1;
            }
        }
        let read = (size - within).min(into.len());
        self.at += read;
        Ok(read)
    }
}
