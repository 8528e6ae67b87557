//! Compressed logs (`.gz`, `.zst`): unpacked as a stream from start to end, never held as a whole.
//!
//! A reader is shown the unpacked bytes as if they were a file, of which only what it has not used yet exists. A file
//! that changed is unpacked anew. Streams that are cut short or damaged keep what was read, and say so.

use std::{
    borrow::Cow,
    cell::RefCell,
    fs::File,
    io::{self, BufRead, Read},
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::{
    reader::contain,
    source::{ReadAt, Stamp},
};

/// Packed bytes fetched at once.
const FETCH: usize = 64 << 10;

/// Unpacked bytes made at once.
const CHUNK: usize = 128 << 10;

/// A stream may grow to this much unpacked …
const EXPANDED: u64 = 256 << 20;
/// … and beyond it to this many times its packed bytes. Logs that repeat themselves pack 100-fold at most, data made
/// to exhaust a reader 1000-fold and more.
const EXPANSION: u64 = 400;

/// Streams that may rest half unpacked: each holds up to its window (zstd: 8 MiB and more). Others are unpacked to
/// their end in one go.
const RESTING: usize = 8;

/// How a file is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
}

impl Packing {
    /// How a file of that name is packed, and its name without the ending that says so.
    pub fn of(name: &str) -> (Option<Self>, &str) {
        for (ending, packing) in [(".gz", Self::Gzip), (".zst", Self::Zstd)] {
            if let Some(inner) = name.strip_suffix(ending).filter(|inner| !inner.is_empty()) {
                return (Some(packing), inner);
            }
        }
        (None, name)
    }

    /// The same for a path.
    pub fn of_path(path: &Path) -> (Option<Self>, Cow<'_, Path>) {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        match Self::of(name) {
            (Some(packing), inner) => (Some(packing), Cow::Owned(path.with_file_name(inner))),
            (None, _) => (None, Cow::Borrowed(path)),
        }
    }
}

/// The packed bytes. The file is open only during a turn.
#[derive(Default)]
struct Feed {
    file: Option<File>,
    offset: u64,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
    failed: Option<io::Error>,
}

