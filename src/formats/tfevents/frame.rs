//! TFRecord frames: length, its checksum, payload, its checksum. Every checksum is verified.
//!
//! ```text
//! u64le length | u32le masked_crc32c(the 8 bytes of length) | payload | u32le masked_crc32c(payload)
//! ```
//! Source: `tensorflow/tensorboard`, `tensorboard/data/server/tf_record.rs` and `masked_crc.rs`.

use std::ops::Range;

use crate::formats::{FRAME_LIMIT, wire::crc32c};

/// Bytes before the payload.
pub(super) const HEADER_BYTES: usize = 12;

/// Bytes of a frame that are not payload.
pub(super) const OVERHEAD: u64 = 16;

/// More zeros than any frame is long are no pages that are still to come.
const LARGEST_HOLE: usize = (FRAME_LIMIT + OVERHEAD) as usize;

/// What stands at the start of the bytes. **Invariant:** whatever is not `Incomplete` stays the same when more
/// bytes follow, so that how a file is cut into pieces makes no difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frame<'a> {
    /// Not all of it is there yet.
    Incomplete,
    /// A whole frame whose checksums fit.
    Whole {
        payload: &'a [u8],
        /// What follows the frame.
        rest: &'a [u8],
    },
    /// The length is right and the payload is not what was written.
    BadPayload { rest: &'a [u8] },
    /// The length is not what was written: nobody knows where the frame ends.
    BadLength,
    /// The length is right and beyond [`FRAME_LIMIT`].
    TooLarge { length: u64 },
}

/// Length, its checksum, and what follows.
#[inline]
fn header(bytes: &[u8]) -> Option<(u64, u32, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    Some((u64::from_le_bytes(*length), u32::from_le_bytes(*crc), rest))
}

/// Looks at the frame at the start of `bytes`.
#[inline]
pub(super) fn first(bytes: &[u8]) -> Frame<'_> {
    let Some((length, crc, body)) = header(bytes) else {
        return Frame::Incomplete;
    };
    if crc32c::masked_of_length(length) != crc {
        return if ends_in_a_hole(bytes, HEADER_BYTES) { Frame::Incomplete } else { Frame::BadLength };
    }
    if length > FRAME_LIMIT {
        return Frame::TooLarge { length };
    }
    let Some((payload, behind)) = usize::try_from(length).ok().and_then(|at| body.split_at_checked(at))
    else {
        return Frame::Incomplete;
    };
    let Some((crc, rest)) = behind.split_first_chunk::<4>() else {
        return Frame::Incomplete;
    };
    if crc32c::masked(payload) == u32::from_le_bytes(*crc) {
        return Frame::Whole { payload, rest };
    }
    if ends_in_a_hole(bytes, bytes.len().saturating_sub(rest.len())) {
        return Frame::Incomplete;
    }
    Frame::BadPayload { rest }
}

/// True when everything from the last byte of what was `checked` to the end of `bytes` is zero: pages that a
/// network file system or a crash left behind and whose content may still arrive. A checksum that ends in a zero
/// looks like this, too, until the next byte is there.
#[cold]
fn ends_in_a_hole(bytes: &[u8], checked: usize) -> bool {
    bytes.len() < LARGEST_HOLE
        && bytes.get(checked.saturating_sub(1)..).is_some_and(|end| end.iter().all(|b| *b == 0))
}

/// The first place within `places` where the header of a frame stands in `bytes`.
///
/// The header alone decides: its checksum is rarely right by chance, and the frame that it begins may not be there
/// yet. If its payload turns out wrong, that is one more damaged frame, searched as any other.
pub(super) fn find_start(bytes: &[u8], places: Range<usize>) -> Option<usize> {
    let mut windows = bytes.windows(HEADER_BYTES).enumerate().take(places.end).skip(places.start);
    let found = windows.find(|(_, window)| {
        header(window).is_some_and(|(length, crc, _)| {
            length > 0 && length <= FRAME_LIMIT && crc32c::masked_of_length(length) == crc
        })
    });
    found.map(|(at, _)| at)
}

