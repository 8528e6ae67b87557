//! What happens to alerts, made from the alert book by comparing it with what was known.
//!
//! An event waits for a short time before it is told of: the alert that explains it may come a moment later. While a
//! run is read for the first time, its alerts are *standing*: they speak of the past, and only those that are open
//! when the run was read, in a run that is alive, are told of, together.

use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::notice::{Event, Notice};
use crate::{
    app::report::AlertRecord,
    detect::{
        Alert, AlertBook, Severity,
        state::{RunState, run_state},
    },
    engine::Session,
    model::{FileState, RunId, WallTime},
};

/// How long an event waits for its explanation.
pub const SETTLE: Duration = Duration::from_secs(2);

/// How long the alerts of runs that were read wait for runs that are still being read, to be told of together.
const TOGETHER: Duration = Duration::from_secs(10);

/// The events of one session.
#[derive(Debug)]
pub struct Stream {
    stale_after_s: f64,
    known: FxHashMap<u64, Known>,
    waiting: Vec<Waiting>,
    /// Runs that were read to their end once.
    live: FxHashSet<RunId>,
    /// Runs that stood still when they had been read: that this is said a heartbeat later is no news.
    still: FxHashSet<RunId>,
    /// Runs whose files were changed since we began.
    fresh: FxHashSet<RunId>,
    began: Option<WallTime>,
    generation: Option<u64>,
    /// When the search for files was over; and whether all runs have been read since.
    searched: Option<Duration>,
    all_read: bool,
}

#[derive(Debug)]
struct Known {
    severity: Severity,
    open: bool,
    /// As it was told last.
    told: Option<Box<Notice>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Waiting {
    id: u64,
    event: Event,
    since: Duration,
    standing: bool,
}

impl Stream {
    /// Nothing is known yet. `stale_after_s`: see [`run_state`].
    pub fn new(stale_after_s: f64) -> Self {
        Self {
            stale_after_s,
            known: FxHashMap::default(),
            waiting: Vec::new(),
            live: FxHashSet::default(),
            still: FxHashSet::default(),
            fresh: FxHashSet::default(),
            began: None,
            generation: None,
            searched: None,
            all_read: false,
        }
    }

    /// Looks at the session; returns the events that have settled, in the order in which they happened. With `last`
    /// nothing waits any longer.
    pub fn look(&mut self, session: &Session, now: WallTime, elapsed: Duration, last: bool) -> Vec<Notice> {
        let mut told = Vec::new();
        self.began.get_or_insert(now);
        if self.generation != Some(session.alerts.generation()) {
            self.generation = Some(session.alerts.generation());
            // Before new runs are looked at: what they brought with them is old.
            self.compare(session, elapsed, &mut told);
        }
        self.look_at_runs(session, now, elapsed);
        told.extend(self.ripe(session, now, elapsed, last));
        told
    }

    /// All that was there at the start has been read.
    pub fn caught_up(&self) -> bool {
        self.all_read
    }

    /// When the next event settles, on the same stop-watch; `None` if none waits.
    pub fn deadline(&self) -> Option<Duration> {
        let next = self.waiting.iter().map(|w| w.since + SETTLE).min();
        next.or_else(|| (!self.all_read).then(|| self.searched.map(|at| at + TOGETHER)).flatten())
    }

    fn look_at_runs(&mut self, session: &Session, now: WallTime, elapsed: Duration) {
        if !session.health.scan.complete {
            return;
        }
        self.searched.get_or_insert(elapsed);
        let mut all_read = true;
        for run in session.store.runs() {
            if self.live.contains(run.id()) {
                continue;
            }
            let read = |state: &FileState| !matches!(state, FileState::Waiting | FileState::Reading);
            if session.health.files_of(run.id()).all(|file| read(&file.state)) {
                self.live.insert(run.id().clone());
                let mut files = session.health.files_of(run.id());
                if files.any(|file| self.began.is_some_and(|began| file.modified >= began)) {
                    self.fresh.insert(run.id().clone());
                }
                if run_state(run, &session.health, now, self.stale_after_s) == RunState::Stalled {
                    self.still.insert(run.id().clone());
                }
            } else {
                all_read = false;
            }
        }
        // Files of which nothing has been read yet belong to runs that are not there yet.
        self.all_read |= all_read && session.health.caught_up();
    }

