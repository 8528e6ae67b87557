//! What stands in one cell.

use crate::formats::wire::numbers::number;

/// Lists longer than this are no metrics.
pub const LIST_LIMIT: usize = 8;

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cell {
    /// Text, or nothing.
    Nothing,
    /// `nan`.
    Nan,
    /// A number, or an infinity.
    Number(f64),
}

impl Cell {
    /// A number as a cell.
    #[inline]
    pub fn of(value: f64) -> Self {
        if value.is_nan() { Self::Nan } else { Self::Number(value) }
    }
}

/// How a table writes the fraction of a number. Tables with another separator than a comma may write `0,5`; the
/// first number with a fraction decides, because `1,234` beside `0.5` would mean something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Decimal {
    /// No number with a fraction has been seen.
    #[default]
    Unknown,
    /// `0.5`
    Point,
    /// `0,5`
    Comma,
}

/// A cell whose number is written in the other way than the table's: it is not used, and that is said.
pub const MIXED_DECIMALS: &str = "number with a decimal comma in a table with decimal points, or the reverse";

impl Decimal {
    /// The number in a cell, where it is not one that a program writes; `Err` for mixed ways of writing.
    pub fn number(&mut self, cell: &[u8]) -> Result<Option<f64>, &'static str> {
        let plain = number(cell);
        let way = match plain {
            Some(_) if cell.contains(&b'.') => Self::Point,
            Some(_) => return Ok(plain),
            None if with_comma(cell).is_some() => Self::Comma,
            None => return Ok(None),
        };
        if *self == Self::Unknown {
            *self = way;
        }
        match (*self, way) {
            (Self::Point, Self::Point) => Ok(plain),
            (Self::Comma, Self::Comma) => Ok(with_comma(cell)),
            _ => Err(MIXED_DECIMALS),
        }
    }
}

/// `-0,5e-3`
fn with_comma(cell: &[u8]) -> Option<f64> {
    let at = memchr::memchr(b',', cell)?;
    let mut text = [0; 40];
    let text = text.get_mut(..cell.len())?;
    text.copy_from_slice(cell);
    *text.get_mut(at)? = b'.';
    let digits = text.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if digits { number(text) } else { None }
}

/// Seconds of a duration written as `MM:SS` or `H:MM:SS`, with a fraction or without, as fastai writes it.
pub fn duration(cell: &[u8]) -> Option<f64> {
    let mut seconds = 0.0;
    let mut parts = 0;
    for part in cell.split(|b| *b == b':') {
        let value = number(part).filter(|_| part.first().is_some_and(u8::is_ascii_digit))?;
        if parts > 0 && value >= 60.0 {
            return None;
        }
        seconds = seconds * 60.0 + value;
        parts += 1;
    }
    (2..=3).contains(&parts).then_some(seconds)
}

/// The numbers of a list as Keras (`[0.1, 0.2]`) and numpy (`[0.1 0.2]`) write it.
pub fn list(cell: &[u8]) -> Option<([f64; LIST_LIMIT], usize)> {
    let inner = cell.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let mut values = [0.0; LIST_LIMIT];
    let mut count = 0;
    for part in inner.split(|b| b.is_ascii_whitespace() || *b == b',').filter(|part| !part.is_empty()) {
        *values.get_mut(count)? = number(part)?;
        count += 1;
    }
    (count > 0).then_some((values, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_writes_its_fractions_in_one_way() {
        let mut comma = Decimal::default();
        let read: Vec<_> = ["3", "0,5", "-1,25e-3", "1.5", "x,1", "1,2,3"]
            .map(|cell| comma.number(cell.as_bytes()))
            .into_iter()
            .collect();
        let mixed = Err(MIXED_DECIMALS);
        assert_eq!(read, [Ok(Some(3.0)), Ok(Some(0.5)), Ok(Some(-0.001_25)), mixed, Ok(None), Ok(None)]);
        let mut point = Decimal::default();
        assert_eq!(point.number(b"0.5"), Ok(Some(0.5)));
        assert_eq!(point.number(b"1,234"), mixed);
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(duration(b"01:05"), Some(65.0));
        assert_eq!(duration(b"1:00:02.5"), Some(3602.5));
        for no in ["12", "1:99", "a:b", "1:2:3:4", "", ":", "2026-11-23 10:00"] {
            assert_eq!(duration(no.as_bytes()), None, "{no}");
        }
    }

    #[test]
    fn short_lists_of_numbers_are_told_apart() {
        assert_eq!(list(b"[0.5, 1]").map(|(v, n)| v[..n].to_vec()), Some(vec![0.5, 1.0]));
        assert_eq!(list(b"[ 0.5  1e3\n2]").map(|(v, n)| v[..n].to_vec()), Some(vec![0.5, 1000.0, 2.0]));
        assert_eq!(list(b"[]"), None);
        assert_eq!(list(b"[1, 'a']"), None);
        assert_eq!(list(b"[1,2,3,4,5,6,7,8,9]"), None);
    }
}
