//! The columns of the list of alerts.

use crate::{
    detect::{Alert, AlertState},
    model::{RunId, WallTime},
    store::Run,
    ui::{
        FrameContext, Selection,
        numbers::{clock, date, step},
        text::columns as width_of,
        theme::Role,
        widgets::table::{Cell, Column, Keep},
    },
};

use super::order::Entry;

const SEVERITY: usize = 0;
const RULE: usize = 1;
const RUN: usize = 2;
const PLACE: usize = 3;
const SINCE: usize = 4;
const OVER: usize = 5;
const TIME: usize = 6;
const STATE: usize = 7;

/// The columns, the run and place no wider than they have to be, and for each the number that [`cell`] knows it by.
pub(super) fn columns(context: FrameContext<'_>, entries: &[Entry]) -> (Vec<Column>, Vec<usize>) {
    let alerts = || entries.iter().take(200).filter_map(|e| context.alerts.get(e.id));
    let run = alerts().map(|a| width_of(run_title(context, &a.run))).max().unwrap_or(0).clamp(6, 28) as u16;
    let place = alerts().map(|a| width_of(&a.place())).max().unwrap_or(0).clamp(5, 28) as u16;
    let rule = alerts().map(|a| a.rule.len() + 3).max().unwrap_or(0).clamp(8, 21) as u16;
    let over = alerts().any(|a| a.closed_step.is_some());
    let mut columns = vec![
        Column::text("severity", 10, 10, 0, Keep::Start),
        Column::text("rule", rule, rule, 0, Keep::Start),
        Column::text("run", run.min(12), run, 1, Keep::End),
        Column::text("place", place.min(12), place, 2, Keep::Ends),
        Column::number("since", 7, 3),
        Column::number("over", 7, 6),
        Column::text("time", 11, 11, 5, Keep::Start),
        Column::text("state", 7, 7, 4, Keep::Start),
        Column::text("message", 40, 160, 7, Keep::Start),
    ];
    let mut known: Vec<usize> = (0..columns.len()).collect();
    if !over {
        columns.remove(OVER);
        known.remove(OVER);
    }
    (columns, known)
}

/// What a run is called.
pub(super) fn run_title<'a>(context: FrameContext<'a>, run: &'a RunId) -> &'a str {
    context.store.run(run).map_or(run.as_str(), Run::title)
}

/// A cell of one alert.
pub(super) fn cell(
    context: FrameContext<'_>,
    selection: &Selection,
    entry: &Entry,
    alert: &Alert,
    column: usize,
) -> Cell {
    let theme = context.theme;
    let quiet = !alert.is_open() || alert.is_quiet();
    let ink = if quiet { theme.muted() } else { theme.style(Role::Text) };
    match column {
        SEVERITY => {
            let style = if quiet { theme.muted() } else { theme.severity(alert.severity) };
            let text = format!("{} {}", theme.mark(alert.severity), alert.severity.name());
            Cell::new(text, style)
        }
        RULE if entry.below => Cell::new(format!("{}{}", theme.glyph("└ ", "` "), alert.rule), theme.muted()),
        RULE if entry.folded => {
            Cell::new(format!("{} +{}", alert.rule, entry.explains), if quiet { ink } else { theme.title() })
        }
        RULE => Cell::new(alert.rule, if quiet { ink } else { theme.title() }),
        RUN => Cell::new(run_title(context, &alert.run), ink),
        PLACE => Cell::new(alert.place(), ink),
        SINCE => Cell::new(alert.since_step.or(alert.step).map_or_else(String::new, step), ink),
        OVER => Cell::new(alert.closed_step.map_or_else(String::new, step), ink),
        TIME => Cell::new(moment(context, selection, alert), theme.muted()),
        STATE => Cell::new(state(alert), if quiet { theme.muted() } else { ink }),
        _ => Cell::new(alert.message.as_str(), ink),
    }
}

/// `open`, `seen`, `muted`, `snoozed` or `closed`.
pub(super) fn state(alert: &Alert) -> &'static str {
    match alert.state {
        AlertState::Closed => "closed",
        AlertState::Open if alert.muted => "muted",
        AlertState::Open if alert.snoozed_until.is_some() => "snoozed",
        AlertState::Open if alert.acknowledged => "seen",
        AlertState::Open => "open",
    }
}

/// Time of day today, the day and hour otherwise. A fixed text: nothing here ages.
pub(super) fn moment(context: FrameContext<'_>, selection: &Selection, alert: &Alert) -> String {
    at(context, selection, alert.time)
}

/// The same of any moment.
pub(super) fn at(context: FrameContext<'_>, selection: &Selection, time: WallTime) -> String {
    let Some(time) = time.known() else { return String::new() };
    let local = time + selection.utc_offset_s;
    let today = context.now.known().map(|now| date(now + selection.utc_offset_s));
    let hours = clock(local);
    if today.is_some_and(|d| d == date(local)) {
        hours
    } else {
        format!("{} {}", date(local), hours.get(..5).unwrap_or(&hours))
    }
}
