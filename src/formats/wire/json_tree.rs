//! A JSON value in memory, for records that are rarer and richer than a scalar.

use std::borrow::Cow;

use super::{
    json::{Cursor, DEPTH_LIMIT, JsonError, Kind, unescape},
    numbers::{integer, number},
};

/// Values of one line that are kept apart; numbers in an array of nothing but numbers do not count.
const VALUES_LIMIT: usize = 1 << 20;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number with everything that a double holds.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// An array of numbers, not empty.
    Numbers(Vec<f64>),
    /// Any other array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// An object; of keys that occur twice the last one stays.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Object<'a> {
    entries: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Object<'a> {
    /// The value of `key`; `None` also where it is null.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.entries.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v).filter(|v| **v != Json::Null)
    }

    /// The text of `key`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Json::text)
    }

    /// The number of `key`.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Json::number)
    }

    /// The integer of `key`.
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.number(key).and_then(integer)
    }

    /// Keys and values in the order of writing, each key once, with its last value.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        let unique = |at: usize| {
            let key = &self.entries[at].0;
            // looking back is quadratic, so that it is left out where it would hurt
            self.entries.len() > 4096 || !self.entries[at + 1..].iter().any(|(k, _)| k == key)
        };
        (0..self.entries.len()).filter(move |at| unique(*at)).map(|at| {
            let (key, value) = &self.entries[at];
            (&**key, value)
        })
    }
}

impl<'a> Json<'a> {
    /// The value that `text` is, as a whole.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let mut cursor = Cursor::new(text);
        let mut left = VALUES_LIMIT;
        let value = value(&mut cursor, 0, &mut left)?;
        cursor.end()?;
        Ok(value)
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one; also the texts `"NaN"`, `"Infinity"` and `"-Infinity"`.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Text(text) if matches!(&**text, "NaN" | "Infinity" | "-Infinity") => {
                number(text.as_bytes())
            }
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn object(&self) -> Option<&Object<'a>> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The numbers of a flat array, if it is one; an empty array has none.
    pub fn numbers(&self) -> Option<Cow<'_, [f64]>> {
        match self {
            Self::Numbers(values) => Some(Cow::Borrowed(values)),
            Self::Array(values) => {
                values.iter().map(Self::number).collect::<Option<Vec<_>>>().map(Cow::Owned)
            }
            _ => None,
        }
    }

    /// The elements of an array of anything; numbers are made into values.
    pub fn elements(&self) -> Option<Cow<'_, [Json<'a>]>> {
        match self {
            Self::Numbers(values) => Some(Cow::Owned(values.iter().map(|v| Json::Number(*v)).collect())),
            Self::Array(values) => Some(Cow::Borrowed(values)),
            _ => None,
        }
    }
}

fn value<'a>(cursor: &mut Cursor<'a>, depth: usize, left: &mut usize) -> Result<Json<'a>, JsonError> {
    if depth > DEPTH_LIMIT {
        return Err(JsonError::TooDeep);
    }
    *left = left.checked_sub(1).ok_or(JsonError::TooMany)?;
    Ok(match cursor.kind()? {
        Kind::Null => cursor.null().map(|()| Json::Null)?,
        Kind::Bool => Json::Bool(cursor.bool()?),
        Kind::Number => Json::Number(cursor.number()?),
        Kind::Text => Json::Text(unescape(cursor.raw_text()?)),
        Kind::Object => {
            let mut entries = Vec::new();
            let mut first = true;
            cursor.open()?;
            while let Some(key) = cursor.key(&mut first)? {
                entries.push((unescape(key), value(cursor, depth + 1, left)?));
            }
            Json::Object(Object { entries })
        }
        Kind::Array => array(cursor, depth, left)?,
    })
}

fn array<'a>(cursor: &mut Cursor<'a>, depth: usize, left: &mut usize) -> Result<Json<'a>, JsonError> {
    let mut first = true;
    let mut numbers = Vec::new();
    cursor.open()?;
    while cursor.element(&mut first)? {
        if cursor.kind()? == Kind::Number {
            numbers.push(cursor.number()?);
            continue;
        }
        *left = left.checked_sub(numbers.len()).ok_or(JsonError::TooMany)?;
        let mut values: Vec<_> = numbers.into_iter().map(Json::Number).collect();
        values.push(value(cursor, depth + 1, left)?);
        while cursor.element(&mut first)? {
            values.push(value(cursor, depth + 1, left)?);
        }
        return Ok(Json::Array(values));
    }
    Ok(if numbers.is_empty() { Json::Array(Vec::new()) } else { Json::Numbers(numbers) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_keys_stays() {
        let json = Json::parse(br#"{"a":1,"b":2,"a":"x"}"#).unwrap();
        let object = json.object().unwrap();
        assert_eq!(object.text("a"), Some("x"));
        assert_eq!(object.entries().map(|(k, _)| k).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn arrays_of_numbers_are_packed_and_words_in_them_are_numbers() {
        let json = Json::parse(br#"[1,"NaN",-Infinity]"#).unwrap();
        let numbers = json.numbers().unwrap();
        assert!(numbers[1].is_nan() && numbers[2] == f64::NEG_INFINITY);
        assert_eq!(Json::parse(b"[1,2]").unwrap(), Json::Numbers(vec![1.0, 2.0]));
        assert_eq!(Json::parse(br#"["1"]"#).unwrap().numbers(), None);
    }

    #[test]
    fn a_line_of_very_many_small_values_is_refused_instead_of_filling_memory() {
        let hostile = format!("[{}[]]", "[],".repeat(VALUES_LIMIT));
        assert_eq!(Json::parse(hostile.as_bytes()), Err(JsonError::TooMany));
    }
}
