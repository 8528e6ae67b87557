//! Frames of `VisualDL`: a length and a protobuf message, without any checksum.
//!
//! ```text
//! u64le length | Record      Record: 0x0a, length of the only value as a varint, the value
//! ```
//! `VisualDL` puts exactly one value into each record, so that both lengths must agree: five bytes or more that are
//! known beforehand. That is what a frame is known by after a damaged one.

use std::ops::Range;

use crate::formats::{FRAME_LIMIT, wire::protobuf::take_varint};

/// Bytes of a length.
pub(super) const HEADER: usize = 8;

/// Bytes that tell whether a frame begins: length, tag, and a varint below [`FRAME_LIMIT`].
const TELLING: usize = HEADER + 1 + 4;

/// More zeros than this are no pages that are still to come.
const LARGEST_HOLE: usize = 1 << 20;

/// What stands at the start of the bytes. **Invariant:** whatever is not `Incomplete` stays the same when more bytes
/// follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frame<'a> {
    /// Not all of it is there yet.
    Incomplete,
    /// A whole frame.
    Whole {
        /// The record.
        payload: &'a [u8],
        /// What follows the frame.
        rest: &'a [u8],
    },
    /// No frame begins here.
    None,
}

/// Looks at the frame at the start of `bytes`.
pub(super) fn first(bytes: &[u8]) -> Frame<'_> {
    let Some((length, body)) = bytes.split_first_chunk::<HEADER>() else { return Frame::Incomplete };
    let length = u64::from_le_bytes(*length);
    if bytes.len() < LARGEST_HOLE && bytes.iter().all(|b| *b == 0) {
        return Frame::Incomplete;
    }
    if length == 0 || length > FRAME_LIMIT || body.first().is_some_and(|tag| *tag != 0x0a) {
        return Frame::None;
    }
    let length = length as usize;
    if body.len() >= length.min(TELLING - HEADER) && !begins(body, length) {
        return Frame::None;
    }
    match body.split_at_checked(length) {
        Some((payload, rest)) => Frame::Whole { payload, rest },
        None => Frame::Incomplete,
    }
}

/// Whether `body` begins with a value that is as long as a record of `length` bytes leaves room for, or shorter, if
/// further values follow.
///
/// What follows the telling bytes has no say: it may not be there yet.
fn begins(body: &[u8], length: usize) -> bool {
    let told = body.get(..length.min(TELLING - HEADER)).unwrap_or(body);
    value_end(told).is_some_and(|end| end <= length as u64)
}

/// Where the first value of a record ends.
fn value_end(body: &[u8]) -> Option<u64> {
    let mut value = body.strip_prefix(&[0x0a])?;
    let length = take_varint(&mut value)?;
    length.checked_add((body.len() - value.len()) as u64)
}

/// The first place within `places` where a frame with one value begins.
pub(super) fn find_start(bytes: &[u8], places: Range<usize>) -> Option<usize> {
    let mut windows = bytes.windows(TELLING).enumerate().take(places.end).skip(places.start);
    let found = windows.find(|(_, window)| {
        window.split_first_chunk::<HEADER>().is_some_and(|(length, body)| {
            let length = u64::from_le_bytes(*length);
            length <= FRAME_LIMIT && value_end(body) == Some(length)
        })
    });
    found.map(|(at, _)| at)
}

/// How many bytes from the start of `bytes` [`find_start`] has looked at in vain, if it was asked for all.
pub(super) fn searched(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(TELLING - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_frame_is_decided_by_the_telling_bytes_alone() {
        // a value whose length is written in more bytes than a frame can have
        let long = [1, 0, 0x78, 0, 0, 0, 0, 0, 0x0a, 0xec, 0xa2, 0xe3, 0x80, 0, 0, 1];
        // a record that is too short for its value
        let short = [3, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0x80, 0x80, 0, 0, 0, 0, 0];
        for bytes in [long, short] {
            let decided = (0..=bytes.len()).map(|end| first(&bytes[..end]));
            let seen: Vec<Frame<'_>> = decided.filter(|frame| *frame != Frame::Incomplete).collect();
            assert!(!seen.is_empty() && seen.iter().all(|frame| *frame == seen[0]), "{seen:?}");
        }
    }
}
