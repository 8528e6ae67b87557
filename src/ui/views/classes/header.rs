//! Which evaluation is shown, how good it is, and how that came about.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{Drawn, chart};
use crate::{
    analysis::classes::OrderSource,
    store::{Evaluation, Run},
    ui::{
        FrameContext, Selection,
        numbers::{count, value},
        text::{fit, put},
        theme::Role,
        widgets::sparkline,
    },
};

/// Up to four lines: which evaluation this is, in which order the classes stand, when groups separated, how accuracy came
/// about. Returns how many.
pub(super) fn draw(
    context: FrameContext<'_>,
    drawn: &Drawn<'_>,
    selection: &Selection,
    run: &Run,
    records: &[Evaluation],
    area: Rect,
    buffer: &mut Buffer,
) -> u16 {
    let figures = drawn.figures;
    let theme = context.theme;
    let dot = theme.glyph(" · ", " | ");
    let Some(record) = records.last() else { return 0 };
    let split = &record.split;
    let all = run.confusions().splits().count();
    let named = if all > 1 { format!("{split} (t, {all} splits)") } else { split.to_string() };
    let accuracy = figures.accuracy.map_or_else(|| "–".to_owned(), value);
    let mut parts = vec![named, format!("accuracy {accuracy}")];
    if let [.., [_, before], [_, now]] = figures.accuracies.as_slice() {
        parts[1] = format!("{} ({:+.4})", parts[1], now - before);
    }
    parts.push(if selection.until(run.id()).is_some() {
        format!("as it was at step {}", record.step)
    } else {
        format!("step {}", record.step)
    });
    if let Some(epoch) = record.epoch {
        parts.push(format!("epoch {}", crate::ui::numbers::epoch(epoch)));
    }
    if let Some(f1) = figures.macro_f1 {
        parts.push(format!("macro F1 {}", value(f1)));
    }
    parts.push(format!("{} classes", record.matrix.classes()));
    parts.push(if figures.shares {
        "shares of samples".to_owned()
    } else {
        format!("{} samples", count(figures.total as u64))
    });
    if area.width >= 80 {
        parts.push(run.title().to_owned());
    }
    let text = fit(&parts.join(dot), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.title());
    let mut used = 1 + order_line(context, drawn, Rect { y: area.y + 1, ..area }, buffer);
    if area.height >= 14
        && let Some(text) = chart::sentence(drawn.standing)
    {
        let text = fit(&text, usize::from(area.width), theme.ascii);
        put(buffer, area.x, area.y + used, &text, area.width, theme.accent());
        used += 1;
    }
    if area.height < 14 || figures.accuracies.len() < 2 {
        return used;
    }
    let row = area.y + used;
    // Those of the future are not counted.
    let past = selection.until(run.id()).is_some();
    let evaluations = if past { figures.accuracies.len() as u64 } else { run.confusions().count(split) };
    let label = format!("accuracy over {} evaluations ", count(evaluations));
    let left = put(buffer, area.x, row, &label, area.width, theme.muted());
    let points = &figures.accuracies;
    let whole = run.confusions().of(split);
    let first = points[0][0];
    let last = whole.last().map_or(first + 1.0, |r| r.step as f64).max(first + 1.0);
    let low = points.iter().map(|p| p[1]).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p[1]).fold(f64::NEG_INFINITY, f64::max);
    let range = format!(" {}{}{}", value(low), theme.glyph("…", ".."), value(high));
    let width = area.right().saturating_sub(left + range.len() as u16).min(60);
    let line = Rect { x: left, y: row, width, height: 1 };
    sparkline::draw(theme, points, (first, last), theme.series(0), line, buffer);
    put(buffer, line.right(), line.y, &range, area.right().saturating_sub(line.right()), theme.muted());
    used + 1
}

/// Where the order comes from, how many groups it has and how clear they are; what numbers and colours are.
fn order_line(context: FrameContext<'_>, drawn: &Drawn<'_>, area: Rect, buffer: &mut Buffer) -> u16 {
    let theme = context.theme;
    if area.height < 4 {
        return 0;
    }
    let dot = theme.glyph(" · ", " | ");
    let arrangement = &drawn.standing.arrangement;
    let mut x = area.x;
    let room = |x: u16| area.right().saturating_sub(x);
    let mut say = |text: &str, style| {
        let text = if x > area.x { format!("{dot}{text}") } else { text.to_owned() };
        let text = fit(&text, usize::from(room(x)), theme.ascii);
        x = put(buffer, x, area.y, &text, room(x), style);
    };
    say(&format!("order: {}", source(arrangement.source)), theme.title());
    if drawn.running {
        say("being worked out", theme.accent());
    } else if arrangement.is_weak() {
        say("weak structure", theme.style(Role::Warn));
    }
    if drawn.standing.has_groups() {
        say(&format!("{} groups", arrangement.group_count()), theme.muted());
    }
    match drawn.reference {
        Some(Ok(reference)) => {
            say(&format!("difference to {}", reference.label), theme.accent());
            if let Some(distance) = reference.distance {
                say(&format!("error distance {}", value(distance)), theme.muted());
            }
        }
        Some(Err(why)) => say(why, theme.style(Role::Warn)),
        None => {}
    }
    say(drawn.normalise.name(), theme.muted());
    say(&format!("{} colours", drawn.colours.name()), theme.muted());
    if drawn.diagonal {
        say("with the diagonal", theme.muted());
    }
    1
}

fn source(source: OrderSource) -> String {
    match source {
        OrderSource::Names(separator) => format!("names (a{separator}b)"),
        OrderSource::Logits(0) => "logged correlation of logits".to_owned(),
        OrderSource::Logits(n) => format!("correlation of logits, {} instances", count(n as u64)),
        OrderSource::Confusion(1) => "confusion".to_owned(),
        OrderSource::Confusion(n) => format!("confusion of the last {n} evaluations"),
        OrderSource::Index => "as logged".to_owned(),
    }
}

/// The share of its row that the cell under the cursor had at each evaluation.
pub(super) fn cell_over_time(
    context: FrameContext<'_>,
    records: &[Evaluation],
    (row, column): (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
) {
    let point = |r: &Evaluation| {
        let share = r.matrix.get(row, column) / r.matrix.row_sums().get(row)?;
        share.is_finite().then_some([r.step as f64, share])
    };
    let points: Vec<[f64; 2]> = records.iter().filter_map(point).collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    if area.is_empty() || first[0] >= last[0] {
        return;
    }
    let theme = context.theme;
    let percent = |share: f64| format!("{:.1}%", share * 100.0);
    let what = if area.width < 56 { "over time" } else { "of the true over evaluations" };
    let label = format!("{what}: {} ", percent(first[1]));
    let left = put(buffer, area.x, area.y, &label, area.width, theme.muted());
    let end = format!(" {}", percent(last[1]));
    let width = area.right().saturating_sub(left + end.len() as u16).min(30);
    let line = Rect { x: left, width, ..area };
    sparkline::draw(theme, &points, (first[0], last[0]), theme.series(0), line, buffer);
    put(buffer, line.right(), area.y, &end, area.right().saturating_sub(line.right()), theme.muted());
}
