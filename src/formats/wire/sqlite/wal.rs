//! The write-ahead log beside a database (`-wal`): which pages its committed transactions changed.
//!
//! Source: <https://sqlite.org/fileformat2.html#the_write_ahead_log>. A frame counts when its salts are those of the
//! log's header (others are left from before the log was last begun anew), its running checksum fits, and a commit
//! follows: the same rule by which SQLite itself recovers after a crash, so that a torn last frame and transactions
//! that were rolled back or are still being written are left out.

use rustc_hash::FxHashMap;

use super::header::{page_size, word};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const VERSION: u32 = 3_007_000;

/// Pages after the last whole transaction.
#[derive(Debug)]
pub struct Committed<'a> {
    /// Bytes of a page.
    pub page_size: usize,
    /// Pages of the database after it.
    pub pages: u32,
    /// New content by number of the page, counted from 1.
    pub changed: FxHashMap<u32, &'a [u8]>,
}

/// What the log adds to the database; `None` where it holds no whole transaction.
pub fn committed(log: &[u8]) -> Option<Committed<'_>> {
    let header = log.get(..HEADER)?;
    let order = match word(header, 0)? {
        0x377f_0682 => u32::from_le_bytes,
        0x377f_0683 => u32::from_be_bytes,
        _ => return None,
    };
    let page_size = page_size(word(header, 8)?).filter(|_| word(header, 4) == Some(VERSION))?;
    let mut running = Running { order, sums: (0, 0) };
    running.add(header.get(..24)?);
    if !running.fits(header, 24) {
        return None;
    }
    let salts = header.get(16..24)?;
    let mut found = Committed { page_size, pages: 0, changed: FxHashMap::default() };
    let mut waiting = Vec::new();
    for frame in log.get(HEADER..)?.chunks_exact(FRAME_HEADER + page_size) {
        let (head, page) = frame.split_at_checked(FRAME_HEADER)?;
        running.add(head.get(..8)?);
        running.add(page);
        let number = word(head, 0)?;
        if number == 0 || head.get(8..16)? != salts || !running.fits(head, 16) {
            break;
        }
        waiting.push((number, page));
        let pages = word(head, 4)?;
        if pages > 0 {
            found.pages = pages;
            found.changed.extend(waiting.drain(..));
        }
    }
    let pages = found.pages;
    found.changed.retain(|number, _| *number <= pages);
    (pages > 0).then_some(found)
}

/// The checksum that runs through the whole log.
struct Running {
    order: fn([u8; 4]) -> u32,
    sums: (u32, u32),
}

impl Running {
    fn add(&mut self, bytes: &[u8]) {
        let (mut one, mut two) = self.sums;
        for pair in bytes.as_chunks::<8>().0 {
            let [a, b, c, d, e, f, g, h] = *pair;
            one = one.wrapping_add((self.order)([a, b, c, d])).wrapping_add(two);
            two = two.wrapping_add((self.order)([e, f, g, h])).wrapping_add(one);
        }
        self.sums = (one, two);
    }

    /// Whether the sums are those that are written at `at`, always big-endian.
    fn fits(&self, bytes: &[u8], at: usize) -> bool {
        word(bytes, at) == Some(self.sums.0) && word(bytes, at + 4) == Some(self.sums.1)
    }
}
