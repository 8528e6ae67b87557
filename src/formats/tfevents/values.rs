//! The values of a summary, by their kind: points, histograms, texts, hyper-parameters, and the rest, which is
//! counted and kept addressable.

use std::sync::Arc;

use super::{
    confusion,
    event::{Content, Form, Session, Value, Values},
    histogram::{self, Histogram, Scratch},
    hparams::Hparams,
    tags::{Kind, Metadata, Slot, TAG_LIMIT, Tags},
    tensor::Tensor,
    text,
};
use crate::{
    formats::{Decoded, wire::protobuf::Malformed},
    model::{
        Artefact, ArtefactKind, EndStatus, HistogramRecord, LayerSubject, Point, Record, RunInfo, Step,
        TextRecord, WallTime,
    },
};

/// The event that values come from: where it lies and when it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Of the whole frame, from the start of the file.
    pub offset: u64,
    /// Of the whole frame.
    pub bytes: u64,
    pub wall: f64,
    pub step: Step,
}

impl Place {
    fn point(self, value: f64) -> Point {
        Point { step: self.step, wall: self.wall, value }
    }

    /// A record that points to the frame.
    pub fn artefact(self, kind: ArtefactKind, name: Arc<str>) -> Record {
        Record::Artefact(Artefact {
            kind,
            name,
            step: Some(self.step),
            wall: WallTime(self.wall),
            offset: self.offset,
            bytes: self.bytes,
            fields: Vec::new(),
        })
    }
}

/// What is kept of a file from event to event.
#[derive(Default, Debug)]
pub(super) struct Known {
    pub tags: Tags,
    scratch: Scratch,
}

/// Takes all values of a summary. Those before a malformed one are kept.
#[inline]
pub(super) fn take(
    summary: &[u8],
    place: Place,
    known: &mut Known,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    for value in Values::of(summary) {
        let value = value?;
        if let Some((form, number)) = Form::guess(value)
            && let Some(slot) = known.tags.expected(form)
        {
            slot.push(out, place.point(f64::from(number)));
        } else {
            take_unexpected(value, place, known, out)?;
        }
    }
    Ok(())
}

fn take_unexpected(
    message: &[u8],
    place: Place,
    known: &mut Known,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let value = Value::parse(message)?;
    let metadata = value.metadata.map(Metadata::parse).transpose()?;
    if value.tag.len() > TAG_LIMIT {
        out.oddity("tag longer than 4096 bytes");
        return Ok(());
    }
    let Some(slot) = known.tags.slot(value.tag) else { return Ok(()) };
    if let Some(metadata) = metadata
        && slot.kind == Kind::Unknown
    {
        slot.kind = metadata.kind;
    }
    if let Some(form) = Form::of_simple(message) {
        slot.learn(form);
    }
    take_value(&value, message, metadata, slot, place, &mut known.scratch, out)
}

fn take_value(
    value: &Value<'_>,
    message: &[u8],
    metadata: Option<Metadata<'_>>,
    slot: &mut Slot,
    place: Place,
    scratch: &mut Scratch,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    let name = || Arc::from(slot.key.tag.as_str());
    match value.content {
        Content::Simple(number) => slot.push(out, place.point(f64::from(number))),
        Content::Histogram(message) => match histogram::of_legacy(message, scratch)? {
            Some(histogram) => out.record(histogram_record(histogram, slot, place)),
            None => out.oddity("histogram of too many buckets"),
        },
        Content::Image => out.record(place.artefact(ArtefactKind::Image, name())),
        Content::Audio => out.record(place.artefact(ArtefactKind::Audio, name())),
        Content::OldHistogram => out.oddity("histogram of a form that was never specified"),
        Content::Tensor(tensor) => {
            let tensor = Tensor::parse(tensor)?;
            if let Some(bits) = tensor.float_bits().filter(|_| slot.kind == Kind::Scalar)
                && let Some(form) = Form::around(message, bits)
            {
                slot.learn(form);
            }
            take_tensor(&tensor, metadata, slot, place, out)?;
        }
        // Some writers of hyper-parameters leave out even the empty tensor.
        Content::Nothing if slot.kind == Kind::Hparams => take_hparams(metadata, place, out)?,
        Content::Nothing => out.oddity("value without content"),
    }
    Ok(())
}

