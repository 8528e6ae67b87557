//! The only writer of a session: news in, store and alerts and health changed, a generation number out.
//!
//! **Invariant:** the session lock is taken for writing here and for reading in `app`, nowhere else, and never
//! for longer than one batch or one frame. Poison is recovered: a reader must not die with a writer. A panic
//! while a batch is taken in costs that batch and is noted at its file; the thread goes on.

mod layers;
mod session;
mod thread;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub use session::Session;
pub use thread::{HEARTBEAT, read_all, spawn};

use layers::ScalarLayers;

use crate::{
    detect::{Detectors, RuleLimits, state},
    model::{Batch, FileHealth, FileId, Meanings, News, RunId, WallTime},
    store::{self, Change, Limits},
};

/// Takes news into a [`Session`] and drives the judges.
#[derive(Debug)]
pub struct Engine {
    limits: Limits,
    meanings: Arc<Meanings>,
    rules: RuleLimits,
    detectors: Option<Detectors>,
    layers: ScalarLayers,
    /// Batches lost to a panic, by file. Kept here because readers replace a file's health as a whole.
    faults: BTreeMap<FileId, u64>,
    /// Of each file: how many of its series are shown from which other file. Kept here for the same reason.
    shadows: BTreeMap<FileId, BTreeMap<FileId, u64>>,
}

/// Under this name lost batches are listed among a file's oddities.
const FAULT: &str = "batches lost to an internal error";

/// Begins the oddity that counts a file's series that are shown from another file.
const SHOWN_FROM: &str = "series shown from ";

impl Engine {
    /// An engine whose sessions keep `limits`; without `detect` nothing is judged.
    pub fn new(limits: Limits, detect: bool) -> Self {
        Self {
            limits,
            meanings: Arc::default(),
            rules: RuleLimits::default(),
            detectors: detect.then(Detectors::new),
            layers: ScalarLayers::default(),
            faults: BTreeMap::new(),
            shadows: BTreeMap::new(),
        }
    }

    /// The silence after which a run is old instead of stalled (`--stale-after`). Seconds.
    pub fn set_stale_after(&mut self, seconds: f64) {
        if let Some(detectors) = &mut self.detectors {
            detectors.set_stale_after(seconds);
        }
    }

    /// What the user says that series mean (`--role`), in the sessions that are made from now on.
    pub fn set_meanings(&mut self, meanings: Meanings) {
        self.meanings = Arc::new(meanings);
    }

    /// How loud rules may be (`--rule`), in the sessions that are made from now on.
    pub fn set_rules(&mut self, rules: RuleLimits) {
        self.rules = rules;
    }

    /// A session for this engine.
    pub fn session(&self) -> Session {
        let mut session = Session::new(self.limits);
        session.store.set_meanings(Arc::clone(&self.meanings));
        session.alerts.set_limits(self.rules.clone());
        session
    }

    /// Takes in one piece of news.
    pub fn apply(&mut self, session: &mut Session, news: News, now: WallTime) {
        match news {
            News::Batch(batch) => {
                session.last_news = now;
                let (run, file) = (batch.run.clone(), batch.origin.file);
                if !self.contain(session, batch, now) {
                    self.note_fault(session, file, &run);
                }
            }
            News::File(health) => self.file(session, *health),
            News::Scan(report) => session.health.scan = report,
        }
        session.generation += 1;
    }

    /// Lets the judges look at what did not happen; call it every [`HEARTBEAT`].
    ///
    /// The generation rises only if an alert changed, so that silence costs no frame.
    pub fn heartbeat(&mut self, session: &mut Session, now: WallTime) {
        let before = session.alerts.generation();
        session.alerts.wake(now);
        let Some(detectors) = &mut self.detectors else { return };
        let judged = contained(|| {
            detectors.heartbeat(&session.store, &session.health, &mut session.alerts, now);
        });
        if !judged || session.alerts.generation() != before {
            session.generation += 1;
        }
    }

    /// Ends a one-shot reading: what was pending is judged.
    pub fn finish(&mut self, session: &mut Session, now: WallTime) {
        let Some(detectors) = &mut self.detectors else { return };
        // A judge that panics has been reported by the panic hook; what was read stays.
        contained(|| detectors.finish(&session.store, &session.health, &mut session.alerts, now));
        session.generation += 1;
    }

    /// Takes in a batch; false if that panicked.
    fn contain(&mut self, session: &mut Session, mut batch: Batch, now: WallTime) -> bool {
        contained(|| {
            let changes = session.store.apply(&batch);
            let other_owner =
                |c: &Change| matches!(c, Change::Shadowed { new: true, .. } | Change::Switched { .. });
            if (batch.reset && self.shadows.contains_key(&batch.origin.file))
                || changes.iter().any(other_owner)
            {
                self.note_shadows(session, &batch.run);
            }
            strip_shadowed(&mut batch, &changes);
            let records = self.layers.of(&batch);
            if let (Some(detectors), Some(run)) = (&mut self.detectors, session.store.run(&batch.run)) {
                let mut by_step = records.clone();
                by_step.sort_by_key(|record| record.step);
                detectors.observe_with_layers(&batch, &by_step, &changes, run, &mut session.alerts, now);
            }
            if !records.is_empty() {
                session.store.apply_layers(&batch.run, &batch.origin, &records);
            }
            if batch.reset {
                self.sweep(session, &batch.run);
            }
        })
    }

