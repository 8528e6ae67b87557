//! The list of runs as columns of cells.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{facts::Facts, trouble::Trouble};
use crate::{
    detect::state::{self, RunState},
    store::Run,
    ui::{
        FrameContext, Selection, Theme, numbers,
        text::{fit, put, put_right, set},
        theme::Role,
        views::curves::legend::{run_letter, run_name},
        widgets::{axis, sparkline},
    },
};

/// A column of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    /// Worst open alert and comparison mark.
    Mark,
    /// Its name.
    Name,
    /// Running, finished, ….
    State,
    /// Step or epoch, with the share of the plan.
    Progress,
    /// Time to the planned end.
    Eta,
    /// The main loss over time.
    Spark,
    /// Its last value.
    Loss,
    /// Best value of the main metric, with its step.
    Best,
    /// Since the last record.
    Age,
    /// The worst open alert in words.
    Alert,
}

/// Columns in reading order: which, title, cells, and the width of the list from which on it is shown.
const COLUMNS: [(Column, &str, u16, u16); 10] = [
    (Column::Mark, "", 4, 0),
    (Column::Name, "run", 0, 0),
    (Column::State, "state", 8, 38),
    (Column::Progress, "step", 14, 56),
    (Column::Eta, "eta", 7, 112),
    (Column::Spark, "main loss", 12, 66),
    (Column::Loss, "last", 8, 30),
    (Column::Best, "best", 15, 100),
    (Column::Age, "age", 4, 120),
    (Column::Alert, "alert", 0, 72),
];

/// A column with its place in the row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which.
    pub column: Column,
    title: &'static str,
    x: u16,
    width: u16,
}

/// Places the columns that fit into `area`. The name takes what the longest one needs, within bounds; the alert takes
/// what the others leave.
pub fn places(area: Rect, longest_name: u16) -> Vec<Place> {
    let shown: Vec<_> = COLUMNS.iter().filter(|(.., from)| area.width >= *from).collect();
    let fixed: u16 = shown.iter().map(|(_, _, width, _)| if *width > 0 { width + 1 } else { 1 }).sum();
    let free = area.width.saturating_sub(fixed);
    let with_alert = shown.iter().any(|c| c.0 == Column::Alert);
    let name = if with_alert { longest_name.clamp(8, 36).min((free / 2).max(10)).min(free) } else { free };
    let mut x = area.x;
    let mut places = Vec::with_capacity(shown.len());
    for (column, title, width, _) in shown {
        let width = match column {
            Column::Name => name,
            Column::Alert => area.right().saturating_sub(x),
            _ => *width,
        };
        places.push(Place { column: *column, title, x, width });
        x = x.saturating_add(width + 1);
    }
    places
}

/// Writes the titles.
pub fn draw_titles(theme: &Theme, places: &[Place], order_by: Column, y: u16, buffer: &mut Buffer) {
    for place in places {
        let style = if place.column == order_by { theme.accent() } else { theme.muted() };
        let text = fit(place.title, usize::from(place.width), theme.ascii);
        if right_aligned(place.column) {
            put_right(buffer, place.x, place.x + place.width, y, &text, style);
        } else {
            put(buffer, place.x, y, &text, place.width, style);
        }
    }
}

fn right_aligned(column: Column) -> bool {
    matches!(column, Column::Loss | Column::Eta | Column::Age)
}

/// Everything a row is drawn from.
pub struct RowSource<'a, 'b> {
    /// The frame.
    pub context: FrameContext<'a>,
    /// The user's choice.
    pub selection: &'a Selection,
    /// Worst alerts.
    pub trouble: &'b Trouble<'a>,
    /// The run.
    pub run: &'a Run,
    /// Its place in the chart of all runs, where that is shown.
    pub number: Option<usize>,
}

