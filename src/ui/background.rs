//! Work that takes too long for a frame: started by a view, done beside the drawing thread, asked for again.
//!
//! Who does it is the application's business ([`Background`]): threads in the monitor, at once in `frame` and in
//! tests, so that pictures do not depend on the machine.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::FrameContext;
use crate::analysis::Cancel;

/// Work that owns everything it needs.
pub type Job = Box<dyn FnOnce() + Send>;

/// Does jobs. When one is done, the screen is drawn again.
pub trait Background {
    /// Takes a job and does not wait; false if there is no room for it. Then it is asked for again with the next frame,
    /// which follows the end of any job.
    fn start(&self, job: Job) -> bool;
}

/// Does each job at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Inline;

impl Background for Inline {
    fn start(&self, job: Job) -> bool {
        job();
        true
    }
}

/// How far a result is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress<'a, T> {
    /// The newest finished value; an older key's while [`Self::fresh`] is false.
    pub value: Option<&'a T>,
    /// The value is of the key that was asked for.
    pub fresh: bool,
    /// It is being worked out: say so on screen.
    pub running: bool,
}

/// A result that a view asks for in every frame and that is worked out once for each key.
///
/// **Invariant:** at most one computation runs; another key cancels it.
#[derive(Debug)]
pub struct Pending<K, T> {
    done: Option<(K, T)>,
    running: Option<Running<K, T>>,
    /// The computation of this key gave nothing: it is not begun again.
    failed: Option<K>,
}

#[derive(Debug)]
struct Running<K, T> {
    key: K,
    result: Receiver<T>,
    _wanted: Wanted,
}

/// While this lives somebody waits.
#[derive(Debug)]
struct Wanted(Cancel);

impl<K, T> Default for Pending<K, T> {
    fn default() -> Self {
        Self { done: None, running: None, failed: None }
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl<K: PartialEq, T: Send + 'static> Pending<K, T> {
    /// The value of `key`, or the latest one that is there. `key` holds everything on which the value depends; `work`
    /// owns its data, gives up with `None` when its [`Cancel`] says so, and is begun only if the key is new.
    pub fn ask(
        &mut self,
        context: FrameContext<'_>,
        key: K,
        work: impl FnOnce(&Cancel) -> Option<T> + Send + 'static,
    ) -> Progress<'_, T> {
        self.collect();
        let known = self.done.as_ref().is_some_and(|(of, _)| *of == key);
        let begun = self.running.as_ref().is_some_and(|running| running.key == key);
        if known {
            self.running = None;
        } else if !begun && self.failed.as_ref() != Some(&key) {
            let (sender, result) = sync_channel(1);
            let told = Cancel::default();
            // Replacing the former computation cancels it.
            self.running = Some(Running { key, result, _wanted: Wanted(told.clone()) });
            let taken = context.background.start(Box::new(move || {
                if !told.is_cancelled()
                    && let Some(value) = work(&told)
                {
                    let _ = sender.send(value);
                }
            }));
            if !taken {
                self.running = None;
                let waits = Progress { running: true, ..self.progress(false) };
                return waits;
            }
            self.collect();
            let fresh = self.running.is_none() && self.failed.is_none();
            return self.progress(fresh);
        }
        self.progress(known)
    }

    fn progress(&self, fresh: bool) -> Progress<'_, T> {
        let value = self.done.as_ref().map(|(_, value)| value);
        Progress { value, fresh: fresh && value.is_some(), running: self.running.is_some() }
    }

    /// Takes a result that has come.
    fn collect(&mut self) {
        let Some(running) = &self.running else { return };
        match running.result.try_recv() {
            Err(TryRecvError::Empty) => {}
            outcome => self.settle(outcome.ok()),
        }
    }

    fn settle(&mut self, value: Option<T>) {
        let Some(Running { key, .. }) = self.running.take() else { return };
        match value {
            Some(value) => (self.done, self.failed) = (Some((key, value)), None),
            None => self.failed = Some(key),
        }
    }
}

/// A background that waits, and runs to look at.
#[cfg(test)]
pub(crate) mod tests_support {
    use std::{cell::RefCell, sync::Arc};

    use super::{Background, FrameContext, Job};
    use crate::{
        detect::AlertBook,
        model::{
            Artefact, ArtefactKind, Batch, FileId, Health, NumericArray, Origin, Payload, Record, RunId,
            Step, WallTime,
        },
        store::{Limits, Run, Store},
        ui::Theme,
    };

