//! The `Event` message and the summary values in it.
//!
//! Field numbers: `tensorflow/tensorboard`, `tensorboard/compat/proto/{event,summary}.proto`.

use crate::{
    formats::wire::protobuf::{Fields, Malformed, take_varint},
    model::Step,
};

/// What an event carries beside its time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum What<'a> {
    /// Only time and step.
    Nothing,
    /// The first event of most files, `brain.Event:2`.
    FileVersion,
    /// A `GraphDef`.
    Graph,
    /// A `MetaGraphDef`.
    MetaGraph,
    /// A `Summary`.
    Summary(&'a [u8]),
    /// A `LogMessage`, given up by TensorFlow.
    LogMessage,
    /// A `SessionLog`.
    Session(&'a [u8]),
    /// A `TaggedRunMetadata`.
    RunMetadata,
}

/// One event.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Event<'a> {
    /// Seconds since 1970.
    pub wall: f64,
    /// 0 where the writer left it out.
    pub step: Step,
    pub what: What<'a>,
}

impl<'a> Event<'a> {
    /// Reads an event; unknown fields are passed over, the last of a repeated single field counts.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut event = Self { wall: 0.0, step: 0, what: What::Nothing };
        for field in Fields::of(payload) {
            let (number, wire) = field?;
            match number {
                1 => event.wall = wire.double().ok_or(Malformed)?,
                2 => event.step = wire.varint().ok_or(Malformed)?.cast_signed(),
                3 => event.what = What::FileVersion,
                4 => event.what = What::Graph,
                5 => event.what = What::Summary(wire.bytes().ok_or(Malformed)?),
                6 => event.what = What::LogMessage,
                7 => event.what = What::Session(wire.bytes().ok_or(Malformed)?),
                8 => event.what = What::RunMetadata,
                9 => event.what = What::MetaGraph,
                _ => {}
            }
        }
        Ok(event)
    }
}

/// The event of nearly every record: one `simple_value` of one tag, fields in ascending order.
///
/// Between step and value it holds only keys, lengths and the tag: its *form*, the same bytes at every step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct SimpleScalar<'a> {
    pub wall: f64,
    pub step: Step,
    /// Everything after the step and before the bits of the value. What it is is known only after
    /// [`Self::tag`] or by comparison.
    pub form: &'a [u8],
    pub value: f32,
}

impl<'a> SimpleScalar<'a> {
    /// What the event is if its form proves right. `None` for an event of another order of fields.
    #[inline]
    pub fn guess(payload: &'a [u8]) -> Option<Self> {
        let ([0x09, wall @ ..], mut rest) = payload.split_first_chunk::<9>()? else { return None };
        let mut step = 0;
        if let [0x10, after @ ..] = rest {
            rest = after;
            step = take_varint(&mut rest)?;
        }
        // Never empty: an empty form is that of a tag without such events.
        let (form, bits) = rest.split_last_chunk::<4>().filter(|(form, _)| !form.is_empty())?;
        Some(Self {
            wall: f64::from_le_bytes(*wall),
            step: step.cast_signed(),
            form,
            value: f32::from_le_bytes(*bits),
        })
    }

    /// The tag, if this is such an event; [`Event::parse`] takes every other, however slight the difference.
    pub fn tag(&self) -> Option<&'a [u8]> {
        let fields = delimited(delimited(self.form, 0x2a, 4)?, 0x0a, 4)?;
        let (0x15, fields) = fields.split_last()? else { return None };
        delimited(fields, 0x0a, 0).filter(|tag| !tag.is_empty())
    }
}

/// The content of a length-delimited field with that key that ends `beyond` bytes behind `bytes`.
fn delimited(bytes: &[u8], key: u8, beyond: u64) -> Option<&[u8]> {
    let (first, mut rest) = bytes.split_first()?;
    if *first != key {
        return None;
    }
    let length = take_varint(&mut rest)?;
    (length == (rest.len() as u64).saturating_add(beyond)).then_some(rest)
}

/// What a summary value holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Content<'a> {
    Nothing,
    Simple(f32),
    Image,
    /// A `HistogramProto`.
    Histogram(&'a [u8]),
    Audio,
    /// A `TensorProto`.
    Tensor(&'a [u8]),
    /// `obsolete_old_style_histogram`, never specified.
    OldHistogram,
}

/// One value of a summary.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Value<'a> {
    /// The writer's name; `node_name` in very old files.
    pub tag: &'a [u8],
    /// A `SummaryMetadata`.
    pub metadata: Option<&'a [u8]>,
    pub content: Content<'a>,
}

