//! A block-based table.
//!
//! ```text
//! blocks, each followed by u8 compression | u32le checksum
//! footer, 53 bytes: u8 checksum kind | places of meta-index and index, 40 bytes | u32le version | magic
//! block: entries | u32le restart points | u32le their number
//! entry: varint bytes shared with the key before | varint further ones | varint length of value | key | value
//! ```
//! The keys of data are followed by eight bytes, the number of the change and its kind.

use std::borrow::Cow;

use super::{Change, Damage, Entry, take, u32_at, u64_at, varint};
use crate::formats::wire::crc32c;

const FOOTER: usize = 53;
const MAGIC: u64 = 0x88e2_41b7_85f4_cff7;
/// Compression and checksum behind a block.
const TRAILER: u64 = 5;
/// A block larger than this is not unpacked. Scalars lie in blocks of 4 KiB; only a picture makes one larger.
const BLOCK_LIMIT: usize = 16 << 20;
/// All blocks of a table unpacked are at most that many times what they were, or so many bytes.
const UNPACKED_TIMES: u64 = 64;
const UNPACKED_LEAST: u64 = 64 << 20;
/// Longest key.
const KEY_LIMIT: usize = 64 << 10;
/// The first version whose index says no lengths of its values, and most of them as what they differ by.
const DELTA_INDEX: u32 = 4;

mod reason {
    pub const PLACE: &str = "a block reaches beyond the table";
    pub const CHECKSUM: &str = "checksum of a block of the table does not match";
    pub const PACKED: &str = "a block of the table is packed as Aim does not do it";
    pub const UNPACK: &str = "a block of the table cannot be unpacked";
    pub const LARGE: &str = "a block of the table is too large";
    pub const ENTRY: &str = "an entry of the table is malformed";
}

/// Where a block lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    size: u64,
}

impl Place {
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self { offset: varint(bytes)?, size: varint(bytes)? })
    }
}

struct Table<'a> {
    bytes: &'a [u8],
    /// Checksums are CRC-32C, the only kind that is known here.
    checked: bool,
    unpacked: u64,
    damage: Damage,
}

