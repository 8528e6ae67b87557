//! The rollback journal beside a database (`-journal`): what pages held before the transaction that is under way.
//!
//! While a writer changes the database itself, the journal has the old content of every page that it may have touched;
//! the commit is the journal's removal (or that of its header). A journal with a header therefore means that the
//! database was copied in the middle of a change, and its pages, put back, are the state before it.
//! Source: <https://sqlite.org/fileformat2.html#the_rollback_journal>.

use rustc_hash::FxHashMap;

use super::header::{page_size, word};

const MAGIC: &[u8] = &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// Count of records that stands for "as many as follow".
const ALL: u32 = u32::MAX;
/// The byte that SQLite locks; the page around it is never written.
const LOCK_BYTE: usize = 1 << 30;

/// What was before the transaction.
#[derive(Debug)]
pub struct Before<'a> {
    /// Bytes of a page.
    pub page_size: usize,
    /// Pages of the database.
    pub pages: u32,
    /// Old content by number of the page, counted from 1.
    pub changed: FxHashMap<u32, &'a [u8]>,
}

struct Segment {
    records: u32,
    nonce: u32,
    pages: u32,
    sector: usize,
    page_size: usize,
}

impl Segment {
    fn of(journal: &[u8], at: usize) -> Option<Self> {
        let header = journal.get(at..)?.get(..28).filter(|h| h.starts_with(MAGIC))?;
        let sector = word(header, 20)? as usize;
        Some(Self {
            records: word(header, 8)?,
            nonce: word(header, 12)?,
            pages: word(header, 16)?,
            sector: Some(sector).filter(|s| s.is_power_of_two() && (32..=65536).contains(s))?,
            page_size: page_size(word(header, 24)?)?,
        })
    }
}

/// The state before the transaction; `None` where the journal's header is gone: the transaction came to its end.
pub fn before(journal: &[u8]) -> Option<Before<'_>> {
    let first = Segment::of(journal, 0)?;
    let (page_size, pages, sector) = (first.page_size, first.pages, first.sector);
    let mut found = Before { page_size, pages, changed: FxHashMap::default() };
    let (mut segment, mut at) = (first, sector);
    loop {
        let follow = journal.len().saturating_sub(at) / (page_size + 8);
        let records = if segment.records == ALL { follow } else { follow.min(segment.records as usize) };
        let stretch = journal.get(at..)?.get(..records * (page_size + 8))?;
        for record in stretch.chunks_exact(page_size + 8) {
            let number = word(record, 0)?;
            let page = record.get(4..4 + page_size)?;
            let beyond = number == 0 || number as usize == LOCK_BYTE / page_size + 1;
            if beyond || word(record, 4 + page_size)? != checksum(page, segment.nonce) {
                return Some(found);
            }
            if number <= pages {
                found.changed.entry(number).or_insert(page);
            }
        }
        at = at.checked_add(stretch.len())?.checked_next_multiple_of(sector)?;
        match Segment::of(journal, at) {
            Some(next) if next.page_size == page_size && next.sector == sector => segment = next,
            _ => return Some(found),
        }
        at = at.checked_add(sector)?;
    }
}

/// Every 200th byte from the page's end, the first excepted, added up.
fn checksum(page: &[u8], nonce: u32) -> u32 {
    let mut sum = nonce;
    let mut at = page.len();
    while let Some(next) = at.checked_sub(200).filter(|next| *next > 0) {
        at = next;
        sum = sum.wrapping_add(page.get(at).copied().map_or(0, u32::from));
    }
    sum
}
