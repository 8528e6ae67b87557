//! Records in blocks of 32 KiB, as `LevelDB`'s log has them: `.wandb` and `.swanlab` files.
//!
//! ```text
//! magic, 7 bytes, part of the first block
//! chunk: u32le crc | u16le length | u8 type | data      crc: IEEE CRC-32 over type and data, not masked
//! ```
//! A chunk lies within one block; fewer than 7 bytes at a block's end are padding. A record is a FULL chunk, or a
//! FIRST one, any number of MIDDLE ones and a LAST one. Source: `wandb/wandb`, `core/pkg/leveldb/record.go`.
//!
//! **Invariant:** what is found does not depend on how the bytes arrive. A damaged place is passed over when the chunk
//! behind it is there and whole, or else when its block is complete; zeros that reach to the end of what is there are
//! pages that may still come.

use std::{borrow::Cow, sync::Arc};

use crate::formats::{Decoded, FRAME_LIMIT, Fatal, wire::protobuf::Malformed};

/// Bytes of a block, counted from the start of the file.
const BLOCK: usize = 32 << 10;

/// Bytes before the data of a chunk.
const HEADER: usize = 7;

/// More zeros than this are no pages that are still to come.
const LARGEST_HOLE: usize = 1 << 20;

/// Bytes checksummed in the search for a chunk behind a damaged one that any file may cost, and …
const VAIN_BYTES: u64 = 64 << 20;
/// … how often, on top of it, each byte that is behind. Without a limit, made-up headers that all claim a whole block
/// would cost the square of a block's size.
const VAIN_TIMES: u64 = 16;

mod reason {
    pub const CHECKSUM: &str = "checksum of a chunk does not match";
    pub const LENGTH: &str = "a chunk reaches beyond its block";
    pub const HOLE: &str = "zeros where records should be";
    pub const UNKNOWN: &str = "chunk of an unknown type";
    pub const NO_END: &str = "the end of this record is missing";
    pub const NO_START: &str = "the start of this record is missing";
    pub const TOO_LARGE: &str = "record larger than 64 MiB";
}

/// Where a record lies in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Of its first chunk.
    pub offset: u64,
    /// From there to the end of its last chunk, with what lies between.
    pub bytes: u64,
}

/// A reader of such a file.
#[derive(Debug)]
pub struct Blocks {
    magic: [u8; HEADER],
    offset: u64,
    /// Within a record of which 64 MiB were passed over.
    too_large: bool,
    vain: u64,
}

