//! One growing file: what was read, what is pending, what to do next.
//!
//! **Invariant:** what a file said is sent once. When it turns out that the file is not the one that was read any
//! more, the next batch says so (`reset`), and everything is read and sent anew.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use super::{
    document::Document,
    group::Place,
    packed_turn::Packed,
    reader::{Reader, Recipe, Scratch, Step},
    report::Report,
    revival::{Revival, Verdict},
    rotated::Rotation,
    source::{ReadAt, Stamp},
};
use crate::{
    formats::{Decoded, Format, Taken, Taught},
    model::{
        Batch, Clock, Column, FileHealth, FileId, FileState, News, Origin, Record, RunId, SeriesKey, Sharing,
    },
};

/// A file that shrank or changed under the reader is left alone until it has been still for this long: a writer that
/// rewrites its file needs a moment, and half of the new content must not be taken for all of it.
const SETTLE: Duration = Duration::from_millis(100);

/// A file that never comes to rest is read after this time all the same.
const SETTLE_LIMIT: Duration = Duration::from_secs(1);

/// What a rewritten file said before stays until it says something new, but no longer than this.
const VOID_AFTER: Duration = Duration::from_secs(2);

/// How much a turn may do before others get theirs.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Bytes read.
    pub bytes: u64,
    /// Time taken.
    pub time: Duration,
    /// Nobody will wait for more: the last record counts without its terminator, and nothing is put off.
    pub at_end: bool,
}

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Nothing is left to do until the file changes.
    Done,
    /// The budget is used up, more is there.
    More,
    /// To be looked at again after this time, changed or not.
    Later(Duration),
    /// Nobody listens any more.
    Closed,
}

/// One file that some format claimed.
pub struct Tail {
    pub(super) recipe: Recipe,
    place: Place,
    pub(super) reader: Reader,
    pub(super) decoded: Decoded,
    pub(super) report: Report,
    /// How the file looked when it was last read.
    pub(super) looked: Stamp,
    pub(super) unrest: Option<Unrest>,
    pub(super) document: Document,
    pub(super) packed: Packed,
    pub(super) rotation: Rotation,
    /// Runs that must be told that what this file said is void, and since when.
    void: Option<(Vec<RunId>, Duration)>,
    said: Vec<RunId>,
    pub(super) dead: Option<Revival>,
    pub(super) ended: bool,
    /// There is no run that it could speak of.
    parked: bool,
}

/// A file that seems to be in the middle of being rewritten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unrest {
    began: Duration,
    stamp: Stamp,
    since: Duration,
}

impl Tail {
    /// A tail at the start of the file `path`, of which `health` tells.
    pub fn new(path: PathBuf, place: Place, format: &'static dyn Format, health: FileHealth) -> Self {
        Self::taught(path, place, format, health, Taught::default())
    }

    /// The same for a user who has patterns of lines of his own.
    pub fn taught(
        path: PathBuf,
        place: Place,
        format: &'static dyn Format,
        health: FileHealth,
        taught: Taught,
    ) -> Self {
        let recipe = Recipe::new(format, path, taught);
        Self {
            reader: recipe.reader(),
            recipe,
            place,
            decoded: Decoded::new(),
            report: Report::new(health),
            looked: Stamp::default(),
            unrest: None,
            document: Document::default(),
            packed: Packed::default(),
            rotation: Rotation::default(),
            void: None,
            said: Vec::new(),
            dead: None,
            ended: false,
            parked: false,
        }
    }

    /// The file belongs elsewhere from now on: what was said is void, and all of it is read again. Without a place it
    /// belongs to no run and says nothing until it gets one; it is listed in `folder`.
    pub fn relocate(&mut self, place: Option<Place>, folder: RunId) {
        self.begin_anew();
        self.looked = Stamp::default();
        self.unrest = None;
        self.document = Document::default();
        self.packed = Packed::default();
        self.report.health.run = place.as_ref().map_or(folder, |p| p.run.clone());
        self.report.moved();
        self.parked = place.is_none();
        if let Some(place) = place {
            self.place = place;
        }
        // Nobody waits for the file to be rewritten: it is as it was.
        self.revoke(Duration::ZERO);
    }

    /// Where it is.
    pub fn path(&self) -> &PathBuf {
        &self.recipe.path
    }

