//! A file that is rewritten as a whole: copied into memory with the files beside it, decoded at once.
//!
//! What it said stands until its new content is whole. **Invariants:** a copy during which any part changed (or of a
//! database came or went) is never decoded; nothing is opened for writing, locked or made; copying and decoding take at
//! most one part in [`COST_SHARE`] of the time, and the last state is always read.

use std::{
    hash::{BuildHasher, BuildHasherDefault},
    io,
    sync::Arc,
    time::Duration,
};

use rustc_hash::FxHasher;

use super::{
    reader::Reader,
    source::{ReadAt, Stamp},
    tail::{Budget, Tail, Turn},
};
use crate::model::{Clock, FileState, News, WallTime};

/// A file and those beside it are copied up to this size together.
pub const LIMIT: u64 = 256 << 20;

/// Bytes fetched at once.
const BLOCK: usize = 1 << 20;

/// A document that changes all the time is read again after this many times what reading it took.
const COST_SHARE: u32 = 10;

/// A file system's clock ticks in steps of up to 10 ms: a change this young may be followed by one that looks the same.
const YOUNG: f64 = 0.05;

/// Pause after the first copy that was torn; it doubles with each further one …
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// … up to this many times.
const DOUBLINGS: u32 = 6;

/// Copies that are tried where nobody can wait.
const TRIES_AT_END: u32 = 50;

