//! JSON lines of metrics: one object per line, as Detectron2, MMEngine, LLaMA-Factory, Ray and plain
//! `json.dumps` loops write them.
//!
//! Nested keys become `a/b`, short arrays of numbers `k[0]`, `k[1]`, …; texts that are numbers count as numbers;
//! bools, nulls and other texts are left out. Lines are walked without building values in memory; the slots of
//! the previous line predict the keys of the next.

mod claim;
mod openmmlab;
mod slots;
mod standing;

use std::path::Path;

use crate::{
    formats::{
        Candidate, Claim, Consumed, Decoded, Decoder, FRAME_LIMIT, Fatal, Format, Opening, Standing,
        wire::{
            axes::{Axis, wall_of_number, wall_of_text},
            json::{Cursor, DEPTH_LIMIT, JsonError, Kind},
            json_tree::{Json, settings},
            lines::{Line, Lines, trim, without_mark},
            numbers::{integer, number},
        },
    },
    model::{Point, Record, RunInfo, Step},
};
use openmmlab::OpenMmLab;
use slots::{Found, Slots};

/// Arrays longer than this are no metrics.
const ARRAY_LIMIT: usize = 8;
/// Texts longer than this are no numbers.
const NUMBER_LENGTH: usize = 40;
/// Keys at the top whose objects are the configuration, repeated in every line by Ray.
const CONFIGURATION: &[&[u8]] = &[b"config", b"hparams", b"hyperparameters", b"hyper_parameters"];

/// JSON lines.
pub struct JsonLines;

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn summary(&self) -> &'static str {
        "JSON lines of metrics: Detectron2, MMEngine, LLaMA-Factory, Ray, SB3, own `json.dumps` loops"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.jsonl", "*.ndjson", "*.json", "*.log", "*.txt"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim::claim(file)
    }

    fn standing(&self, path: &Path) -> Standing {
        standing::standing(path)
    }

    fn continues(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| standing::is_openmmlab(&name.to_string_lossy()))
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(JsonLinesDecoder::new())
    }
}

/// Where the decoder of one file stands.
#[derive(Debug)]
struct JsonLinesDecoder {
    lines: Lines,
    slots: Slots,
    found: Found,
    path: Vec<u8>,
    steps: OpenMmLab,
    configuration: Vec<u8>,
    steps_total: Option<Step>,
}

impl JsonLinesDecoder {
    fn new() -> Self {
        Self {
            lines: Lines::new(FRAME_LIMIT as usize),
            slots: Slots::default(),
            found: Found::default(),
            path: Vec::new(),
            steps: OpenMmLab::default(),
            configuration: Vec::new(),
            steps_total: None,
        }
    }

    /// One line; `Err` leaves nothing of it behind.
    fn line(&mut self, text: &[u8], out: &mut Decoded) -> Result<(), JsonError> {
        self.found.begin();
        self.slots.begin_line();
        self.path.clear();
        let mut cursor = Cursor::new(text);
        if cursor.kind()? != Kind::Object {
            return Err(JsonError::Unexpected);
        }
        self.object(&mut cursor, 0, out)?;
        cursor.end()?;
        self.emit(out);
        Ok(())
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, depth: usize, out: &mut Decoded) -> Result<(), JsonError> {
        if depth > DEPTH_LIMIT {
            return Err(JsonError::TooDeep);
        }
        let mut first = true;
        cursor.open()?;
        while let Some(key) = cursor.key(&mut first)? {
            let before = self.path.len();
            if before > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(key);
            self.value(cursor, depth, out)?;
            self.path.truncate(before);
        }
        Ok(())
    }

    fn value(&mut self, cursor: &mut Cursor<'_>, depth: usize, out: &mut Decoded) -> Result<(), JsonError> {
        match cursor.kind()? {
            Kind::Number => {
                let value = cursor.number()?;
                self.number(value, out);
            }
            Kind::Object if depth == 0 && CONFIGURATION.contains(&&*self.path) => {
                self.found.configuration = Some(passed(cursor, depth)?.to_vec());
            }
            Kind::Object => self.object(cursor, depth + 1, out)?,
            Kind::Array => self.array(passed(cursor, depth)?, out),
            Kind::Text => {
                let text = cursor.raw_text()?;
                self.text(text, out);
            }
            Kind::Bool => {
                cursor.bool()?;
            }
            Kind::Null => cursor.null()?,
        }
        Ok(())
    }

