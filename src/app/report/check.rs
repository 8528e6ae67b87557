//! `check`: the alerts of every run, for people and for programs.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use super::{number::Number, status_json::VERSION, write_json};
use crate::{
    app::output::Output,
    detect::{Alert, AlertBook, Evidence, Needs, Severity},
    model::{Step, sanitise},
    store::{Run, Store},
    ui::numbers,
};

#[derive(Serialize)]
struct Check<'a> {
    version: u32,
    runs: Vec<RunCheck<'a>>,
}

#[derive(Serialize)]
struct RunCheck<'a> {
    run: &'a str,
    alerts: Vec<AlertCheck<'a>>,
}

#[derive(Serialize)]
struct AlertCheck<'a> {
    rule: &'static str,
    severity: &'static str,
    state: &'static str,
    series: Option<String>,
    layer: Option<&'a str>,
    step: Option<Step>,
    since_step: Option<Step>,
    time: Option<f64>,
    message: &'a str,
    advice: &'a str,
    evidence: BTreeMap<String, Number>,
    /// The rule of the alert that explains this one.
    caused_by: Option<&'static str>,
}

/// The worst severity of all alerts, open or closed: what `--fail-on` is compared with.
pub fn worst(alerts: &AlertBook) -> Option<Severity> {
    alerts.alerts().map(|alert| alert.severity).max()
}

/// A run's alerts in the order in which they opened.
fn in_order<'a>(run: &Run, book: &'a AlertBook) -> Vec<&'a Alert> {
    let mut alerts: Vec<&Alert> = book.of_run(run.id()).collect();
    alerts.sort_by_key(|a| (a.step, a.id));
    alerts
}

/// Writes every run with its alerts, runs without any included.
pub fn check_json(store: &Store, book: &AlertBook, out: &mut dyn Write) -> io::Result<()> {
    let runs = store
        .runs()
        .map(|run| RunCheck {
            run: run.id().as_str(),
            alerts: in_order(run, book).into_iter().map(|alert| alert_check(alert, book)).collect(),
        })
        .collect();
    write_json(&Check { version: VERSION, runs }, out)
}

fn alert_check<'a>(alert: &'a Alert, book: &AlertBook) -> AlertCheck<'a> {
    AlertCheck {
        rule: alert.rule,
        severity: alert.severity.name(),
        state: alert.state.name(),
        series: alert.series.as_ref().map(crate::model::SeriesKey::label),
        layer: alert.layer.as_ref().map(crate::model::LayerName::as_str),
        step: alert.step,
        since_step: alert.since_step,
        time: alert.time.known(),
        message: &alert.message,
        advice: &alert.advice,
        evidence: evidence(&alert.evidence),
        caused_by: alert.caused_by.and_then(|id| book.get(id)).map(|cause| cause.rule),
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

/// Writes the runs that have alerts, and a line that sums up.
pub fn check_text(store: &Store, book: &AlertBook, style: &Output, out: &mut dyn Write) -> io::Result<()> {
    let paint = |text: &str, sgr: &str| {
        if style.colour { format!("\x1b[{sgr}m{text}\x1b[m") } else { text.to_owned() }
    };
    let mut counts = [0_usize; 3];
    let mut healthy = 0_usize;
    for run in store.runs() {
        let alerts = in_order(run, book);
        if alerts.is_empty() {
            healthy += 1;
            continue;
        }
        writeln!(out, "{}", paint(&sanitise(run.title()), "1"))?;
        for alert in alerts {
            let at = Severity::ALL.iter().position(|s| *s == alert.severity).unwrap_or_default();
            counts[at] += 1;
            let colour = ["2", "33", "1;31"][at];
            if alert.caused_by.is_some_and(|id| book.get(id).is_some()) {
                // One cause, one card: what follows from it is one line below.
                let corner = if style.ascii { "`-" } else { "└" };
                writeln!(out, "    {corner} {}: {}", alert.rule, sanitise(&alert.message))?;
                continue;
            }
            let mut line = format!("  {} {}", paint(alert.severity.name(), colour), paint(alert.rule, "1"));
            if !alert.is_open() {
                line.push_str(" (closed)");
            }
            let place = alert.place();
            if !place.is_empty() {
                line.push_str(" in ");
                line.push_str(&sanitise(&place));
            }
            if let Some(step) = alert.step {
                line.extend([" at step ".to_owned(), step.to_string()]);
            }
            if let Some(since) = alert.since_step.filter(|since| Some(*since) != alert.step) {
                line.extend([" since ".to_owned(), since.to_string()]);
            }
            writeln!(out, "{line}")?;
            writeln!(out, "    {}", sanitise(&alert.message))?;
            writeln!(out, "    {} {}", if style.ascii { "->" } else { "→" }, sanitise(&alert.advice))?;
        }
    }
    let runs = store.run_count();
    let (info, warn, critical) = (counts[0], counts[1], counts[2]);
    writeln!(
        out,
        "{} {}, {} without alerts; {critical} critical, {warn} warn, {info} info",
        numbers::count(runs as u64),
        if runs == 1 { "run" } else { "runs" },
        healthy,
    )
}