/// A copy in memory.
#[derive(Debug, Default)]
pub struct Content {
    /// The file.
    pub bytes: Vec<u8>,
    /// Those beside it that exist, each with the companion that means it.
    pub beside: Vec<(&'static str, Vec<u8>)>,
}

impl Content {
    fn fingerprint(&self) -> u64 {
        BuildHasherDefault::<FxHasher>::default().hash_one((&self.bytes, &self.beside))
    }
}

/// What came of copying.
enum Copied {
    Whole(Content),
    Torn,
    TooLarge,
    /// Its packed bytes are damaged.
    Broken(Arc<str>),
}

/// What is remembered of a document between turns.
#[derive(Debug)]
pub struct Document {
    /// Fingerprint of what was decoded last, whatever came of it.
    content: Option<u64>,
    /// What came of it.
    state: FileState,
    not_before: Duration,
    /// Torn copies in a row.
    torn: u32,
}

impl Default for Document {
    fn default() -> Self {
        Self { content: None, state: FileState::Waiting, not_before: Duration::ZERO, torn: 0 }
    }
}

impl Tail {
    /// Copies and decodes the document if it changed, is at rest and its turn has come.
    pub(super) fn document_turn(
        &mut self,
        file: &dyn ReadAt,
        stamp: Stamp,
        budget: Budget,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> io::Result<Turn> {
        if stamp == self.looked {
            return Ok(self.close(stamp, false, clock, out, Turn::Done));
        }
        let began = clock.elapsed();
        if let Some(wait) = self.wait_for_rest(&stamp, began, clock.now()).filter(|_| !budget.at_end) {
            return Ok(Turn::Later(wait));
        }
        let turn = match copy(file, self.companions(), &stamp)? {
            Copied::Whole(content) => self.read_document(file, &content, budget.at_end, clock, out),
            Copied::TooLarge => {
                let reason = format!("larger than {} MiB, and read only as a whole", LIMIT >> 20);
                self.end_document(None, FileState::Dead(reason.into()));
                Turn::Done
            }
            Copied::Broken(reason) => {
                self.end_document(None, FileState::Dead(reason));
                Turn::Done
            }
            Copied::Torn => return Ok(self.torn(stamp, budget.at_end, began, clock, out)),
        };
        self.unrest = None;
        self.document.torn = 0;
        self.paid(began, clock.elapsed());
        Ok(self.close(stamp, true, clock, out, turn))
    }

    /// How long to wait before a file is read that is read as a whole each time: until what the last time cost is paid for, and the writer rests.
    pub(super) fn wait_for_rest(&mut self, stamp: &Stamp, now: Duration, wall: WallTime) -> Option<Duration> {
        if now < self.document.not_before {
            return Some(self.document.not_before.saturating_sub(now));
        }
        let young = (0.0..YOUNG).contains(&wall.since(stamp.modified()));
        if self.document.content.is_some() || self.reader.offset() > 0 || young || self.unrest.is_some() {
            return self.await_rest(*stamp, now);
        }
        None
    }

    /// Reading took from `began` to `ended`; the next time comes when that is a small part of the time passed.
    pub(super) fn paid(&mut self, began: Duration, ended: Duration) {
        self.document.not_before = ended + ended.saturating_sub(began) * (COST_SHARE - 1);
    }

    fn read_document(
        &mut self,
        file: &dyn ReadAt,
        content: &Content,
        at_end: bool,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> Turn {
        let fingerprint = content.fingerprint();
        if self.document.content == Some(fingerprint) {
            self.report.health.state = self.document.state.clone();
            return Turn::Done;
        }
        let mut reader = self.recipe.reader();
        let read = reader.whole(content, at_end, &mut self.decoded);
        let taken = self.decoded.take();
        let length = content.bytes.len() as u64;
        match read {
            Err(reason) => self.end_document(Some(fingerprint), FileState::Dead(reason)),
            Ok(0) => {
                self.report.health.pending_bytes = length;
                self.end_document(Some(fingerprint), FileState::Following);
            }
            Ok(bytes) => {
                self.renew(reader, clock.elapsed());
                self.report.health.read_bytes = file.on_disk(bytes);
                self.report.health.pending_bytes = length.saturating_sub(bytes);
                self.end_document(Some(fingerprint), FileState::Ended);
                // What it said before goes with the first of what it says now, or, if that is nothing, alone.
                if !self.deliver(taken, clock, out) || !self.send_void(out) {
                    return Turn::Closed;
                }
            }
        }
        Turn::Done
    }

    /// The document speaks anew: what it said is void.
    fn renew(&mut self, reader: Reader, now: Duration) {
        if self.reader.offset() > 0 {
            self.revoke(now);
        }
        self.reader = reader;
        self.ended = false;
        self.report.forget();
    }

    fn end_document(&mut self, content: Option<u64>, state: FileState) {
        self.document.content = content;
        self.document.state = state.clone();
        self.report.health.state = state;
    }

    /// It changed while it was copied.
    fn torn(
        &mut self,
        stamp: Stamp,
        at_end: bool,
        began: Duration,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> Turn {
        let document = &mut self.document;
        document.torn = document.torn.saturating_add(1);
        if at_end {
            if document.torn < TRIES_AT_END {
                return Turn::More;
            }
            self.report.health.state = FileState::Dead("it changes faster than it can be copied".into());
            return self.close(stamp, true, clock, out, Turn::Done);
        }
        let now = clock.elapsed();
        let pause = FIRST_PAUSE * 2_u32.pow(document.torn.min(DOUBLINGS));
        let wait = pause.max(now.saturating_sub(began) * (COST_SHARE - 1));
        document.not_before = now + wait;
        *self.report.health.oddities.entry("changed while it was copied".into()).or_default() += 1;
        if self.report.send(false, clock, out) { Turn::Later(wait) } else { Turn::Closed }
    }
}

/// Copies the file and those beside it, which look like `stamp` together.
fn copy(file: &dyn ReadAt, companions: &'static [&'static str], stamp: &Stamp) -> io::Result<Copied> {
    if stamp.size > LIMIT {
        return Ok(Copied::TooLarge);
    }
    let mut room = usize::try_from(LIMIT).unwrap_or(usize::MAX);
    let Some(bytes) = fetch(file, &mut room)? else { return Ok(Copied::TooLarge) };
    let mut beside = Vec::new();
    for ending in companions {
        for other in file.beside(ending)? {
            let Some(bytes) = fetch(&*other, &mut room)? else { return Ok(Copied::TooLarge) };
            beside.push((*ending, bytes));
        }
    }
    if !stamp.fits(&file.stamp()?) {
        return Ok(Copied::Torn);
    }
    Ok(file.problem().map_or(Copied::Whole(Content { bytes, beside }), Copied::Broken))
}

/// All bytes of a file unless they are more than there is `room` for, which they take.
fn fetch(file: &dyn ReadAt, room: &mut usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut filled = 0;
    loop {
        // one more than there is room for, to see that there are no more
        let block = BLOCK.min(room.saturating_sub(filled).saturating_add(1));
        bytes.try_reserve(block).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        bytes.resize(filled + block, 0);
        match file.read_at(bytes.get_mut(filled..).unwrap_or_default(), filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        if filled > *room {
            return Ok(None);
        }
    }
    bytes.truncate(filled);
    *room -= filled;
    Ok(Some(bytes))
}
