//! One growing file: what was read, what is pending, what to do next.

use std::{
    fs::{File, Metadata},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};

use crate::{
    formats::{Decoded, Decoder, FRAME_LIMIT, Format, Part},
    model::{Batch, Clock, FileHealth, FileState, News, Origin, RunId, SeriesKey, WallTime},
};

use super::group;

/// Bytes that one read asks for.
const BLOCK: usize = 1 << 20;
/// Points after which a turn ends, so that a batch stays small.
const TURN_POINTS: usize = 1 << 16;
/// Time after which a turn ends, so that others get theirs.
const TURN_TIME: Duration = Duration::from_millis(20);
/// Bytes at the start whose change tells that the file was rewritten in place.
const HEAD: usize = 4096;
/// Between two reports of a file that is only growing.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// An incomplete frame beyond this is no frame of ours.
const PENDING_LIMIT: usize = FRAME_LIMIT as usize + (1 << 20);

/// What a turn left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// There is more to read.
    More,
    /// Everything there is was read, or nothing can be.
    CaughtUp,
    /// Nobody listens any more.
    Hangup,
}

/// Identity and size of a file when it was last looked at.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Look {
    pub dev: u64,
    pub ino: u64,
    pub size: u64,
    pub mtime: (i64, i64),
}

impl Look {
    pub fn of(meta: &Metadata) -> Self {
        Self { dev: meta.dev(), ino: meta.ino(), size: meta.size(), mtime: (meta.mtime(), meta.mtime_nsec()) }
    }

    fn same_file(&self, other: &Self) -> bool {
        (self.dev, self.ino) == (other.dev, other.ino)
    }

    pub fn modified(&self) -> WallTime {
        WallTime(self.mtime.0 as f64 + self.mtime.1 as f64 * 1e-9)
    }
}

/// A file that is being followed.
pub(super) struct Tail {
    path: PathBuf,
    format: &'static dyn Format,
    run: RunId,
    context: Arc<str>,
    origin: Origin,
    decoder: Option<Box<dyn Decoder>>,
    /// Bytes read but not decoded; they start at `at`.
    pending: Vec<u8>,
    at: u64,
    seen: Option<Look>,
    head: Option<(usize, u64)>,
    reset: bool,
    health: FileHealth,
    reported: Option<(Duration, FileState, u64)>,
}

impl Tail {
    pub fn new(
        path: PathBuf,
        format: &'static dyn Format,
        (run, context): (RunId, Arc<str>),
        origin: Origin,
        health: FileHealth,
    ) -> Self {
        Self {
            path,
            format,
            run,
            context,
            origin,
            decoder: None,
            pending: Vec::new(),
            at: 0,
            seen: None,
            head: None,
            reset: false,
            health,
            reported: None,
        }
    }

    /// Reads and decodes for one turn. `scratch` is the worker's buffer, kept between turns.
    pub fn turn(
        &mut self,
        scratch: &mut Vec<u8>,
        last: bool,
        clock: &dyn Clock,
        out: &SyncSender<News>,
    ) -> Turn {
        let result = match File::open(&self.path) {
            Ok(file) => self.read(&file, scratch, last, clock, out),
            Err(e) => {
                self.fail(&e);
                Ok(Turn::CaughtUp)
            }
        };
        let turn = match result {
            Ok(turn) => turn,
            Err(Stop::Hangup) => return Turn::Hangup,
            Err(Stop::Io(e)) => {
                self.fail(&e);
                Turn::CaughtUp
            }
        };
        if self.report(turn, clock, out).is_err() { Turn::Hangup } else { turn }
    }

    fn fail(&mut self, error: &io::Error) {
        self.health.state = if error.kind() == io::ErrorKind::NotFound {
            FileState::Gone
        } else {
            FileState::Dead(error.to_string().into())
        };
    }

