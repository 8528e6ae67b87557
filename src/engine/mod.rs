//! The only writer of a session: news in, store and alerts and health changed, a generation number out.
//!
//! **Invariant:** the session lock is taken for writing here and for reading in `app`, nowhere else, and never
//! for longer than one batch or one frame. Poison is recovered: a reader must not die with a writer. A panic
//! while a batch is taken in costs that batch and is noted at its file; the thread goes on.

mod layers;
mod session;
mod thread;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub use session::Session;
pub use thread::{HEARTBEAT, read_all, spawn};

use layers::ScalarLayers;

use crate::{
    detect::Detectors,
    model::{Batch, FileHealth, FileId, News, RunId, WallTime},
    store::Limits,
};

/// Takes news into a [`Session`] and drives the judges.
#[derive(Debug)]
pub struct Engine {
    limits: Limits,
    detectors: Option<Detectors>,
    layers: ScalarLayers,
    /// Batches lost to a panic, by file. Kept here because readers replace a file's health as a whole.
    faults: BTreeMap<FileId, u64>,
}

/// Under this name lost batches are listed among a file's oddities.
const FAULT: &str = "batches lost to an internal error";

impl Engine {
    /// An engine whose sessions keep `limits`; without `detect` nothing is judged.
    pub fn new(limits: Limits, detect: bool) -> Self {
        Self {
            limits,
            detectors: detect.then(Detectors::new),
            layers: ScalarLayers::default(),
            faults: BTreeMap::new(),
        }
    }

    /// The silence after which a run is old instead of stalled (`--stale-after`). Seconds.
    pub fn set_stale_after(&mut self, seconds: f64) {
        if let Some(detectors) = &mut self.detectors {
            detectors.set_stale_after(seconds);
        }
    }

    /// A session for this engine.
    pub fn session(&self) -> Session {
        Session::new(self.limits)
    }

    /// Takes in one piece of news.
    pub fn apply(&mut self, session: &mut Session, news: News, now: WallTime) {
        match news {
            News::Batch(batch) => {
                session.last_news = now;
                self.contain(session, &batch, now);
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
        let Some(detectors) = &mut self.detectors else { return };
        let before = session.alerts.generation();
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

    /// Takes in a batch; a panic on the way is noted at the batch's file.
    fn contain(&mut self, session: &mut Session, batch: &Batch, now: WallTime) {
        let (detectors, layers) = (self.detectors.as_mut(), &mut self.layers);
        let taken = contained(|| {
            let changes = session.store.apply(batch);
            if let (Some(detectors), Some(run)) = (detectors, session.store.run(&batch.run)) {
                detectors.observe(batch, &changes, run, &mut session.alerts, now);
            }
            // Not judged: the series that they come from are.
            let records = layers.of(batch);
            if !records.is_empty() {
                session.store.apply_layers(&batch.run, &batch.origin, &records);
            }
        });
        if !taken {
            self.note_fault(session, batch.origin.file, &batch.run);
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

    fn file(&self, session: &mut Session, mut health: FileHealth) {
        if let Some(lost) = self.faults.get(&health.id) {
            health.oddities.insert(Arc::from(FAULT), *lost);
        }
        session.health.files.insert(health.id, health);
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
