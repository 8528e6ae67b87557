//! A file whose lines are records of their own: the reading of one line is all that such formats differ in.

use super::{
    Consumed, Decoded, Decoder, FRAME_LIMIT, Fatal,
    wire::lines::{Line, Lines, trim, without_mark},
};

/// Where a line stands in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its first byte.
    pub offset: u64,
    /// Its length, the line feed included.
    pub bytes: u64,
}

/// Reads lines.
pub(super) trait ReadLine: Send {
    /// One line without blanks at its ends, never empty. `Err`, a clause for the list of skips, leaves nothing of it
    /// behind.
    fn line(&mut self, text: &[u8], place: Place, out: &mut Decoded) -> Result<(), &'static str>;
}

/// The decoder of such a file.
pub(super) struct ByLine<R> {
    lines: Lines,
    reader: R,
}

impl<R: ReadLine> ByLine<R> {
    /// At the start of a file.
    pub fn new(reader: R) -> Self {
        Self { lines: Lines::new(FRAME_LIMIT as usize), reader }
    }

    fn text(&mut self, text: &[u8], place: Place, out: &mut Decoded) -> Result<(), &'static str> {
        let text = trim(if place.offset == 0 { without_mark(text) } else { text });
        if text.is_empty() { Ok(()) } else { self.reader.line(text, place, out) }
    }
}

const TOO_LONG: &str = "line longer than 64 MiB";

impl<R: ReadLine> Decoder for ByLine<R> {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let mut at = 0;
        while let Some(line) = self.lines.next(available, &mut at) {
            match line {
                Line::Text { offset, bytes, text } => {
                    if let Err(reason) = self.text(text, Place { offset, bytes }, out) {
                        out.skip(offset, bytes, reason);
                    }
                }
                Line::TooLong { offset, bytes } => out.skip(offset, bytes, TOO_LONG),
            }
        }
        Ok(Consumed::all(at))
    }

    /// A last line that cannot be read is likely to be cut off, and no damage.
    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        match self.lines.last(rest) {
            Some(Line::Text { offset, bytes, text })
                if self.text(text, Place { offset, bytes }, out).is_ok() =>
            {
                rest.len()
            }
            Some(Line::TooLong { offset, bytes }) => {
                out.skip(offset, bytes, TOO_LONG);
                rest.len()
            }
            _ => 0,
        }
    }
}
