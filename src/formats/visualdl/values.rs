//! The values of a record: points, histograms, texts, settings, and what is only counted.

use std::sync::Arc;

use crate::{
    formats::{
        Decoded,
        wandb::facts::owned,
        wire::{
            buckets::{BUCKETS_LIMIT, Buckets},
            protobuf::{Fields, Malformed, Wire, packed_doubles},
            series::SeriesTable,
        },
    },
    model::{
        Artefact, ArtefactKind, HistogramRecord, HyperValue, LayerSubject, Point, Record, RunInfo, SeriesKey,
        Step, Tag, TextRecord, WallTime,
    },
};

/// Settings of one record that are kept.
const SETTINGS_LIMIT: usize = 4096;

/// Where a record lies in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub offset: u64,
    pub bytes: u64,
}

/// One value, as it lies on the wire.
#[derive(Clone, Copy, Debug)]
struct Value<'a> {
    step: Step,
    tag: &'a [u8],
    /// Milliseconds since 1970.
    time: Option<i64>,
    /// Field number and content of what it holds.
    content: Option<(u32, Wire<'a>)>,
}

impl<'a> Value<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut value = Self { step: 0, tag: &[], time: None, content: None };
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Varint(step)) => value.step = step.cast_signed(),
                (2, Wire::Bytes(tag)) => value.tag = tag,
                (3, Wire::Varint(time)) => value.time = Some(time.cast_signed()),
                (4, wire @ Wire::Fixed32(_)) => value.content = Some((4, wire)),
                (number @ 5..=14, wire @ Wire::Bytes(_)) => value.content = Some((number, wire)),
                (1..=14, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(value)
    }

    fn wall(&self) -> f64 {
        self.time.map_or(f64::NAN, |ms| ms as f64 / 1000.0)
    }

    fn point(&self, value: f32) -> Point {
        Point { step: self.step, wall: self.wall(), value: f64::from(value) }
    }

    fn artefact(&self, kind: ArtefactKind, place: Place) -> Record {
        Record::Artefact(Artefact {
            kind,
            name: owned(self.tag),
            step: Some(self.step),
            wall: WallTime(self.wall()),
            offset: place.offset,
            bytes: place.bytes,
            fields: Vec::new(),
        })
    }
}

/// Takes a `Record`. Nothing is said of one of which any part is malformed: without checksums that is how damage shows.
pub(super) fn take(
    record: &[u8],
    place: Place,
    series: &mut SeriesTable,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    for field in Fields::of(record) {
        match field? {
            (1, Wire::Bytes(value)) => drop(Value::parse(value)?),
            _ => return Err(Malformed),
        }
    }
    for field in Fields::of(record) {
        if let (1, Wire::Bytes(value)) = field? {
            take_value(&Value::parse(value)?, place, series, out)?;
        }
    }
    Ok(())
}

fn take_value(
    value: &Value<'_>,
    place: Place,
    series: &mut SeriesTable,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let Some((number, wire)) = value.content else {
        out.oddity("value without content");
        return Ok(());
    };
    let content = wire.bytes().unwrap_or_default();
    let kind = match number {
        4 => {
            let point = value.point(wire.float().ok_or(Malformed)?);
            series.push(value.tag, || SeriesKey::plain(Tag::new(owned(value.tag))), point, out);
            return Ok(());
        }
        8 => return histogram(value, content, out),
        10 => return display_name(content, out),
        12 => return text(value, content, out),
        13 => return settings(content, out),
        14 => return part(value, content, series, out),
        5 => ArtefactKind::Image,
        6 => ArtefactKind::Audio,
        7 => ArtefactKind::Embedding,
        _ => ArtefactKind::PrCurve,
    };
    out.record(value.artefact(kind, place));
    Ok(())
}

/// One curve of those that `add_scalars` draws together.
fn part(
    value: &Value<'_>,
    message: &[u8],
    series: &mut SeriesTable,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let (mut tag, mut number): (&[u8], f32) = (&[], 0.0);
    for field in Fields::of(message) {
        match field? {
            (1, Wire::Bytes(name)) => tag = name,
            (2, Wire::Fixed32(bits)) => number = f32::from_bits(bits),
            _ => {}
        }
    }
    // No tag holds a zero byte.
    let name = [value.tag, b"\0", tag].concat();
    let key = || SeriesKey::new(Tag::new(owned(value.tag)), owned(tag));
    series.push(&name, key, value.point(number), out);
    Ok(())
}

fn histogram(value: &Value<'_>, message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
    let (mut counts, mut edges) = (Vec::new(), Vec::new());
    for field in Fields::of(message) {
        let (numbers, wire) = match field? {
            (1, wire) => (&mut counts, wire),
            (2, wire) => (&mut edges, wire),
            _ => continue,
        };
        let room = (BUCKETS_LIMIT + 2).saturating_sub(numbers.len());
        match wire {
            Wire::Bytes(packed) => numbers.extend(packed_doubles(packed).take(room)),
            Wire::Fixed64(bits) if room > 0 => numbers.push(f64::from_bits(bits)),
            _ => {}
        }
    }
    let Some(Buckets { edges, counts, stats }) = Buckets::new(&edges, &counts) else {
        out.oddity("histogram whose numbers do not fit");
        return Ok(());
    };
    let LayerSubject { layer, kind } = LayerSubject::of_tag(&Tag::new(owned(value.tag)));
    let (step, wall) = (value.step, WallTime(value.wall()));
    out.record(Record::Histogram(HistogramRecord { layer, kind, step, wall, edges, counts, stats }));
    Ok(())
}

fn text(value: &Value<'_>, message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
    let mut text = Arc::from("");
    for field in Fields::of(message) {
        if let (1, Wire::Bytes(bytes)) = field? {
            text = owned(bytes);
        }
    }
    let (tag, wall) = (Tag::new(owned(value.tag)), WallTime(value.wall()));
    out.record(Record::Text(TextRecord { tag, step: value.step, wall, text }));
    Ok(())
}

/// The first record of a file, which names the run if the user did.
fn display_name(message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
    let mut info = RunInfo { framework: Some("visualdl".into()), ..RunInfo::default() };
    for field in Fields::of(message) {
        if let (1, Wire::Bytes(name)) = field? {
            info.name = Some(owned(name)).filter(|name| !name.is_empty());
        }
    }
    out.record(Record::Info(Box::new(info)));
    Ok(())
}

fn settings(message: &[u8], out: &mut Decoded) -> Result<(), Malformed> {
    let mut values = Vec::new();
    for field in Fields::of(message) {
        let (1, Wire::Bytes(setting)) = field? else { continue };
        let (mut name, mut value) = (Arc::from(""), None);
        for field in Fields::of(setting) {
            match field? {
                (1, Wire::Varint(n)) => value = Some(HyperValue::Number(n.cast_signed() as f64)),
                (2, Wire::Fixed64(bits)) => value = Some(HyperValue::Number(f64::from_bits(bits))),
                (3, Wire::Bytes(text)) => value = Some(HyperValue::Text(owned(text))),
                (4, Wire::Bytes(text)) => name = owned(text),
                _ => {}
            }
        }
        if let Some(value) = value
            && values.len() < SETTINGS_LIMIT
        {
            values.push((name, value));
        }
    }
    out.record(Record::Hyperparameters(values));
    Ok(())
}
