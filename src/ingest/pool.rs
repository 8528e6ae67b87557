//! What is to be read next, and who reads it.
//!
//! The unit of work is a run, so that no two workers read files of one run at the same time and the detectors see a
//! run's files in their order. Runs that were never read to their end are *loaded*, the newest first; a visit that
//! takes too long puts a run behind those that had fewer visits. Runs that were are *followed*, first come first
//! served. When both wait they take turns.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustc_hash::FxHashMap;

use super::{group::Place, source::Stamp, tail::Tail};
use crate::model::{FileId, RunId};

/// A file that was just read is not read again before this: a hundred points a second are fifty turns at most, and
/// nobody sees the difference.
const PAUSE: Duration = Duration::from_millis(20);

/// All tails and the order in which they get their turns.
#[derive(Default)]
pub struct Pool {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    runs: Vec<Run>,
    by_name: FxHashMap<RunId, usize>,
    files: FxHashMap<FileId, File>,
    loading: BinaryHeap<Load>,
    following: VecDeque<usize>,
    loading_is_next: bool,
    busy: usize,
    complete: bool,
    stopped: bool,
    turns: u64,
}

struct Run {
    /// Sorted: the order in which they are read.
    files: Vec<(Arc<str>, FileId)>,
    standing: Standing,
    loaded: bool,
    visits: u32,
    modified: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Idle,
    Queued,
    Busy,
}

struct File {
    run: usize,
    tail: Option<Box<Tail>>,
    /// Where it goes when it comes back from its turn.
    moving: Option<(Option<Place>, RunId)>,
    wanted: bool,
    looked: Stamp,
    last_turn: Option<Duration>,
}

/// A run that waits to be loaded. The greatest is next: fewest visits, then newest.
#[derive(PartialEq)]
struct Load {
    visits: Reverse<u32>,
    modified: f64,
    run: usize,
}

