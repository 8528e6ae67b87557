//! All judges of all runs.

use rustc_hash::FxHashMap;

use crate::{
    model::{Batch, Health, LayerRecord, RunId, WallTime},
    store::{Change, Run, Store},
};

use super::{alert_book::AlertBook, case::Desk, run_judges::RunJudges, siblings::Siblings, state};

/// All judges of all runs. Sees every point, before the store thins it.
#[derive(Debug)]
pub struct Detectors {
    runs: FxHashMap<RunId, RunJudges>,
    stale_after_s: f64,
    siblings: Siblings,
}

impl Default for Detectors {
    fn default() -> Self {
        Self::new()
    }
}

impl Detectors {
    /// No runs yet; a run is old after [`state::STALE_AFTER_S`].
    pub fn new() -> Self {
        Self {
            runs: FxHashMap::default(),
            stale_after_s: state::STALE_AFTER_S,
            siblings: Siblings::default(),
        }
    }

    /// The silence after which a run is old instead of stalled (`--stale-after`).
    pub fn set_stale_after(&mut self, seconds: f64) {
        self.stale_after_s = seconds;
    }

    /// Takes a batch that the store has applied, with the changes that the store reported and the run as it is
    /// now. Which judge sees what, and what it concludes, depends only on the points of each file in their
    /// order, not on how they were cut into batches.
    pub fn observe(
        &mut self,
        batch: &Batch,
        changes: &[Change],
        run: &Run,
        book: &mut AlertBook,
        now: WallTime,
    ) {
        self.observe_with_layers(batch, &[], changes, run, book, now);
    }

    /// The same, with the statistics of layers that were found among the scalars of the batch, in the order of their
    /// steps.
    pub fn observe_with_layers(
        &mut self,
        batch: &Batch,
        layers: &[LayerRecord],
        changes: &[Change],
        run: &Run,
        book: &mut AlertBook,
        now: WallTime,
    ) {
        if !run.layers().is_empty() {
            book.know_network(&batch.run, run.layers().rows().map(|row| &row.layer));
        }
        let judges = self.runs.entry(batch.run.clone()).or_default();
        judges.observe(batch, layers, changes, run, &mut Desk { book, run: &batch.run, now });
    }

    /// The run turned out to be part of another one.
    pub fn forget(&mut self, run: &RunId) {
        self.runs.remove(run);
        self.siblings.forget(run);
    }

    /// Time has passed: looks for silent runs, and judges what waited for a point that did not come.
    pub fn heartbeat(&mut self, store: &Store, health: &Health, book: &mut AlertBook, now: WallTime) {
        // Asked once: it looks at every file.
        let caught_up = health.caught_up();
        for run in store.runs() {
            let judges = self.runs.entry(run.id().clone()).or_default();
            let mut desk = Desk { book, run: run.id(), now };
            if caught_up {
                judges.rebuild(run, &mut desk);
            }
            judges.heartbeat(run, health, self.stale_after_s, &mut desk);
        }
        // While files are still being read, a run looks behind that is only read later.
        if caught_up {
            self.siblings.look(store, book, now, false);
        }
    }

    /// Everything was read and nothing more will be: judges all that waited.
    pub fn finish(&mut self, store: &Store, health: &Health, book: &mut AlertBook, now: WallTime) {
        for run in store.runs() {
            let judges = self.runs.entry(run.id().clone()).or_default();
            judges.finish(run, health, self.stale_after_s, &mut Desk { book, run: run.id(), now });
        }
        self.siblings.look(store, book, now, true);
    }
}
