//! Feeds bytes to a decoder in pieces, as a tail does, and keeps everything that comes out in comparable form. A whole
//! document is shown as it stands when somebody looks: to a fresh decoder, all at once.
//! Shared with the fuzz targets.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use epochscope::formats::{Consumed, Decoded, Decoder, Fatal, Format, Opening};

/// Step, wall time and value; the numbers as bits.
pub type PointBits = (i64, u64, u64);

/// Everything that a decoder said of a file; numbers as bits, so that NaN equals itself.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reading {
    /// Points by run and series.
    pub columns: BTreeMap<(String, String), Vec<PointBits>>,
    /// Records of each run, in order.
    pub records: BTreeMap<String, Vec<String>>,
    /// Offset, length, reason.
    pub skips: Vec<(u64, u64, String)>,
    /// Curiosities.
    pub oddities: BTreeMap<String, u64>,
    /// Whole frames understood.
    pub frames: u64,
    /// Why it ended early.
    pub fatal: Option<Fatal>,
    /// Bytes used up, the unfinished end not counted.
    pub consumed: u64,
}

impl Reading {
    /// Points of all series.
    pub fn points(&self) -> usize {
        self.columns.values().map(Vec::len).sum()
    }

    /// Steps and values of a series of the only run, by its label.
    pub fn series(&self, label: &str) -> Vec<(i64, f64)> {
        let points = self.columns.get(&(String::new(), label.to_owned()));
        let point = |(step, _, value): &PointBits| (*step, f64::from_bits(*value));
        points.map_or_else(Vec::new, |points| points.iter().map(point).collect())
    }

    /// The same with skips that touch made one: how many stretches a decoder lists while it searches for the next
    /// record may depend on how the bytes arrive, which bytes they cover may not. How far such a search has come
    /// at the file's end is left open.
    #[must_use]
    pub fn joined(mut self) -> Self {
        let mut joined: Vec<(u64, u64, String)> = Vec::new();
        for (offset, bytes, reason) in std::mem::take(&mut self.skips) {
            match joined.last_mut() {
                Some(last) if last.0 + last.1 == offset => last.1 += bytes,
                _ => joined.push((offset, bytes, reason)),
            }
        }
        if let Some(last) = joined.last_mut()
            && last.0 + last.1 == self.consumed
        {
            self.consumed = last.0;
            last.1 = 0;
        }
        self.skips = joined;
        self
    }

    fn add(&mut self, out: &mut Decoded) {
        let taken = out.take();
        if taken.void_earlier {
            self.columns.clear();
            self.records.clear();
        }
        for part in taken.parts {
            for column in part.columns {
                let points = self.columns.entry((part.run.to_string(), column.key.label())).or_default();
                let bits = |v: f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
                points.extend(column.points.iter().map(|p| (p.step, bits(p.wall), bits(p.value))));
            }
            let records = self.records.entry(part.run.to_string()).or_default();
            records.extend(part.records.iter().map(|r| format!("{r:?}")));
        }
        self.records.retain(|_, records| !records.is_empty());
        self.skips.extend(taken.skips.into_iter().map(|s| (s.offset, s.bytes, s.reason.to_string())));
        for (name, count) in taken.oddities {
            *self.oddities.entry(name.to_string()).or_default() += count;
        }
        self.frames += taken.records;
    }
}

/// A file that arrives bit by bit.
pub struct Feeder<'a> {
    format: &'a dyn Format,
    path: PathBuf,
    decoder: Box<dyn Decoder>,
    bytes: &'a [u8],
    beside: Vec<(&'static str, Vec<u8>)>,
    start: usize,
    /// Bytes of a whole document that were not shown yet.
    unseen: Option<usize>,
    out: Decoded,
    /// What came out so far.
    pub reading: Reading,
}

impl<'a> Feeder<'a> {
    /// A fresh decoder of `format` before the first byte.
    pub fn new(format: &'a dyn Format, bytes: &'a [u8]) -> Self {
        Self::named(format, Path::new("sample"), bytes)
    }

