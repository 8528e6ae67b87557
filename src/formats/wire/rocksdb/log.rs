//! A write-ahead log: records in blocks of 32 KiB, each a batch of changes.
//!
//! ```text
//! chunk: u32le masked CRC-32C of type and data | u16le length | u8 type | data
//! batch: u64le number of the first change | u32le changes | changes
//! ```
//! A record is a FULL chunk, or a FIRST one, any number of MIDDLE ones and a LAST one.

use std::borrow::Cow;

use super::{Change, Damage, Entry, string, u32_at, u64_at, varint};
use crate::formats::{FRAME_LIMIT, wire::crc32c};

const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;
/// Bytes of a batch before its changes.
const BATCH: usize = 12;

mod reason {
    pub const CHUNK: &str = "checksum of a chunk of the log does not match";
    pub const RECORD: &str = "a record of the log lacks its start or its end";
    pub const BATCH: &str = "a batch of changes in the log is malformed";
}

enum Chunk<'a> {
    /// The log ends here, for now.
    End,
    Bad,
    Whole(u8, &'a [u8]),
}

/// Every change in a log as far as it is written: a record that is not whole at the end is not there yet.
pub fn each_of_log(bytes: &[u8], take: &mut dyn FnMut(Entry<'_>)) -> Damage {
    let mut damage = Damage::default();
    let mut open: Option<Cow<'_, [u8]>> = None;
    for block in bytes.chunks(BLOCK) {
        let mut at = 0;
        while let Some(rest) = block.get(at..).filter(|rest| rest.len() >= HEADER) {
            let (kind, data) = match chunk(rest, BLOCK - at) {
                Chunk::End => break,
                Chunk::Bad => {
                    damage.at(reason::CHUNK);
                    open = None;
                    break; // where the next chunk of this block begins is not known
                }
                Chunk::Whole(kind, data) => (kind, data),
            };
            at += HEADER + data.len();
            let record = match (kind, open.take()) {
                (1 | 2, Some(_)) | (3 | 4, None) => {
                    damage.at(reason::RECORD);
                    Some(Cow::Borrowed(data)).filter(|_| kind < 3)
                }
                (1 | 2, None) => Some(Cow::Borrowed(data)),
                (_, Some(mut before)) if (before.len() + data.len()) as u64 <= FRAME_LIMIT => {
                    before.to_mut().extend_from_slice(data);
                    Some(before)
                }
                _ => None,
            };
            if matches!(kind, 1 | 4) {
                if let Some(record) = record
                    && batch(&record, take).is_none()
                {
                    damage.at(reason::BATCH);
                }
            } else {
                open = record;
            }
        }
    }
    damage
}

/// The chunk at the start of `rest`, in a block of which `room` bytes are left.
fn chunk(rest: &[u8], room: usize) -> Chunk<'_> {
    let Some((header, body)) = rest.split_first_chunk::<HEADER>() else { return Chunk::End };
    let [a, b, c, d, low, high, kind] = *header;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if *header == [0; HEADER] {
        return Chunk::End; // a page that was set aside
    }
    if HEADER + length > room || !matches!(kind, 1..=4) {
        return Chunk::Bad;
    }
    let Some(data) = body.get(..length) else { return Chunk::End };
    let checked = rest.get(HEADER - 1..HEADER + length).unwrap_or_default();
    if crc32c::masked(checked) == u32::from_le_bytes([a, b, c, d]) {
        Chunk::Whole(kind, data)
    } else {
        Chunk::Bad
    }
}

/// Takes the changes of a batch; `None` if it is malformed from some place on.
fn batch(record: &[u8], take: &mut dyn FnMut(Entry<'_>)) -> Option<()> {
    let mut sequence = u64_at(record, 0)?;
    let _count = u32_at(record, 8)?;
    let mut rest = record.get(BATCH..)?;
    while let Some((tag, behind)) = rest.split_first() {
        rest = behind;
        // Those of a column family say its number first; Aim has none but the default one, 0.
        let family = match tag {
            0x04 | 0x05 | 0x08 | 0x0e => varint(&mut rest)?,
            _ => 0,
        };
        let (key, change) = match tag {
            0x00 | 0x04 | 0x07 | 0x08 => (string(&mut rest)?, Change::Delete),
            0x01 | 0x05 => (string(&mut rest)?, Change::Put(string(&mut rest)?)),
            0x0e | 0x0f => (string(&mut rest)?, Change::DeleteTo(string(&mut rest)?)),
            // a remark, which has no number
            0x03 => {
                string(&mut rest)?;
                continue;
            }
            0x0d => continue,
            _ => return None,
        };
        if family == 0 {
            take(Entry { key, sequence, change });
        }
        sequence = sequence.wrapping_add(1);
    }
    Some(())
}
