//! Cuts a file into lines and progress frames and hands each to whoever can read it.

use std::sync::Arc;

use memchr::memchr2;

use super::{
    clean::clean,
    diagnose::{Diagnoses, Hits, hydra_job},
    general::{General, Look},
    grammar::{Grammar, Line, State},
    grammars::GRAMMARS,
    prefix::strip,
    sink::Sink,
};
use crate::formats::{Consumed, Decoded, Decoder, Fatal, taught::Pattern};

/// Longer lines are passed over: no program prints its metrics so, but models and arrays are.
const LINE_LIMIT: usize = 64 << 10;
/// Lines that a grammar must have read to be asked first.
const STICKY: u32 = 3;

/// Where the decoder of one file stands.
pub(super) struct TextDecoder<R = LineReader> {
    too_long: bool,
    scratch: String,
    reader: R,
}

/// What is done with the lines of a file.
pub(super) trait Lines {
    /// What was decoded is handed out anew from here on.
    fn begin_turn(&mut self, out: &mut Decoded);

    /// A cleaned segment. `hot`: a word in it may be a diagnosis.
    fn line(&mut self, text: &str, hot: bool, out: &mut Decoded);
}

/// Everything behind the cutting.
pub(super) struct LineReader {
    taught: Vec<Arc<Pattern>>,
    states: Vec<(State, u32)>,
    first: Option<usize>,
    general: General,
    diagnoses: Diagnoses,
    sink: Sink,
}

impl TextDecoder {
    /// A decoder for a file with the user's patterns for it. `speaks`: its diagnoses are worth showing without numbers.
    pub fn new(taught: Vec<Arc<Pattern>>, speaks: bool) -> Self {
        Self::reading(LineReader {
            taught,
            states: vec![(State::default(), 0); GRAMMARS.len()],
            first: None,
            general: General::default(),
            diagnoses: Diagnoses::default(),
            sink: Sink::new(speaks),
        })
    }
}

impl<R: Lines> TextDecoder<R> {
    /// A decoder that hands the lines to `reader`.
    pub fn reading(reader: R) -> Self {
        Self { too_long: false, scratch: String::new(), reader }
    }

    /// The reader.
    pub fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Reads whole segments; with `last` what is left is one. Returns how many bytes are done with.
    ///
    /// A progress frame is not done with before the next segment is whole: it may be drawn over.
    fn segments(&mut self, bytes: &[u8], last: bool, out: &mut Decoded) -> usize {
        self.reader.begin_turn(out);
        let mut hits = Hits::new(bytes);
        let mut frame: Option<(usize, usize)> = None;
        let (mut done, mut from) = (0, 0);
        loop {
            let rest = bytes.get(from..).unwrap_or_default();
            let (length, end) = match memchr2(b'\n', b'\r', rest) {
                Some(length) => (length, rest.get(length).copied().unwrap_or(b'\n')),
                None if last && !rest.is_empty() => (rest.len(), b'\n'),
                None => break,
            };
            let segment = (from, from + length);
            from = (from + length + 1).min(bytes.len());
            let text = bytes.get(segment.0..segment.1).unwrap_or_default();
            if self.too_long || length > LINE_LIMIT {
                if !std::mem::take(&mut self.too_long) {
                    self.resolve(frame.take(), bytes, &mut hits, out);
                    out.oddity("line longer than 64 KiB");
                }
                done = from;
                continue;
            }
            if text.trim_ascii().is_empty() {
                if end == b'\n' {
                    self.resolve(frame.take(), bytes, &mut hits, out);
                }
                if frame.is_none() {
                    done = from;
                }
                continue;
            }
            if let Some((start, stop)) = frame.take() {
                if redraws(bytes.get(start..stop).unwrap_or_default(), text) {
                    out.count_records(1);
                } else {
                    self.resolve(Some((start, stop)), bytes, &mut hits, out);
                }
            }
            if end == b'\r' && counter_at(text).is_some() {
                done = segment.0;
                frame = Some(segment);
            } else {
                self.resolve(Some(segment), bytes, &mut hits, out);
                done = from;
            }
        }
        if last {
            self.resolve(frame, bytes, &mut hits, out);
            return bytes.len();
        }
        if bytes.len() - from > LINE_LIMIT {
            if !self.too_long {
                self.resolve(frame, bytes, &mut hits, out);
                out.oddity("line longer than 64 KiB");
                self.too_long = true;
            }
            return bytes.len();
        }
        done
    }

