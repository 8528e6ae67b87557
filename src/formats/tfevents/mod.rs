//! TensorBoard event files: what PyTorch, TensorFlow, Keras, Lightning, JAX and many others write.
//!
//! A file is a row of `TFRecord`s ([`frame`]), each an `Event` ([`event`]) with values of tags ([`values`]).
//!
//! **Invariant:** what is read does not depend on how the bytes arrive. Whatever is decided about a damaged stretch
//! is decided when all bytes that could decide otherwise are there, and never by those that merely happen to be.
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::panic,
        clippy::float_cmp,
        reason = "a test stops at what it did not expect"
    )
)]

#[cfg(test)]
mod build;
mod confusion;
mod event;
mod frame;
mod histogram;
mod hparams;
mod tags;
mod tensor;
#[cfg(test)]
mod tests;
mod text;
mod values;

use std::path::Path;

use event::{Event, What};
use frame::Frame;
use values::Place;

use super::{
    Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, HEAD_BYTES, Opening, Standing,
    wire::protobuf::Malformed,
};
use crate::model::ArtefactKind;

/// A declared length beyond this is no graph and no embedding, whatever its checksum says: 1 TiB.
const ABSURD: u64 = 1 << 40;

/// Why a stretch was passed over.
mod reason {
    pub const PAYLOAD: &str = "checksum of the payload does not match";
    pub const LENGTH: &str = "checksum of the length does not match; searched on for the next record";
    pub const STILL: &str = "no record found here after a damaged one";
    pub const TOO_LARGE: &str = "record larger than 64 MiB";
    pub const HOLE: &str = "zeros where records should be";
    pub const TORN: &str = "record is cut short; another begins within its length";
    pub const NO_EVENT: &str = "record is no event";
}

/// TensorBoard event files.
pub struct TfEvents;

impl Format for TfEvents {
    fn name(&self) -> &'static str {
        "tfevents"
    }

    fn summary(&self) -> &'static str {
        "TensorBoard event files: PyTorch, TensorFlow, Keras, Lightning, JAX, Hugging Face and others"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*tfevents*"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        // TensorBoard goes by the name, too; a profiler's placeholder is the one exception it makes.
        if !file.name.contains("tfevents") || file.name.ends_with(".profile-empty") {
            return Claim::No("");
        }
        // A file without a byte is a run whose writer has not flushed yet (tensorboardX waits two minutes).
        match frame::first(file.head) {
            Frame::BadLength if frame::find_start(file.head, 1..HEAD_BYTES).is_none() => {
                Claim::No("named like an event file, but holds no TFRecord")
            }
            _ => Claim::Yes,
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::stream(0)
    }

    /// A resumed writer opens a new file in the same folder; the time in its name sorts it behind.
    fn continues(&self, _path: &Path) -> bool {
        true
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(EventDecoder::default())
    }
}

/// Where the decoder of one event file stands.
#[derive(Debug, Default)]
struct EventDecoder {
    /// Bytes of the file that are behind.
    offset: u64,
    known: values::Known,
    /// Between a damaged length and the next record.
    searching: bool,
    /// Payload bytes whose checksum was computed for nothing and will be again: those behind the start of another
    /// record within a damaged one.
    vain: u64,
    fatal: Option<Fatal>,
}

/// Bytes checksummed in vain that any file may cost, and …
const VAIN_BYTES: u64 = 256 << 20;
/// … how often, on top of it, each byte that is behind. Real damage costs a record's length each time; a made-up row
/// of headers that all claim megabytes would cost the square of the file's size.
const VAIN_TIMES: u64 = 16;

impl Decoder for EventDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        if let Some(fatal) = &self.fatal {
            return Err(fatal.clone());
        }
        let consumed = self.take(available, false, out);
        match &self.fatal {
            Some(fatal) if consumed == Consumed::default() => Err(fatal.clone()),
            _ => Ok(consumed),
        }
    }

    /// The last record, if damaged, and whatever follows one that ends beyond the file's end.
    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        if self.fatal.is_some() {
            return 0;
        }
        let consumed = self.take(rest, true, out);
        if consumed.then_skip > 0 { rest.len() } else { consumed.bytes }
    }
}

impl EventDecoder {
    fn take(&mut self, available: &[u8], at_end: bool, out: &mut Decoded) -> Consumed {
        let mut turn = Turn { decoder: self, out, rest: available, at_end, records: 0, then_skip: 0 };
        while turn.advance() {}
        let Turn { rest, records, then_skip, .. } = turn;
        out.count_records(records);
        Consumed { bytes: available.len().saturating_sub(rest.len()), then_skip }
    }
}

/// One call of [`Decoder::decode`].
struct Turn<'d, 'a> {
    decoder: &'d mut EventDecoder,
    out: &'d mut Decoded,
    rest: &'a [u8],
    /// Nothing will follow `rest`.
    at_end: bool,
    records: u64,
    then_skip: u64,
}

