//! A case as the monitor would have lived through it: pieces in the order of their arrival, and time passing between.

use std::collections::{BTreeMap, BTreeSet};

use epochscope::{
    detect::{AlertState, DETECTORS, Scope, Severity},
    engine::{Engine, Session},
    model::{Batch, Column, FileState, News, RunId, ScanReport, SeriesKey, Step, WallTime},
    store::Limits,
};

use crate::gather::{Atom, Source};

/// Seconds of the virtual clock between two looks at what did not happen.
const BEAT: f64 = 60.0;

/// An alert as it was at the end, and when it was first loud.
#[derive(Clone, Debug)]
pub struct Said {
    /// The run.
    pub run: RunId,
    /// The rule.
    pub rule: &'static str,
    /// The worst that it has been.
    pub severity: Severity,
    /// Where it opened.
    pub step: Step,
    /// Where it became at least a warning.
    pub warned: Option<Step>,
    /// Where its condition first held.
    pub since: Step,
    /// The series or layer.
    pub place: String,
    /// The rule of the alert that explains it.
    pub caused_by: Option<&'static str>,
    /// It was taken back later.
    pub withdrawn: bool,
    /// Open at the end.
    pub open: bool,
    /// Its words.
    pub message: String,
}

impl Said {
    /// It rings a bell.
    pub fn loud(&self) -> bool {
        self.severity >= Severity::Warn
    }
}

/// What came of a replay.
#[derive(Debug)]
pub struct Outcome {
    /// All alerts that were ever shown.
    pub said: Vec<Said>,
    /// Scalar points that were taken in.
    pub points: usize,
    /// The session at its end.
    pub session: Session,
}

/// What must not depend on the pieces in which a log arrives. Rules that look at a run as time passes look more seldom
/// when more arrives at once: of them the steps are left open, and what was over before the end.
pub fn essence(said: &[Said]) -> BTreeSet<String> {
    said.iter()
        .filter(|s| !s.withdrawn && (s.open || !by_time(s.rule)))
        .map(|s| {
            let steps = if by_time(s.rule) { String::new() } else { format!(" {} {}", s.step, s.since) };
            let cause = s.caused_by.unwrap_or("-");
            format!(
                "{} {} {} {}{steps} because of {cause}",
                s.run.as_str(),
                s.rule,
                s.place,
                s.severity.name()
            )
        })
        .collect()
}

fn by_time(rule: &str) -> bool {
    DETECTORS.iter().any(|spec| {
        spec.id == rule
            && spec.scopes.iter().any(|scope| matches!(scope, Scope::Run { .. } | Scope::Siblings { .. }))
    })
}

struct Replay<'a> {
    engine: Engine,
    session: Session,
    sources: &'a [Source],
    found: BTreeSet<usize>,
    beat: f64,
    generation: u64,
    last_step: BTreeMap<RunId, Step>,
    seen: BTreeMap<u64, Said>,
    points: usize,
}

/// Replays the files with `chunk` pieces at a time, up to `now_end` of the virtual clock.
pub fn replay(sources: &[Source], chunk: usize, now_end: f64) -> Outcome {
    let mut order: Vec<(usize, &Atom)> =
        sources.iter().enumerate().flat_map(|(n, s)| s.atoms.iter().map(move |a| (n, a))).collect();
    order.sort_by(|a, b| a.1.arrival.total_cmp(&b.1.arrival));
    let engine = Engine::new(Limits::default(), true);
    let session = engine.session();
    let start = order.first().map_or(0.0, |(_, a)| a.arrival);
    let mut replay = Replay {
        engine,
        session,
        sources,
        found: BTreeSet::new(),
        beat: start,
        generation: 0,
        last_step: BTreeMap::new(),
        seen: BTreeMap::new(),
        points: 0,
    };
    let scan = ScanReport { complete: true, files_seen: sources.len() as u64, ..ScanReport::default() };
    replay.engine.apply(&mut replay.session, News::Scan(scan), WallTime(start));
    let mut last = start;
    for pieces in order.chunks(chunk.max(1)) {
        replay.wait(last, pieces[0].1.arrival);
        replay.take(pieces);
        last = pieces.last().map_or(last, |(_, a)| a.arrival);
    }
    let end = if now_end.is_finite() { now_end.max(last) } else { last };
    replay.engine.heartbeat(&mut replay.session, WallTime(last));
    replay.look();
    replay.wait(last, end);
    replay.engine.finish(&mut replay.session, WallTime(end));
    replay.look();
    replay.outcome()
}

