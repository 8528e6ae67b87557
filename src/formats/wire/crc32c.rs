//! The checksum of TFRecord files: CRC-32C, masked as `LevelDB` and TensorFlow mask it.

/// Masked checksums of the little-endian encodings of the lengths below this are looked up: nearly every event
/// is that short.
const LENGTHS_KEPT: usize = 512;

/// `rotr(crc, 15) + 0xa282ead8`: a checksum that is stored next to what it protects must not look like data.
const fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The masked CRC-32C of `bytes`.
#[inline]
pub fn masked(bytes: &[u8]) -> u32 {
    mask(::crc32c::crc32c(bytes))
}

/// The masked CRC-32C of a length as TFRecord stores it, eight bytes little-endian.
#[inline]
pub fn masked_of_length(length: u64) -> u32 {
    static KNOWN: [u32; LENGTHS_KEPT] = known_lengths();
    match usize::try_from(length).ok().and_then(|at| KNOWN.get(at)) {
        Some(known) => *known,
        None => masked(&length.to_le_bytes()),
    }
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "runs at compile time only")]
const fn known_lengths() -> [u32; LENGTHS_KEPT] {
    let mut known = [0; LENGTHS_KEPT];
    let mut length = 0;
    while length < LENGTHS_KEPT {
        // Reflected Castagnoli polynomial, one bit at a time over the 64 bits of the length.
        let mut crc = !0_u32;
        let mut bit = 0;
        while bit < 64 {
            let input = ((length as u64) >> bit) as u32 & 1;
            let out = (crc ^ input) & 1;
            crc = (crc >> 1) ^ (0x82f6_3b78 & out.wrapping_neg());
            bit += 1;
        }
        known[length] = mask(!crc);
        length += 1;
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_vector_of_tensorboard_holds() {
        assert_eq!(masked(b"\x1a\x11CRC test, one two"), 0x5794_d08a);
    }

    #[test]
    fn looked_up_lengths_equal_computed_ones() {
        for length in (0..2000).chain([u64::from(u32::MAX), u64::MAX]) {
            assert_eq!(masked_of_length(length), masked(&length.to_le_bytes()), "{length}");
        }
    }

    #[test]
    fn zeros_do_not_look_like_a_length_with_its_checksum() {
        assert_ne!(masked_of_length(0), 0);
    }
}
