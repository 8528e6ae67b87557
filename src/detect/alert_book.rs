//! All alerts, open and past, in the order in which they were raised.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::model::{LayerName, RunId, SeriesKey, Step, WallTime};

use super::{
    alert::{Alert, AlertState, Severity},
    evidence::Evidence,
    suppression,
};

/// Alerts of one rule in one run that are kept one by one. A thousand layers that turn NaN together are one
/// fault; what comes after the first of them is counted.
pub const ALERTS_KEPT_PER_RULE: usize = 64;

/// What a judge wants written down.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// The run.
    pub run: RunId,
    /// The rule.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// The series it speaks of.
    pub series: Option<SeriesKey>,
    /// The layer it speaks of.
    pub layer: Option<LayerName>,
    /// Where it opened.
    pub step: Option<Step>,
    /// Where the condition first held.
    pub since_step: Option<Step>,
    /// When it opened.
    pub time: WallTime,
    /// What, where, since when.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// The numbers.
    pub evidence: Evidence,
}

/// Open alerts by severity, without those that are explained by another one or muted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AlertCounts {
    /// Worth a look.
    pub info: usize,
    /// Doing something pays.
    pub warn: usize,
    /// Compute is wasted now.
    pub critical: usize,
    /// Closed ones of any severity.
    pub closed: usize,
    /// Alerts beyond [`ALERTS_KEPT_PER_RULE`], of any state.
    pub not_kept: u64,
}

/// All alerts of all runs.
#[derive(Clone, Debug, Default)]
pub struct AlertBook {
    alerts: BTreeMap<u64, Alert>,
    by_run: FxHashMap<RunId, RunPage>,
    next: u64,
    generation: u64,
}

#[derive(Clone, Debug, Default)]
struct RunPage {
    ids: Vec<u64>,
    not_kept: u64,
}