    /// Keeps jobs until somebody does them.
    #[derive(Default)]
    pub struct Later(RefCell<Vec<Job>>);

    impl Background for Later {
        fn start(&self, job: Job) -> bool {
            let room = self.0.borrow().len() < 4;
            if room {
                self.0.borrow_mut().push(job);
            }
            room
        }
    }

    impl Later {
        /// Leaves no room.
        pub fn fill(&self) {
            while self.start(Box::new(|| ())) {}
        }

        /// Does the jobs.
        pub fn work(&self) {
            for job in self.0.take() {
                job();
            }
        }
    }

    pub fn with(background: &dyn Background, test: impl FnOnce(FrameContext<'_>)) {
        let (store, alerts, health) =
            (Store::new(Limits::default()), AlertBook::default(), Health::default());
        let theme = Theme::new(crate::ui::theme::Depth::Ansi256, false);
        test(FrameContext {
            store: &store,
            alerts: &alerts,
            health: &health,
            now: WallTime(0.0),
            theme: &theme,
            background,
        });
    }

    /// A store with one run, `a`, of these records.
    pub fn store(records: Vec<Record>) -> Store {
        let mut batch = Batch::new(RunId::from("a"), Origin::new(FileId(1), "0"));
        batch.records = records;
        let mut store = Store::new(Limits::default());
        store.apply(&batch);
        store
    }

    /// The run of such a store.
    pub fn only(store: &Store) -> &Run {
        store.run(&RunId::from("a")).unwrap()
    }

    /// A record with fields.
    pub fn artefact(kind: ArtefactKind, name: &str, step: Step, fields: &[(&str, Payload)]) -> Record {
        Record::Artefact(Artefact {
            kind,
            name: Arc::from(name),
            step: Some(step),
            wall: WallTime(step as f64),
            offset: step.unsigned_abs() * 100,
            bytes: 100,
            fields: fields.iter().map(|(name, payload)| (Arc::from(*name), payload.clone())).collect(),
        })
    }

    /// A field of numbers.
    pub fn array(shape: &[usize], values: Vec<f64>) -> Payload {
        Payload::Array(NumericArray::new(shape.to_vec(), values).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        tests_support::{Later, with},
        *,
    };

    #[test]
    fn a_value_is_worked_out_once_for_each_key() {
        let later = Later::default();
        with(&later, |context| {
            let mut pending = Pending::default();
            let first = pending.ask(context, 1, |_| Some("one"));
            assert_eq!((first.value, first.running), (None, true));
            pending.ask(context, 1, |_| panic!("begun already"));
            later.work();
            assert_eq!(
                pending.ask(context, 1, |_| panic!("done already")),
                Progress { value: Some(&"one"), fresh: true, running: false }
            );
            let old = pending.ask(context, 2, |_| Some("two"));
            assert_eq!(old, Progress { value: Some(&"one"), fresh: false, running: true });
            later.work();
            assert_eq!(pending.ask(context, 2, |_| None).value, Some(&"two"));
        });
    }

    #[test]
    fn a_new_key_or_a_view_that_goes_cancels_what_runs() {
        let later = Later::default();
        with(&later, |context| {
            let mut pending: Pending<i32, i32> = Pending::default();
            pending.ask(context, 1, |_| panic!("cancelled before it began"));
            pending.ask(context, 2, |_| Some(2));
            later.work();
            assert_eq!(pending.ask(context, 2, |_| None).value, Some(&2));
            pending.ask(context, 3, |_| panic!("nobody waits"));
            drop(pending);
            later.work();
        });
    }

    #[test]
    fn a_job_for_which_there_is_no_room_is_tried_again() {
        let later = Later::default();
        with(&later, |context| {
            later.fill();
            let mut pending = Pending::default();
            assert!(pending.ask(context, 1, |_| Some("lost")).running);
            later.work();
            assert!(pending.ask(context, 1, |_| Some("one")).running);
            later.work();
            assert_eq!(pending.ask(context, 1, |_| None).value, Some(&"one"));
        });
    }

    #[test]
    fn what_gives_nothing_is_not_begun_again() {
        with(&Inline, |context| {
            let mut pending: Pending<i32, i32> = Pending::default();
            let nothing = pending.ask(context, 1, |_| None);
            assert_eq!((nothing.value, nothing.running), (None, false));
            assert!(!pending.ask(context, 1, |_| panic!("failed before")).running);
            assert_eq!(
                pending.ask(context, 2, |_| Some(5)),
                Progress { value: Some(&5), fresh: true, running: false }
            );
        });
    }
}