impl Replay<'_> {
    /// Time passes from the last piece to the next.
    fn wait(&mut self, from: f64, to: f64) {
        let mut next = self.beat + BEAT;
        while next <= to {
            if next > from {
                self.engine.heartbeat(&mut self.session, WallTime(next));
                self.look();
            }
            self.beat = next;
            next += BEAT;
        }
    }

    /// Some pieces arrive together: a batch for each file, or two where a file was rewritten in between.
    fn take(&mut self, pieces: &[(usize, &Atom)]) {
        let now = pieces.last().map_or(0.0, |(_, a)| a.arrival);
        let mut batches: Vec<(usize, Batch)> = Vec::new();
        for (file, atom) in pieces {
            let own = batches.iter().rposition(|(n, b)| n == file && b.run == atom.run && !atom.reset);
            let at = own.unwrap_or_else(|| {
                let mut batch = Batch::new(atom.run.clone(), self.sources[*file].origin.clone());
                batch.reset = atom.reset;
                batches.push((*file, batch));
                batches.len() - 1
            });
            add(&mut batches[at].1, atom);
        }
        for (file, batch) in batches {
            self.report(file, now);
            self.points += batch.point_count();
            let step = batch.columns.iter().flat_map(|c| &c.points).map(|p| p.step).max();
            if let Some(step) = step {
                self.last_step.insert(batch.run.clone(), step);
            }
            self.engine.apply(&mut self.session, News::Batch(batch), WallTime(now));
        }
        self.look();
    }

    /// The file as the readers would report it: seen to grow just now.
    fn report(&mut self, file: usize, now: f64) {
        let mut health = self.sources[file].health.clone();
        health.state = FileState::Following;
        health.modified = WallTime(now);
        health.last_news = WallTime(now);
        health.pending_bytes = 0;
        self.found.insert(file);
        self.engine.apply(&mut self.session, News::File(Box::new(health)), WallTime(now));
    }

    /// Notes what is said now that was not said before.
    fn look(&mut self) {
        let generation = self.session.alerts.generation();
        if generation == self.generation {
            return;
        }
        self.generation = generation;
        for said in self.seen.values_mut() {
            said.withdrawn = true;
        }
        let mut rules: BTreeMap<u64, &'static str> = BTreeMap::new();
        for alert in self.session.alerts.alerts() {
            rules.insert(alert.id, alert.rule);
        }
        for alert in self.session.alerts.alerts() {
            let here = self.last_step.get(&alert.run).copied().unwrap_or(0);
            let before = self.seen.get(&alert.id).and_then(|s| s.warned);
            let loud = alert.severity >= Severity::Warn;
            let opened = alert.step.unwrap_or(here);
            let first_look = !self.seen.contains_key(&alert.id);
            let warned =
                before.or_else(|| loud.then_some(if first_look { opened } else { here.max(opened) }));
            let said = Said {
                run: alert.run.clone(),
                rule: alert.rule,
                severity: alert.severity,
                step: opened,
                warned,
                since: alert.since_step.unwrap_or(opened),
                place: alert.place(),
                caused_by: alert.caused_by.and_then(|id| rules.get(&id).copied()),
                withdrawn: false,
                open: alert.state == AlertState::Open,
                message: alert.message.clone(),
            };
            self.seen.insert(alert.id, said);
        }
    }

    fn outcome(self) -> Outcome {
        Outcome { said: self.seen.into_values().collect(), points: self.points, session: self.session }
    }
}

fn add(batch: &mut Batch, atom: &Atom) {
    for column in &atom.columns {
        match batch.columns.iter_mut().find(|c| c.key == column.key) {
            Some(known) => known.points.extend_from_slice(&column.points),
            None => batch.columns.push(Column { key: column.key.clone(), points: column.points.clone() }),
        }
    }
    batch.records.extend(atom.records.iter().cloned());
}

/// All points of a series of a run in the order of their arrival.
pub fn points_of(sources: &[Source], run: &RunId, key: &SeriesKey) -> Vec<(Step, f64)> {
    let mut last = Vec::new();
    for source in sources {
        for atom in source.atoms.iter().filter(|a| a.run == *run) {
            if atom.reset {
                last.clear();
            }
            let columns = atom.columns.iter().filter(|c| c.key == *key);
            last.extend(columns.flat_map(|c| c.points.iter().map(|p| (p.step, p.value))));
        }
    }
    last
}
