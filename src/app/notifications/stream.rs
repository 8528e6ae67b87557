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

/// A run that was written so shortly before we began is not of the past, even if it has ended.
const JUST_NOW_S: f64 = 60.0;

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
    /// Runs whose files were changed since we began, or just before.
    fresh: FxHashSet<RunId>,
    began: Option<WallTime>,
    /// Runs that appeared when all others had been read: each of their alerts is news.
    born: FxHashSet<RunId>,
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
            born: FxHashSet::default(),
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
                if self.all_read {
                    self.born.insert(run.id().clone());
                }
                let mut files = session.health.files_of(run.id());
                if files.any(|file| self.began.is_some_and(|began| file.modified.since(began) > -JUST_NOW_S))
                {
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
        match self.waiting.iter().rev().find(|w| w.id == new.id).map(|before| (before.event, new.event)) {
            // Of the same kind, or of less weight than what waits.
            Some(
                (Event::Open, Event::Open | Event::Escalate)
                | (Event::Escalate, Event::Escalate)
                | (Event::Close, Event::Close),
            ) => {}
            // It came back before anybody was told that it had gone.
            Some((Event::Close, Event::Open)) => {
                self.waiting.retain(|w| w.id != new.id || w.event != Event::Close);
            }
            _ => self.waiting.push(new),
        }
    }

    /// An alert that was there before: only if it still holds, in a run that goes on or should, or was written since we
    /// began or just before.
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
            let mut notice = notice(session, alert, event);
            notice.standing &= !self.born.contains(&alert.run);
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
            && !alert.is_quiet(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        detect::{Draft, Evidence},
        engine::Engine,
        model::{Batch, Column, FileHealth, FileId, News, Origin, Point, ScanReport, SeriesKey},
        store::Limits,
    };

    const NOW: f64 = 1.75e9;

    /// A session that is driven by hand, and the stream that looks at it.
    struct Scene {
        engine: Engine,
        session: Session,
        stream: Stream,
        seconds: f64,
    }

    impl Scene {
        fn new() -> Self {
            let engine = Engine::new(Limits::default(), false);
            let session = engine.session();
            Self { engine, session, stream: Stream::new(86_400.0), seconds: 0.0 }
        }

        /// Runs of which the last points are `age` seconds old.
        fn runs(&mut self, names: &[&str], age: f64, state: &FileState) {
            for (n, name) in names.iter().enumerate() {
                let id = FileId(n as u32 + self.session.health.files.len() as u32 * 10);
                let mut batch = Batch::new(RunId::from(*name), Origin::new(id, *name));
                let point = |n: i64| Point { step: n, wall: NOW - age + n as f64, value: 1.0 };
                let points = (0..50).map(point).collect();
                batch.columns = vec![Column { key: SeriesKey::plain("loss"), points }];
                self.apply(News::Batch(batch));
                self.file(id, name, age, state.clone());
            }
        }

        fn file(&mut self, id: FileId, name: &str, age: f64, state: FileState) {
            let mut file = FileHealth::found(id, Arc::from(name), RunId::from(name), "csv");
            file.state = state;
            file.modified = WallTime(NOW - age);
            self.apply(News::File(Box::new(file)));
        }

        fn apply(&mut self, news: News) {
            self.engine.apply(&mut self.session, news, WallTime(NOW));
        }

        fn scanned(&mut self) {
            self.apply(News::Scan(ScanReport { complete: true, ..ScanReport::default() }));
        }

        fn raise(&mut self, run: &str, rule: &'static str, severity: Severity) -> u64 {
            let draft = Draft {
                run: RunId::from(run),
                rule,
                severity,
                series: Some(SeriesKey::plain("loss")),
                layer: None,
                kind: None,
                step: Some(3),
                since_step: Some(3),
                time: WallTime::UNKNOWN,
                message: "m".into(),
                advice: "a".into(),
                evidence: Evidence::new(),
            };
            self.session.alerts.raise(draft).unwrap()
        }

        /// What is told `after` so many seconds more: event, rule, run, whether it was standing and disturbs.
        fn told(&mut self, after: f64) -> Vec<(Event, &'static str, String, bool, bool)> {
            self.seconds += after;
            let elapsed = Duration::from_secs_f64(self.seconds);
            let notices = self.stream.look(&self.session, WallTime(NOW + self.seconds), elapsed, false);
            let short =
                |n: Notice| (n.event, n.alert.rule, n.run.as_str().to_owned(), n.standing, n.disturbs);
            notices.into_iter().map(short).collect()
        }
    }

    #[test]
    fn an_old_tree_is_silent_and_what_is_open_in_a_living_run_is_told_when_all_is_read() {
        let mut scene = Scene::new();
        scene.runs(&["old"], 9e6, &FileState::Following);
        scene.runs(&["a", "b"], 60.0, &FileState::Following);
        for run in ["old", "a", "b"] {
            scene.raise(run, "nan", Severity::Critical);
        }
        let cured = scene.raise("a", "divergence", Severity::Critical);
        scene.session.alerts.close(cured, Some(9));
        assert_eq!(scene.told(0.0), []);
        assert_eq!(scene.told(50.0), [], "the search is not over");
        scene.scanned();
        let told = scene.told(0.1);
        let nan = |run: &str| (Event::Open, "nan", run.to_owned(), true, true);
        assert_eq!(told, [nan("a"), nan("b")]);
        assert!(scene.stream.caught_up());
        assert_eq!(scene.told(100.0), []);
    }

    #[test]
    fn of_a_run_that_appears_later_each_alert_is_news_even_if_it_has_ended() {
        let mut scene = Scene::new();
        scene.scanned();
        assert_eq!(scene.told(0.0), []);
        scene.runs(&["a"], 50.0, &FileState::Following);
        scene.runs(&["copied"], 9e6, &FileState::Following);
        scene.raise("a", "nan", Severity::Critical);
        scene.raise("copied", "nan", Severity::Critical);
        assert_eq!(scene.told(0.0), []);
        assert_eq!(scene.told(3.0), [(Event::Open, "nan", "a".to_owned(), false, true)]);
    }

    #[test]
    fn a_run_that_is_still_being_read_keeps_its_past_to_itself() {
        let mut scene = Scene::new();
        scene.runs(&["a"], 60.0, &FileState::Reading);
        scene.scanned();
        scene.raise("a", "nan", Severity::Critical);
        assert_eq!(scene.told(0.0), []);
        assert_eq!(scene.told(60.0), []);
        scene.file(FileId(0), "a", 60.0, FileState::Following);
        assert_eq!(scene.told(1.0).len(), 1);
    }

    #[test]
    fn an_alert_waits_for_its_explanation_and_gets_worse_before_anybody_heard_of_it() {
        let mut scene = Scene::new();
        scene.runs(&["a"], 60.0, &FileState::Following);
        scene.scanned();
        assert_eq!(scene.told(0.0), []);
        let id = scene.raise("a", "divergence", Severity::Warn);
        assert_eq!(scene.told(0.1), []);
        scene.session.alerts.escalate(id, Severity::Critical, ("w".into(), "a".into()), Evidence::new());
        assert_eq!(scene.told(1.0), []);
        let open = (Event::Open, "divergence", "a".to_owned(), false, true);
        assert_eq!(scene.told(1.5), [open]);
        scene.session.alerts.close(id, Some(9));
        assert_eq!(scene.told(0.1), []);
        scene.session.alerts.reopen(id);
        assert_eq!(scene.told(5.0), [], "it was away for a moment");
        scene.session.alerts.close(id, Some(9));
        scene.told(0.0);
        assert_eq!(scene.told(5.0), [(Event::Close, "divergence", "a".to_owned(), false, false)]);
    }

    #[test]
    fn what_comes_and_goes_at_once_is_told_with_its_end_and_what_is_withdrawn_is_over() {
        let mut scene = Scene::new();
        scene.runs(&["a"], 60.0, &FileState::Following);
        scene.scanned();
        scene.told(0.0);
        let id = scene.raise("a", "nan", Severity::Critical);
        scene.told(0.1);
        scene.session.alerts.close(id, Some(9));
        scene.told(0.1);
        let events: Vec<Event> = scene.told(3.0).into_iter().map(|told| told.0).collect();
        assert_eq!(events, [Event::Open, Event::Close]);
        let other = scene.raise("a", "stalled", Severity::Critical);
        scene.told(0.0);
        assert_eq!(scene.told(3.0).len(), 1);
        scene.session.alerts.withdraw(other);
        assert_eq!(scene.told(0.1), [(Event::Close, "stalled", "a".to_owned(), false, false)]);
    }

    #[test]
    fn info_acknowledged_and_muted_alerts_are_told_but_disturb_nobody() {
        let mut scene = Scene::new();
        scene.runs(&["a"], 60.0, &FileState::Following);
        scene.scanned();
        scene.told(0.0);
        scene.raise("a", "nan", Severity::Info);
        let known = scene.raise("a", "divergence", Severity::Warn);
        scene.session.alerts.acknowledge(known);
        let muted = scene.raise("a", "overfitting", Severity::Warn);
        scene.session.alerts.mute(muted);
        scene.told(0.0);
        let told = scene.told(3.0);
        assert_eq!((told.len(), told.iter().any(|t| t.4)), (3, false), "{told:?}");
    }
}
