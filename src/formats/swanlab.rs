//! `SwanLab` logs, `run-<id>.swanlab`: records in blocks as in a `.wandb` file, under another magic number.
//!
//! Source: the `swanlab` package 0.10, `proto/swanlab/record/v1` and what it imports.

use std::{path::Path, sync::Arc};

use super::{
    Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing,
    document::folder_above,
    wandb::{claim, facts::owned},
    wire::{
        blocks::{Blocks, Place},
        protobuf::{Fields, Malformed, Wire, timestamp},
        series::SeriesTable,
    },
};
use crate::model::{
    Artefact, ArtefactKind, EndStatus, Payload, Point, Record, RunInfo, SeriesKey, Step, Tag, TextRecord,
    WallTime,
};

/// `:SWL`, 0xE1D6 little-endian, version 2.
const MAGIC: [u8; 7] = *b":SWL\xd6\xe1\x02";

const NO_RECORD: &str = "record is no SwanLab record";

/// Begins the keys of readings of the machine.
const SYSTEM: &[u8] = b"__swanlab__.";

/// Bytes of a console line that are kept.
const LINE_LIMIT: usize = 4096;

/// Names of one medium that are kept.
const ITEMS_LIMIT: usize = 64;

/// Why what lies in `logs/<number>` is not read.
const COLUMN: &str =
    "a column of a run by its number; the run's `run-….swanlab` has the same points, and their name";

/// `SwanLab` logs.
pub struct SwanLab;

impl Format for SwanLab {
    fn name(&self) -> &'static str {
        "swanlab"
    }

    fn summary(&self) -> &'static str {
        "SwanLab run logs (`run-….swanlab`), local, offline and cloud"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*.swanlab"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if is_column(file) {
            return Claim::No(COLUMN);
        }
        claim(file, ".swanlab", MAGIC, "named like a SwanLab log, but begins otherwise")
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::folder(0)
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(SwanLabDecoder { blocks: Blocks::new(MAGIC), run: Run::default() })
    }
}

/// Whether a file is a column's as the local mode writes it beside the log, `run-…/logs/<number>/1000.log`. Its lines are
/// `{"index", "data", "create_time"}`: which metric that is only the log says.
fn is_column(file: &Candidate<'_>) -> bool {
    let numbered = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    let part = file.name == "_summary.json" || file.name.strip_suffix(".log").is_some_and(numbered);
    let folder = |up| folder_above(file.path, up);
    part && folder(0).is_some_and(numbered)
        && folder(1) == Some("logs")
        && folder(2).is_some_and(|run| run.starts_with("run-"))
}

#[derive(Debug)]
struct SwanLabDecoder {
    blocks: Blocks,
    run: Run,
}

impl Decoder for SwanLabDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let run = &mut self.run;
        let record = |message: &[u8], place, out: &mut Decoded| run.record(message, place, out);
        self.blocks.each(available, false, NO_RECORD, out, record).map(Consumed::all)
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        let run = &mut self.run;
        let record = |message: &[u8], place, out: &mut Decoded| run.record(message, place, out);
        self.blocks.each(rest, true, NO_RECORD, out, record).unwrap_or(0)
    }
}

/// What is known of the run so far.
#[derive(Debug, Default)]
struct Run {
    series: SeriesTable,
    /// Of the last value that the user logged.
    step: Step,
    wall: f64,
    end: Option<EndStatus>,
}

/// What scalars and media have in common.
#[derive(Clone, Copy, Debug)]
struct Logged<'a> {
    key: &'a [u8],
    step: Step,
    kind: u64,
    wall: f64,
    value: &'a [u8],
}

impl<'a> Logged<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut logged = Self { key: &[], step: 0, kind: 0, wall: f64::NAN, value: &[] };
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Bytes(key)) => logged.key = key,
                (2, Wire::Varint(step)) => logged.step = step.cast_signed(),
                (3, Wire::Varint(kind)) => logged.kind = kind,
                (4, Wire::Bytes(time)) => logged.wall = timestamp(time)?,
                (5, Wire::Bytes(value)) => logged.value = value,
                _ => {}
            }
        }
        Ok(logged)
    }
}

