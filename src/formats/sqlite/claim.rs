//! Which files are databases of a tracker, from their name and first page.

use super::tracker::Tracker;
use crate::formats::{
    Candidate, Claim,
    wire::{
        lines::named,
        sqlite::header::{HEADER_BYTES, Header, MAGIC},
    },
};

/// Kind of a page that holds the rows of a table themselves.
const LEAF: u8 = 0x0d;
/// Length of the head of such a page.
const PAGE_HEAD: usize = 8;

/// Decides. The tables are told from the first page as far as they are there: where a schema is larger, or still in
/// the log beside the file, only the whole database can tell, and its decoder does.
pub fn claim(file: &Candidate<'_>) -> Claim {
    if ![".db", ".sqlite", ".sqlite3"].iter().any(|end| named(file.name, end)) {
        return Claim::No("");
    }
    if !file.head.starts_with(MAGIC) {
        let short = MAGIC.starts_with(file.head);
        return if short { Claim::NotYet } else { Claim::No("not a SQLite database") };
    }
    if file.head.len() < HEADER_BYTES {
        return Claim::NotYet;
    }
    let Some(header) = Header::of(file.head) else { return Claim::No("a broken SQLite header") };
    if header.application != 0 {
        return Claim::No("a SQLite database whose header names another program");
    }
    if file.name == "run_metadata.sqlite" {
        return Claim::No(
            "names and experiments of Aim's runs, not read; their values lie in `seqs` beside it",
        );
    }
    match tables(file.head, &header) {
        None => Claim::Yes,
        Some(tables) if Tracker::of(&tables).is_some() || header.write_ahead => Claim::Yes,
        Some(tables) if Tracker::may_become(&tables) => Claim::NotYet,
        Some(_) => Claim::No("a SQLite database without the tables of MLflow or Trackio"),
    }
}

/// Names of the tables; `None` if they are not all on the first page.
fn tables(head: &[u8], header: &Header) -> Option<Vec<String>> {
    let page = head.get(..header.page_size)?;
    let start = page.get(HEADER_BYTES..).filter(|p| p.first() == Some(&LEAF))?;
    let cells = usize::from(u16::from_be_bytes([*start.get(3)?, *start.get(4)?]));
    let pointers = start.get(PAGE_HEAD..)?.as_chunks::<2>().0.get(..cells)?;
    let mut names = Vec::new();
    for pointer in pointers {
        let cell = page.get(usize::from(u16::from_be_bytes(*pointer))..)?;
        let (kind, name) = row(cell)?;
        if kind == b"table" {
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    Some(names)
}

/// The first two columns, type and name, of a row of the schema.
fn row(cell: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = cell;
    let _payload = varint(&mut rest)?;
    let _rowid = varint(&mut rest)?;
    let record = rest;
    let head = usize::try_from(varint(&mut rest)?).ok()?;
    let lengths = [text_length(varint(&mut rest)?)?, text_length(varint(&mut rest)?)?];
    let values = record.get(head..)?;
    let (kind, values) = values.split_at_checked(lengths[0])?;
    Some((kind, values.get(..lengths[1])?))
}

/// How long a text is, from its serial type.
fn text_length(serial: u64) -> Option<usize> {
    let length = serial.checked_sub(13)?;
    length.is_multiple_of(2).then(|| usize::try_from(length / 2).ok())?
}

/// A number of one to nine bytes, seven bits each, the high ones first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for at in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if at == 8 {
            return Some(value << 8 | u64::from(*byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