    fn number(&mut self, value: f64, out: &mut Decoded) {
        match self.slots.find(&self.path) {
            Ok(slot) => self.found.value(&mut self.slots, slot, value),
            Err(oddity) => out.oddity(oddity),
        }
    }

    fn text(&mut self, text: &[u8], out: &mut Decoded) {
        let content = trim(text);
        if content.len() > NUMBER_LENGTH {
            return;
        }
        if let Some(value) = number(content) {
            self.number(value, out);
        } else if self.path == b"mode" {
            self.found.validation = matches!(content, b"val" | b"test");
            self.found.has_mode = true;
        } else if content.first().is_some_and(u8::is_ascii_digit)
            && let Ok(path) = std::str::from_utf8(&self.path)
            && let Axis::Time(rank) = Axis::of(path)
            && let Some(wall) = std::str::from_utf8(content).ok().and_then(wall_of_text)
        {
            self.found.wall(rank, wall);
        }
    }

    /// A short array of nothing but numbers; `text` is its well-formed JSON.
    fn array(&mut self, text: &[u8], out: &mut Decoded) {
        let mut cursor = Cursor::new(text);
        let mut values = [0.0; ARRAY_LIMIT];
        let mut count = 0;
        let mut first = true;
        if cursor.open().is_err() {
            return;
        }
        while let Ok(true) = cursor.element(&mut first) {
            let (Ok(value), Some(cell)) = (cursor.number(), values.get_mut(count)) else { return };
            *cell = value;
            count += 1;
        }
        for (at, value) in values.iter().take(count).enumerate() {
            let before = self.path.len();
            self.path.extend_from_slice(format!("[{at}]").as_bytes());
            self.number(*value, out);
            self.path.truncate(before);
        }
    }

    fn emit(&mut self, out: &mut Decoded) {
        let (step, rank) = self.steps.step(&self.found);
        let (wall, time_rank) = match self.found.time {
            Some((wall, rank)) => (wall, Some(rank)),
            None => (f64::NAN, None),
        };
        for (slot, value) in self.found.values.iter().copied() {
            let used_up = match self.slots.axis(slot) {
                Axis::Step(r) => Axis::Step(r) != Axis::EPOCH && Some(usize::from(r)) == rank,
                Axis::Time(r) => Some(r) == time_rank && wall_of_number(value).is_some(),
                Axis::None => false,
            };
            if !used_up {
                let column = self.slots.column(slot, out);
                out.push(column, Point { step, wall, value });
            }
        }
        self.emit_information(out);
        out.count_records(1);
    }

    fn emit_information(&mut self, out: &mut Decoded) {
        if let Some(total) = self.found.steps_total.and_then(integer)
            && self.steps_total != Some(total)
        {
            self.steps_total = Some(total);
            out.record(Record::Info(Box::new(RunInfo { steps_total: Some(total), ..RunInfo::default() })));
        }
        if let Some(text) = self.found.configuration.take()
            && text != self.configuration
        {
            if let Ok(Json::Object(object)) = Json::parse(&text) {
                out.record(Record::Hyperparameters(settings(&object)));
            }
            self.configuration = text;
        }
    }
}

/// Passes over a value and gives its text.
fn passed<'a>(cursor: &mut Cursor<'a>, depth: usize) -> Result<&'a [u8], JsonError> {
    cursor.kind()?;
    let start = cursor.at();
    cursor.skip(depth)?;
    Ok(cursor.between(start, cursor.at()))
}

impl Decoder for JsonLinesDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        self.slots.begin_turn();
        let mut at = 0;
        while let Some(line) = self.lines.next(available, &mut at) {
            match line {
                Line::Text { offset, bytes, text } => {
                    let text = trim(if offset == 0 { without_mark(text) } else { text });
                    if text.is_empty() {
                        continue;
                    }
                    if let Err(error) = self.line(text, out) {
                        out.skip(offset, bytes, error.reason());
                    }
                }
                Line::TooLong { offset, bytes } => out.skip(offset, bytes, "line longer than 64 MiB"),
            }
        }
        Ok(Consumed::all(at))
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        self.slots.begin_turn();
        match self.lines.last(rest) {
            Some(Line::Text { text, .. }) if self.line(trim(without_mark(text)), out).is_ok() => rest.len(),
            Some(Line::TooLong { offset, bytes }) => {
                out.skip(offset, bytes, "line longer than 64 MiB");
                rest.len()
            }
            _ => 0,
        }
    }
}
