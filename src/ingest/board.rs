//! What is to be read next: shared by the scout, who puts files on it, and the workers, who take them off.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::tail::Tail;
use crate::model::{FileId, RunId};

/// Newest run first, then the run's files in their order, then by turn.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    /// 0 for the first reading, growing with each turn: round robin.
    pub round: u64,
    /// Negated modification time in seconds of the newest file of the run: newest first.
    pub age: i64,
    /// Keeps files of a run together.
    pub run: RunId,
    /// Order within the run.
    pub order: std::sync::Arc<str>,
}

struct Slot {
    tail: Option<Tail>,
    run: RunId,
    rank: Rank,
    ready: bool,
    again: bool,
}

#[derive(Default)]
struct State {
    slots: BTreeMap<FileId, Slot>,
    ready: BTreeSet<(Rank, FileId)>,
    busy: HashSet<RunId>,
    scanned: bool,
    stopped: bool,
}

/// The board.
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
    follow: bool,
}

impl Board {
    pub fn new(follow: bool) -> Self {
        Self { state: Mutex::new(State::default()), changed: Condvar::new(), follow }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Waits for `time` or until stopped.
    pub fn wait(&self, time: std::time::Duration) {
        let state = self.lock();
        let waiting = self.changed.wait_timeout_while(state, time, |s| !s.stopped);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    pub fn stopped(&self) -> bool {
        self.lock().stopped
    }

    /// The first full look for files is over.
    pub fn scanned(&self) {
        self.lock().scanned = true;
        self.changed.notify_all();
    }

    pub fn follows(&self) -> bool {
        self.follow
    }

    pub fn add(&self, id: FileId, tail: Tail, rank: Rank) {
        let mut state = self.lock();
        let run = rank.run.clone();
        state.ready.insert((rank.clone(), id));
        state.slots.insert(id, Slot { tail: Some(tail), run, rank, ready: true, again: false });
        drop(state);
        self.changed.notify_one();
    }

    /// The file may have news.
    pub fn poke(&self, id: FileId) {
        let mut state = self.lock();
        let Some(slot) = state.slots.get_mut(&id) else { return };
        if slot.tail.is_none() {
            slot.again = true;
        } else if !slot.ready {
            slot.ready = true;
            let entry = (slot.rank.clone(), id);
            state.ready.insert(entry);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// The next file whose run nobody is reading. Blocks; `None`: there will be no more.
    pub fn take(&self) -> Option<(FileId, Tail)> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            // Until everything was found, the order within a run is not known: wait for the end of the look.
            let next = state
                .scanned
                .then(|| {
                    let free = |(_, id): &&(Rank, FileId)| {
                        state.slots.get(id).is_some_and(|s| !state.busy.contains(&s.run))
                    };
                    state.ready.iter().find(free).cloned()
                })
                .flatten();
            if let Some((rank, id)) = next {
                state.ready.remove(&(rank, id));
                let slot = state.slots.get_mut(&id)?;
                slot.ready = false;
                slot.again = false;
                let run = slot.run.clone();
                if let Some(tail) = slot.tail.take() {
                    state.busy.insert(run);
                    return Some((id, tail));
                }
                continue;
            }
            if !self.follow && state.scanned && state.ready.is_empty() && state.busy.is_empty() {
                state.stopped = true;
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts a file back; `more` when its turn ended before its bytes did.
    pub fn put(&self, id: FileId, tail: Tail, more: bool) {
        let mut state = self.lock();
        if let Some(slot) = state.slots.get_mut(&id) {
            slot.tail = Some(tail);
            let run = slot.run.clone();
            let again = more || slot.again;
            if !more {
                slot.rank.round = 1;
            }
            slot.ready = again;
            let entry = (slot.rank.clone(), id);
            if again {
                state.ready.insert(entry);
            }
            state.busy.remove(&run);
        }
        drop(state);
        self.changed.notify_all();
    }
}