/// How many bytes from the start of `bytes` [`find_start`] has looked at in vain, if it was asked for all.
pub(super) fn searched(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(HEADER_BYTES.saturating_sub(1))
}

/// Whether the header at the start of `bytes` is nothing but zeros.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().take(HEADER_BYTES).all(|b| *b == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tfevents::build::frame;

    #[test]
    fn a_frame_is_whole_only_with_its_last_byte() {
        let bytes = frame(b"payload");
        for cut in 0..bytes.len() {
            assert_eq!(first(&bytes[..cut]), Frame::Incomplete, "{cut}");
        }
        assert_eq!(first(&bytes), Frame::Whole { payload: b"payload", rest: b"" });
    }

    #[test]
    fn each_flipped_bit_is_noticed() {
        let bytes = frame(b"payload");
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            let seen = first(&bad);
            match at {
                0..12 => assert_eq!(seen, Frame::BadLength, "{at}"),
                _ => assert_eq!(seen, Frame::BadPayload { rest: b"" }, "{at}"),
            }
        }
    }

    #[test]
    fn zero_filled_pages_at_the_end_are_not_yet_written() {
        assert_eq!(first(&[0; 100]), Frame::Incomplete);
        let bytes = frame(b"a payload of some length");
        for cut in 0..bytes.len() {
            let mut hole = bytes[..cut].to_vec();
            hole.resize(4096, 0);
            assert_eq!(first(&hole), Frame::Incomplete, "{cut}");
        }
        let mut closed = vec![0; 100];
        closed.extend(frame(b"x"));
        assert_eq!(first(&closed), Frame::BadLength);
        assert_eq!(find_start(&closed, 1..200), Some(100));
        assert_eq!(find_start(&closed, 1..100), None);
    }

    #[test]
    fn what_is_decided_stays_so_when_more_bytes_follow() {
        for zeros_at_the_end in 0..8 {
            for damage in [0, 12, 20] {
                let mut bytes = frame(b"a payload of some length");
                let end = bytes.len() - zeros_at_the_end;
                bytes[end..].fill(0);
                bytes[damage] ^= 1;
                bytes.resize(bytes.len() + 20, 0);
                bytes.extend(frame(b"next"));
                let decided = kind(first(&bytes));
                assert_ne!(decided, "incomplete");
                for cut in 0..bytes.len() {
                    let seen = kind(first(&bytes[..cut]));
                    assert!(seen == "incomplete" || seen == decided, "{zeros_at_the_end} {damage} {cut}");
                }
            }
        }
    }

    fn kind(frame: Frame<'_>) -> &'static str {
        match frame {
            Frame::Incomplete => "incomplete",
            Frame::Whole { .. } => "whole",
            Frame::BadPayload { .. } => "payload",
            Frame::BadLength => "length",
            Frame::TooLarge { .. } => "large",
        }
    }

    #[test]
    fn the_search_goes_by_the_header_alone() {
        let mut bytes = b"rubbish, some of it ".to_vec();
        let start = bytes.len();
        bytes.extend(frame(b"real"));
        for end in start + HEADER_BYTES..bytes.len() {
            assert_eq!(find_start(&bytes[..end], 1..usize::MAX), Some(start));
        }
        bytes[start + 14] ^= 1;
        assert_eq!(find_start(&bytes, 1..usize::MAX), Some(start));
        assert_eq!((find_start(&bytes, 1..start), find_start(&bytes, start + 1..usize::MAX)), (None, None));
        assert_eq!(find_start(&bytes[start..], 0..1), Some(0));
        assert_eq!((find_start(&bytes[..31], 0..31), searched(&bytes[..31])), (None, start));
        assert_eq!((find_start(b"short", 0..9), searched(b"short")), (None, 0));
    }
}
