//! Which runs need attention, in one pass over the alerts.

use std::collections::BTreeMap;

use crate::{
    detect::{Alert, AlertBook, AlertState, Severity},
    model::RunId,
    store::Store,
};

/// The worst open alert of each run that has one. Muted alerts and those explained by another one do not count.
pub struct Trouble<'a> {
    worst: BTreeMap<&'a RunId, &'a Alert>,
}

impl<'a> Trouble<'a> {
    /// Looks through the book once.
    pub fn of(book: &'a AlertBook) -> Self {
        let mut worst: BTreeMap<&RunId, &Alert> = BTreeMap::new();
        for alert in book.alerts() {
            if alert.state != AlertState::Open || alert.is_quiet() || alert.caused_by.is_some() {
                continue;
            }
            let slot = worst.entry(&alert.run).or_insert(alert);
            if rank(alert) > rank(slot) {
                *slot = alert;
            }
        }
        Self { worst }
    }

    /// The worst of one run.
    pub fn of_run(&self, run: &RunId) -> Option<&'a Alert> {
        self.worst.get(run).copied()
    }

    /// The first run in the order of trouble: worst severity, then natural order.
    pub fn first(&self, store: &Store) -> Option<RunId> {
        let severity = self.worst.values().map(|a| a.severity).max()?;
        let mut runs = store.runs().map(crate::store::Run::id);
        runs.find(|id| self.of_run(id).is_some_and(|a| a.severity == severity)).cloned()
    }

    /// How many runs have this as their worst.
    pub fn runs_at(&self, severity: Severity) -> usize {
        self.worst.values().filter(|a| a.severity == severity).count()
    }

    /// The worst severity of at least a warning, and how many runs have a warning or worse.
    pub fn worst(&self) -> Option<(Severity, usize)> {
        let worst = self.worst.values().map(|a| a.severity).filter(|s| *s >= Severity::Warn).max()?;
        Some((worst, self.worst.values().filter(|a| a.severity >= Severity::Warn).count()))
    }

    /// Runs with a warning or worse, worst first.
    pub fn needing_attention(&self) -> Vec<&'a Alert> {
        let mut alerts: Vec<&Alert> =
            self.worst.values().copied().filter(|a| a.severity >= Severity::Warn).collect();
        alerts.sort_by_key(|a| std::cmp::Reverse(rank(a)));
        alerts
    }
}

/// Unseen before acknowledged within one severity; among equals the newest, which the book says first.
fn rank(alert: &Alert) -> (Severity, bool) {
    (alert.severity, !alert.acknowledged)
}
