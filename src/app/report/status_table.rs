//! `status` for people: a line a run.

use std::io::{self, Write};

use super::plain_table::{Cell, Side, write_table};
use crate::{
    app::output::Output,
    detect::{
        AlertBook, Severity,
        forecast::{self, Refusal},
        questions,
        state::{self, RunState},
        tags,
    },
    model::{Goal, Health, WallTime, sanitise},
    store::{Run, Store},
    ui::numbers,
};

/// SGR parameters for what is good, needs a look, is bad, matters less.
const GOOD: &str = "32";
const WARN: &str = "33";
const BAD: &str = "1;31";
const MUTED: &str = "2";

/// Writes the table and what needs saying below it.
pub fn status_table(
    store: &Store,
    alerts: &AlertBook,
    health: &Health,
    (now, stale_after_s): (WallTime, f64),
    style: &Output,
    out: &mut dyn Write,
) -> io::Result<()> {
    if store.run_count() == 0 {
        let what = match health.files.len() {
            0 => "no training logs were found".to_owned(),
            n => format!("{n} log files were found, with nothing to show in them yet"),
        };
        writeln!(out, "{what}; `epochscope doctor` says what was looked at and why it was passed over")?;
        return Ok(());
    }
    let head = [
        ("run", Side::Left),
        ("state", Side::Left),
        ("step", Side::Right),
        ("epoch", Side::Right),
        ("loss", Side::Right),
        ("best", Side::Right),
        ("worst alert", Side::Left),
    ];
    let rows: Vec<Vec<Cell>> = store
        .runs()
        .map(|run| row(run, alerts, state::run_state(run, health, now, stale_after_s), now))
        .collect();
    write_table(&head, &rows, style.width, (style.colour, style.ascii), out)?;
    answers(store, alerts, style, out)?;
    let damaged = health.files.values().filter(|f| f.skip_count > 0 || f.state.name() == "dead").count();
    if damaged > 0 {
        let files = if damaged == 1 { "1 file is".to_owned() } else { format!("{damaged} files are") };
        writeln!(out, "{files} damaged; `epochscope doctor` says where")?;
    }
    Ok(())
}

/// Runs of which the three questions are answered with reasons, and in short; of more only `--format json` does.
const ANSWERED: (usize, usize) = (3, 12);

/// Has it begun to learn, has it converged, does it overfit?
fn answers(store: &Store, alerts: &AlertBook, style: &Output, out: &mut dyn Write) -> io::Result<()> {
    if store.run_count() > ANSWERED.1 {
        return Ok(());
    }
    writeln!(out)?;
    let dash = if style.ascii { "-" } else { "·" };
    for run in store.runs() {
        let answers = questions::answers(run, alerts);
        let short = answers.in_short();
        let title = sanitise(run.title()).into_owned();
        if store.run_count() > ANSWERED.0 {
            writeln!(out, "{title}: {}", short.join(&format!(" {dash} ")))?;
            continue;
        }
        writeln!(out, "{title}")?;
        for (word, answer) in short.iter().zip([&answers.learning, &answers.converged, &answers.overfits]) {
            writeln!(out, "  {word}: {}", sanitise(&answer.because))?;
        }
        if let Some(best) = &answers.best {
            let (series, step) = (best.series.label(), numbers::step(best.step));
            let text =
                format!("best checkpoint so far: step {step} ({series} {})", numbers::value(best.value));
            writeln!(out, "  {}", sanitise(&text))?;
        }
        match forecast::of_run(run) {
            Ok(f) => {
                let text = format!(
                    "forecast: {} {} at step {} (80 % between {} and {})",
                    f.series.label(),
                    numbers::value(f.value),
                    numbers::step(f.at_step),
                    numbers::value(f.low),
                    numbers::value(f.high)
                );
                writeln!(out, "  {}", sanitise(&text))?;
            }
            Err(Refusal::NoEnd | Refusal::AtEnd | Refusal::TooFew | Refusal::NoLoss) => {}
            Err(refusal) => writeln!(out, "  no forecast: {}", refusal.why())?,
        }
    }
    Ok(())
}

fn row(run: &Run, alerts: &AlertBook, state: RunState, now: WallTime) -> Vec<Cell> {
    let progress = state::progress(run, now);
    let blank = || ("-".to_owned(), MUTED);
    let step = progress.step.map_or_else(blank, |step| (numbers::progress(step, progress.steps_total), ""));
    let epoch = run.epoch().map_or_else(blank, |epoch| (numbers::epoch(epoch), ""));
    let loss = tags::main_loss(run).and_then(|key| run.series_of(&key));
    let last = loss.and_then(|s| s.summary().last);
    let loss =
        last.map_or_else(blank, |p| (numbers::value(p.value), if p.value.is_finite() { "" } else { BAD }));
    let best = tags::main_metric(run).and_then(|(key, goal)| {
        let summary = run.series_of(&key)?.summary();
        let point = match goal {
            Goal::Min => summary.min,
            Goal::Max => summary.max,
        }?;
        Some(format!("{} {}", key.label(), numbers::value(point.value)))
    });
    let best = best.map_or_else(blank, |text| (text, ""));
    let alert = alerts.worst_open(run.id()).map_or_else(
        || (String::new(), ""),
        |alert| {
            let paint = match alert.severity {
                Severity::Critical => BAD,
                Severity::Warn => WARN,
                Severity::Info => MUTED,
            };
            (format!("{} {}", alert.severity.name(), alert.rule), paint)
        },
    );
    let paint = match state {
        RunState::Running => GOOD,
        RunState::Finished => "",
        RunState::Stalled => WARN,
        RunState::Failed => BAD,
        RunState::Unknown => MUTED,
    };
    let state = (state.name().to_owned(), paint);
    vec![(run.title().to_owned(), ""), state, step, epoch, loss, best, alert]
}
