//! The first 100 bytes of a SQLite database.
//!
//! Source: <https://sqlite.org/fileformat2.html#the_database_header>.

/// How every database begins.
pub const MAGIC: &[u8] = b"SQLite format 3\0";

/// Length of the header.
pub const HEADER_BYTES: usize = 100;

/// What the header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Bytes of a page.
    pub page_size: usize,
    /// Pages of the database; `None` where a writer older than SQLite 3.7.0 (2010) left the field stale.
    pub pages: Option<u32>,
    /// Written through a write-ahead log.
    pub write_ahead: bool,
    /// `PRAGMA application_id`: a program that sets it says so that the file is its own.
    pub application: u32,
}

impl Header {
    /// The header at the start of `bytes`; `None` for anything else.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES).filter(|h| h.starts_with(MAGIC))?;
        let pages = word(header, 28)?;
        // the count of pages is good only as of the change that `version-valid-for` names
        let current = word(header, 24)? == word(header, 92)?;
        Some(Self {
            page_size: page_size(u32::from(u16::from_be_bytes([*header.get(16)?, *header.get(17)?])))?,
            pages: Some(pages).filter(|pages| current && *pages > 0),
            write_ahead: *header.get(19)? == 2,
            application: word(header, 68)?,
        })
    }
}

/// The big-endian number at `at`.
pub fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// A page size as it is written: a power of two from 512, and 1 for 65536, which has no room in 16 bits.
pub fn page_size(written: u32) -> Option<usize> {
    match written {
        1 | 65536 => Some(65536),
        512..=32768 if written.is_power_of_two() => Some(written as usize),
        _ => None,
    }
}