impl<'a> Value<'a> {
    /// Reads one value.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut value = Self { tag: &[], metadata: None, content: Content::Nothing };
        let mut node_name: &[u8] = &[];
        for field in Fields::of(bytes) {
            let (number, wire) = field?;
            match number {
                1 => value.tag = wire.bytes().ok_or(Malformed)?,
                2 => value.content = Content::Simple(wire.float().ok_or(Malformed)?),
                3 => value.content = Content::OldHistogram,
                4 => value.content = Content::Image,
                5 => value.content = Content::Histogram(wire.bytes().ok_or(Malformed)?),
                6 => value.content = Content::Audio,
                7 => node_name = wire.bytes().ok_or(Malformed)?,
                8 => value.content = Content::Tensor(wire.bytes().ok_or(Malformed)?),
                9 => value.metadata = Some(wire.bytes().ok_or(Malformed)?),
                _ => {}
            }
        }
        if value.tag.is_empty() {
            value.tag = node_name;
        }
        Ok(value)
    }
}

/// The values of a `Summary`.
pub(super) fn values(summary: &[u8]) -> impl Iterator<Item = Result<Value<'_>, Malformed>> {
    Fields::of(summary).filter_map(|field| match field {
        Ok((1, wire)) => Some(wire.bytes().ok_or(Malformed).and_then(Value::parse)),
        Ok(_) => None,
        Err(malformed) => Some(Err(malformed)),
    })
}

/// What a `SessionLog` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Session<'a> {
    /// The writer (re)starts at the event's step.
    Start,
    Stop,
    /// With the path.
    Checkpoint(&'a [u8]),
    Other,
}

impl<'a> Session<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (mut status, mut path): (u64, &[u8]) = (0, &[]);
        for field in Fields::of(bytes) {
            match field? {
                (1, wire) => status = wire.varint().ok_or(Malformed)?,
                (2, wire) => path = wire.bytes().ok_or(Malformed)?,
                _ => {}
            }
        }
        Ok(match status {
            1 => Self::Start,
            2 => Self::Stop,
            3 => Self::Checkpoint(path),
            _ => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tfevents::build;

    #[test]
    fn the_quick_way_reads_what_the_thorough_way_reads() {
        for (step, tag, value) in
            [(0, "a", 1.5), (3, "train/loss", f32::NAN), (-1, "lr", -0.0), (i64::MAX, "x", f32::INFINITY)]
        {
            let payload = build::scalar(12.5, step, tag, value);
            let quick = SimpleScalar::guess(&payload).unwrap();
            let event = Event::parse(&payload).unwrap();
            let What::Summary(summary) = event.what else { panic!("{event:?}") };
            let thorough = values(summary).next().unwrap().unwrap();
            assert_eq!((quick.wall, quick.step), (event.wall, event.step));
            assert_eq!(quick.tag(), Some(thorough.tag));
            let Content::Simple(seen) = thorough.content else { panic!("{thorough:?}") };
            assert_eq!(quick.value.to_bits(), seen.to_bits());
            assert_eq!(seen.to_bits(), value.to_bits());
        }
    }

    #[test]
    fn a_step_of_zero_may_be_left_out() {
        let mut payload = build::scalar(1.0, 0, "a", 2.0);
        payload.drain(9..11);
        let scalar = SimpleScalar::guess(&payload).unwrap();
        assert_eq!((scalar.step, scalar.tag(), scalar.value), (0, Some(&b"a"[..]), 2.0));
    }

    #[test]
    fn the_quick_way_declines_what_it_does_not_know() {
        let tag = |payload: &[u8]| SimpleScalar::guess(payload).and_then(|s| s.tag().map(<[u8]>::to_vec));
        let two = build::event(1.0, 5, &[build::simple("a", 1.0), build::simple("b", 2.0)]);
        assert_eq!(tag(&two), None);
        let mut torn = build::scalar(1.0, 5, "a", 2.0);
        torn.pop();
        assert_eq!(tag(&torn), None);
        assert_eq!(tag(&build::scalar(1.0, 5, "", 2.0)), None);
        assert_eq!(tag(b""), None);
    }

    #[test]
    fn node_name_stands_in_for_a_missing_tag() {
        let value = [build::bytes_field(7, b"old"), b"\x15\0\0\x80\x3f".to_vec()].concat();
        let value = Value::parse(&value).unwrap();
        assert_eq!((value.tag, value.content), (&b"old"[..], Content::Simple(1.0)));
    }
}