    /// The same for a file of that path, for formats that keep names in it.
    pub fn named(format: &'a dyn Format, path: &Path, bytes: &'a [u8]) -> Self {
        Self {
            format,
            path: path.to_path_buf(),
            decoder: format.decoder(&Opening::at(path)),
            bytes,
            beside: Vec::new(),
            start: 0,
            unseen: None,
            out: Decoded::new(),
            reading: Reading::default(),
        }
    }

    /// A file lies beside the document whose name ends in addition in `ending`.
    #[must_use]
    pub fn with(mut self, ending: &'static str, content: &[u8]) -> Self {
        self.beside.push((ending, content.to_vec()));
        self
    }

    /// Lets the file grow to `end` bytes and the decoder look at it until it takes no more. At a whole document
    /// nobody looks before the end of the test, for it is read anew each time.
    pub fn grow_to(&mut self, end: usize) {
        if self.decoder.whole_document() {
            self.unseen = Some(end);
            return;
        }
        while self.start < end && self.reading.fatal.is_none() && self.look(end) {}
    }

    /// True when something was taken.
    fn look(&mut self, end: usize) -> bool {
        let shown = &self.bytes[self.start..end];
        let decoded = self.decoder.decode(shown, &mut self.out);
        self.reading.add(&mut self.out);
        match decoded {
            Ok(consumed) => {
                assert!(consumed.bytes <= shown.len(), "more consumed than was shown");
                self.start += consumed.bytes;
                self.start += usize::try_from(consumed.then_skip).unwrap_or(usize::MAX / 2);
                self.reading.consumed = self.start as u64;
                consumed != Consumed::default()
            }
            Err(fatal) => {
                self.reading.fatal = Some(fatal);
                false
            }
        }
    }

    fn look_at_document(&mut self, end: usize) {
        self.decoder = self.format.decoder(&Opening::at(&self.path));
        self.reading = Reading::default();
        self.start = 0;
        for (ending, content) in &self.beside {
            self.decoder.beside(ending, content);
        }
        self.look(end);
        let taken = self.reading.consumed > 0;
        assert!(taken || self.reading.points() == 0, "a document that is not whole yet says nothing");
    }

    /// Nobody will wait for more.
    pub fn finish(mut self) -> Reading {
        if let Some(end) = self.unseen.take() {
            self.look_at_document(end);
        }
        if self.start < self.bytes.len() && self.reading.fatal.is_none() {
            let rest = &self.bytes[self.start..];
            let taken = self.decoder.decode_rest(rest, &mut self.out);
            assert!(taken <= rest.len(), "more consumed than was there");
            self.reading.consumed += taken as u64;
            self.reading.add(&mut self.out);
        }
        self.reading
    }

    /// Length of the start that must not change.
    pub fn fingerprint_bytes(&self) -> usize {
        self.decoder.fingerprint_bytes()
    }
}

/// The whole file at once.
pub fn read_whole(format: &dyn Format, bytes: &[u8]) -> Reading {
    read_in_pieces(format, bytes, &[bytes.len().max(1)])
}

/// The same of a file of that path, for formats that keep names in it.
pub fn read_whole_at(format: &dyn Format, path: &str, bytes: &[u8]) -> Reading {
    read_in_pieces_at(format, path, bytes, &[bytes.len().max(1)])
}

/// The file in pieces of these sizes, again and again.
pub fn read_in_pieces(format: &dyn Format, bytes: &[u8], sizes: &[usize]) -> Reading {
    read_in_pieces_at(format, "sample", bytes, sizes)
}

/// The same of a file of that path.
pub fn read_in_pieces_at(format: &dyn Format, path: &str, bytes: &[u8], sizes: &[usize]) -> Reading {
    let mut feeder = Feeder::named(format, path.as_ref(), bytes);
    let mut end = 0;
    for size in sizes.iter().cycle() {
        end = (end + (*size).max(1)).min(bytes.len());
        feeder.grow_to(end);
        if end >= bytes.len() {
            break;
        }
    }
    feeder.finish()
}
