//! Runs of one folder beside each other.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use crate::{
    model::{Goal, RunId, SeriesKey, Step, WallTime},
    store::{Run, Series, Store},
};

use super::{
    DETECTORS, Finding, Scope, Speaks, Surroundings, Verdict,
    alert_book::AlertBook,
    case::{Case, Desk, Place},
    judge::{Hold, Patience},
    tags::{self, Role, Split},
};

/// Siblings that a run is compared with: of more, evenly chosen ones. A sweep of 2,000 runs is no reason to look at four
/// million pairs.
const COMPARED: usize = 16;
/// Runs that are compared in one look while things go on; the others wait for the next.
const AT_ONCE: usize = 16;
/// Seconds between two comparisons of a run that goes on.
const EVERY_S: f64 = 30.0;

/// Compares the main loss of a run with those of its siblings: where it stands and what it is behind in.
pub type Compare = fn(&Series, &[&Series]) -> Option<(Step, Finding)>;
/// Message and advice about a series at a step.
pub type Say = fn(&str, Step, &Finding) -> (String, String);

#[derive(Debug)]
struct Speaker(Say);

impl Speaks for Speaker {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        (self.0)(place, step, finding)
    }
}

/// The main loss of a run: siblings may have written it under other names.
#[derive(Clone, Debug)]
struct Main {
    key: SeriesKey,
    /// What it measures, and whether on validation data: this has to agree.
    kind: (Arc<str>, bool),
}

/// What is known of one run among its siblings.
#[derive(Debug, Default)]
struct Member {
    /// Its main loss, found anew when series appeared.
    main: Option<(u64, Option<Main>)>,
    /// How far it was at the last comparison, and when that was.
    seen: Option<(Step, WallTime)>,
    cases: Vec<Case>,
}

/// All comparisons between runs.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    members: FxHashMap<RunId, Member>,
}

impl Siblings {
    /// Compares the runs that have gone on since they were compared last. `last`: nothing more will come.
    pub fn look(&mut self, store: &Store, book: &mut AlertBook, now: WallTime, last: bool) {
        let most = if last { usize::MAX } else { AT_ONCE };
        let due: Vec<&Run> = store.runs().filter(|run| self.is_due(run, now, last)).take(most).collect();
        if due.is_empty() {
            return;
        }
        let mut folders: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
        for run in store.runs() {
            folders.entry(folder(run.id())).or_default().push(run);
        }
        for run in due {
            let family = &folders[folder(run.id())];
            let Some(Main { key, kind }) = self.main(run) else { continue };
            let Some(series) = run.series_of(&key) else { continue };
            let stride = family.len().div_ceil(COMPARED).max(1);
            let others: Vec<&Series> = family
                .iter()
                .step_by(stride)
                .filter(|other| other.id() != run.id())
                .filter_map(|other| {
                    let main = self.main(other).filter(|main| main.kind == kind)?;
                    other.series_of(&main.key)
                })
                .collect();
            self.judge(run, &key, series, &others, &mut Desk { book, run: run.id(), now });
        }
    }

    fn is_due(&mut self, run: &Run, now: WallTime, last: bool) -> bool {
        let Some(step) = run.last_step() else { return false };
        let member = self.members.entry(run.id().clone()).or_default();
        let due = match member.seen {
            Some((seen, at)) => seen != step && (last || now.since(at) >= EVERY_S),
            None => true,
        };
        if due {
            member.seen = Some((step, now));
        }
        due
    }

    /// Validation loss before training loss.
    fn main(&mut self, run: &Run) -> Option<Main> {
        let member = self.members.entry(run.id().clone()).or_default();
        let version = run.names_version();
        if member.main.as_ref().is_none_or(|(known, _)| *known != version) {
            let is_loss = |key: &SeriesKey| tags::class_of(key, run).role == Role::Loss;
            let key = tags::main_metric(run)
                .filter(|(key, goal)| *goal == Goal::Min && is_loss(key))
                .map(|(key, _)| key)
                .or_else(|| tags::main_loss(run).filter(is_loss));
            let main = key.map(|key| {
                let class = tags::class_of(&key, run);
                let of_validation = matches!(class.split, Split::Val | Split::Test);
                Main { key, kind: (class.stem, of_validation) }
            });
            member.main = Some((version, main));
        }
        member.main.as_ref().and_then(|(_, main)| main.clone())
    }

    fn judge(
        &mut self,
        run: &Run,
        key: &SeriesKey,
        series: &Series,
        others: &[&Series],
        desk: &mut Desk<'_>,
    ) {
        let member = self.members.entry(run.id().clone()).or_default();
        let scopes = DETECTORS.iter().flat_map(|spec| spec.scopes.iter().map(move |scope| (*spec, scope)));
        let mut at = 0;
        for (spec, scope) in scopes {
            let Scope::Siblings { compare, say } = scope else { continue };
            let speaker = Speaker(*say);
            if member.cases.len() == at {
                member.cases.push(Case::new(spec, speaker.patience()));
            }
            let case = &mut member.cases[at];
            at += 1;
            let (step, verdict) = match compare(series, others) {
                Some((step, finding)) => (step, Verdict::Bad(finding)),
                None if case.at_rest() => continue,
                None => (run.last_step().unwrap_or(0), Verdict::Fine),
            };
            let around = Surroundings::default();
            case.hear(step, run.last_wall(), verdict, &Place::Series(key), &speaker, &around, desk);
        }
    }

    /// The run turned out to be part of another one.
    pub fn forget(&mut self, run: &RunId) {
        self.members.remove(run);
    }
}

/// The folder that a run lies in.
fn folder(run: &RunId) -> &str {
    run.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)
}
