//! A decoder, how far it came in its file, and the guard around it.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
};

use super::{
    document::Content,
    packed::Packing,
    source::{ReadAt, read_full},
};
use crate::formats::{Consumed, Decoded, Decoder, FRAME_LIMIT, Fatal, Format, HEAD_BYTES, Opening, Taught};

/// Bytes fetched at once. Large enough that the system call does not show, small enough that a batch of scalar
/// points (some 50 bytes each) stays under half a megabyte.
const BLOCK: usize = 1 << 20;

/// Bytes before the place of reading that are read again and compared.
const SEAM: usize = 64;

/// A decoder that is shown this much and takes nothing will never take anything: the largest frame and its wrapping.
const STUCK: usize = FRAME_LIMIT as usize + BLOCK;

/// A worker's buffer, used for one file after another.
///
/// What a decoder leaves is not kept but read again, longer: nothing is held for thousands of quiet files, and pages
/// that a network file system showed as zeros are seen as what they became.
#[derive(Debug, Default)]
pub struct Scratch {
    bytes: Vec<u8>,
}

impl Scratch {
    /// Gives back what one huge frame needed.
    pub fn shrink(&mut self) {
        if self.bytes.len() > 4 * BLOCK {
            self.bytes = Vec::new();
        }
    }

    fn of(&mut self, len: usize) -> &mut [u8] {
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
        self.bytes.get_mut(..len).unwrap_or_default()
    }
}

/// What one step of reading brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Frames were decoded; more bytes may be there.
    Advanced,
    /// Everything there is was decoded; this many bytes at the end are no whole frame yet.
    CaughtUp {
        /// Bytes after the last whole frame.
        pending: u64,
    },
    /// The bytes before the place of reading are not those that were read: the file was rewritten.
    Torn,
    /// The decoder gave up.
    Failed(Arc<str>),
}

/// What it takes to begin at a file's start.
pub struct Recipe {
    /// The file's format.
    pub format: &'static dyn Format,
    /// Where it is.
    pub path: PathBuf,
    /// The same without an ending that says how it is packed.
    inner: PathBuf,
    /// How it is packed.
    pub packing: Option<Packing>,
    /// Patterns of lines of the user's own.
    taught: Taught,
}

impl Recipe {
    /// For the file at `path`.
    pub fn new(format: &'static dyn Format, path: PathBuf, taught: Taught) -> Self {
        let (packing, inner) = Packing::of_path(&path);
        let inner = inner.into_owned();
        Self { format, path, inner, packing, taught }
    }

    /// A reader that stands at the start.
    pub fn reader(&self) -> Reader {
        Reader::new(self.format, &Opening { path: &self.inner, taught: &self.taught })
    }
}

/// Reads one file from its start on.
pub struct Reader {
    decoder: Box<dyn Decoder>,
    format: &'static str,
    offset: u64,
    seam: Vec<u8>,
    want: usize,
    head: Head,
}

/// A fingerprint of the file's start, taken of the very bytes that were decoded: by the time they were sent on, the
/// file may be another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Head {
    len: usize,
    hash: u64,
}

impl Head {
    /// Of nothing; the number is the offset basis of FNV-1a.
    const EMPTY: Self = Self { len: 0, hash: 0xcbf2_9ce4_8422_2325 };

