//! All alerts, open and past, in the order in which they were raised.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::model::{LayerKind, LayerName, RunId, SeriesKey, Step, WallTime};

use super::{
    alert::{Alert, AlertState, Severity},
    attitude::Attitudes,
    evidence::Evidence,
    rule_limits::RuleLimits,
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
    /// Which of the layer's tensors.
    pub kind: Option<LayerKind>,
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

/// Open alerts by severity, without those that are explained by another one, muted or put off.
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
    limits: RuleLimits,
    attitudes: Attitudes,
}

/// How long an alert is put off: at first, and each time that it is put off for longer. Seconds.
const SNOOZES_S: [f64; 3] = [3_600.0, 4.0 * 3_600.0, 24.0 * 3_600.0];

#[derive(Clone, Debug, Default)]
struct RunPage {
    ids: Vec<u64>,
    not_kept: u64,
    /// Places of the run's layers in the network.
    network: FxHashMap<LayerName, usize>,
}

impl AlertBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// How loud rules may be; to be said before the first alert.
    pub fn set_limits(&mut self, limits: RuleLimits) {
        self.limits = limits;
    }

    /// How severe an alert of `rule` in `run` may be; `None` where the rule is off.
    pub(super) fn limited(&self, rule: &str, run: &RunId, severity: Severity) -> Option<Severity> {
        self.limits.apply(rule, run, severity)
    }

    /// What the user said earlier; to be told before the first alert.
    pub fn set_attitudes(&mut self, attitudes: Attitudes) {
        self.attitudes = attitudes;
    }

    /// What the user said, and what of it is new.
    pub fn attitudes_mut(&mut self) -> &mut Attitudes {
        &mut self.attitudes
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

    /// The worst open alert of a run that is neither quiet nor explained by another one; among equals the
    /// newest.
    pub fn worst_open(&self, run: &RunId) -> Option<&Alert> {
        let mut worst: Option<&Alert> = None;
        for alert in self.of_run(run).filter(|a| a.is_open() && !a.is_quiet() && a.caused_by.is_none()) {
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
        let Some(alert) = self.alerts.get(&id) else { return };
        self.attitudes.seen(alert);
        self.remember();
    }

    /// The user does not want to hear of its rule in its run, or does again.
    pub fn mute(&mut self, id: u64) {
        let Some(alert) = self.alerts.get(&id) else { return };
        self.attitudes.mute_in_run(alert);
        self.remember();
    }

    /// The user does not want to hear of its rule in any run, or does again.
    pub fn mute_everywhere(&mut self, id: u64) {
        let Some(alert) = self.alerts.get(&id) else { return };
        self.attitudes.mute_everywhere(alert);
        self.remember();
    }

    /// Puts it off for an hour, or if it is put off already for longer, or if that is the longest, not any more. Returns
    /// when it comes back; it does earlier if it gets worse.
    pub fn snooze(&mut self, id: u64, now: WallTime) -> Option<WallTime> {
        let alert = self.alerts.get(&id)?;
        let left = alert.snoozed_until.map_or(0.0, |until| until.since(now).max(0.0));
        let until = SNOOZES_S.iter().find(|wait| left < **wait * 0.999).map(|wait| WallTime(now.0 + wait));
        // What is put off for just less than the longest is put off for the longest, then not any more.
        let until = until.filter(|_| left < SNOOZES_S[1] * 1.001);
        self.attitudes.later(alert, until);
        self.remember();
        until
    }

    /// Time has passed: alerts that were put off until now are back.
    pub fn wake(&mut self, now: WallTime) {
        let over = |a: &&Alert| a.snoozed_until.is_some_and(|until| now.since(until) >= 0.0);
        if !self.alerts.values().any(|a| over(&a)) {
            return;
        }
        for alert in self.alerts.values().filter(over) {
            self.attitudes.later(alert, None);
        }
        self.remember();
    }

    /// Says of all alerts anew what the user said of them.
    fn remember(&mut self) {
        for alert in self.alerts.values_mut() {
            self.attitudes.apply(alert);
        }
        self.generation += 1;
    }

    /// How many are open, by severity.
    pub fn counts(&self) -> AlertCounts {
        let mut counts = AlertCounts::default();
        for alert in self.alerts.values() {
            match (alert.state, alert.severity) {
                (AlertState::Closed, _) => counts.closed += 1,
                _ if alert.is_quiet() || alert.caused_by.is_some() => {}
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

    /// Writes a new alert down. `None` when the rule is off, or the run already has [`ALERTS_KEPT_PER_RULE`] of it.
    pub fn raise(&mut self, mut draft: Draft) -> Option<u64> {
        draft.severity = self.limited(draft.rule, &draft.run, draft.severity)?;
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
        let depth = draft.layer.as_ref().and_then(|layer| page.network.get(layer)).copied();
        let mut alert = Alert { depth, ..opened(id, draft) };
        self.attitudes.apply(&mut alert);
        self.alerts.insert(id, alert);
        self.link(&run);
        Some(id)
    }

    /// The layers of a run in the order of its network, as far as they are known.
    pub(super) fn know_network<'a>(
        &mut self,
        run: &RunId,
        layers: impl ExactSizeIterator<Item = &'a LayerName>,
    ) {
        let page = self.by_run.entry(run.clone()).or_default();
        if page.network.len() != layers.len() {
            page.network = layers.enumerate().map(|(at, layer)| (layer.clone(), at)).collect();
        }
    }

    /// It got worse: the numbers and words of now replace those of then; `step` and `since_step` stay.
    pub fn escalate(&mut self, id: u64, severity: Severity, words: (String, String), evidence: Evidence) {
        self.edit(id, |alert| {
            alert.remember_opening();
            alert.severity = severity;
            alert.state = AlertState::Open;
            alert.closed_step = None;
            (alert.message, alert.advice) = words;
            alert.evidence = evidence;
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

    /// The book as it was while the log of each run ended at `until`. `version` tells this past from others: it takes the
    /// place of the generation, counted from the top so that it is never that of a book of the present.
    #[must_use]
    pub fn as_of(&self, until: impl Fn(&RunId) -> Option<Step>, version: u64) -> Self {
        let alerts: BTreeMap<u64, Alert> = self
            .alerts
            .iter()
            .filter_map(|(id, alert)| {
                let past = match until(&alert.run) {
                    Some(until) => alert.as_of(until)?,
                    None => alert.clone(),
                };
                Some((*id, past))
            })
            .collect();
        let mut by_run: FxHashMap<RunId, RunPage> = FxHashMap::default();
        for (id, alert) in &alerts {
            by_run.entry(alert.run.clone()).or_default().ids.push(*id);
        }
        let mut past = Self { alerts, by_run, generation: u64::MAX - version, ..Self::default() };
        for run in past.by_run.keys().cloned().collect::<Vec<_>>() {
            past.link(&run);
        }
        past
    }

    fn edit(&mut self, id: u64, change: impl FnOnce(&mut Alert)) {
        let Some(alert) = self.alerts.get_mut(&id) else { return };
        change(alert);
        // A rule that is off has no alerts.
        alert.severity = self.limits.apply(alert.rule, &alert.run, alert.severity).unwrap_or(alert.severity);
        self.attitudes.apply(alert);
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
        kind: draft.kind,
        depth: None,
        step: draft.step,
        since_step: draft.since_step,
        time: draft.time,
        closed_step: None,
        message: draft.message,
        advice: draft.advice,
        evidence: draft.evidence,
        opening: None,
        caused_by: None,
        acknowledged: false,
        muted: false,
        muted_everywhere: false,
        snoozed_until: None,
    }
}