    fn restart(&mut self) {
        if self.decoder.is_some() {
            self.health.restarts += 1;
            self.reset = true;
        }
        self.decoder = None;
        self.pending = Vec::new();
        self.at = 0;
        self.head = None;
        self.health.read_bytes = 0;
        self.health.records = 0;
        self.health.skips.clear();
        self.health.skip_count = 0;
        self.health.skipped_bytes = 0;
        self.health.oddities.clear();
    }

    /// Notices truncation, replacement and rewriting in place.
    fn compare(&mut self, file: &File, look: Look) -> io::Result<()> {
        let consumed = self.at + self.pending.len() as u64;
        let Some(seen) = self.seen.replace(look) else { return Ok(()) };
        let whole = self.decoder.as_ref().is_some_and(|d| d.whole_document());
        let changed = seen != look;
        let rewritten = !seen.same_file(&look)
            || look.size < consumed
            || (whole && changed && consumed > 0)
            || (changed && self.head_changed(file)?);
        if rewritten || (matches!(self.health.state, FileState::Dead(_)) && changed) {
            self.restart();
        }
        Ok(())
    }

    fn head_changed(&self, file: &File) -> io::Result<bool> {
        let Some((bytes, hash)) = self.head else { return Ok(false) };
        let mut head = vec![0; bytes];
        let n = read_full(file, &mut head, 0)?;
        Ok(n < bytes || digest(&head) != hash)
    }

    fn read(
        &mut self,
        file: &File,
        scratch: &mut Vec<u8>,
        last: bool,
        clock: &dyn Clock,
        out: &SyncSender<News>,
    ) -> Result<Turn, Stop> {
        let look = Look::of(&file.metadata()?);
        self.compare(file, look)?;
        self.health.bytes = look.size;
        self.health.modified = look.modified();
        if matches!(self.health.state, FileState::Dead(_)) && !self.reset && self.decoder.is_some() {
            return Ok(Turn::CaughtUp);
        }
        let format = self.format;
        self.decoder.get_or_insert_with(|| format.decoder());
        let deadline = clock.elapsed() + TURN_TIME;
        let mut decoded = Decoded::new();
        let mut filled = self.pending.len();
        if scratch.len() < filled + BLOCK {
            scratch.resize(filled + BLOCK, 0);
        }
        scratch[..filled].copy_from_slice(&self.pending);
        self.pending.clear();
        let mut start = 0;
        let turn = loop {
            if scratch.len() - filled < BLOCK {
                scratch.copy_within(start..filled, 0);
                filled -= start;
                start = 0;
                if scratch.len() - filled < BLOCK {
                    scratch.resize(filled + BLOCK, 0);
                }
            }
            let offset = self.at + (filled - start) as u64;
            let n = read_some(file, &mut scratch[filled..filled + BLOCK], offset)?;
            if offset == 0 && n > 0 {
                self.remember_head(&scratch[filled..filled + n]);
            }
            filled += n;
            let at_end = n == 0;
            let used = self.decode(&scratch[start..filled], &mut decoded);
            match used {
                Ok((bytes, skip)) => {
                    start += bytes;
                    self.at += bytes as u64;
                    if skip > 0 {
                        let held = (filled - start) as u64;
                        start += skip.min(held) as usize;
                        self.at += skip;
                        if skip > held {
                            start = filled;
                        }
                    }
                }
                Err(reason) => {
                    self.health.state = FileState::Dead(reason);
                    break Turn::CaughtUp;
                }
            }
            if filled - start > PENDING_LIMIT {
                self.health.state = FileState::Dead("a record is longer than the limit".into());
                break Turn::CaughtUp;
            }
            if at_end {
                if last && start < filled {
                    let rest = self.decode_rest(&scratch[start..filled], &mut decoded);
                    start += rest;
                    self.at += rest as u64;
                }
                self.health.state = FileState::Following;
                break Turn::CaughtUp;
            }
            if decoded.points() >= TURN_POINTS || clock.elapsed() >= deadline {
                self.health.state = FileState::Reading;
                break Turn::More;
            }
        };
        self.pending = scratch[start..filled].to_vec();
        self.health.read_bytes = self.at;
        self.health.pending_bytes = self.pending.len() as u64;
        self.send(&mut decoded, clock, out)?;
        Ok(turn)
    }