    /// A run of which no file says anything, and to which none belongs, was another run all along.
    fn sweep(&mut self, session: &mut Session, run: &RunId) {
        let abandoned = session.store.run(run).is_some_and(store::Run::is_abandoned);
        if !abandoned || session.health.files_of(run).any(|file| !file.side) {
            return;
        }
        session.store.remove(run);
        session.alerts.forget(run);
        self.layers.forget(run);
        if let Some(detectors) = &mut self.detectors {
            detectors.forget(run);
        }
    }

    /// Says at the run's files which of their series are shown from other files.
    fn note_shadows(&mut self, session: &mut Session, run: &RunId) {
        let Some(stored) = session.store.run(run) else { return };
        let mut shadows: BTreeMap<FileId, BTreeMap<FileId, u64>> = BTreeMap::new();
        for (file, other, count) in stored.shown_from_others() {
            shadows.entry(file).or_default().insert(other, count);
        }
        let files: Vec<FileHealth> = session.health.files_of(run).cloned().collect();
        for mut health in files {
            let now = shadows.remove(&health.id);
            if self.shadows.get(&health.id) == now.as_ref() {
                continue;
            }
            health.oddities.retain(|name, _| !name.starts_with(SHOWN_FROM));
            match now {
                Some(now) => self.shadows.insert(health.id, now),
                None => self.shadows.remove(&health.id),
            };
            self.file(session, health);
        }
    }

    fn note_fault(&mut self, session: &mut Session, file: FileId, run: &RunId) {
        let lost = self.faults.entry(file).or_default();
        *lost += 1;
        let files = &mut session.health.files;
        let mut health = files
            .get(&file)
            .cloned()
            .unwrap_or_else(|| FileHealth::found(file, Arc::from(run.as_str()), run.clone(), ""));
        health.oddities.insert(Arc::from(FAULT), *lost);
        files.insert(file, health);
    }

    fn file(&mut self, session: &mut Session, mut health: FileHealth) {
        if let Some(lost) = self.faults.get(&health.id) {
            health.oddities.insert(Arc::from(FAULT), *lost);
        }
        for (other, count) in self.shadows.get(&health.id).into_iter().flatten() {
            let path = session.health.files.get(other).map_or("another file", |f| &f.path);
            health.oddities.insert(format!("{SHOWN_FROM}{path}").into(), *count);
        }
        let seen = session.health.files.get(&health.id).is_some_and(|old| old.live);
        let known = health.modified.known().is_some() && health.last_news.known().is_some();
        health.live = seen || known && state::arrived_live(&health);
        let run = session.health.files.get(&health.id).map(|old| old.run.clone());
        let moved = run.filter(|run| *run != health.run);
        session.health.files.insert(health.id, health);
        if let Some(run) = moved {
            self.sweep(session, &run);
        }
    }
}

/// Removes columns whose series is shown from another file: nobody judges what nobody sees. Judges look columns up by
/// name, so that the places in `changes` need not hold any more.
fn strip_shadowed(batch: &mut Batch, changes: &[Change]) {
    let shadowed: BTreeSet<usize> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Shadowed { column, .. } => Some(*column),
            _ => None,
        })
        .collect();
    if !shadowed.is_empty() {
        let mut at = 0;
        batch.columns.retain(|_| {
            at += 1;
            !shadowed.contains(&(at - 1))
        });
    }
}

/// Does `work`; false if it panicked. What it was changing may be half changed, but is never unsound, and one
/// wrong curve is better than a screen that stands still.
fn contained(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_batch_is_noted_at_its_file_and_stays_noted_when_the_reader_reports_again() {
        let mut engine = Engine::new(Limits::default(), false);
        let mut session = engine.session();
        let (file, run) = (FileId(4), RunId::from("a"));
        assert!(contained(|| {}));
        // Unwinds without the hook's message.
        assert!(!contained(|| std::panic::resume_unwind(Box::new("on purpose"))));
        engine.note_fault(&mut session, file, &run);
        engine.note_fault(&mut session, file, &run);
        let health = FileHealth::found(file, Arc::from("a/x"), run, "csv");
        engine.apply(&mut session, News::File(Box::new(health)), WallTime(0.0));
        let known = session.health.files.get(&file).unwrap();
        assert_eq!((known.oddities.get(FAULT), known.format), (Some(&2), "csv"));
    }
}
