//! What the user said of alerts: seen, not now, not this rule. Outlives the process: `app` keeps it.
//!
//! Alerts are known again by a hash of where they are and what they are, so that nothing of the logs can be read from
//! what is kept.

use rustc_hash::FxHashMap;

use super::{Alert, Severity};
use crate::model::{RunId, WallTime};

/// One thing that was said.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Attitude {
    /// An alert up to this severity was seen.
    Seen(Severity),
    /// An alert up to this severity is not wanted before a moment.
    Later {
        /// When it comes back.
        until: WallTime,
        /// What is worse comes back at once.
        severity: Severity,
    },
    /// A rule is not wanted, in a run or in all.
    Muted,
}

/// A hash of what something was said of.
pub type AttitudeKey = u64;

/// Everything that was said.
#[derive(Clone, Debug, Default)]
pub struct Attitudes {
    place: u64,
    known: FxHashMap<AttitudeKey, Attitude>,
    changes: Vec<(AttitudeKey, Option<Attitude>)>,
}

impl Attitudes {
    /// What is known from earlier, of the alerts of one place: a hash of the watched paths.
    pub fn new(place: u64, known: impl IntoIterator<Item = (AttitudeKey, Attitude)>) -> Self {
        Self { place, known: known.into_iter().collect(), changes: Vec::new() }
    }

    /// What was said, and taken back, since the last call.
    pub fn take_changes(&mut self) -> Vec<(AttitudeKey, Option<Attitude>)> {
        std::mem::take(&mut self.changes)
    }

    /// Writes into `alert` what is known of it.
    pub(super) fn apply(&self, alert: &mut Alert) {
        alert.acknowledged = matches!(
            self.known.get(&self.of_alert("seen", alert)),
            Some(Attitude::Seen(severity)) if alert.severity <= *severity
        );
        alert.snoozed_until = match self.known.get(&self.of_alert("later", alert)) {
            Some(Attitude::Later { until, severity }) if alert.severity <= *severity => Some(*until),
            _ => None,
        };
        alert.muted_everywhere = self.known.contains_key(&self.of_rule(alert.rule));
        alert.muted = alert.muted_everywhere || self.known.contains_key(&self.of_run(alert.rule, &alert.run));
    }

    pub(super) fn seen(&mut self, alert: &Alert) {
        self.set(self.of_alert("seen", alert), Some(Attitude::Seen(alert.severity)));
    }

    pub(super) fn later(&mut self, alert: &Alert, until: Option<WallTime>) {
        let said = until.map(|until| Attitude::Later { until, severity: alert.severity });
        self.set(self.of_alert("later", alert), said);
    }

    pub(super) fn mute_in_run(&mut self, alert: &Alert) {
        self.toggle(self.of_run(alert.rule, &alert.run));
    }

    pub(super) fn mute_everywhere(&mut self, alert: &Alert) {
        self.toggle(self.of_rule(alert.rule));
    }

    fn toggle(&mut self, key: AttitudeKey) {
        let said = (!self.known.contains_key(&key)).then_some(Attitude::Muted);
        self.set(key, said);
    }

    fn set(&mut self, key: AttitudeKey, said: Option<Attitude>) {
        match said {
            Some(said) => self.known.insert(key, said),
            None => self.known.remove(&key),
        };
        self.changes.push((key, said));
    }

    /// The step at which it opened is part of it: what was said of one alert is not said of the next.
    fn of_alert(&self, kind: &str, alert: &Alert) -> AttitudeKey {
        let step = alert.step.map_or_else(String::new, |step| step.to_string());
        hash(self.place, &[kind, alert.run.as_str(), alert.rule, &alert.place(), &step])
    }

    fn of_run(&self, rule: &str, run: &RunId) -> AttitudeKey {
        hash(self.place, &["run", rule, run.as_str()])
    }

    fn of_rule(&self, rule: &str) -> AttitudeKey {
        hash(self.place, &["rule", rule])
    }
}

/// FNV-1a: the same in every version of the program.
fn hash(seed: u64, parts: &[&str]) -> AttitudeKey {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    seed.to_le_bytes().into_iter().for_each(&mut feed);
    for part in parts {
        part.bytes().chain([0]).for_each(&mut feed);
    }
    hash
}