    /// Reads the segment between two places.
    fn resolve(&mut self, segment: Option<(usize, usize)>, bytes: &[u8], hits: &mut Hits, out: &mut Decoded) {
        let Some((start, end)) = segment else { return };
        let hot = hits.within(bytes, start, end);
        let text = clean(bytes.get(start..end).unwrap_or_default(), &mut self.scratch);
        out.count_records(1);
        self.reader.line(text, hot, out);
    }
}

impl Lines for LineReader {
    fn begin_turn(&mut self, out: &mut Decoded) {
        self.sink.begin_turn(out);
    }

    fn line(&mut self, text: &str, hot: bool, out: &mut Decoded) {
        let text = text.trim_end();
        if self.taught(text, out) {
            return;
        }
        let stripped = strip(text);
        if hot || self.diagnoses.attentive() {
            if let Some(job) = hydra_job(stripped.rest).filter(|_| stripped.prefix.contains("[HYDRA]")) {
                self.sink.enter(job, out);
                return;
            }
            let indented = if stripped.prefix.is_empty() { text } else { stripped.rest };
            self.diagnoses.read(indented, stripped.wall, &mut self.sink, out);
        }
        if stripped.rest.is_empty() {
            return;
        }
        let begun =
            Line { wall: stripped.wall, rank: stripped.rank, prefix: stripped.prefix, ..Line::default() };
        if !self.grammars(stripped.rest, &begun, out) {
            let indented = stripped.prefix.is_empty() && text.starts_with([' ', '\t']);
            let look = Look { bare: stripped.bare, indented };
            self.general.read(stripped.rest, look, begun, &mut self.sink, out);
        }
    }
}

impl LineReader {
    fn taught(&mut self, text: &str, out: &mut Decoded) -> bool {
        for pattern in &self.taught {
            let Some(read) = pattern.read(text) else { continue };
            let mut line = Line {
                step: read.step,
                steps_total: read.steps_total,
                epoch: read.epoch,
                epochs_total: read.epochs_total,
                wall: read.wall.or_else(|| strip(text).wall),
                context: read.split.into(),
                ..Line::default()
            };
            for (tag, value) in &read.values {
                line.add(&**tag, *value);
            }
            for (tag, _) in &read.unread {
                out.oddity(&format!("pattern {}: no number in the group of {tag}", pattern.name()));
            }
            self.sink.take(&line, None, out);
            return true;
        }
        false
    }

    fn grammars(&mut self, text: &str, begun: &Line<'_>, out: &mut Decoded) -> bool {
        let sticky = self.first;
        let others = (0..GRAMMARS.len()).filter(|at| Some(*at) != sticky);
        for at in sticky.into_iter().chain(others) {
            let (Some(grammar), Some((state, read))) = (GRAMMARS.get(at), self.states.get_mut(at)) else {
                continue;
            };
            if !grammar.may(text) {
                continue;
            }
            let mut line = Line { wall: begun.wall, rank: begun.rank, ..Line::default() };
            line.prefix = begun.prefix;
            if !Grammar::read(*grammar, text, state, &mut line) {
                continue;
            }
            if line.values.is_empty() && line.is_empty() {
                return true;
            }
            *read = read.saturating_add(1);
            if *read >= STICKY {
                self.first = Some(at);
            }
            self.sink.take(&line, Some(grammar.name()), out);
            return true;
        }
        false
    }
}

/// Place behind the counter of a progress frame: `45%|`, ` 1/22 `.
fn counter_at(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr2(b'%', b'/', text.get(at..)?) {
        at += found;
        let before = at.checked_sub(1).and_then(|b| text.get(b)).is_some_and(u8::is_ascii_digit);
        let after = text.get(at + 1);
        let is = match text.get(at) {
            Some(b'%') => matches!(after, Some(b'|' | b' ') | None),
            _ => after.is_some_and(u8::is_ascii_digit),
        };
        if before && is {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Whether `next` is drawn over the progress frame `frame`: the same text stands before its counter.
fn redraws(frame: &[u8], next: &[u8]) -> bool {
    let title = |text: &[u8]| -> Option<Vec<u8>> {
        let before = text.get(..counter_at(text)?)?;
        let mut scratch = String::new();
        let shown = clean(before, &mut scratch);
        Some(shown.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').trim_start().into())
    };
    title(frame).is_some_and(|a| title(next).is_some_and(|b| a == b))
}

impl<R: Lines + Send> Decoder for TextDecoder<R> {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        Ok(Consumed::all(self.segments(available, false, out)))
    }

    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        self.segments(rest, true, out)
    }
}
