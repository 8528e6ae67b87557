//! Alerts that follow from other alerts of the run: one card for what they have in common.

use std::collections::BTreeMap;

use crate::model::{SeriesKey, Step, WallTime};

use super::{
    Alert, DETECTORS, Scope, Surroundings, alert::Severity, alert_book::Draft, case::Desk, evidence::Evidence,
};

/// An alert that follows from others.
#[derive(Clone, PartialEq, Debug)]
pub struct Derived {
    /// What makes it the same alert when it is derived again.
    pub key: Step,
    /// How bad.
    pub severity: Severity,
    /// The series it speaks of.
    pub series: Option<SeriesKey>,
    /// Where it opened.
    pub step: Step,
    /// Where its cause lies.
    pub since: Step,
    /// When it opened.
    pub time: WallTime,
    /// True while one of the alerts that it follows from is open.
    pub open: bool,
    /// What, where, since when.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// The numbers.
    pub evidence: Evidence,
}

/// What was derived so far in one run.
#[derive(Debug, Default)]
pub(super) struct DerivedAlerts {
    known: BTreeMap<(&'static str, Step), u64>,
    /// The book's state at the last look.
    seen: u64,
}

impl DerivedAlerts {
    /// Derives anew where the book has changed; what does not follow any more is withdrawn.
    pub fn look(&mut self, around: &Surroundings, desk: &mut Desk<'_>) {
        if desk.book.generation() == self.seen {
            return;
        }
        let mut wanted: Vec<(&'static str, Derived)> = Vec::new();
        let alerts: Vec<&Alert> = desk.book.of_run(desk.run).collect();
        if alerts.is_empty() && self.known.is_empty() {
            self.seen = desk.book.generation();
            return;
        }
        for spec in DETECTORS {
            for scope in spec.scopes {
                if let Scope::Alerts { derive } = scope {
                    wanted.extend(derive(&alerts, around).into_iter().map(|d| (spec.id, d)));
                }
            }
        }
        self.known.retain(|(rule, key), id| {
            let stays = wanted.iter().any(|(r, d)| r == rule && d.key == *key);
            if !stays {
                desk.book.withdraw(*id);
            }
            stays
        });
        for (rule, derived) in wanted {
            self.write_down(rule, derived, desk);
        }
        self.seen = desk.book.generation();
    }

    fn write_down(&mut self, rule: &'static str, mut derived: Derived, desk: &mut Desk<'_>) {
        let Some(severity) = desk.book.limited(rule, desk.run, derived.severity) else { return };
        derived.severity = severity;
        let known = self.known.get(&(rule, derived.key)).and_then(|id| desk.book.get(*id));
        if let Some(alert) = known {
            let id = alert.id;
            if derived.severity > alert.severity {
                let words = (derived.message, derived.advice);
                desk.book.escalate(id, derived.severity, words, derived.evidence);
            } else if alert.is_open() && !derived.open {
                desk.book.close(id, Some(derived.step));
            } else if !alert.is_open() && derived.open {
                desk.book.reopen(id);
            }
            return;
        }
        let time = if derived.time.known().is_some() { derived.time } else { desk.now };
        let id = desk.book.raise(Draft {
            run: desk.run.clone(),
            rule,
            severity: derived.severity,
            series: derived.series,
            layer: None,
            kind: None,
            step: Some(derived.step),
            since_step: Some(derived.since),
            time,
            message: derived.message,
            advice: derived.advice,
            evidence: derived.evidence,
        });
        if let Some(id) = id {
            self.known.insert((rule, derived.key), id);
            if !derived.open {
                desk.book.close(id, Some(derived.step));
            }
        }
    }
}
