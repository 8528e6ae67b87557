//! `check`: the alerts of every run, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{alert_record::AlertRecord, status_json::VERSION, write_json};
use crate::{
    app::output::Output,
    detect::{Alert, AlertBook, Severity},
    model::sanitise,
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
    alerts: Vec<AlertRecord>,
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
            alerts: in_order(run, book).into_iter().map(|alert| AlertRecord::of(alert, book)).collect(),
        })
        .collect();
    write_json(&Check { version: VERSION, runs }, out)
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
