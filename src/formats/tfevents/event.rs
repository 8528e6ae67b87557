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

impl<'a> Event<'a> {
    /// Reads the event of nearly every record: time, step and a summary, in this order and nothing else. `None`
    /// for any other, however slight the difference: [`Self::parse`] takes those.
    #[inline]
    pub fn parse_plain(payload: &'a [u8]) -> Option<(f64, Step, &'a [u8])> {
        let ([0x09, wall @ ..], mut rest) = payload.split_first_chunk::<9>()? else { return None };
        let mut step = 0;
        if let [0x10, after @ ..] = rest {
            rest = after;
            step = take_varint(&mut rest)?;
        }
        Some((f64::from_le_bytes(*wall), step.cast_signed(), delimited(rest, 0x2a)?))
    }
}

/// The content of a length-delimited field with that key that takes all of `bytes`.
#[inline]
fn delimited(bytes: &[u8], key: u8) -> Option<&[u8]> {
    let (first, mut rest) = bytes.split_first()?;
    if *first != key {
        return None;
    }
    let length = take_varint(&mut rest)?;
    (length == rest.len() as u64).then_some(rest)
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

/// A value without the last four bytes, where those are the bits of its number and nothing else: only keys,
/// lengths and the tag, the same bytes each time a writer logs this tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Form<'a>(pub &'a [u8]);

impl<'a> Form<'a> {
    /// Form and number of a value, if it has one. Which tag it is of is known by comparison only.
    #[inline]
    pub fn guess(value: &'a [u8]) -> Option<(Self, f32)> {
        let (form, bits) = value.split_last_chunk::<4>()?;
        Some((Self(form), f32::from_le_bytes(*bits)))
    }

    /// The form of a value that is a tag and a `simple_value`, in this order and nothing else.
    pub fn of_simple(value: &'a [u8]) -> Option<Self> {
        let (form, _) = Self::guess(value)?;
        let (0x15, tag) = form.0.split_last()? else { return None };
        delimited(tag, 0x0a).map(|_| form)
    }

    /// The form of a value whose number is `bits`, a slice of the value.
    pub fn around(value: &'a [u8], bits: &'a [u8]) -> Option<Self> {
        let at_end = bits.len() == 4 && bits.as_ptr_range().end == value.as_ptr_range().end;
        at_end.then(|| Self::guess(value)).flatten().map(|(form, _)| form)
    }
}

/// The values of a `Summary`, unread.
pub(super) struct Values<'a> {
    rest: &'a [u8],
}

impl<'a> Values<'a> {
    pub fn of(summary: &'a [u8]) -> Self {
        Self { rest: summary }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<&'a [u8], Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // Nearly always the only field, and nearly always shorter than 128 bytes.
        if let [0x0a, length @ 0..0x80, ref rest @ ..] = *self.rest
            && let Some((value, rest)) = rest.split_at_checked(usize::from(length))
        {
            self.rest = rest;
            return Some(Ok(value));
        }
        let mut fields = Fields::of(self.rest);
        let found = fields.find(|field| matches!(field, Ok((1, _)) | Err(_)));
        self.rest = fields.rest();
        found.map(|field| field?.1.bytes().ok_or(Malformed))
    }
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
        for (step, tag, number) in
            [(0, "a", 1.5), (3, "train/loss", f32::NAN), (-1, "lr", -0.0), (i64::MAX, "x", f32::INFINITY)]
        {
            let payload = build::scalar(12.5, step, tag, number);
            let (wall, quick_step, summary) = Event::parse_plain(&payload).unwrap();
            let event = Event::parse(&payload).unwrap();
            assert_eq!((wall, quick_step, What::Summary(summary)), (event.wall, event.step, event.what));
            let values: Vec<_> = Values::of(summary).collect();
            let [Ok(value)] = values[..] else { panic!("{values:?}") };
            let (form, quick) = Form::guess(value).unwrap();
            assert_eq!(Form::of_simple(value), Some(form));
            let thorough = Value::parse(value).unwrap();
            let Content::Simple(seen) = thorough.content else { panic!("{thorough:?}") };
            assert_eq!(quick.to_bits(), seen.to_bits());
            assert_eq!(seen.to_bits(), number.to_bits());
            assert_eq!(thorough.tag, tag.as_bytes());
        }
    }

    #[test]
    fn a_step_of_zero_may_be_left_out() {
        let mut payload = build::scalar(1.0, 0, "a", 2.0);
        payload.drain(9..11);
        assert_eq!(Event::parse_plain(&payload).map(|(_, step, _)| step), Some(0));
    }

    #[test]
    fn the_quick_way_declines_what_it_does_not_know() {
        let mut torn = build::scalar(1.0, 5, "a", 2.0);
        torn.pop();
        assert_eq!(Event::parse_plain(&torn), None);
        assert_eq!(Event::parse_plain(b""), None);
        assert_eq!(Event::parse_plain(&build::event_with(1.0, 5, &build::bytes_field(4, b"graph"))), None);
        let more = [build::simple("a", 1.0), build::varint_field(99, 1)].concat();
        assert_eq!(Form::of_simple(&more), None);
        let text = build::bytes_field(7, b"\x15abcd");
        assert_eq!((Form::of_simple(&text), Form::of_simple(b"abc")), (None, None));
    }

    #[test]
    fn values_are_found_among_unknown_fields_of_any_length() {
        let long = vec![7; 300];
        let summary = [
            build::bytes_field(2, b"unknown"),
            build::bytes_field(1, b"one"),
            build::varint_field(9, 5),
            build::bytes_field(1, &long),
        ];
        let values: Result<Vec<_>, _> =
            Values::of(&summary.concat()).map(|v| v.map(<[u8]>::to_vec)).collect();
        assert_eq!(values, Ok(vec![b"one".to_vec(), long]));
        assert_eq!(Values::of(b"\x0a\x05ab").collect::<Vec<_>>(), [Err(Malformed)]);
        assert_eq!(Values::of(b"\x08\x05").collect::<Vec<_>>(), [Err(Malformed)]);
    }

    #[test]
    fn node_name_stands_in_for_a_missing_tag() {
        let value = [build::bytes_field(7, b"old"), b"\x15\0\0\x80\x3f".to_vec()].concat();
        let value = Value::parse(&value).unwrap();
        assert_eq!((value.tag, value.content), (&b"old"[..], Content::Simple(1.0)));
    }
}
