//! epochscope's own log, version 1: one JSON object per line, appended; `docs/NATIVE_LOG.md` is the
//! specification.
//!
//! Scalar records that differ from earlier ones in their numbers only are read without being parsed.
//! A broken line is listed and costs nothing but itself. Unknown record types and keys are counted and otherwise
//! ignored, so that newer writers can be read.

mod artefacts;
mod columns;
mod confusion;
mod envelope;
pub(super) mod layers;
mod payload;
mod record;
mod run;
mod shape;

use std::path::Path;

use crate::formats::{
    Candidate, Claim, Consumed, Decoded, Decoder, FRAME_LIMIT, Fatal, Format, HEAD_BYTES, Opening, Standing,
    wire::{
        json::{Cursor, JsonError, Kind},
        json_tree::Json,
        lines::{Line, Lines, named, trim, without_mark},
        template::Templates,
    },
};
use record::Reader;
use shape::Shape;

const TOO_LONG: &str = "line longer than 64 MiB";

/// The native log.
pub struct Scope;

impl Format for Scope {
    fn name(&self) -> &'static str {
        "scope"
    }

    fn summary(&self) -> &'static str {
        "epochscope's own log: scalars, layers, histograms, confusion matrices, predictions, events in one file"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.scope.jsonl", "*.jsonl"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        let by_name = named(file.name, ".scope.jsonl");
        if !by_name && !named(file.name, ".jsonl") {
            return Claim::No("");
        }
        let head = trim(without_mark(file.head));
        match (head.first(), by_name) {
            (None, true) => Claim::NotYet,
            (None, false) => Claim::No(""),
            (Some(b'{'), true) => Claim::Yes,
            (Some(_), true) => Claim::No("the first line is no JSON object"),
            (Some(_), false) => match mentions_version(head) {
                Ok(true) => Claim::Yes,
                Err(JsonError::Unfinished) if file.head.len() < HEAD_BYTES && !head.contains(&b'\n') => {
                    Claim::NotYet
                }
                _ => Claim::No(""),
            },
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::named()
    }

    fn continues(&self, _path: &Path) -> bool {
        true
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(ScopeDecoder {
            lines: Lines::new(FRAME_LIMIT as usize),
            reader: Reader::default(),
            templates: Templates::default(),
        })
    }
}

/// Whether the object at the start of `head` has a key `epochscope`, as far as it is there.
fn mentions_version(head: &[u8]) -> Result<bool, JsonError> {
    let mut cursor = Cursor::new(head);
    let mut first = true;
    if cursor.kind()? != Kind::Object {
        return Ok(false);
    }
    cursor.open()?;
    while let Some(key) = cursor.key(&mut first)? {
        if key == b"epochscope" {
            return Ok(cursor.kind()? == Kind::Number);
        }
        cursor.skip(0)?;
    }
    Ok(false)
}

/// Where the decoder of one file stands.
#[derive(Debug)]
struct ScopeDecoder {
    lines: Lines,
    reader: Reader,
    templates: Templates<Shape>,
}

impl ScopeDecoder {
    /// False where the line is no JSON and the file may just not be finished.
    fn line(&mut self, line: Line<'_>, last: bool, out: &mut Decoded) -> bool {
        let (offset, bytes, text) = match line {
            Line::Text { offset, bytes, text } => (offset, bytes, text),
            Line::TooLong { offset, bytes } => {
                out.skip(offset, bytes, TOO_LONG);
                return true;
            }
        };
        let text = trim(if offset == 0 { without_mark(text) } else { text });
        if text.is_empty() {
            return true;
        }
        if let Some((shape, numbers)) = self.templates.read(text)
            && self.reader.known(shape, numbers, out)
        {
            out.count_records(1);
            return true;
        }
        let problem = match Json::parse(text) {
            Ok(Json::Object(object)) => {
                let problem = self.reader.record(&object, offset, bytes, out).err();
                if problem.is_none() && object.text("t") == Some("scalar") {
                    self.templates.learn(text, |holes| self.reader.shape(&object, holes));
                }
                problem
            }
            Err(_) if last => return false,
            Ok(_) => Some("the line is no JSON object".into()),
            Err(error) => Some(error.reason().into()),
        };
        match problem {
            Some(reason) => out.skip(offset, bytes, reason),
            None => out.count_records(1),
        }
        true
    }
}

impl Decoder for ScopeDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        self.reader.begin_turn();
        let mut at = 0;
        while let Some(line) = self.lines.next(available, &mut at) {
            self.line(line, false, out);
        }
        Ok(Consumed::all(at))
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        self.reader.begin_turn();
        match self.lines.last(rest) {
            Some(line) if self.line(line, true, out) => rest.len(),
            _ => 0,
        }
    }
}