    /// Endings of the names of files beside it that are read with it.
    pub fn companions(&self) -> &'static [&'static str] {
        if self.recipe.packing.is_some() { &[] } else { self.recipe.format.companions() }
    }

    /// Which file.
    pub fn id(&self) -> FileId {
        self.report.health.id
    }

    /// How the file looked when it was last read; the default before that and after it disappeared.
    pub fn looked(&self) -> Stamp {
        self.looked
    }

    /// Its state as the screen shows it.
    pub fn health(&self) -> &FileHealth {
        &self.report.health
    }

    /// Says that the file cannot be opened: gone, or the reason.
    pub fn lost(&mut self, error: &io::Error, clock: &dyn Clock, out: &mut dyn FnMut(News) -> bool) -> Turn {
        self.looked = Stamp::default();
        let gone = error.kind() == io::ErrorKind::NotFound;
        let state = if gone { FileState::Gone } else { FileState::Dead(error.to_string().into()) };
        self.report.health.state = state;
        if self.report.send(true, clock, out) { Turn::Done } else { Turn::Closed }
    }

    /// Reads on within `budget`, sends what was found, and says how the file stands.
    pub fn turn(
        &mut self,
        file: &dyn ReadAt,
        budget: Budget,
        scratch: &mut Scratch,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> Turn {
        match self.try_turn(file, budget, scratch, clock, out) {
            Ok(turn) => turn,
            Err(error) if error.kind() == io::ErrorKind::StaleNetworkFileHandle && !budget.at_end => {
                Turn::Later(SETTLE)
            }
            Err(error) => self.lost(&error, clock, out),
        }
    }

    fn try_turn(
        &mut self,
        file: &dyn ReadAt,
        budget: Budget,
        scratch: &mut Scratch,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> io::Result<Turn> {
        let stamp = file.stamp()?;
        let now = clock.elapsed();
        self.report.health.bytes = self.rotation.bytes + stamp.size;
        self.report.health.modified = stamp.modified();
        if self.parked {
            self.report.health.state = FileState::Following;
            let turn = if self.send_void(out) { Turn::Done } else { Turn::Closed };
            return Ok(self.close(stamp, true, clock, out, turn));
        }
        if self.recipe.packing.is_some() {
            return self.packed_turn(file, stamp, budget, scratch, clock, out);
        }
        if self.reader.whole_document() {
            return self.document_turn(file, stamp, budget, clock, out);
        }
        if self.older_parts_wait() {
            return Ok(self.older_part_turn(budget, scratch, clock, out));
        }
        if !self.intact(file, &stamp)? {
            if self.was_rotated() {
                return Ok(Turn::More);
            }
            if let Some(wait) = self.await_rest(stamp, now).filter(|_| !budget.at_end) {
                return Ok(Turn::Later(wait));
            }
            self.restart(now);
            if self.rotation.expected {
                return Ok(Turn::More);
            }
        }
        if let Some(dead) = &mut self.dead {
            match dead.turn(&self.recipe, file, &stamp, budget, scratch, now)? {
                Verdict::Dead => return Ok(self.close(stamp, true, clock, out, Turn::Done)),
                Verdict::NotNow(wait) => return Ok(self.close(stamp, false, clock, out, Turn::Later(wait))),
                Verdict::Busy => return Ok(self.close(stamp, false, clock, out, Turn::More)),
                Verdict::Alive => {
                    self.restart(now);
                    if self.rotation.expected {
                        return Ok(Turn::More);
                    }
                }
            }
        }
        let turn = self.read(file, stamp, budget, scratch, clock, out)?;
        Ok(self.close(stamp, false, clock, out, turn))
    }

    /// Whether the file still begins with what was read of it, as far as can be told without reading it all.
    fn intact(&self, file: &dyn ReadAt, stamp: &Stamp) -> io::Result<bool> {
        if *stamp == self.looked || self.reader.offset() == 0 {
            return Ok(true);
        }
        // Passing over an oversized record may have led beyond the end of a file that is still growing.
        let shrank = stamp.size < self.looked.size && stamp.size < self.reader.offset();
        Ok(!shrank && self.reader.begins_alike(file)?)
    }

    /// How long to wait before a file that changed under the reader is believed; `None` when it is at rest.
    pub(super) fn await_rest(&mut self, stamp: Stamp, now: Duration) -> Option<Duration> {
        let unrest = self.unrest.get_or_insert(Unrest { began: now, stamp, since: now });
        if unrest.stamp != stamp {
            unrest.stamp = stamp;
            unrest.since = now;
        }
        let at_rest = now.saturating_sub(unrest.since) >= SETTLE;
        let enough = now.saturating_sub(unrest.began) >= SETTLE_LIMIT;
        (!at_rest && !enough).then_some(SETTLE)
    }

    /// Begins again at the start; what was said is void.
    pub(super) fn restart(&mut self, now: Duration) {
        self.begin_anew();
        self.report.restarted();
        self.revoke(now);
    }

    fn begin_anew(&mut self) {
        self.reader = self.recipe.reader();
        self.decoded = Decoded::new();
        self.dead = None;
        self.ended = false;
        self.rotation.restart();
    }

    pub(super) fn revoke(&mut self, now: Duration) {
        let mut runs = std::mem::take(&mut self.said);
        if let Some((earlier, _)) = self.void.take() {
            runs.extend(earlier);
            runs.dedup();
        }
        self.void = Some((runs, now));
    }

    pub(super) fn read(
        &mut self,
        file: &dyn ReadAt,
        stamp: Stamp,
        budget: Budget,
        scratch: &mut Scratch,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> io::Result<Turn> {
        let began = (clock.elapsed(), self.reader.offset());
        loop {
            let step = self.reader.step(file, stamp.size, budget.at_end, scratch, &mut self.decoded)?;
            // A record that is passed over may declare an end far behind the end of the file.
            self.set_read_bytes(file.on_disk(self.reader.offset()).min(stamp.size));
            let taken = self.decoded.take();
            if !self.deliver(taken, clock, out) {
                return Ok(Turn::Closed);
            }
            match step {
                Step::Advanced => self.unrest = None,
                Step::CaughtUp { pending } => {
                    self.unrest = None;
                    self.report.health.pending_bytes = pending;
                    self.report.health.state =
                        if self.ended { FileState::Ended } else { FileState::Following };
                    return Ok(self.settle_void(budget.at_end, clock, out));
                }
                Step::Torn => {
                    // `intact` saw the start unchanged, so that only here is it known.
                    if self.within_older_part() {
                        let reason = Arc::from("it changed while it was read");
                        self.dead = Some(Revival::new(reason, self.reader.offset(), stamp));
                        return Ok(Turn::Done);
                    }
                    if self.was_rotated() {
                        return Ok(Turn::More);
                    }
                    let now = clock.elapsed();
                    if let Some(wait) = self.await_rest(stamp, now).filter(|_| !budget.at_end) {
                        return Ok(Turn::Later(wait));
                    }
                    self.restart(now);
                    if self.rotation.expected {
                        return Ok(Turn::More);
                    }
                }
                Step::Failed(reason) => {
                    self.report.health.state = FileState::Dead(Arc::clone(&reason));
                    self.dead = Some(Revival::new(reason, self.reader.offset(), stamp));
                    return Ok(self.settle_void(budget.at_end, clock, out));
                }
            }
            let read = self.reader.offset().saturating_sub(began.1);
            if read >= budget.bytes || clock.elapsed().saturating_sub(began.0) >= budget.time {
                self.report.health.state = FileState::Reading;
                return Ok(Turn::More);
            }
        }
    }

    /// Tells runs whose data this file no longer has, once it is clear that nothing new comes for them.
    fn settle_void(&mut self, at_end: bool, clock: &dyn Clock, out: &mut dyn FnMut(News) -> bool) -> Turn {
        let Some((runs, since)) = &self.void else { return Turn::Done };
        let waited = clock.elapsed().saturating_sub(*since);
        if !at_end && waited < VOID_AFTER {
            return if runs.is_empty() { Turn::Done } else { Turn::Later(VOID_AFTER.saturating_sub(waited)) };
        }
        if self.send_void(out) { Turn::Done } else { Turn::Closed }
    }

    pub(super) fn send_void(&mut self, out: &mut dyn FnMut(News) -> bool) -> bool {
        let Some((runs, _)) = self.void.take() else { return true };
        runs.into_iter().all(|run| {
            let mut batch = Batch::new(run, self.origin());
            batch.reset = true;
            out(News::Batch(batch))
        })
    }

    fn origin(&self) -> Origin {
        let mut source = self.place.source;
        if self.reader.whole_document() {
            source.sharing = Sharing::Last;
        }
        Origin { file: self.id(), order: Arc::clone(&self.place.order), source }
    }

    /// Sends what one step brought.
    pub(super) fn deliver(
        &mut self,
        taken: Taken,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
    ) -> bool {
        let content = !taken.parts.is_empty();
        self.report.count(taken.skips, taken.oddities, taken.records, content, clock);
        if taken.void_earlier {
            self.revoke(clock.elapsed());
        }
        if !content {
            return true;
        }
        for part in taken.parts {
            let run = self.place.run_named(&part.run);
            let mut batch = Batch::new(run.clone(), self.origin());
            if let Some((void, _)) = &mut self.void
                && let Some(at) = void.iter().position(|r| *r == run)
            {
                void.swap_remove(at);
                batch.reset = true;
            }
            if !self.said.contains(&run) {
                self.said.push(run);
            }
            self.ended = match part.records.iter().rev().find(|r| matches!(r, Record::End(_))) {
                Some(_) => true,
                None => self.ended && part.columns.is_empty(),
            };
            batch.columns = part.columns;
            batch.records = part.records;
            self.place_columns(&mut batch.columns);
            if !out(News::Batch(batch)) {
                return false;
            }
        }
        // Something new was said, so that the rest of what was said before goes now.
        self.send_void(out)
    }

    fn place_columns(&self, columns: &mut [Column]) {
        if self.place.context.is_empty() {
            return;
        }
        for column in columns {
            let own = &column.key.context;
            let context = if own.is_empty() {
                Arc::clone(&self.place.context)
            } else {
                format!("{}/{own}", self.place.context).into()
            };
            column.key = SeriesKey { tag: column.key.tag.clone(), context };
        }
    }

    pub(super) fn close(
        &mut self,
        stamp: Stamp,
        force: bool,
        clock: &dyn Clock,
        out: &mut dyn FnMut(News) -> bool,
        turn: Turn,
    ) -> Turn {
        if turn == Turn::Closed {
            return turn;
        }
        self.looked = stamp;
        if let Some(dead) = &self.dead {
            self.report.health.state = FileState::Dead(dead.reason());
        }
        if self.report.send(force || turn == Turn::Done, clock, out) { turn } else { Turn::Closed }
    }
}
