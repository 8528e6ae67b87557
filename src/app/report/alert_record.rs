//! One alert as programs read it: in `check --format json`, in lines of `follow`, in webhooks and commands.

use std::collections::BTreeMap;

use serde::Serialize;

use super::number::Number;
use crate::{
    detect::{Alert, AlertBook, Evidence, Needs},
    model::{LayerName, SeriesKey, Step},
};

/// An alert with the keys of the JSON contract, in their order.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct AlertRecord {
    /// The rule's fixed name.
    pub rule: &'static str,
    /// `info`, `warn` or `critical`.
    pub severity: &'static str,
    /// `open` or `closed`.
    pub state: &'static str,
    /// The series, where one can be named.
    pub series: Option<String>,
    /// The layer, where one can be named.
    pub layer: Option<String>,
    /// Where it opened.
    pub step: Option<Step>,
    /// Where its condition first held.
    pub since_step: Option<Step>,
    /// When it opened, seconds since 1970.
    pub time: Option<f64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// The numbers behind it.
    pub evidence: BTreeMap<String, Number>,
    /// The rule of the alert that explains this one.
    pub caused_by: Option<&'static str>,
}

impl AlertRecord {
    /// `alert` as it stands in `book`.
    pub fn of(alert: &Alert, book: &AlertBook) -> Self {
        Self {
            rule: alert.rule,
            severity: alert.severity.name(),
            state: alert.state.name(),
            series: alert.series.as_ref().map(SeriesKey::label),
            layer: alert.layer.as_ref().map(LayerName::as_str).map(str::to_owned),
            step: alert.step,
            since_step: alert.since_step,
            time: alert.time.known(),
            message: alert.message.clone(),
            advice: alert.advice.clone(),
            evidence: evidence(&alert.evidence),
            caused_by: alert.caused_by.and_then(|id| book.get(id)).map(|cause| cause.rule),
        }
    }

    /// The series or layer; empty for the run as a whole.
    pub fn place(&self) -> &str {
        self.series.as_deref().or(self.layer.as_deref()).unwrap_or_default()
    }
}

/// Every number under its name; what it had to be at least or at most as `…_min` or `…_max`.
fn evidence(evidence: &Evidence) -> BTreeMap<String, Number> {
    let mut numbers = BTreeMap::new();
    for fact in evidence.facts() {
        numbers.insert(fact.name.to_owned(), Number(fact.value));
        match fact.needs {
            Some(Needs::AtLeast(limit)) => numbers.insert(format!("{}_min", fact.name), Number(limit)),
            Some(Needs::AtMost(limit)) => numbers.insert(format!("{}_max", fact.name), Number(limit)),
            None => None,
        };
    }
    numbers
}