    fn compare(&mut self, session: &Session, elapsed: Duration, told: &mut Vec<Notice>) {
        let book = &session.alerts;
        let mut alerts: Vec<&Alert> = book.alerts().collect();
        // In the order in which they were raised.
        alerts.reverse();
        for alert in alerts {
            let standing = !self.live.contains(&alert.run)
                || (alert.rule == "stalled" && self.still.contains(&alert.run));
            let open = alert.is_open();
            let event = match self.known.get_mut(&alert.id) {
                None => {
                    let known = Known { severity: alert.severity, open, told: None };
                    self.known.insert(alert.id, known);
                    Some(Event::Open)
                }
                Some(known) => {
                    let (worse, was_open) = (alert.severity > known.severity, known.open);
                    known.severity = alert.severity;
                    known.open = open;
                    match (was_open, open) {
                        _ if worse => Some(Event::Escalate),
                        (true, false) => Some(Event::Close),
                        (false, true) => Some(Event::Open),
                        _ => None,
                    }
                }
            };
            if let Some(event) = event {
                self.wait(Waiting { id: alert.id, event, since: elapsed, standing });
            }
        }
        self.gone(book, told);
    }

    /// Alerts that were withdrawn: whoever was told of them is told that they are over.
    fn gone(&mut self, book: &AlertBook, told: &mut Vec<Notice>) {
        self.known.retain(|id, known| {
            let there = book.get(*id).is_some();
            if !there
                && known.open
                && let Some(mut notice) = known.told.take()
            {
                notice.event = Event::Close;
                notice.alert.state = "closed";
                notice.disturbs = false;
                told.push(*notice);
            }
            there
        });
        self.waiting.retain(|waiting| book.get(waiting.id).is_some());
    }

    /// Of one alert one event waits: an opening that gets worse meanwhile is an opening, and one that closes meanwhile
    /// is told of before its end.
    fn wait(&mut self, new: Waiting) {
        let before = self.waiting.iter_mut().rev().find(|w| w.id == new.id);
        match (before, new.event) {
            (None, _) => self.waiting.push(new),
            (Some(before), event) if before.event == event => {}
            (Some(before), Event::Escalate | Event::Close) if before.event != Event::Close => {
                if new.event == Event::Close {
                    self.waiting.push(new);
                }
            }
            (Some(before), Event::Open) if before.event == Event::Close => {
                // It came back before anybody was told that it had gone.
                let id = before.id;
                self.waiting.retain(|w| !(w.id == id && w.event == Event::Close));
            }
            (Some(_), _) => self.waiting.push(new),
        }
    }

    /// An alert that was there before: only if it still holds, in a run that goes on or should, or was written since we
    /// began.
    fn matters(&self, session: &Session, alert: &Alert, now: WallTime) -> bool {
        let alive = |run| {
            let state = run_state(run, &session.health, now, self.stale_after_s);
            matches!(state, RunState::Running | RunState::Stalled)
        };
        alert.is_open()
            && (self.fresh.contains(&alert.run) || session.store.run(&alert.run).is_some_and(alive))
    }

    fn ripe(&mut self, session: &Session, now: WallTime, elapsed: Duration, last: bool) -> Vec<Notice> {
        let together = self.all_read || self.searched.is_some_and(|at| elapsed >= at + TOGETHER);
        let mut told = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for event in waiting {
            let Some(alert) = session.alerts.get(event.id) else { continue };
            let settled = elapsed >= event.since + SETTLE;
            let read = self.live.contains(&alert.run) && (!event.standing || together);
            if !((settled || last) && read) {
                self.waiting.push(event);
                continue;
            }
            if event.standing && event.event != Event::Close && !self.matters(session, alert, now) {
                continue;
            }
            let Some(known) = self.known.get_mut(&event.id) else { continue };
            // Of what nobody was told, nobody need be told the end.
            if event.event == Event::Close && known.told.is_none() {
                continue;
            }
            let notice = notice(session, alert, event);
            known.told = Some(Box::new(notice.clone()));
            told.push(notice);
        }
        told
    }
}

fn notice(session: &Session, alert: &Alert, event: Waiting) -> Notice {
    let mut record = AlertRecord::of(alert, &session.alerts);
    record.state = if event.event == Event::Close { "closed" } else { "open" };
    let explained = alert.caused_by.is_some_and(|id| session.alerts.get(id).is_some());
    Notice {
        event: event.event,
        run: alert.run.clone(),
        title: session.store.run(&alert.run).map_or(alert.run.as_str(), |run| run.title()).to_owned(),
        severity: alert.severity,
        alert: record,
        standing: event.standing,
        disturbs: event.event != Event::Close
            && alert.severity > Severity::Info
            && !explained
            && !alert.acknowledged
            && !alert.muted,
    }
}