impl AlertBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Newest first.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values().rev()
    }

    /// Alerts of one run, newest first.
    pub fn of_run<'a>(&'a self, run: &RunId) -> impl Iterator<Item = &'a Alert> {
        let ids = self.by_run.get(run).map(|page| page.ids.as_slice()).unwrap_or_default();
        ids.iter().rev().filter_map(|id| self.alerts.get(id))
    }

    /// The worst open alert of a run that is neither muted nor explained by another one; among equals the
    /// newest.
    pub fn worst_open(&self, run: &RunId) -> Option<&Alert> {
        let mut worst: Option<&Alert> = None;
        for alert in self.of_run(run).filter(|a| a.is_open() && !a.muted && a.caused_by.is_none()) {
            if worst.is_none_or(|w| alert.severity > w.severity) {
                worst = Some(alert);
            }
        }
        worst
    }

    /// The alert of that number.
    pub fn get(&self, id: u64) -> Option<&Alert> {
        self.alerts.get(&id)
    }

    /// The user has seen it.
    pub fn acknowledge(&mut self, id: u64) {
        self.edit(id, |alert| alert.acknowledged = true);
    }

    /// The user does not want to hear of it, or does again.
    pub fn mute(&mut self, id: u64) {
        self.edit(id, |alert| alert.muted = !alert.muted);
    }

    /// How many are open, by severity.
    pub fn counts(&self) -> AlertCounts {
        let mut counts = AlertCounts::default();
        for alert in self.alerts.values() {
            match (alert.state, alert.severity) {
                (AlertState::Closed, _) => counts.closed += 1,
                _ if alert.muted || alert.caused_by.is_some() => {}
                (_, Severity::Info) => counts.info += 1,
                (_, Severity::Warn) => counts.warn += 1,
                (_, Severity::Critical) => counts.critical += 1,
            }
        }
        counts.not_kept = self.by_run.values().map(|page| page.not_kept).sum();
        counts
    }

    /// Grows with every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Writes a new alert down. `None` when the run already has [`ALERTS_KEPT_PER_RULE`] of this rule.
    pub fn raise(&mut self, draft: Draft) -> Option<u64> {
        self.generation += 1;
        let page = self.by_run.entry(draft.run.clone()).or_default();
        let same =
            page.ids.iter().filter_map(|id| self.alerts.get(id)).filter(|a| a.rule == draft.rule).count();
        if same >= ALERTS_KEPT_PER_RULE {
            page.not_kept += 1;
            return None;
        }
        self.next += 1;
        let id = self.next;
        page.ids.push(id);
        let run = draft.run.clone();
        self.alerts.insert(id, opened(id, draft));
        self.link(&run);
        Some(id)
    }

    /// It got worse: the numbers and words of now replace those of then; `step` and `since_step` stay.
    pub fn escalate(&mut self, id: u64, severity: Severity, words: (String, String), evidence: Evidence) {
        self.edit(id, |alert| {
            alert.severity = severity;
            alert.state = AlertState::Open;
            alert.closed_step = None;
            (alert.message, alert.advice) = words;
            alert.evidence = evidence;
            alert.acknowledged = false;
        });
    }

    /// What was in doubt was said again: number, acknowledgement and muting stay, the rest is as of now.
    pub fn confirm(
        &mut self,
        id: u64,
        severity: Severity,
        since: Step,
        words: (String, String),
        evidence: Evidence,
    ) {
        self.edit(id, |alert| {
            alert.severity = severity;
            alert.state = AlertState::Open;
            alert.closed_step = None;
            alert.since_step = Some(since);
            (alert.message, alert.advice) = words;
            alert.evidence = evidence;
        });
    }

    /// It came back before it had been gone for long: the same card is open again.
    pub fn reopen(&mut self, id: u64) {
        self.edit(id, |alert| {
            alert.state = AlertState::Open;
            alert.closed_step = None;
        });
    }

    /// Its condition has ended.
    pub fn close(&mut self, id: u64, step: Option<Step>) {
        self.edit(id, |alert| {
            alert.state = AlertState::Closed;
            alert.closed_step = step;
        });
    }

    /// It was said of data that turned out to be something else (an earlier file was read later, the file was
    /// rewritten): it is as if it had never been raised.
    pub fn withdraw(&mut self, id: u64) {
        let Some(alert) = self.alerts.remove(&id) else { return };
        self.generation += 1;
        if let Some(page) = self.by_run.get_mut(&alert.run) {
            page.ids.retain(|other| *other != id);
        }
        self.link(&alert.run);
    }

    /// The run turned out to be part of another one: so did all that was said of it.
    pub fn forget(&mut self, run: &RunId) {
        let Some(page) = self.by_run.remove(run) else { return };
        for id in page.ids {
            self.alerts.remove(&id);
        }
        self.generation += 1;
    }

    fn edit(&mut self, id: u64, change: impl FnOnce(&mut Alert)) {
        let Some(alert) = self.alerts.get_mut(&id) else { return };
        change(alert);
        self.generation += 1;
        let run = alert.run.clone();
        self.link(&run);
    }

    /// Says anew which alert of a run explains which: a function of the alerts alone, whatever the order in
    /// which they came.
    fn link(&mut self, run: &RunId) {
        let Some(page) = self.by_run.get(run) else { return };
        let alerts: Vec<&Alert> = page.ids.iter().filter_map(|id| self.alerts.get(id)).collect();
        for (id, cause) in suppression::causes(&alerts) {
            if let Some(alert) = self.alerts.get_mut(&id) {
                alert.caused_by = cause;
            }
        }
    }
}

fn opened(id: u64, draft: Draft) -> Alert {
    Alert {
        id,
        run: draft.run,
        rule: draft.rule,
        severity: draft.severity,
        state: AlertState::Open,
        series: draft.series,
        layer: draft.layer,
        step: draft.step,
        since_step: draft.since_step,
        time: draft.time,
        closed_step: None,
        message: draft.message,
        advice: draft.advice,
        evidence: draft.evidence,
        caused_by: None,
        acknowledged: false,
        muted: false,
    }
}