/// What stands at the start of the bytes.
enum Next<'a> {
    /// Cannot be told yet.
    Wait,
    /// That many bytes of padding.
    Padding(usize),
    /// A record of that many bytes with chunk headers.
    Record(usize, Cow<'a, [u8]>),
    /// That many bytes cannot be used.
    Skip(usize, &'static str),
    /// A record that is too large begins; that many bytes of it are behind.
    TooLarge(usize),
}

/// What stands at the place of a chunk.
enum Chunk<'a> {
    Torn,
    Whole { kind: u8, data: &'a [u8] },
    Bad { checked: usize, end: Option<usize>, why: &'static str },
}

impl Blocks {
    /// A reader at the start of a file that begins with `magic`.
    pub fn new(magic: [u8; HEADER]) -> Self {
        Self { magic, offset: 0, too_large: false, vain: 0 }
    }

    /// Takes the whole records at the start of `available`, each with `record`, and gives the number of bytes that
    /// are behind. `at_end`: nothing will follow. What `record` calls malformed is listed, with `not_one` as the reason.
    pub fn each(
        &mut self,
        available: &[u8],
        at_end: bool,
        not_one: &'static str,
        out: &mut Decoded,
        mut record: impl FnMut(&[u8], Place, &mut Decoded) -> Result<(), Malformed>,
    ) -> Result<usize, Fatal> {
        let mut rest = available;
        let mut records = 0;
        if self.offset == 0 {
            let Some((magic, behind)) = rest.split_first_chunk::<HEADER>() else { return Ok(0) };
            if *magic != self.magic {
                return Err(Fatal::WrongFormat { offset: 0, reason: "the file begins otherwise".into() });
            }
            rest = behind;
            self.offset = HEADER as u64;
        }
        loop {
            let offset = self.offset;
            let bytes = match self.next(rest, at_end) {
                Next::Wait => break,
                Next::Padding(bytes) => bytes,
                Next::Record(bytes, payload) => {
                    match record(&payload, Place { offset, bytes: bytes as u64 }, out) {
                        Ok(()) => records += 1,
                        Err(Malformed) => out.skip(offset, bytes as u64, not_one),
                    }
                    bytes
                }
                Next::Skip(bytes, why) => {
                    out.skip(offset, bytes as u64, Arc::from(why));
                    bytes
                }
                Next::TooLarge(bytes) => {
                    self.too_large = true;
                    out.skip(offset, bytes as u64, reason::TOO_LARGE);
                    bytes
                }
            };
            self.offset += bytes as u64;
            rest = rest.get(bytes..).unwrap_or_default();
        }
        out.count_records(records);
        Ok(available.len() - rest.len())
    }

    /// Bytes of the block that are left at `at` bytes from here.
    #[inline]
    fn room(&self, at: usize) -> usize {
        BLOCK - (self.offset.wrapping_add(at as u64) % BLOCK as u64) as usize
    }

    #[inline]
    fn next<'a>(&mut self, rest: &'a [u8], at_end: bool) -> Next<'a> {
        let room = self.room(0);
        if room < HEADER {
            return if rest.len() < room { Next::Wait } else { Next::Padding(room) };
        }
        match chunk(rest, room) {
            Chunk::Torn => self.torn(rest, 0, at_end),
            Chunk::Bad { checked, end, why } => self.pass_over(rest, 0, checked, end, why, at_end),
            Chunk::Whole { kind: 1, data } => {
                self.too_large = false;
                Next::Record(HEADER + data.len(), Cow::Borrowed(data))
            }
            Chunk::Whole { kind: 2, data } => {
                self.too_large = false;
                self.assemble(rest, data, at_end)
            }
            Chunk::Whole { kind, data } => {
                let too_large = self.too_large && matches!(kind, 3 | 4);
                self.too_large &= kind == 3;
                let why = match kind {
                    _ if too_large => reason::TOO_LARGE,
                    3 | 4 => reason::NO_START,
                    _ => reason::UNKNOWN,
                };
                Next::Skip(HEADER + data.len(), why)
            }
        }
    }

    /// A record of several chunks, the first of which holds `first`.
    fn assemble<'a>(&mut self, rest: &'a [u8], first: &[u8], at_end: bool) -> Next<'a> {
        let mut at = HEADER + first.len();
        let mut record = first.to_vec();
        loop {
            let room = self.room(at);
            if room < HEADER {
                at += room;
                continue;
            }
            match chunk(rest.get(at..).unwrap_or_default(), room) {
                Chunk::Torn => return self.torn(rest, at, at_end),
                Chunk::Bad { checked, end, why } => {
                    return self.pass_over(rest, at, checked, end, why, at_end);
                }
                Chunk::Whole { kind: kind @ (3 | 4), data } => {
                    at += HEADER + data.len();
                    record.extend_from_slice(data);
                    if record.len() as u64 > FRAME_LIMIT {
                        return if kind == 3 {
                            Next::TooLarge(at)
                        } else {
                            Next::Skip(at, reason::TOO_LARGE)
                        };
                    }
                    if kind == 4 {
                        return Next::Record(at, Cow::Owned(record));
                    }
                }
                // Another record begins: the writer was stopped within this one.
                Chunk::Whole { .. } => return Next::Skip(at, reason::NO_END),
            }
        }
    }

    /// A chunk at `at` whose end is not there. At the file's end it may be that only its length is wrong.
    fn torn<'a>(&mut self, rest: &'a [u8], at: usize, at_end: bool) -> Next<'a> {
        let here = rest.get(at..).unwrap_or_default();
        let found = if at_end { self.search(here, self.room(at)) } else { None };
        found.map_or(Next::Wait, |found| Next::Skip(at + found, reason::LENGTH))
    }

    /// Goes on behind the damaged chunk at `at`, of which `checked` bytes were looked at and which says to end at
    /// `end`: there if a chunk is there, else at the next one in the block, else in the next block.
    #[cold]
    fn pass_over<'a>(
        &mut self,
        rest: &'a [u8],
        at: usize,
        checked: usize,
        end: Option<usize>,
        why: &'static str,
        at_end: bool,
    ) -> Next<'a> {
        let here = rest.get(at..).unwrap_or_default();
        let room = self.room(at);
        if here.len() < LARGEST_HOLE && here.get(checked.saturating_sub(1)..).is_some_and(is_zero) {
            return Next::Wait;
        }
        let why = if here.get(..HEADER).is_some_and(is_zero) { reason::HOLE } else { why };
        if let Some(end) = end.filter(|end| *end + HEADER <= room)
            && let Chunk::Whole { kind: 1..=4, .. } = chunk(here.get(end..).unwrap_or_default(), room - end)
        {
            return Next::Skip(at + end, why);
        }
        if here.len() < room && !at_end {
            return Next::Wait;
        }
        let block = here.get(..room).unwrap_or(here);
        Next::Skip(at + self.search(block, room).unwrap_or(block.len()), why)
    }

    /// The next chunk in `block`, of which `room` bytes would be there if the file were that long.
    fn search(&mut self, block: &[u8], room: usize) -> Option<usize> {
        for at in 1..block.len().saturating_sub(HEADER - 1) {
            let here = block.get(at..)?;
            let [_, _, _, _, low, high, 1..=4, ..] = *here else { continue };
            let length = usize::from(u16::from_le_bytes([low, high]));
            if HEADER + length > room - at {
                continue;
            }
            if self.vain > VAIN_BYTES.saturating_add(VAIN_TIMES.saturating_mul(self.offset)) {
                return None;
            }
            self.vain = self.vain.saturating_add(length as u64);
            if let Chunk::Whole { .. } = chunk(here, room - at) {
                return Some(at);
            }
        }
        None
    }
}

/// The chunk at the start of `bytes`, in a block of which `room` bytes are left. **Invariant:** what is not `Torn`
/// stays the same when more bytes follow.
#[inline]
fn chunk(bytes: &[u8], room: usize) -> Chunk<'_> {
    let Some((header, body)) = bytes.split_first_chunk::<HEADER>() else { return Chunk::Torn };
    let [a, b, c, d, low, high, kind] = *header;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if HEADER + length > room {
        return Chunk::Bad { checked: HEADER, end: None, why: reason::LENGTH };
    }
    let Some(data) = body.get(..length) else { return Chunk::Torn };
    // Type and data stand side by side.
    let checked = bytes.get(HEADER - 1..HEADER + length).unwrap_or_default();
    if crc32fast::hash(checked) == u32::from_le_bytes([a, b, c, d]) {
        return Chunk::Whole { kind, data };
    }
    Chunk::Bad { checked: HEADER + length, end: Some(HEADER + length), why: reason::CHECKSUM }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0)
}

#[cfg(test)]
mod tests;
