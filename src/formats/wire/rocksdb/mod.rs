//! `RocksDB` databases from the bytes of their files: tables (`NNNNNN.sst`) and write-ahead logs
//! (`NNNNNN.log`).
//!
//! Every change carries a number; of all changes of a key the one with the highest number holds. So the files
//! may be read in any order, and one that is there twice (a log that was just written into a table, tables
//! that were just joined) changes nothing.
//!
//! Source: `facebook/rocksdb`, `table/format.cc`, `table/block_based/block.cc`, `db/log_format.h`,
//! `db/write_batch.cc`.

mod log;
mod table;

pub use log::each_of_log;
pub use table::each_of_table;

/// What became of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change<'a> {
    /// It has that value.
    Put(&'a [u8]),
    /// It is gone.
    Delete,
    /// It and all keys before that one are gone.
    DeleteTo(&'a [u8]),
}

/// One change of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Which one.
    pub key: &'a [u8],
    /// The number of the change.
    pub sequence: u64,
    /// What became of it.
    pub change: Change<'a>,
}

/// How many blocks or records of a file were not read, and why the first of them was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Damage {
    /// How many.
    pub places: u64,
    /// One clause.
    pub first: Option<&'static str>,
    /// Tables without an end. A table gets its end last, and what is in it stays in the log until then; one
    /// that its writer left so is no part of the database.
    pub unfinished: u64,
}

impl Damage {
    /// Counts one.
    pub fn at(&mut self, why: &'static str) {
        self.places = self.places.saturating_add(1);
        self.first.get_or_insert(why);
    }

    /// Takes in another file's.
    pub fn add(&mut self, other: Self) {
        self.places = self.places.saturating_add(other.places);
        self.first = self.first.or(other.first);
        self.unfinished = self.unfinished.saturating_add(other.unfinished);
    }
}

/// Takes a number of up to ten bytes, seven bits each, the low ones first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Takes bytes behind their length.
fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = varint(bytes)?;
    take(bytes, length)
}

/// Takes that many bytes.
fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
pub mod tests;
