//! Numbers as people and programs write them, in text and in packed bytes.

use data_encoding::BASE64;

use crate::model::PayloadError;

/// A whole text that is a number: `1`, `-2.5e-3`, `nan`, `Infinity`, `1e999` (infinite). No blanks around it.
pub fn number(text: &[u8]) -> Option<f64> {
    let digits = match text {
        [b'+' | b'-', rest @ ..] => rest,
        all => all,
    };
    match digits.first()? {
        b'0'..=b'9' | b'.' => plain_number(text),
        _ => {
            let sign = if text.first() == Some(&b'-') { -1.0 } else { 1.0 };
            non_finite_word(digits).map(|value| value * sign)
        }
    }
}

/// The same without words: only digits, point, sign and exponent.
pub fn plain_number(text: &[u8]) -> Option<f64> {
    let text = text.strip_prefix(b"+").unwrap_or(text);
    fast_float2::parse::<f64, _>(text).ok()
}

/// The number that stands at the start of `text`, and its length; what follows is not looked at. Only digits, point,
/// sign and exponent.
#[inline]
pub fn leading_number(text: &[u8]) -> Option<(f64, usize)> {
    match text {
        [b'0'..=b'9', ..] | [b'-', b'0'..=b'9' | b'.', ..] => fast_float2::parse_partial(text).ok(),
        _ => None,
    }
}

fn non_finite_word(word: &[u8]) -> Option<f64> {
    if word.eq_ignore_ascii_case(b"nan") {
        Some(f64::NAN)
    } else if word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"infinity") {
        Some(f64::INFINITY)
    } else {
        None
    }
}

/// The integer that `value` is, if it is one that a step can hold.
pub fn integer(value: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (value.fract() == 0.0 && (-BEYOND..BEYOND).contains(&value)).then_some(value as i64)
}

/// Element types of packed arrays; little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ElementType {
    /// 8-bit unsigned integer.
    U8,
    /// 32-bit signed integer.
    I32,
    /// 64-bit signed integer.
    I64,
    /// IEEE half precision.
    F16,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

impl ElementType {
    /// The type of that name.
    pub fn named(name: &str) -> Result<Self, PayloadError> {
        Ok(match name {
            "u8" => Self::U8,
            "i32" => Self::I32,
            "i64" => Self::I64,
            "f16" => Self::F16,
            "f32" => Self::F32,
            "f64" => Self::F64,
            _ => return Err(PayloadError::UnknownElementType),
        })
    }

    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    fn element(self, bytes: &[u8]) -> f64 {
        fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
            bytes.try_into().unwrap_or([0; N])
        }
        match self {
            Self::U8 => f64::from(u8::from_le_bytes(fixed(bytes))),
            Self::I32 => f64::from(i32::from_le_bytes(fixed(bytes))),
            Self::I64 => i64::from_le_bytes(fixed(bytes)) as f64,
            Self::F16 => half(u16::from_le_bytes(fixed(bytes))),
            Self::F32 => f64::from(f32::from_le_bytes(fixed(bytes))),
            Self::F64 => f64::from_le_bytes(fixed(bytes)),
        }
    }
}

/// Compares the length of base64 text with that of `count` elements.
pub fn check_packed(text: &str, element: ElementType, count: usize) -> Result<(), PayloadError> {
    let bytes = count.checked_mul(element.bytes()).ok_or(PayloadError::ShapeMismatch)? as u64;
    let letters = text.trim_end_matches('=').len() as u64;
    if letters == bytes.saturating_mul(4).div_ceil(3) { Ok(()) } else { Err(PayloadError::ShapeMismatch) }
}

/// `count` elements from base64 text. The length of the text is compared with `count` before anything is made.
pub fn unpack(text: &str, element: ElementType, count: usize) -> Result<Vec<f64>, PayloadError> {
    check_packed(text, element, count)?;
    let text = text.trim_end_matches('=').as_bytes();
    let raw = data_encoding::BASE64_NOPAD.decode(text).map_err(|_| PayloadError::BadBase64)?;
    Ok(raw.chunks_exact(element.bytes()).map(|bytes| element.element(bytes)).collect())
}

/// Base64 text of `bytes`; the counterpart of [`unpack`] for writers and tests.
pub fn pack(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// An IEEE half-precision number.
pub fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written_anywhere() {
        for (text, value) in [
            ("1", 1.0),
            ("-2.5e-3", -0.0025),
            ("+7", 7.0),
            (".5", 0.5),
            ("1e999", f64::INFINITY),
            ("-1e999", f64::NEG_INFINITY),
            ("-inf", f64::NEG_INFINITY),
            ("Infinity", f64::INFINITY),
            ("0.1", 0.1),
            ("2.2250738585072011e-308", 2.225_073_858_507_201e-308),
        ] {
            assert_eq!(number(text.as_bytes()), Some(value), "{text}");
        }
        assert!(number(b"-NaN").is_some_and(f64::is_nan));
        for text in ["", "-", "1 ", "1,5", "0x10", "none", "--1", "+-1", "20c8", "1_000"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn steps_are_integers_that_fit() {
        assert_eq!(integer(3.0), Some(3));
        assert_eq!(integer(-1.0), Some(-1));
        for beyond in [0.5, f64::NAN, f64::INFINITY, 1e19, -1e19] {
            assert_eq!(integer(beyond), None, "{beyond}");
        }
    }

    #[test]
    fn every_element_type_unpacks_its_own_bytes() {
        assert_eq!(unpack(&pack(&[0, 255]), ElementType::U8, 2), Ok(vec![0.0, 255.0]));
        assert_eq!(unpack(&pack(&(-3_i32).to_le_bytes()), ElementType::I32, 1), Ok(vec![-3.0]));
        assert_eq!(
            unpack(&pack(&(1_i64 << 40).to_le_bytes()), ElementType::I64, 1),
            Ok(vec![2_f64.powi(40)])
        );
        assert_eq!(unpack(&pack(&0.1_f32.to_le_bytes()), ElementType::F32, 1), Ok(vec![f64::from(0.1_f32)]));
        assert_eq!(unpack(&pack(&0.1_f64.to_le_bytes()), ElementType::F64, 1), Ok(vec![0.1]));
        for (bits, value) in
            [(0x3c00_u16, 1.0), (0xc000, -2.0), (1, 2_f64.powi(-24)), (0x7c00, f64::INFINITY)]
        {
            assert_eq!(unpack(&pack(&bits.to_le_bytes()), ElementType::F16, 1), Ok(vec![value]));
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn a_declared_count_is_compared_before_memory_is_taken() {
        for count in [0, 1, 1 << 32, 1 << 46, usize::MAX] {
            assert_eq!(unpack("AAAAAAAAAAA=", ElementType::F32, count), Err(PayloadError::ShapeMismatch));
        }
        assert_eq!(unpack("????", ElementType::U8, 3), Err(PayloadError::BadBase64));
    }
}