/// Every change in a table. Damaged blocks are left out and counted.
pub fn each_of_table(bytes: &[u8], take: &mut dyn FnMut(Entry<'_>)) -> Damage {
    let mut table = Table { bytes, checked: false, unpacked: 0, damage: Damage::default() };
    if table.read(take).is_none() {
        table.damage.unfinished = 1;
    }
    table.damage
}

impl<'a> Table<'a> {
    /// `None` if the footer is none.
    fn read(&mut self, take: &mut dyn FnMut(Entry<'_>)) -> Option<()> {
        let footer = self.bytes.get(self.bytes.len().checked_sub(FOOTER)?..)?;
        if u64_at(footer, 45)? != MAGIC {
            return None;
        }
        let version = u32_at(footer, 41)?;
        self.checked = *footer.first()? == 1;
        let mut places = footer.get(1..41)?;
        let (meta, index) = (Place::read(&mut places)?, Place::read(&mut places)?);
        if let Some(range) = self.range_deletions(meta) {
            self.data(range, take);
        }
        let Some(block) = self.block(index) else { return Some(()) };
        let mut last = Place { offset: 0, size: 0 };
        let lengths = version < DELTA_INDEX;
        let whole = each_entry(&block, lengths, &mut |_, mut value, shared| {
            let place = if lengths || shared == 0 {
                Place::read(&mut value)?
            } else {
                let zigzag = varint(&mut value)?;
                let delta = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
                let offset = last.offset.checked_add(last.size)?.checked_add(TRAILER)?;
                Place { offset, size: last.size.checked_add_signed(delta)? }
            };
            last = place;
            self.data(place, take);
            Some(value)
        });
        if whole.is_none() {
            self.damage.at(reason::ENTRY);
        }
        Some(())
    }

    /// Where the deletions of ranges lie.
    fn range_deletions(&mut self, meta: Place) -> Option<Place> {
        let block = self.block(meta)?;
        let mut found = None;
        each_entry(&block, true, &mut |key, mut value, _| {
            if matches!(key, b"rocksdb.range_del" | b"rocksdb.range_del2") {
                found = Place::read(&mut value);
            }
            Some(&[])
        });
        found
    }

    fn data(&mut self, place: Place, take: &mut dyn FnMut(Entry<'_>)) {
        let Some(block) = self.block(place) else { return };
        let whole = each_entry(&block, true, &mut |key, value, _| {
            let (key, tail) = key.split_last_chunk::<8>()?;
            let tail = u64::from_le_bytes(*tail);
            let change = match tail & 0xff {
                0x00 | 0x07 => Change::Delete,
                0x01 => Change::Put(value),
                0x0f => Change::DeleteTo(value),
                _ => return Some(&[]),
            };
            take(Entry { key, sequence: tail >> 8, change });
            Some(&[])
        });
        if whole.is_none() {
            self.damage.at(reason::ENTRY);
        }
    }

    /// The content of a block.
    fn block(&mut self, place: Place) -> Option<Cow<'a, [u8]>> {
        match self.unpack(place) {
            Ok(block) => Some(block),
            Err(why) => {
                self.damage.at(why);
                None
            }
        }
    }

    fn unpack(&mut self, place: Place) -> Result<Cow<'a, [u8]>, &'static str> {
        let end = place.offset.checked_add(place.size).and_then(|end| end.checked_add(TRAILER));
        let end = end.and_then(|end| usize::try_from(end).ok()).ok_or(reason::PLACE)?;
        let start = usize::try_from(place.offset).map_err(|_| reason::PLACE)?;
        let stored = self.bytes.get(start..end).ok_or(reason::PLACE)?;
        let (checked, checksum) = stored.split_last_chunk::<4>().ok_or(reason::PLACE)?;
        let (kind, content) = checked.split_last().ok_or(reason::PLACE)?;
        if self.checked && crc32c::masked(checked) != u32::from_le_bytes(*checksum) {
            return Err(reason::CHECKSUM);
        }
        match *kind {
            0 => self.count(content.len()).map(|()| Cow::Borrowed(content)),
            1 => {
                let length = snap::raw::decompress_len(content).map_err(|_| reason::UNPACK)?;
                self.count(length)?;
                let unpacked = snap::raw::Decoder::new().decompress_vec(content);
                unpacked.map(Cow::Owned).map_err(|_| reason::UNPACK)
            }
            _ => Err(reason::PACKED),
        }
    }

    /// Whether a block of that length may be unpacked.
    fn count(&mut self, length: usize) -> Result<(), &'static str> {
        self.unpacked = self.unpacked.saturating_add(length as u64);
        let most = (self.bytes.len() as u64).saturating_mul(UNPACKED_TIMES).max(UNPACKED_LEAST);
        if length > BLOCK_LIMIT || self.unpacked > most { Err(reason::LARGE) } else { Ok(()) }
    }
}

/// Takes an entry and says what of the bytes of its value it left; `None` if it is malformed.
type EachEntry<'a> = dyn for<'b> FnMut(&[u8], &'b [u8], u64) -> Option<&'b [u8]> + 'a;

/// Calls `each` with key, value and the number of bytes that the key shares with the one before. Without
/// `lengths` the value is all that follows, and `each` says what it left. `None` if the block is malformed
/// from some place on.
fn each_entry(block: &[u8], lengths: bool, each: &mut EachEntry<'_>) -> Option<()> {
    let tail = block.len().checked_sub(4)?;
    // The highest bit says that a hash table lies between the restart points and their number.
    let restarts = u32_at(block, tail)?;
    if restarts >> 31 != 0 {
        return None;
    }
    let end = tail.checked_sub(usize::try_from(restarts).ok()?.checked_mul(4)?)?;
    let mut rest = block.get(..end)?;
    let mut key: Vec<u8> = Vec::new();
    while !rest.is_empty() {
        let (shared, further) = (varint(&mut rest)?, varint(&mut rest)?);
        let length = if lengths { varint(&mut rest)? } else { 0 };
        let kept = usize::try_from(shared).ok().filter(|kept| *kept <= key.len())?;
        let added = take(&mut rest, further)?;
        if kept + added.len() > KEY_LIMIT {
            return None;
        }
        key.truncate(kept);
        key.extend_from_slice(added);
        if lengths {
            each(&key, take(&mut rest, length)?, shared)?;
        } else {
            rest = each(&key, rest, shared)?;
        }
    }
    Some(())
}
