//! `VisualDL` logs, `vdlrecords.<time>.log`: what `PaddlePaddle`'s tools write.
//!
//! Source: the `visualdl` package 2.5, `proto/record.proto`, `writer/record_writer.py`.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test stops at what it did not expect"
    )
)]

mod frame;
mod values;

use std::path::Path;

use frame::Frame;

use super::{
    Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, HEAD_BYTES, Opening, Standing,
    wire::{protobuf::Malformed, series::SeriesTable},
};

/// Why a stretch was passed over.
mod reason {
    pub const NO_FRAME: &str = "no record begins here; searched on for the next one";
    pub const STILL: &str = "no record found here after a damaged one";
    pub const NO_RECORD: &str = "record is no VisualDL record";
}

/// `VisualDL` logs.
pub struct VisualDl;

impl Format for VisualDl {
    fn name(&self) -> &'static str {
        "visualdl"
    }

    fn summary(&self) -> &'static str {
        "VisualDL logs of PaddlePaddle (`vdlrecords.….log`)"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["*vdlrecords*.log*"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        // VisualDL goes by this word in the name, too.
        if !file.name.contains("vdlrecords") || !file.name.contains(".log") {
            return Claim::No("");
        }
        match frame::first(file.head) {
            Frame::Incomplete if file.head.len() < HEAD_BYTES => Claim::NotYet,
            Frame::None if frame::find_start(file.head, 1..HEAD_BYTES).is_none() => {
                Claim::No("named like a VisualDL log, but holds no record")
            }
            Frame::Whole { .. } | Frame::Incomplete | Frame::None => Claim::Yes,
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::stream(0)
    }

    /// Each writer opens a file of its own, named after the time.
    fn continues(&self, _path: &Path) -> bool {
        true
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(VisualDlDecoder::default())
    }
}

/// Where the decoder of one file stands.
#[derive(Debug, Default)]
struct VisualDlDecoder {
    offset: u64,
    series: SeriesTable,
    /// Between a damaged frame and the next one: the reason that the next skip is given.
    searching: Option<&'static str>,
}

impl Decoder for VisualDlDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let mut rest = available;
        let mut records = 0;
        loop {
            if let Some(why) = self.searching {
                if self.search(&mut rest, 0, why, out) {
                    continue;
                }
                break;
            }
            match frame::first(rest) {
                Frame::Incomplete => break,
                Frame::None => {
                    if !self.search(&mut rest, 1, reason::NO_FRAME, out) {
                        break;
                    }
                }
                Frame::Whole { payload, rest: behind } => {
                    let bytes = (rest.len() - behind.len()) as u64;
                    let place = values::Place { offset: self.offset, bytes };
                    if values::take(payload, place, &mut self.series, out) == Err(Malformed) {
                        // Its length may be wrong as well.
                        if !self.search(&mut rest, 1, reason::NO_RECORD, out) {
                            break;
                        }
                        continue;
                    }
                    records += 1;
                    self.offset += bytes;
                    rest = behind;
                }
            }
        }
        out.count_records(records);
        Ok(Consumed::all(available.len() - rest.len()))
    }
}

impl VisualDlDecoder {
    /// Goes to the next frame that begins at `from` or later, or as far as there is certainly none.
    #[cold]
    fn search(&mut self, rest: &mut &[u8], from: usize, why: &'static str, out: &mut Decoded) -> bool {
        let found = frame::find_start(rest, from..usize::MAX);
        let bytes = found.unwrap_or(frame::searched(rest));
        let next = if bytes > 0 { reason::STILL } else { why };
        self.searching = found.is_none().then_some(next);
        if bytes > 0 {
            out.skip(self.offset, bytes as u64, why);
        }
        self.offset += bytes as u64;
        *rest = rest.get(bytes..).unwrap_or_default();
        found.is_some()
    }
}