impl<'a> Turn<'_, 'a> {
    /// Takes one frame; false when nothing more can be done with these bytes.
    #[inline]
    fn advance(&mut self) -> bool {
        if self.decoder.searching {
            return self.search(0, reason::STILL);
        }
        match frame::first(self.rest) {
            Frame::Whole { payload, rest } => {
                self.event(payload);
                self.move_to(rest);
                true
            }
            Frame::Incomplete => self.at_end && self.skip_torn(),
            Frame::BadPayload { rest } => self.skip_payload(rest),
            Frame::BadLength if frame::is_zero(self.rest) => self.search(1, reason::HOLE),
            Frame::BadLength => self.search(1, reason::LENGTH),
            Frame::TooLarge { length } => {
                self.pass_over(length);
                false
            }
        }
    }

    fn move_to(&mut self, rest: &'a [u8]) {
        let moved = self.rest.len().saturating_sub(rest.len()) as u64;
        self.decoder.offset = self.decoder.offset.saturating_add(moved);
        self.rest = rest;
    }

    fn skip_to(&mut self, rest: &'a [u8], why: &'static str) {
        let bytes = self.rest.len().saturating_sub(rest.len()) as u64;
        if bytes > 0 {
            self.out.skip(self.decoder.offset, bytes, why);
        }
        self.move_to(rest);
    }

    /// Passes over a record whose payload is not what was written. Where bytes were lost from it, the next
    /// record starts within the length that it declares, and the header of that one may reach beyond: without
    /// those few bytes nothing is decided. False while they are missing.
    #[cold]
    fn skip_payload(&mut self, rest: &'a [u8]) -> bool {
        let declared = self.rest.len().saturating_sub(rest.len());
        let within = frame::find_start(self.rest, 1..declared).and_then(|at| self.rest.get(at..));
        if within.is_none() && rest.len().saturating_add(1) < frame::HEADER_BYTES && !self.at_end {
            return false;
        }
        let again = within.map_or(0, |within| within.len().saturating_sub(rest.len()) as u64);
        self.skip_to(within.unwrap_or(rest), reason::PAYLOAD);
        let decoder = &mut *self.decoder;
        decoder.vain = decoder.vain.saturating_add(again);
        if decoder.vain > VAIN_BYTES.saturating_add(VAIN_TIMES.saturating_mul(decoder.offset)) {
            let reason = "too many damaged records, one within the other".into();
            decoder.fatal = Some(Fatal::LostFraming { offset: decoder.offset, reason });
            return false;
        }
        true
    }

    /// At the file's end: passes over a record whose end is missing if another one begins before.
    #[cold]
    fn skip_torn(&mut self) -> bool {
        let next = frame::find_start(self.rest, 1..usize::MAX).and_then(|at| self.rest.get(at..));
        next.inspect(|next| self.skip_to(next, reason::TORN)).is_some()
    }

    /// Goes to the next record that starts at `from` or later, or as far as there is certainly none.
    #[cold]
    fn search(&mut self, from: usize, why: &'static str) -> bool {
        let found = frame::find_start(self.rest, from..usize::MAX);
        self.decoder.searching = found.is_none();
        let bytes = found.unwrap_or(frame::searched(self.rest));
        self.skip_to(self.rest.get(bytes..).unwrap_or_default(), why);
        found.is_some()
    }

    /// A record that is too large and whose length can be trusted.
    #[cold]
    fn pass_over(&mut self, length: u64) {
        let offset = self.decoder.offset;
        if length > ABSURD {
            self.decoder.fatal = Some(Fatal::FrameTooLarge { offset, declared: length });
            return;
        }
        self.then_skip = length.saturating_add(frame::OVERHEAD);
        // where nothing will follow, no more is passed over than is there
        let there = if self.at_end { self.rest.len() as u64 } else { u64::MAX };
        self.out.skip(offset, self.then_skip.min(there), reason::TOO_LARGE);
        self.decoder.offset = offset.saturating_add(self.then_skip);
    }

    /// One event whose checksum fits.
    #[inline]
    fn event(&mut self, payload: &[u8]) {
        let offset = self.decoder.offset;
        let bytes = (payload.len() as u64).saturating_add(frame::OVERHEAD);
        let done = if let Some((wall, step, summary)) = Event::parse_plain(payload) {
            let place = Place { offset, bytes, wall, step };
            values::take(summary, place, &mut self.decoder.known, self.out)
        } else {
            self.other_event(payload, offset, bytes)
        };
        match done {
            Ok(()) => self.records = self.records.saturating_add(1),
            Err(Malformed) => self.out.skip(offset, bytes, reason::NO_EVENT),
        }
    }

    fn other_event(&mut self, payload: &[u8], offset: u64, bytes: u64) -> Result<(), Malformed> {
        let event = Event::parse(payload)?;
        let place = Place { offset, bytes, wall: event.wall, step: event.step };
        match event.what {
            What::Summary(summary) => {
                return values::take(summary, place, &mut self.decoder.known, self.out);
            }
            What::Session(log) => return values::take_session(log, place, self.out),
            What::Graph => self.out.record(place.artefact(ArtefactKind::Graph, "graph".into())),
            What::MetaGraph => self.out.oddity("meta graph"),
            What::RunMetadata => self.out.oddity("run metadata"),
            What::LogMessage => self.out.oddity("log message"),
            What::FileVersion | What::Nothing => {}
        }
        Ok(())
    }
}
