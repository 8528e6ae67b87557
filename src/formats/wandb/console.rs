//! What the run printed: pieces of console output, put together to lines.

use super::items::text;
use crate::{
    formats::{
        Decoded,
        wire::protobuf::{Fields, Malformed, Wire, timestamp},
    },
    model::{Record, Step, Tag, TextRecord, WallTime},
};

/// Bytes of a line that are kept.
const LINE_LIMIT: usize = 4096;

/// The unfinished lines of both streams.
#[derive(Debug)]
pub(super) struct Console {
    /// Error output, standard output.
    streams: [Stream; 2],
}

#[derive(Debug)]
struct Stream {
    tag: Tag,
    line: Vec<u8>,
    /// A carriage return came last: what follows overwrites the line unless it is a line feed.
    overwrite: bool,
    wall: f64,
}

impl Console {
    pub fn new() -> Self {
        let stream = |tag| Stream { tag: Tag::from(tag), line: Vec::new(), overwrite: false, wall: f64::NAN };
        Self { streams: [stream("console/stderr"), stream("console/stdout")] }
    }

    /// Takes an `OutputRecord` or `OutputRawRecord`; whole lines become texts at `step`. Of a progress bar, which
    /// writes over its line again and again, the last state is the line.
    pub fn take(&mut self, message: &[u8], step: Step, out: &mut Decoded) -> Result<(), Malformed> {
        let (mut which, mut wall, mut piece): (u64, f64, &[u8]) = (0, f64::NAN, &[]);
        for field in Fields::of(message) {
            match field? {
                (1, Wire::Varint(stream)) => which = stream,
                (2, Wire::Bytes(time)) => wall = timestamp(time)?,
                (3, Wire::Bytes(text)) => piece = text,
                _ => {}
            }
        }
        let Some(stream) = self.streams.get_mut(usize::from(which != 0)) else { return Ok(()) };
        stream.wall = wall;
        for byte in piece {
            stream.byte(*byte, step, out);
        }
        Ok(())
    }

    /// The run has ended: a line without its end is whole.
    pub fn finish(&mut self, step: Step, out: &mut Decoded) {
        for stream in &mut self.streams {
            stream.end_line(step, out);
        }
    }
}

impl Stream {
    fn byte(&mut self, byte: u8, step: Step, out: &mut Decoded) {
        match byte {
            b'\n' => self.end_line(step, out),
            b'\r' => self.overwrite = true,
            _ => {
                if std::mem::take(&mut self.overwrite) {
                    self.line.clear();
                }
                if self.line.len() < LINE_LIMIT {
                    self.line.push(byte);
                }
            }
        }
    }

    fn end_line(&mut self, step: Step, out: &mut Decoded) {
        self.overwrite = false;
        if !self.line.iter().all(u8::is_ascii_whitespace) {
            out.record(Record::Text(TextRecord {
                tag: self.tag.clone(),
                step,
                wall: WallTime(self.wall),
                text: whole_characters(&self.line).into(),
            }));
        }
        self.line.clear();
    }
}

/// The line as text, without a character that the limit divides.
fn whole_characters(line: &[u8]) -> std::borrow::Cow<'_, str> {
    let whole = match std::str::from_utf8(line) {
        Err(error) if error.error_len().is_none() => line.get(..error.valid_up_to()).unwrap_or(line),
        _ => line,
    };
    text(whole)
}