impl Feed {
    fn taken(&self) -> u64 {
        self.offset - self.buffer.len().saturating_sub(self.at) as u64
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.buffer.len() {
            self.at = 0;
            self.buffer.resize(FETCH, 0);
            let read = match &self.file {
                Some(file) => FileExt::read_at(file, &mut self.buffer, self.offset),
                None => Err(io::Error::from(io::ErrorKind::NotFound)),
            };
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            match read {
                Ok(n) => {
                    self.ended = n == 0;
                    self.offset += n as u64;
                }
                Err(error) => {
                    let kind = error.kind();
                    if kind != io::ErrorKind::Interrupted {
                        self.failed = Some(error);
                    }
                    return Err(kind.into());
                }
            }
        }
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut there = self.fill_buf()?;
        let read = there.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

enum Codec {
    Gzip(Box<MultiGzDecoder<Feed>>),
    Zstd(Box<Frames>),
}

impl Codec {
    fn feed(&mut self) -> &mut Feed {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zstd(frames) => &mut frames.feed,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Gzip(_) => "gzip",
            Self::Zstd(_) => "zstd",
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(into),
            Self::Zstd(frames) => frames.read(into),
        }
    }
}

/// The frames of a zstd stream, one after another.
struct Frames {
    feed: Feed,
    decoder: FrameDecoder,
    within: bool,
    /// A frame is over whose checksum was not looked at yet.
    unchecked: bool,
}

impl Frames {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            if self.within {
                let strategy = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.feed, strategy).map_err(io::Error::other)?;
                self.within = !self.decoder.is_finished();
                self.unchecked = !self.within;
                continue;
            }
            if std::mem::take(&mut self.unchecked)
                && let (Some(said), Some(found)) =
                    (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum())
                && said != found
            {
                return Err(io::Error::other("the checksum does not match"));
            }
            if self.feed.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match self.decoder.init(&mut self.feed) {
                Ok(()) => self.within = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut (&mut self.feed).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

/// A stream that is being unpacked.
pub struct Unpacker {
    codec: Codec,
    window: Vec<u8>,
    /// Where in the unpacked bytes `window` begins.
    base: u64,
    ended: bool,
    problem: Option<Arc<str>>,
    /// It may rest between turns.
    pub may_rest: bool,
}

static AT_REST: AtomicUsize = AtomicUsize::new(0);

impl Drop for Unpacker {
    fn drop(&mut self) {
        if self.may_rest {
            AT_REST.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Unpacker {
    /// At the start of the stream in `file`.
    pub fn new(packing: Packing, file: File) -> Self {
        let feed = Feed { file: Some(file), ..Feed::default() };
        let codec = match packing {
            Packing::Gzip => Codec::Gzip(Box::new(MultiGzDecoder::new(feed))),
            Packing::Zstd => Codec::Zstd(Box::new(Frames {
                feed,
                decoder: FrameDecoder::new(),
                within: false,
                unchecked: false,
            })),
        };
        let more = |n: usize| (n < RESTING).then_some(n + 1);
        let may_rest = AT_REST.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok();
        Self { codec, window: Vec::new(), base: 0, ended: false, problem: None, may_rest }
    }

    /// Gives the file for the time until [`Self::rest`].
    pub fn wake(&mut self, file: File) {
        self.codec.feed().file = Some(file);
    }

    /// Closes the file.
    pub fn rest(&mut self) {
        self.codec.feed().file = None;
    }

    /// Why the rest cannot be unpacked.
    pub fn problem(&self) -> Option<Arc<str>> {
        self.problem.clone()
    }

    /// Unpacked bytes at `offset`, as many as are wanted unless the stream ends. What is before `offset` is gone then,
    /// except at the end: somebody who got fewer bytes asks for the next ones before coming back to these.
    fn read_at(&mut self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        while !self.ended {
            self.pass(offset);
            if self.base == offset && self.window.len() >= into.len() {
                break;
            }
            self.unpack()?;
        }
        let Some(from) = offset.checked_sub(self.base) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        self.window.get(from..).unwrap_or_default().read(into)
    }

    /// Forgets what is before `offset`.
    fn pass(&mut self, offset: u64) {
        let behind = usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let behind = behind.min(self.window.len());
        self.window.drain(..behind);
        self.base += behind as u64;
    }

    fn unpack(&mut self) -> io::Result<()> {
        let filled = self.window.len();
        self.window.resize(filled + CHUNK, 0);
        let into = self.window.get_mut(filled..).unwrap_or_default();
        let codec = &mut self.codec;
        let read = contain(codec.name(), || codec.read(into));
        self.window.truncate(filled + read.as_ref().map_or(0, |r| *r.as_ref().unwrap_or(&0)));
        match read {
            Ok(Ok(0)) => self.ended = true,
            Ok(Ok(_)) => {
                let unpacked = self.base + self.window.len() as u64;
                let packed = self.codec.feed().taken().max(1);
                if unpacked > EXPANDED && unpacked / packed > EXPANSION {
                    self.end(
                        format!("it expands to more than {EXPANSION} times its size; not read further")
                            .into(),
                    );
                }
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Err(error)) => {
                let name = self.codec.name();
                let feed = self.codec.feed();
                if let Some(failed) = feed.failed.take() {
                    return Err(failed);
                }
                let what = match feed.taken() {
                    0 => format!("empty, or no {name} data"),
                    at if feed.ended => format!("the {name} data are cut short after {at} bytes"),
                    at => format!("the {name} data are damaged before byte {at}: {error}"),
                };
                self.end(what.into());
            }
            Err(panic) => self.end(panic),
        }
        Ok(())
    }

    fn end(&mut self, problem: Arc<str>) {
        self.ended = true;
        self.problem = Some(problem);
    }
}

/// The unpacked bytes of a file, as if they were one.
pub struct Unpacked<'a> {
    /// What unpacks.
    pub unpacker: RefCell<Unpacker>,
    /// The file as it lies on the disk.
    pub file: &'a dyn ReadAt,
}

impl ReadAt for Unpacked<'_> {
    fn stamp(&self) -> io::Result<Stamp> {
        self.file.stamp()
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.unpacker.borrow_mut().read_at(into, offset)
    }

    fn on_disk(&self, _offset: u64) -> u64 {
        self.unpacker.borrow_mut().codec.feed().taken()
    }

    fn problem(&self) -> Option<Arc<str>> {
        self.unpacker.borrow().problem()
    }
}

/// The first `bytes` of a file, unpacked where its name says that it is packed; and whether that is all there is.
pub fn head(path: &Path, file: &File, bytes: usize) -> io::Result<(Vec<u8>, bool, Option<Arc<str>>)> {
    let (packing, _) = Packing::of_path(path);
    let mut head = vec![0; bytes];
    let Some(packing) = packing else {
        let filled = super::source::read_full(file, &mut head, 0, u64::MAX)?;
        head.truncate(filled);
        return Ok((head, filled < bytes, None));
    };
    let mut unpacker = Unpacker::new(packing, file.try_clone()?);
    let filled = unpacker.read_at(&mut head, 0)?;
    head.truncate(filled);
    Ok((head, filled < bytes && unpacker.problem.is_none(), unpacker.problem.clone()))
}
