//! JSON lines of metrics: one object per line, as Detectron2, MMEngine, LLaMA-Factory, Ray and plain
//! `json.dumps` loops write them.
//!
//! Nested keys become `a/b`, short arrays of numbers `k[0]`, `k[1]`, …; texts that are numbers count as numbers;
//! bools, nulls and other texts are left out. Lines are walked without building values in memory; those that differ
//! from an earlier one in their numbers only are not even walked. Text before the object (fairseq) is passed over,
//! `{"name": "loss", "value": 0.5}` is a point of `loss`.

mod claim;
mod openmmlab;
mod prefix;
mod slots;
mod standing;

use std::path::Path;

use rustc_hash::FxHashMap;

use crate::{
    formats::{
        Candidate, Claim, Consumed, Decoded, Decoder, FRAME_LIMIT, Fatal, Format, Opening, Standing,
        wire::{
            axes::{Axis, is_name_column, wall_of_number, wall_of_text},
            json::{Cursor, DEPTH_LIMIT, JsonError, Kind, unescape},
            json_tree::{Json, settings},
            lines::{Line, Lines, trim, without_mark},
            numbers::{integer, number},
            template::{Hole, Templates},
        },
    },
    model::{Point, Record, RunInfo, SeriesKey, Step},
};
use openmmlab::OpenMmLab;
use slots::{Found, Slots};

/// Arrays longer than this are no metrics.
const ARRAY_LIMIT: usize = 8;
/// Texts longer than this are no numbers.
const NUMBER_LENGTH: usize = 40;
/// Names of metrics in lines that name one beside its value.
const NAMES_LIMIT: usize = 1 << 16;
/// Longer texts name no metric.
const NAME_LENGTH: usize = 1024;
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
        &["*.jsonl", "*.ndjson", "*.json", "*.log", "*.txt", "*.out"]
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
    templates: Templates<Shape>,
    names: FxHashMap<String, SeriesKey>,
    /// Lines have something before their object; known from the first line on.
    prefixed: Option<bool>,
}

/// Lines of one shape: the slots of their numbers, and whether each says nothing but itself.
#[derive(Debug)]
struct Shape {
    slots: Vec<(usize, bool)>,
    has_mode: bool,
    validation: bool,
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
            templates: Templates::default(),
            names: FxHashMap::default(),
            prefixed: None,
        }
    }

    /// One line with whatever stands before its object; `Err` leaves nothing of it behind.
    fn line(&mut self, text: &[u8], out: &mut Decoded) -> Result<(), JsonError> {
        if !*self.prefixed.get_or_insert(text.first() != Some(&b'{')) {
            return self.object_line(text, f64::NAN, out);
        }
        // anything else is text between the lines with numbers
        if let Some((prefix, object)) = prefix::split(text)
            && let Err(JsonError::TooMany) = self.object_line(object, prefix::wall(prefix), out)
        {
            return Err(JsonError::TooMany);
        }
        Ok(())
    }

    /// One line that is an object; `wall` is the time before it.
    fn object_line(&mut self, text: &[u8], wall: f64, out: &mut Decoded) -> Result<(), JsonError> {
        self.found.begin();
        if !wall.is_nan() {
            self.found.wall(u8::MAX, wall);
        }
        if let Some((shape, values)) = self.templates.read(text) {
            (self.found.has_mode, self.found.validation) = (shape.has_mode, shape.validation);
            self.found.known(&self.slots, &shape.slots, values);
            self.emit(out);
            return Ok(());
        }
        self.slots.begin_line();
        self.path.clear();
        let mut cursor = Cursor::new(text);
        if cursor.kind()? != Kind::Object {
            return Err(JsonError::Unexpected);
        }
        self.object(&mut cursor, 0, out)?;
        cursor.end()?;
        self.emit(out);
        self.learn(text);
        Ok(())
    }

    /// Remembers the shape of a line in which every number stood at a key of its own and nothing else mattered.
    fn learn(&mut self, text: &[u8]) {
        let Self { templates, slots, found, .. } = self;
        if found.irregular {
            return;
        }
        templates.learn(text, |holes| {
            let same = |(hole, (slot, value)): (&Hole, &(usize, f64))| {
                slots.find(&hole.path) == Ok(*slot) && hole.value.to_bits() == value.to_bits()
            };
            if holes.len() != found.values.len() || !holes.iter().zip(&found.values).all(same) {
                return None;
            }
            let numbers = found.values.iter().map(|(slot, _)| (*slot, slots.is_plain(*slot))).collect();
            Some(Shape { slots: numbers, has_mode: found.has_mode, validation: found.validation })
        });
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
                self.found.irregular = true;
            }
            Kind::Object => {
                let (outer, kept) = (self.found.media, self.found.values.len());
                self.found.media = false;
                self.object(cursor, depth + 1, out)?;
                if self.found.media {
                    self.found.take_back(&mut self.slots, kept);
                }
                self.found.media = outer;
            }
            Kind::Array => {
                self.found.irregular = true;
                self.array(passed(cursor, depth)?, out);
            }
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
        if is_name(&self.path) && content.len() <= NAME_LENGTH {
            self.found.name = Some(unescape(content).into_owned());
            self.found.irregular = true;
        }
        if self.path.ends_with(b"/_type") {
            self.found.media = true;
        }
        if content.len() > NUMBER_LENGTH {
            return;
        }
        if let Some(value) = number(content) {
            self.found.irregular = true;
            self.number(value, out);
        } else if self.path == b"mode" {
            self.found.validation = matches!(content, b"val" | b"test");
            self.found.has_mode = true;
        } else if content.first().is_some_and(u8::is_ascii_digit)
            && let Ok(path) = std::str::from_utf8(&self.path)
            && let Axis::Time(rank) = Axis::of(path)
            && let Some(wall) = std::str::from_utf8(content).ok().and_then(wall_of_text)
        {
            self.found.irregular = true;
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
        if let Some(name) = self.found.name.take()
            && let Some(value) = self.named_value()
        {
            self.emit_named(&name, Point { step, wall, value }, out);
            return;
        }
        for (slot, value) in self.found.values.iter().copied() {
            let used_up = match self.slots.axis(slot) {
                Axis::Step(r) => Some(usize::from(r)) == rank,
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

    /// The value of a line in long form, `{"name": "loss", "value": 0.5, "step": 3}`: besides it there are only
    /// numbers that say where the line stands.
    fn named_value(&self) -> Option<f64> {
        let mut value = None;
        for (slot, number) in &self.found.values {
            if self.slots.is_value(*slot) {
                value = Some(*number);
            } else if self.slots.is_plain(*slot) {
                return None;
            }
        }
        value
    }

    fn emit_named(&mut self, name: &str, point: Point, out: &mut Decoded) {
        if !self.names.contains_key(name) {
            if self.names.len() >= NAMES_LIMIT {
                return out.oddity("name beyond the first 65536");
            }
            self.names.insert(name.to_owned(), SeriesKey::plain(name));
        }
        if let Some(key) = self.names.get(name) {
            out.point(key, point);
            out.count_records(1);
        }
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

/// Whether the key at the top names a metric whose value stands beside it.
fn is_name(path: &[u8]) -> bool {
    path.len() <= 16 && std::str::from_utf8(path).is_ok_and(is_name_column)
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