    fn remember_head(&mut self, bytes: &[u8]) {
        let wanted = self.decoder.as_ref().map_or(0, |d| d.fingerprint_bytes()).max(HEAD).min(bytes.len());
        self.head = Some((wanted, digest(&bytes[..wanted])));
    }

    fn decode(&mut self, bytes: &[u8], out: &mut Decoded) -> Result<(usize, u64), Arc<str>> {
        let Some(decoder) = self.decoder.as_mut() else { return Ok((0, 0)) };
        match catch_unwind(AssertUnwindSafe(|| decoder.decode(bytes, out))) {
            Ok(Ok(consumed)) => Ok((consumed.bytes.min(bytes.len()), consumed.then_skip)),
            Ok(Err(fatal)) => Err(fatal.to_string().into()),
            Err(panic) => Err(format!("the reader failed: {}", panic_text(&*panic)).into()),
        }
    }

    fn decode_rest(&mut self, bytes: &[u8], out: &mut Decoded) -> usize {
        let Some(decoder) = self.decoder.as_mut() else { return 0 };
        catch_unwind(AssertUnwindSafe(|| decoder.decode_rest(bytes, out))).unwrap_or(0).min(bytes.len())
    }

    fn send(&mut self, decoded: &mut Decoded, clock: &dyn Clock, out: &SyncSender<News>) -> Result<(), Stop> {
        let taken = decoded.take();
        for skip in taken.skips {
            self.health.skip(skip);
        }
        for (name, n) in taken.oddities {
            *self.health.oddities.entry(name).or_default() += n;
        }
        self.health.records += taken.records;
        self.reset |= taken.void_earlier;
        if taken.records > 0 {
            self.health.last_news = clock.now();
        }
        let mut parts = taken.parts;
        if parts.is_empty() && self.reset {
            parts.push(Part::default());
        }
        for part in parts {
            let run = if part.run.is_empty() {
                self.run.clone()
            } else {
                RunId::new(group::join(self.run.as_str(), &part.run))
            };
            let mut batch = Batch::new(run, self.origin.clone());
            batch.reset = std::mem::take(&mut self.reset);
            batch.columns = part.columns;
            batch.records = part.records;
            if !self.context.is_empty() {
                for column in &mut batch.columns {
                    let own = group::context(&self.context, column.key.tag.as_str());
                    let context: Arc<str> = if column.key.context.is_empty() {
                        own.into()
                    } else {
                        format!("{own} {}", column.key.context).into()
                    };
                    column.key = SeriesKey::new(column.key.tag.clone(), context);
                }
            }
            out.send(News::Batch(batch)).map_err(|_| Stop::Hangup)?;
        }
        Ok(())
    }

    fn report(&mut self, turn: Turn, clock: &dyn Clock, out: &SyncSender<News>) -> Result<(), Stop> {
        let now = clock.elapsed();
        let due = match &self.reported {
            None => true,
            Some((at, state, skips)) => {
                *state != self.health.state
                    || *skips != self.health.skip_count
                    || turn == Turn::CaughtUp
                    || now >= *at + REPORT_EVERY
            }
        };
        if due {
            self.reported = Some((now, self.health.state.clone(), self.health.skip_count));
            out.send(News::File(Box::new(self.health.clone()))).map_err(|_| Stop::Hangup)?;
        }
        Ok(())
    }
}

enum Stop {
    Hangup,
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn read_some(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(into, offset) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn read_full(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut n = 0;
    while n < into.len() {
        match read_some(file, &mut into[n..], offset + n as u64)? {
            0 => break,
            more => n += more,
        }
    }
    Ok(n)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown panic")
}
