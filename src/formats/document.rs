//! A file that is one document: decoded when it is whole, never in part.
//!
//! Such files are written anew with every checkpoint or heartbeat, most of them in place: somebody who looks at the
//! wrong moment sees the beginning of one. That is *not yet*; what was said before stands.

use std::{path::Path, sync::Arc};

use super::{
    Consumed, Decoded, Decoder, Fatal,
    wire::{
        json::{Cursor, JsonError, Kind, unescape},
        json_tree::Object,
        lines::{trim, without_mark},
    },
};
use crate::model::{Artefact, ArtefactKind, Payload, Record, WallTime};

/// Numbers of a summary that are kept.
const FIELDS_LIMIT: usize = 4096;

/// Why a document says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Unread {
    /// It ends inside of something: it is being written.
    NotWhole,
    /// What is wrong with it; one clause.
    Broken(&'static str),
}

impl From<JsonError> for Unread {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Unfinished => Self::NotWhole,
            other => Self::Broken(other.reason()),
        }
    }
}

/// The decoder of a document. The function reads it as a whole and says nothing to the sink before it knows that it can.
pub(super) struct Document<R>(pub R);

impl<R: FnMut(&[u8], &mut Decoded) -> Result<(), Unread> + Send> Decoder for Document<R> {
    /// A document that is broken is not taken either: it is likely to be whole the next time.
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let read = (self.0)(available, out);
        Ok(if read.is_ok() { Consumed::all(available.len()) } else { Consumed::default() })
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        match (self.0)(rest, out) {
            Ok(()) => rest.len(),
            Err(Unread::NotWhole) => 0,
            Err(Unread::Broken(reason)) => {
                out.skip(0, rest.len() as u64, reason);
                rest.len()
            }
        }
    }

    fn whole_document(&self) -> bool {
        true
    }
}

/// The text of a JSON document, which is checked to its last character.
pub(super) fn whole_json(bytes: &[u8]) -> Result<&[u8], Unread> {
    let text = trim(without_mark(bytes));
    let mut cursor = Cursor::new(text);
    cursor.skip(0)?;
    cursor.end()?;
    Ok(text)
}

/// Calls `take` for each member of the object that comes next, the cursor before its value; `take` reads the value.
pub(super) fn each_member<'a>(
    cursor: &mut Cursor<'a>,
    mut take: impl FnMut(&'a [u8], &mut Cursor<'a>) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    if cursor.kind()? != Kind::Object {
        return Err(JsonError::Unexpected);
    }
    let mut first = true;
    cursor.open()?;
    while let Some(key) = cursor.key(&mut first)? {
        take(key, cursor)?;
    }
    Ok(())
}

/// Passes over a value and gives its text.
pub(super) fn passed<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], JsonError> {
    cursor.kind()?;
    let start = cursor.at();
    cursor.skip(0)?;
    Ok(cursor.between(start, cursor.at()))
}

/// The keys of the object that a file begins with, as far as its start shows them: the last one may lack its value.
pub(super) fn first_keys(head: &[u8]) -> Vec<String> {
    let mut keys = Vec::new();
    // an object that the head cuts off is expected
    let _ = each_member(&mut Cursor::new(trim(without_mark(head))), |key, cursor| {
        keys.push(unescape(key).into_owned());
        cursor.skip(0)
    });
    keys
}

/// The name of the folder so many folders above the one that holds `path`.
pub(super) fn folder_above(path: &Path, up: usize) -> Option<&str> {
    path.ancestors().nth(up + 1)?.file_name()?.to_str()
}

/// Final numbers without a step: kept as a table that can be found again, since nobody says where on the axis they
/// stand. Nested names are joined by `/`.
pub(super) fn summary(name: &str, object: &Object<'_>, bytes: usize) -> Record {
    fn add(object: &Object<'_>, prefix: &str, fields: &mut Vec<(Arc<str>, Payload)>) {
        for (key, value) in object.entries() {
            if fields.len() >= FIELDS_LIMIT {
                return;
            }
            let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") };
            if let Some(inner) = value.object() {
                add(inner, &name, fields);
            } else if let Some(number) = value.number() {
                fields.push((name.into(), Payload::Number(number)));
            }
        }
    }
    let mut fields = Vec::new();
    add(object, "", &mut fields);
    table(name, fields, 0, bytes)
}

/// A table that is kept addressable.
pub(super) fn table(name: &str, fields: Vec<(Arc<str>, Payload)>, offset: u64, bytes: usize) -> Record {
    Record::Artefact(Artefact {
        kind: ArtefactKind::Table,
        name: Arc::from(name),
        step: None,
        wall: WallTime::UNKNOWN,
        offset,
        bytes: bytes as u64,
        fields,
    })
}
