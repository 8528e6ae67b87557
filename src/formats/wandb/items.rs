//! Items: a key and its value, in history, summary, configuration and statistics alike.

use std::borrow::Cow;

use super::keys::Keys;
use crate::formats::{
    Decoded,
    wire::{
        json::Cursor,
        numbers::plain_number,
        protobuf::{Fields, Malformed, Wire, take_varint},
    },
};

/// The value of an item.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Value<'a> {
    Number(f64),
    /// JSON that is no number.
    Json(&'a [u8]),
    /// Text that is no JSON.
    Text(&'a [u8]),
    /// `true`, `false`, `null`, or nothing at all.
    Word(&'a [u8]),
}

/// `bytes` as text; what is no UTF-8 becomes `�`.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Splits an item into the bytes of the fields that name it and its value. `None`: not of the usual form, which is
/// names first, then `value_json`, and nothing else.
#[inline]
fn split(item: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = item;
    while let [0x0a | 0x12, after @ ..] = rest {
        let mut after = after;
        let length = usize::try_from(take_varint(&mut after)?).ok()?;
        rest = after.get(length..)?;
    }
    let names = item.get(..item.len() - rest.len()).filter(|names| !names.is_empty())?;
    let [0x82, 0x01, value @ ..] = rest else { return None };
    let mut value = value;
    let length = take_varint(&mut value)?;
    (value.len() as u64 == length).then_some((names, value))
}

/// The slot and value of an item; `None` for one whose key is not followed, which is counted.
#[inline]
pub(super) fn item<'a>(
    message: &'a [u8],
    keys: &mut Keys,
    out: &mut Decoded,
) -> Result<Option<(u32, Value<'a>)>, Malformed> {
    if let Some((names, value)) = split(message)
        && let Some(slot) = keys.known(names)
    {
        return Ok(Some((slot, json_value(value))));
    }
    unusual_item(message, keys, out)
}

fn unusual_item<'a>(
    message: &'a [u8],
    keys: &mut Keys,
    out: &mut Decoded,
) -> Result<Option<(u32, Value<'a>)>, Malformed> {
    let Item { path, value } = Item::parse(message)?;
    let path: Vec<&str> = path.iter().map(|part| &**part).collect();
    match keys.of_path(&path) {
        Ok(slot) => {
            if let Some((names, _)) = split(message) {
                keys.remember(names, slot);
            }
            Ok(Some((slot, value)))
        }
        Err(why) => {
            out.oddity(why);
            Ok(None)
        }
    }
}

/// An item, taken apart.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// Its key: one part, or several where it lies in a dict.
    pub path: Vec<Cow<'a, str>>,
    pub value: Value<'a>,
}

impl<'a> Item<'a> {
    /// Reads a `HistoryItem`, `SummaryItem`, `ConfigItem` or `StatsItem`.
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let (mut key, mut path, mut value) = (None, Vec::new(), Value::Word(b"null"));
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Bytes(name)) => key = Some(text(name)),
                (2, Wire::Bytes(part)) => path.push(text(part)),
                (8 | 16, Wire::Bytes(json)) => value = json_value(json),
                (7, Wire::Bytes(text)) => value = Value::Text(text),
                (4, Wire::Varint(n)) => value = Value::Word(if n == 0 { b"false" } else { b"true" }),
                (6, Wire::Fixed64(bits)) => value = Value::Number(f64::from_bits(bits)),
                (5, Wire::Varint(n)) => value = Value::Number(zigzag(n)),
                _ => {}
            }
        }
        if path.is_empty()
            && let Some(key) = key.filter(|key| !key.is_empty())
        {
            path.push(key);
        }
        Ok(Self { path, value })
    }
}

fn zigzag(n: u64) -> f64 {
    ((n >> 1).cast_signed() ^ -((n & 1).cast_signed())) as f64
}

/// The value that a `value_json` is.
#[inline]
pub(super) fn json_value(json: &[u8]) -> Value<'_> {
    match json.first() {
        Some(b'0'..=b'9' | b'-') => number_of(json),
        Some(b'N' | b'I' | b'"') => words(json),
        Some(b'{' | b'[') => Value::Json(json),
        _ => Value::Word(json),
    }
}

#[inline]
fn number_of(json: &[u8]) -> Value<'_> {
    plain_number(json).map_or(Value::Word(b"null"), Value::Number)
}

/// `NaN` and the infinities as words, also as texts, which is how the summary spells them.
#[cold]
fn words(json: &[u8]) -> Value<'_> {
    let bare = json.strip_prefix(b"\"").and_then(|json| json.strip_suffix(b"\"")).unwrap_or(json);
    match bare {
        b"NaN" | b"Infinity" | b"-Infinity" => {
            Cursor::new(bare).number().map_or(Value::Word(b"null"), Value::Number)
        }
        _ => Value::Json(json),
    }
}
