//! How Aim writes paths and values: keys one after the other, each ended by `0xfe`, which no UTF-8 text
//! holds; a number is `0xfe` and eight bytes, the high ones first. A value is a byte for its type and its
//! content.

use std::sync::Arc;

use crate::model::HyperValue;

const SENTINEL: u8 = 0xfe;

/// Bytes of a text that are kept.
const TEXT_LIMIT: usize = 4096;

/// One key of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key<'a> {
    /// A name.
    Name(&'a [u8]),
    /// A number.
    Number(i64),
}

/// Takes the next key of a path; `None` at its end, or if there is none.
pub fn next<'a>(path: &mut &'a [u8]) -> Option<Key<'a>> {
    let end = path.iter().position(|b| *b == SENTINEL)?;
    let (name, rest) = path.split_at_checked(end)?;
    let rest = rest.get(1..)?;
    if !name.is_empty() {
        *path = rest;
        return Some(Key::Name(name));
    }
    let (number, rest) = rest.split_first_chunk::<8>()?;
    *path = rest.strip_prefix(&[SENTINEL])?;
    Some(Key::Number(i64::from_be_bytes(*number)))
}

/// Takes a key that is a name.
pub fn name<'a>(path: &mut &'a [u8]) -> Option<&'a [u8]> {
    match next(path)? {
        Key::Name(name) => Some(name),
        Key::Number(_) => None,
    }
}

/// Takes a key that is a number.
pub fn number(path: &mut &[u8]) -> Option<i64> {
    match next(path)? {
        Key::Number(number) => Some(number),
        Key::Name(_) => None,
    }
}

/// A value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// No value: `None`.
    Nothing,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(&'a [u8]),
    /// A list; its items have keys of their own.
    List,
    /// An object of Aim's, of that class: `aim.image`. Its parts have keys of their own.
    Object(&'a [u8]),
    /// Bytes, a table of names, or what does not concern us.
    Other,
}

impl<'a> Value<'a> {
    /// The value that those bytes mean; `None` if they mean none.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (kind, content) = bytes.split_first()?;
        Some(match kind {
            0 => Self::Nothing,
            1 => Self::Bool(*content.first()? != 0),
            2 => Self::Int(i64::from_le_bytes(*content.first_chunk()?)),
            3 => Self::Float(f64::from_le_bytes(*content.first_chunk()?)),
            4 => Self::Text(content),
            6 => Self::List,
            15 => Self::Object(content),
            _ => Self::Other,
        })
    }

    /// As a number; truth is 1.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Bool(truth) => Some(f64::from(u8::from(truth))),
            Self::Int(int) => Some(int as f64),
            Self::Float(float) => Some(float),
            _ => None,
        }
    }

    /// As a setting.
    pub fn setting(self) -> Option<HyperValue> {
        match self {
            Self::Nothing => Some(HyperValue::Text("None".into())),
            Self::Bool(truth) => Some(HyperValue::Bool(truth)),
            Self::Text(text) => Some(HyperValue::Text(owned(text))),
            _ => self.number().map(HyperValue::Number),
        }
    }
}

/// A text from a log.
pub fn owned(text: &[u8]) -> Arc<str> {
    String::from_utf8_lossy(text.get(..TEXT_LIMIT).unwrap_or(text)).into()
}