fn take_tensor(
    tensor: &Tensor<'_>,
    metadata: Option<Metadata<'_>>,
    slot: &mut Slot,
    place: Place,
    out: &mut Decoded,
) -> Result<(), Malformed> {
    match slot.kind {
        // A file that continues another (TensorFlow's `reopen`) may say nothing of its tags.
        Kind::Scalar | Kind::Unknown if let Some(number) = tensor.number() => {
            slot.push(out, place.point(number));
            return Ok(());
        }
        Kind::Histogram if let Some(histogram) = tensor_histogram(tensor) => {
            out.record(histogram_record(histogram, slot, place));
            return Ok(());
        }
        Kind::Unknown
            if histogram::looks_like_one(tensor) && !confusion::is_named_so(slot.key.tag.as_str()) =>
        {
            if let Some(histogram) = histogram::of_tensor(tensor) {
                out.record(histogram_record(histogram, slot, place));
                return Ok(());
            }
        }
        Kind::Text if let Some(text) = text::of_tensor(tensor) => {
            let tag = slot.key.tag.clone();
            if let Some(matrix) = confusion::of_text(&text, tag.as_str(), place) {
                out.record(matrix);
            }
            out.record(Record::Text(TextRecord { tag, step: place.step, wall: WallTime(place.wall), text }));
            return Ok(());
        }
        Kind::Hparams => return take_hparams(metadata, place, out),
        Kind::Unknown | Kind::Tensor if confusion::is_named_so(slot.key.tag.as_str()) => {
            if let Some(matrix) = confusion::of_tensor(tensor, slot.key.tag.as_str(), place) {
                out.record(matrix);
                return Ok(());
            }
        }
        _ => {}
    }
    out.record(place.artefact(artefact_kind(slot.kind), Arc::from(slot.key.tag.as_str())));
    Ok(())
}

fn tensor_histogram(tensor: &Tensor<'_>) -> Option<Histogram> {
    if histogram::is_empty(tensor) {
        let (edges, counts) = (Arc::from([]), Arc::from([]));
        return Some(Histogram { edges, counts, stats: crate::model::LayerStats::default() });
    }
    histogram::of_tensor(tensor)
}

fn artefact_kind(kind: Kind) -> ArtefactKind {
    match kind {
        Kind::Image => ArtefactKind::Image,
        Kind::Audio => ArtefactKind::Audio,
        Kind::Graph => ArtefactKind::Graph,
        Kind::Mesh => ArtefactKind::Mesh,
        Kind::PrCurve => ArtefactKind::PrCurve,
        Kind::Layout | Kind::Hparams => ArtefactKind::Table,
        Kind::Embedding => ArtefactKind::Embedding,
        Kind::Scalar | Kind::Histogram | Kind::Text | Kind::Unknown | Kind::Tensor => ArtefactKind::Tensor,
    }
}

fn histogram_record(histogram: Histogram, slot: &mut Slot, place: Place) -> Record {
    let LayerSubject { layer, kind } = slot.subject().clone();
    let Histogram { edges, counts, stats } = histogram;
    let (step, wall) = (place.step, WallTime(place.wall));
    Record::Histogram(HistogramRecord { layer, kind, step, wall, edges, counts, stats })
}

fn take_hparams(metadata: Option<Metadata<'_>>, place: Place, out: &mut Decoded) -> Result<(), Malformed> {
    let event = |kind: &str| Record::Event {
        step: Some(place.step),
        wall: WallTime(place.wall),
        kind: Arc::from(kind),
        value: Arc::from(""),
    };
    match Hparams::parse(metadata.map(|m| m.content).unwrap_or_default())? {
        Hparams::Start { values, started } => {
            if started.is_some() {
                out.record(Record::Info(Box::new(RunInfo { started, ..RunInfo::default() })));
            }
            out.record(Record::Hyperparameters(values));
        }
        Hparams::End(Some(status)) => {
            out.record(event(if status == EndStatus::Finished { "finished" } else { "failed" }));
            out.record(Record::End(status));
        }
        // The plan of a sweep lies above its runs (Keras) or is repeated in each: it makes no run.
        Hparams::Experiment | Hparams::End(None) => {}
        Hparams::Unknown => out.oddity("hyper-parameters of an unknown form"),
    }
    Ok(())
}

/// Takes a `SessionLog`.
pub(super) fn take_session(log: &[u8], place: Place, out: &mut Decoded) -> Result<(), Malformed> {
    let event = |kind: &str, value: Arc<str>| Record::Event {
        step: Some(place.step),
        wall: WallTime(place.wall),
        kind: Arc::from(kind),
        value,
    };
    match Session::parse(log)? {
        // Whatever earlier files say from this step on is void. In a run's first file nothing is.
        Session::Start => out.record(Record::Purge { step: place.step }),
        Session::Stop => out.record(event("stop", Arc::from(""))),
        Session::Checkpoint(path) => out.record(event("checkpoint", text::of(path))),
        Session::Other => out.oddity("session log without a status"),
    }
    Ok(())
}