/// Draws one row.
pub fn draw_row(
    source: &RowSource<'_, '_>,
    facts: &mut Facts,
    places: &[Place],
    y: u16,
    buffer: &mut Buffer,
) {
    let RowSource { context, selection, run, .. } = source;
    let theme = context.theme;
    let until = selection.until(run.id());
    let wants = |column| places.iter().any(|p| p.column == column);
    let progress = (wants(Column::Progress) || wants(Column::Eta)).then(|| state::progress(run, context.now));
    for place in places {
        let cell = |text: &str, style: Style, buffer: &mut Buffer| {
            let text = fit(text, usize::from(place.width), theme.ascii);
            if right_aligned(place.column) {
                put_right(buffer, place.x, place.x + place.width, y, &text, style);
            } else {
                put(buffer, place.x, y, &text, place.width, style);
            }
        };
        match place.column {
            Column::Mark => draw_mark(source, *place, y, buffer),
            Column::Name => {
                cell(&run_name(run, usize::from(place.width), theme.ascii), Style::new(), buffer);
            }
            Column::State => {
                let state = state::run_state(run, context.health, context.now, selection.stale_after_s);
                cell(state.name(), state_style(theme, state), buffer);
            }
            Column::Progress => {
                if let Some(progress) = &progress {
                    cell(&progress_text(progress, until), Style::new(), buffer);
                }
            }
            Column::Eta => {
                let eta = progress.as_ref().and_then(|p| p.eta_s).filter(|_| until.is_none());
                cell(&eta.map(numbers::duration).unwrap_or_default(), theme.muted(), buffer);
            }
            Column::Spark => {
                let spark = facts.spark(run, until);
                let x = spark_bounds(&spark.points, run.end().is_none());
                let area = Rect { x: place.x, y, width: place.width, height: 1 };
                let colour = theme.series(source.number.unwrap_or(0));
                sparkline::draw(theme, &spark.points, x, colour, area, buffer);
            }
            Column::Loss => {
                let last = facts.spark(run, until).last;
                let style =
                    if last.is_some_and(|v| !v.is_finite()) { theme.style(Role::Bad) } else { Style::new() };
                cell(&last.map(numbers::value).unwrap_or_default(), style, buffer);
            }
            Column::Best => {
                if let Some(best) = facts.best(run, until) {
                    let text = format!("{} @{}", numbers::value(best.value), numbers::step(best.step));
                    cell(&text, Style::new(), buffer);
                }
            }
            Column::Age => {
                let age = context.now.since(run.last_wall());
                cell(&numbers::age(age).0, theme.muted(), buffer);
            }
            Column::Alert => {
                if let Some(alert) = source.trouble.of_run(run.id()) {
                    let text = format!("{}: {}", alert.rule.replace('_', " "), alert.message);
                    cell(&text, theme.severity(alert.severity), buffer);
                }
            }
        }
    }
}

/// The bounds of a sparkline: with room to grow while the run may go on.
pub fn spark_bounds(points: &[[f64; 2]], grows: bool) -> (f64, f64) {
    match (points.first(), points.last()) {
        (Some(first), Some(last)) => axis::x_bounds(first[0], last[0], grows, None),
        _ => (0.0, 1.0),
    }
}

/// Alert mark, a diamond if the run is marked for comparison, its letter in the chart of all runs.
fn draw_mark(source: &RowSource<'_, '_>, place: Place, y: u16, buffer: &mut Buffer) {
    let theme = source.context.theme;
    let id = source.run.id();
    if let Some(alert) = source.trouble.of_run(id) {
        put(buffer, place.x + 1, y, theme.mark(alert.severity), 1, theme.severity(alert.severity));
    }
    if source.selection.marked.contains(id) {
        put(buffer, place.x + 2, y, theme.glyph("◆", "*"), 1, theme.style(Role::Mark));
    }
    if let Some(number) = source.number {
        set(buffer, place.x + 3, y, run_letter(number), theme.series(number));
    }
}

/// The look of a state.
pub fn state_style(theme: &Theme, state: RunState) -> Style {
    match state {
        RunState::Running => theme.style(Role::Good),
        RunState::Stalled => theme.style(Role::Warn),
        RunState::Failed => theme.style(Role::Bad),
        RunState::Finished | RunState::Unknown => theme.muted(),
    }
}

/// `1200/5000 24%`, `ep 3/10 30%`, `1200 ep 3.2` or `1200`.
pub fn progress_text(progress: &state::Progress, until: Option<crate::model::Step>) -> String {
    let Some(step) = progress.step.map(|s| until.map_or(s, |u| u.min(s))) else { return String::new() };
    match (progress.steps_total, progress.epoch, progress.epochs_total) {
        (Some(total), ..) => numbers::progress(step, Some(total)),
        (None, Some(epoch), Some(total)) if total > 0.0 && until.is_none() => {
            let percent = numbers::percent(epoch / total);
            format!("ep {}/{} {percent}", numbers::epoch(epoch), numbers::epoch(total))
        }
        (None, Some(epoch), _) if until.is_none() => {
            format!("{} ep {}", numbers::step(step), numbers::epoch((epoch * 10.0).round() / 10.0))
        }
        _ => numbers::step(step),
    }
}