impl Eq for Load {}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> Ordering {
        self.visits
            .cmp(&other.visits)
            .then(self.modified.total_cmp(&other.modified))
            .then(other.run.cmp(&self.run))
    }
}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A worker's stay at one run.
pub struct Visit<'a> {
    pool: &'a Pool,
    run: usize,
    /// The run is read for the first time.
    pub loading: bool,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in new files; all of them want to be read. Files of one folder come together, so that the first of a run
    /// is read first.
    pub fn add(&self, name: &RunId, tails: Vec<(Arc<str>, Tail)>, modified: f64) {
        let mut state = self.lock();
        let state = &mut *state;
        let run = state.run_named(name, modified);
        for (order, tail) in tails {
            let id = tail.id();
            state.enlist(run, order, id);
            let file = File {
                run,
                tail: Some(Box::new(tail)),
                moving: None,
                wanted: true,
                looked: Stamp::default(),
                last_turn: None,
            };
            state.files.insert(id, file);
        }
        state.queue(run);
        self.news.notify_one();
    }

    /// The file belongs to another run from now on, or to another part of the same; without a place to none, and
    /// waits in `folder`. It is read anew.
    pub fn relocate(&self, id: FileId, place: Option<Place>, folder: RunId) {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(old) = state.files.get(&id).map(|f| f.run) else { return };
        let modified = state.runs.get(old).map_or(f64::NEG_INFINITY, |r| r.modified);
        if let Some(run) = state.runs.get_mut(old) {
            run.files.retain(|(_, file)| *file != id);
        }
        let run = state.run_named(place.as_ref().map_or(&folder, |p| &p.run), modified);
        let order = place.as_ref().map_or_else(|| Arc::from(""), |p| Arc::clone(&p.order));
        state.enlist(run, order, id);
        let Some(file) = state.files.get_mut(&id) else { return };
        file.run = run;
        file.wanted = true;
        match &mut file.tail {
            Some(tail) => tail.relocate(place, folder),
            // A worker has it.
            None => file.moving = Some((place, folder)),
        }
        state.queue(run);
        self.news.notify_one();
    }

    /// Asks for a turn at `file`. When it had one a moment ago, says how long to wait before asking again.
    pub fn want(&self, file: FileId, now: Duration) -> Option<Duration> {
        let mut state = self.lock();
        let slot = state.files.get_mut(&file)?;
        if let Some(last) = slot.last_turn
            && now < last + PAUSE
        {
            return Some((last + PAUSE).saturating_sub(now));
        }
        slot.wanted = true;
        let run = slot.run;
        if state.queue(run) {
            self.news.notify_one();
        }
        None
    }

    /// How `file` looked when it was last read.
    pub fn looked(&self, file: FileId) -> Option<Stamp> {
        self.lock().files.get(&file).map(|f| f.looked)
    }

    /// No more files will come; workers end when everything is read.
    pub fn complete(&self) {
        self.lock().complete = true;
        self.news.notify_all();
    }

    /// Workers end after their turn.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.news.notify_all();
    }

    /// Turns taken so far.
    pub fn turns(&self) -> u64 {
        self.lock().turns
    }

    /// The next run to visit; waits for one. `None`: it is time to end.
    pub fn next(&self) -> Option<Visit<'_>> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(run) = state.next_run() {
                let slot = state.runs.get_mut(run)?;
                slot.standing = Standing::Busy;
                slot.visits = slot.visits.saturating_add(1);
                let loading = !slot.loaded;
                state.busy += 1;
                return Some(Visit { pool: self, run, loading });
            }
            if state.complete && state.busy == 0 {
                return None;
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn run_named(&mut self, name: &RunId, modified: f64) -> usize {
        let at = *self.by_name.entry(name.clone()).or_insert_with(|| {
            self.runs.push(Run {
                files: Vec::new(),
                standing: Standing::Idle,
                loaded: false,
                visits: 0,
                modified,
            });
            self.runs.len() - 1
        });
        if let Some(run) = self.runs.get_mut(at) {
            run.modified = run.modified.max(modified);
        }
        at
    }

    /// Lists a file at its place among the files of a run.
    fn enlist(&mut self, run: usize, order: Arc<str>, id: FileId) {
        let Some(run) = self.runs.get_mut(run) else { return };
        let at = run.files.partition_point(|(o, i)| (o, i) < (&order, &id));
        run.files.insert(at, (order, id));
    }

    /// Queues `run` unless it is queued already or being visited; says whether it did.
    fn queue(&mut self, run: usize) -> bool {
        let Some(slot) = self.runs.get_mut(run).filter(|r| r.standing == Standing::Idle) else {
            return false;
        };
        slot.standing = Standing::Queued;
        if slot.loaded {
            self.following.push_back(run);
        } else {
            self.loading.push(Load { visits: Reverse(slot.visits), modified: slot.modified, run });
        }
        true
    }

    fn next_run(&mut self) -> Option<usize> {
        let first_loading = std::mem::replace(&mut self.loading_is_next, false);
        if let Some(run) = (!first_loading).then(|| self.following.pop_front()).flatten() {
            self.loading_is_next = true;
            return Some(run);
        }
        self.loading.pop().map(|l| l.run).or_else(|| self.following.pop_front())
    }

    fn first_wanted(&self, run: usize) -> Option<FileId> {
        let wanted = |id: &FileId| self.files.get(id).is_some_and(|f| f.wanted && f.tail.is_some());
        self.runs.get(run)?.files.iter().map(|(_, id)| *id).find(wanted)
    }
}

impl Visit<'_> {
    /// The first file of the run that wants a turn.
    pub fn take(&self) -> Option<Box<Tail>> {
        let mut state = self.pool.lock();
        if state.stopped {
            return None;
        }
        let id = state.first_wanted(self.run)?;
        state.turns += 1;
        let file = state.files.get_mut(&id)?;
        file.wanted = false;
        file.tail.take()
    }

    /// Returns a file after its turn, which ended at `now`.
    pub fn put_back(&self, mut tail: Box<Tail>, more: bool, now: Duration) {
        let mut state = self.pool.lock();
        let Some(file) = state.files.get_mut(&tail.id()) else { return };
        let moving = file.moving.take();
        file.looked = tail.looked();
        file.last_turn = Some(now);
        file.wanted |= more || moving.is_some();
        let moved = moving.is_some();
        if let Some((place, folder)) = moving {
            tail.relocate(place, folder);
        }
        file.tail = Some(tail);
        let run = file.run;
        if moved && state.queue(run) {
            self.pool.news.notify_one();
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.busy -= 1;
        let more = state.first_wanted(self.run).is_some();
        if let Some(run) = state.runs.get_mut(self.run) {
            run.standing = Standing::Idle;
            run.loaded |= !more;
        }
        if more {
            state.queue(self.run);
        }
        if more || (state.complete && state.busy == 0) {
            self.pool.news.notify_all();
        }
    }
}