    /// FNV-1a, because its result does not depend on the pieces in which bytes come.
    fn extend(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

impl Reader {
    /// A reader that stands at the start.
    pub fn new(format: &dyn Format, opening: &Opening<'_>) -> Self {
        Self {
            decoder: format.decoder(opening),
            format: format.name(),
            offset: 0,
            seam: Vec::new(),
            want: BLOCK,
            head: Head::EMPTY,
        }
    }

    /// Bytes of whole frames so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the file still begins with what was decoded of it, as far as the fingerprint goes.
    pub fn begins_alike(&self, file: &dyn ReadAt) -> io::Result<bool> {
        let mut start = vec![0; self.head.len];
        let filled = read_full(file, &mut start, 0, u64::MAX)?;
        let mut head = Head::EMPTY;
        head.extend(start.get(..filled).unwrap_or_default());
        Ok(head == self.head)
    }

    /// Whether any change of the file means that it is to be read again from its start.
    pub fn whole_document(&self) -> bool {
        self.decoder.whole_document()
    }

    /// Decodes a document as a whole; returns how many of its bytes were used: 0 when it is not whole yet.
    pub fn whole(&mut self, content: &Content, at_end: bool, out: &mut Decoded) -> Result<u64, Arc<str>> {
        let decoder = &mut self.decoder;
        contain(self.format, || {
            content.beside.iter().for_each(|(ending, bytes)| decoder.beside(ending, bytes));
        })?;
        let mut taken = self.decode(&content.bytes, out)?.bytes;
        if taken == 0 && at_end {
            let decoder = &mut self.decoder;
            taken = contain(self.format, || decoder.decode_rest(&content.bytes, out))?;
        }
        self.offset = taken.min(content.bytes.len()) as u64;
        Ok(self.offset)
    }

    /// Decodes the next block of a file that is `size` bytes long as far as is known. With `at_end` nobody will
    /// wait for more: the last record counts even without its terminator.
    pub fn step(
        &mut self,
        file: &dyn ReadAt,
        size: u64,
        at_end: bool,
        scratch: &mut Scratch,
        out: &mut Decoded,
    ) -> io::Result<Step> {
        let seam = self.seam.len();
        // The file may have grown since its size was asked for, hence a little more than what should be left.
        let left = usize::try_from(size.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let len = seam + self.want.min(left.saturating_add(256));
        let buffer = scratch.of(len);
        let filled = read_full(file, buffer, self.offset - seam as u64, size)?;
        let whole = filled < len;
        let buffer = buffer.get(..filled).unwrap_or_default();
        let Some((before, available)) = buffer.split_at_checked(seam) else { return Ok(Step::Torn) };
        if before != self.seam {
            return Ok(Step::Torn);
        }
        if available.is_empty() && !at_end {
            return Ok(Step::CaughtUp { pending: 0 });
        }
        let consumed = match self.decode(available, out) {
            Ok(consumed) => consumed,
            Err(reason) => return Ok(Step::Failed(reason)),
        };
        if consumed == Consumed::default() {
            return Ok(self.nothing_taken(buffer, available, whole, at_end, size, out));
        }
        self.want = BLOCK;
        let bytes = consumed.bytes.min(available.len());
        self.advance(buffer, seam + bytes, bytes as u64);
        if consumed.then_skip > 0 {
            self.offset = self.offset.saturating_add(consumed.then_skip);
            self.seam.clear();
            if self.offset > size.saturating_add(FRAME_LIMIT) {
                return Ok(Step::Failed(format!("a record claims {} bytes", consumed.then_skip).into()));
            }
        }
        // Everything was taken up to the end of the file: no need to look again for what is not there.
        let end = whole && bytes == available.len() && consumed.then_skip == 0 && !at_end;
        Ok(if end { Step::CaughtUp { pending: 0 } } else { Step::Advanced })
    }

    fn nothing_taken(
        &mut self,
        buffer: &[u8],
        available: &[u8],
        whole: bool,
        at_end: bool,
        size: u64,
        out: &mut Decoded,
    ) -> Step {
        if !whole && self.offset + (available.len() as u64) < size {
            if self.want >= STUCK {
                return Step::Failed("a record is larger than any that is read".into());
            }
            self.want = self.want.saturating_mul(4).min(STUCK);
            return Step::Advanced;
        }
        let mut rest = available.len();
        if at_end {
            let seam = buffer.len() - available.len();
            let decoder = &mut self.decoder;
            match contain(self.format, || decoder.decode_rest(available, out)) {
                Ok(bytes) => {
                    let bytes = bytes.min(available.len());
                    self.advance(buffer, seam + bytes, bytes as u64);
                    rest -= bytes;
                }
                Err(reason) => return Step::Failed(reason),
            }
        }
        Step::CaughtUp { pending: rest as u64 }
    }

    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Arc<str>> {
        let decoder = &mut self.decoder;
        match contain(self.format, || decoder.decode(available, out))? {
            Ok(consumed) => Ok(consumed),
            Err(fatal) => Err(explain(&fatal)),
        }
    }

    /// Moves on by `bytes`, which end at `end` of `buffer`.
    fn advance(&mut self, buffer: &[u8], end: usize, bytes: u64) {
        if self.head.len as u64 == self.offset {
            let wish = self.decoder.fingerprint_bytes().max(HEAD_BYTES).saturating_sub(self.head.len);
            let taken = buffer.get(end - bytes as usize..end).unwrap_or_default();
            self.head.extend(taken.get(..wish).unwrap_or(taken));
        }
        self.offset += bytes;
        let from = end.saturating_sub(SEAM);
        self.seam.clear();
        self.seam.extend_from_slice(buffer.get(from..end).unwrap_or_default());
    }
}

fn explain(fatal: &Fatal) -> Arc<str> {
    fatal.to_string().into()
}

/// Runs a decoder; a panic in it becomes the reason for which its file is given up.
pub fn contain<T>(format: &str, work: impl FnOnce() -> T) -> Result<T, Arc<str>> {
    // Unwind safety: decoder and sink are thrown away after a panic, nothing looks into them.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Arc::from(format!("the {format} reader broke down, which is a bug in epochscope: {said}"))
    })
}