impl Run {
    /// Takes one `Record`.
    fn record(&mut self, message: &[u8], place: Place, out: &mut Decoded) -> Result<(), Malformed> {
        for field in Fields::of(message) {
            match field? {
                (10, Wire::Bytes(start)) => take_start(start, out)?,
                (11, Wire::Bytes(finish)) => {
                    self.end = end(finish)?;
                    self.repeat_end(out);
                }
                (13, Wire::Bytes(scalar)) => self.scalar(Logged::parse(scalar)?, out)?,
                (14, Wire::Bytes(media)) => take_media(Logged::parse(media)?, place, out)?,
                (16, Wire::Bytes(line)) => self.console(line, out)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Readings of the machine count their own samples; they are put at the user's last step, as those of W&B are.
    fn scalar(&mut self, scalar: Logged<'_>, out: &mut Decoded) -> Result<(), Malformed> {
        let mut value = 0.0;
        for field in Fields::of(scalar.value) {
            if let (1, Wire::Fixed64(bits)) = field? {
                value = f64::from_bits(bits);
            }
        }
        let system = scalar.key.strip_prefix(SYSTEM);
        let step = if system.is_some() { self.step } else { scalar.step };
        let name = || {
            let prefix = if system.is_some() { "system/" } else { "" };
            SeriesKey::plain(format!("{prefix}{}", owned(system.unwrap_or(scalar.key))).as_str())
        };
        let point = Point { step, wall: scalar.wall, value };
        self.series.push(scalar.key, name, point, out);
        if system.is_none() {
            (self.step, self.wall) = (step, scalar.wall);
        }
        self.repeat_end(out);
        Ok(())
    }

    /// Values may still be written when the end is said already; the end holds.
    fn repeat_end(&self, out: &mut Decoded) {
        if let Some(end) = self.end {
            out.record(Record::End(end));
        }
    }

    fn console(&self, message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
        let (mut line, mut wall): (&[u8], f64) = (&[], f64::NAN);
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Bytes(bytes)) => line = bytes,
                (3, Wire::Bytes(time)) => wall = timestamp(time)?,
                _ => {}
            }
        }
        let text = owned(line.get(..LINE_LIMIT).unwrap_or(line));
        if !text.trim().is_empty() {
            let (tag, step, wall) = (Tag::from("console/stdout"), self.step, WallTime(wall));
            out.record(Record::Text(TextRecord { tag, step, wall, text }));
        }
        Ok(())
    }
}

/// A `StartRecord`.
fn take_start(message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
    let mut info = RunInfo { framework: Some("swanlab".into()), ..RunInfo::default() };
    for field in Fields::of(message) {
        match field? {
            (1, Wire::Bytes(project)) => info.labels.push(format!("project={}", owned(project)).into()),
            (4, Wire::Bytes(name)) if !name.is_empty() => info.name = Some(owned(name)),
            (6, Wire::Bytes(tag)) if info.labels.len() < ITEMS_LIMIT => info.labels.push(owned(tag)),
            (7, Wire::Bytes(group)) => info.labels.push(format!("group={}", owned(group)).into()),
            (8, Wire::Bytes(job)) => info.labels.push(format!("job={}", owned(job)).into()),
            (10, Wire::Bytes(id)) => info.id = Some(owned(id)),
            (12, Wire::Bytes(time)) => info.started = Some(timestamp(time)?),
            _ => {}
        }
    }
    out.record(Record::Info(Box::new(info)));
    Ok(())
}

/// A `FinishRecord`: 1 finished, 2 crashed, 3 aborted; 0 would be running.
fn end(message: &[u8]) -> Result<Option<EndStatus>, Malformed> {
    let mut status = None;
    for field in Fields::of(message) {
        if let (1, Wire::Varint(state)) = field? {
            status = match state {
                0 => None,
                1 => Some(EndStatus::Finished),
                _ => Some(EndStatus::Failed),
            };
        }
    }
    Ok(status)
}

/// A `MediaRecord`; the files lie below `media/` of the run's folder.
fn take_media(media: Logged<'_>, place: Place, out: &mut Decoded) -> Result<(), Malformed> {
    let kind = match media.kind {
        2 | 5 => ArtefactKind::Image,
        3 => ArtefactKind::Audio,
        4 => return text_media(media, out),
        6 | 9 => ArtefactKind::Table,
        7 | 8 => ArtefactKind::Mesh,
        _ => {
            out.oddity("medium of an unknown type");
            return Ok(());
        }
    };
    let mut names: Vec<Option<Arc<str>>> = Vec::new();
    for item in items(media.value) {
        for field in Fields::of(item?) {
            if let (1, Wire::Bytes(name)) = field?
                && names.len() < ITEMS_LIMIT
            {
                names.push(Some(owned(name)));
            }
        }
    }
    out.record(Record::Artefact(Artefact {
        kind,
        name: owned(media.key),
        step: Some(media.step),
        wall: WallTime(media.wall),
        offset: place.offset,
        bytes: place.bytes,
        fields: vec![("filenames".into(), Payload::Texts(names))],
    }));
    Ok(())
}

/// Texts usually lie in files of their own; those that do not are read.
fn text_media(media: Logged<'_>, out: &mut Decoded) -> Result<(), Malformed> {
    for item in items(media.value) {
        for field in Fields::of(item?) {
            if let (5, Wire::Bytes(payload)) = field?
                && !payload.is_empty()
            {
                out.record(Record::Text(TextRecord {
                    tag: Tag::new(owned(media.key)),
                    step: media.step,
                    wall: WallTime(media.wall),
                    text: owned(payload),
                }));
                return Ok(());
            }
        }
    }
    out.oddity("text in a file of its own");
    Ok(())
}

fn items(value: &[u8]) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    Fields::of(value).filter_map(|field| match field {
        Ok((1, Wire::Bytes(item))) => Some(Ok(item)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}
