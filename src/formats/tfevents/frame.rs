//! TFRecord frames: length, its checksum, payload, its checksum. Every checksum is verified.
//!
//! ```text
//! u64le length | u32le masked_crc32c(the 8 bytes of length) | payload | u32le masked_crc32c(payload)
//! ```
//! Source: `tensorflow/tensorboard`, `tensorboard/data/server/tf_record.rs` and `masked_crc.rs`.

use crate::formats::{FRAME_LIMIT, wire::crc32c};

/// Bytes before the payload.
pub(super) const HEADER_BYTES: usize = 12;

/// Bytes of a frame that are not payload.
pub(super) const OVERHEAD: u64 = 16;

/// A trailing run of fewer zeros than this may well be data.
const ZEROS_OF_A_HOLE: usize = 4;

/// What stands at the start of the bytes.
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

/// Looks at the frame at the start of `bytes`.
#[inline]
pub(super) fn first(bytes: &[u8]) -> Frame<'_> {
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Frame::Incomplete;
    };
    let [a, b, c, d, e, f, g, h, crc @ ..] = *header;
    let length = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    if crc32c::masked_of_length(length) != u32::from_le_bytes(crc) {
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

/// True when everything from before `checked` to the end of `bytes` is zero: pages that a network file system
/// or a crash left behind and whose content may still arrive.
#[cold]
fn ends_in_a_hole(bytes: &[u8], checked: usize) -> bool {
    let zeros = bytes.iter().rev().take_while(|b| **b == 0).count();
    zeros >= ZEROS_OF_A_HOLE && zeros > bytes.len().saturating_sub(checked)
}

/// How many bytes from the start of `bytes` to the next frame, searching from the second byte on. `Err` holds
/// how many bytes certainly start no frame.
pub(super) fn next_start(bytes: &[u8]) -> Result<usize, usize> {
    for (at, header) in bytes.windows(HEADER_BYTES).enumerate().skip(1) {
        let Some((header, _)) = header.split_first_chunk::<HEADER_BYTES>() else { continue };
        let [a, b, c, d, e, f, g, h, crc @ ..] = *header;
        let length = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if length == 0 || length > FRAME_LIMIT || crc32c::masked_of_length(length) != u32::from_le_bytes(crc)
        {
            continue;
        }
        // A length whose checksum fits by chance (or lies inside of another payload) is given away by the
        // payload's checksum, where that is there already.
        let Some(from_here) = bytes.get(at..) else { continue };
        if !matches!(first(from_here), Frame::BadPayload { .. } | Frame::BadLength) {
            return Ok(at);
        }
    }
    Err(bytes.len().saturating_sub(HEADER_BYTES.saturating_sub(1)))
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
        assert_eq!(next_start(&closed), Ok(100));
    }

    #[test]
    fn the_search_finds_the_next_frame_and_not_a_lookalike() {
        let mut bytes = b"rubbish, some of it ".to_vec();
        let mut lookalike = frame(b"abc");
        lookalike[13] ^= 1;
        bytes.extend(&lookalike);
        let start = bytes.len();
        bytes.extend(frame(b"real"));
        assert_eq!(next_start(&bytes), Ok(start));
        assert_eq!(next_start(&bytes[..30]), Err(30 - 11));
        assert_eq!(next_start(b"short"), Err(0));
    }
}
