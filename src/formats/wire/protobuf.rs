//! A walk over the fields of a protobuf message, without a schema, without allocation.
//!
//! Only what logs need: the caller matches on field numbers and passes over what it does not know. Lengths are
//! compared with what is there before anything is done with them.

use std::{error::Error, fmt};

/// Groups (a wire type given up long ago) are passed over up to this depth.
const GROUP_DEPTH: u32 = 16;

/// The value of one field as it lies on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire<'a> {
    /// Integers, booleans, enumerations.
    Varint(u64),
    /// `double`, `fixed64`, by their bits.
    Fixed64(u64),
    /// `string`, `bytes`, messages, packed numbers.
    Bytes(&'a [u8]),
    /// `float`, `fixed32`, by their bits.
    Fixed32(u32),
}

impl<'a> Wire<'a> {
    /// The bytes of a length-delimited field.
    #[inline]
    pub fn bytes(self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The number of a varint field.
    #[inline]
    pub fn varint(self) -> Option<u64> {
        if let Self::Varint(number) = self { Some(number) } else { None }
    }

    /// The number of a `double` field.
    #[inline]
    pub fn double(self) -> Option<f64> {
        if let Self::Fixed64(bits) = self { Some(f64::from_bits(bits)) } else { None }
    }

    /// The number of a `float` field.
    #[inline]
    pub fn float(self) -> Option<f32> {
        if let Self::Fixed32(bits) = self { Some(f32::from_bits(bits)) } else { None }
    }
}

/// The bytes are no protobuf message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are no protobuf message")
    }
}

impl Error for Malformed {}

/// Takes a varint off the front of `bytes`.
#[inline]
pub fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    // Steps and lengths have one to three bytes.
    match **bytes {
        [a @ 0..0x80, ref rest @ ..] => {
            *bytes = rest;
            Some(u64::from(a))
        }
        [a, b @ 0..0x80, ref rest @ ..] => {
            *bytes = rest;
            Some(u64::from(a & 0x7f) | u64::from(b) << 7)
        }
        [a, b, c @ 0..0x80, ref rest @ ..] => {
            *bytes = rest;
            Some(u64::from(a & 0x7f) | u64::from(b & 0x7f) << 7 | u64::from(c) << 14)
        }
        _ => take_long_varint(bytes),
    }
}

fn take_long_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    let mut rest = *bytes;
    for shift in (0..70).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        number |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if *byte < 0x80 {
            *bytes = rest;
            // The tenth byte of a 64-bit number carries one bit; more would be another number.
            return (shift < 63 || *byte < 2).then_some(number);
        }
    }
    None
}

/// Takes `length` bytes off the front of `bytes`.
#[inline]
fn take_bytes<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

#[inline]
fn take_fixed<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

/// The fields of a message in the order in which they were written. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of `message`.
    #[inline]
    pub fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// What has not been walked over; nothing after an error.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    fn step(&mut self) -> Option<(u32, Wire<'a>)> {
        loop {
            let key = u32::try_from(take_varint(&mut self.rest)?).ok()?;
            let number = key >> 3;
            let value = match key & 7 {
                0 => Wire::Varint(take_varint(&mut self.rest)?),
                1 => Wire::Fixed64(u64::from_le_bytes(take_fixed(&mut self.rest)?)),
                2 => {
                    let length = take_varint(&mut self.rest)?;
                    Wire::Bytes(take_bytes(&mut self.rest, length)?)
                }
                3 => {
                    self.skip_group()?;
                    if self.rest.is_empty() {
                        // An unknown group at the end of a message: nothing follows.
                        return Some((0, Wire::Bytes(&[])));
                    }
                    continue;
                }
                5 => Wire::Fixed32(u32::from_le_bytes(take_fixed(&mut self.rest)?)),
                _ => return None,
            };
            // Number 0 is not allowed; it is what zero-filled pages would give.
            return (number != 0).then_some((number, value));
        }
    }

    fn skip_group(&mut self) -> Option<()> {
        let mut depth = 1_u32;
        while depth > 0 {
            match take_varint(&mut self.rest)? & 7 {
                0 => drop(take_varint(&mut self.rest)?),
                1 => drop(take_fixed::<8>(&mut self.rest)?),
                2 => {
                    let length = take_varint(&mut self.rest)?;
                    take_bytes(&mut self.rest, length)?;
                }
                3 if depth < GROUP_DEPTH => depth = depth.saturating_add(1),
                4 => depth = depth.saturating_sub(1),
                5 => drop(take_fixed::<4>(&mut self.rest)?),
                _ => return None,
            }
        }
        Some(())
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Wire<'a>), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        if let Some(field) = self.step() {
            return Some(Ok(field));
        }
        self.rest = &[];
        Some(Err(Malformed))
    }
}

/// The numbers of a packed `repeated double`; a torn last element is left out.
pub fn packed_doubles(bytes: &[u8]) -> impl ExactSizeIterator<Item = f64> + Clone + '_ {
    bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b))
}

/// Seconds since 1970 of a `google.protobuf.Timestamp`.
pub fn timestamp(message: &[u8]) -> Result<f64, Malformed> {
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    for field in Fields::of(message) {
        match field? {
            (1, Wire::Varint(n)) => seconds = n.cast_signed(),
            (2, Wire::Varint(n)) => nanos = n.cast_signed(),
            _ => {}
        }
    }
    Ok(seconds as f64 + nanos as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u32, Wire<'_>)>, Malformed> {
        Fields::of(bytes).collect()
    }

    #[test]
    fn each_wire_type_is_read() {
        let bytes = b"\x08\x96\x01\x11\0\0\0\0\0\0\xf0\x3f\x1a\x02hi\x25\0\0\0\x40";
        let fields = all(bytes).unwrap();
        assert_eq!(fields[0], (1, Wire::Varint(150)));
        assert_eq!(fields[1].1.double(), Some(1.0));
        assert_eq!(fields[2], (3, Wire::Bytes(b"hi")));
        assert_eq!(fields[3].1.float(), Some(2.0));
    }

    #[test]
    fn negative_numbers_take_ten_bytes_and_no_more() {
        let bytes = b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(all(bytes), Ok(vec![(2, Wire::Varint(u64::MAX))]));
        assert_eq!(all(b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), Err(Malformed));
        assert_eq!(all(b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Err(Malformed));
    }

    #[test]
    fn groups_are_passed_over() {
        assert_eq!(all(b"\x0b\x08\x01\x13\x14\x0c\x10\x07"), Ok(vec![(2, Wire::Varint(7))]));
        assert!(all(b"\x0b\x08\x01").is_err());
        assert!(all(&[0x0b; 100]).is_err());
    }

    #[test]
    fn a_length_beyond_the_end_is_malformed_and_ends_the_walk() {
        let mut fields = Fields::of(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7fx");
        assert_eq!(fields.next(), Some(Err(Malformed)));
        assert_eq!(fields.next(), None);
        assert!(all(&[0; 8]).is_err());
        assert!(all(b"\x0f").is_err());
    }
}
