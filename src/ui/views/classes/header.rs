//! Which evaluation is shown, how good it is, and how that came about.

use ratatui::{buffer::Buffer, layout::Rect};

use super::figures::Figures;
use crate::{
    model::ConfusionRecord,
    store::Run,
    ui::{
        FrameContext, Selection,
        numbers::{count, value},
        text::{fit, put},
        widgets::sparkline,
    },
};

/// One or two lines: which evaluation this is, how good it is, and how that came about. Returns how many.
pub(super) fn draw(
    context: FrameContext<'_>,
    figures: &Figures,
    selection: &Selection,
    run: &Run,
    records: &[ConfusionRecord],
    area: Rect,
    buffer: &mut Buffer,
) -> u16 {
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
    parts.push(format!("{} samples", count(figures.total as u64)));
    if area.width >= 80 {
        parts.push(run.title().to_owned());
    }
    let text = fit(&parts.join(dot), usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.title());
    if area.height < 14 || figures.accuracies.len() < 2 {
        return 1;
    }
    let label = format!("accuracy over {} evaluations ", count(run.confusions().count(split)));
    let left = put(buffer, area.x, area.y + 1, &label, area.width, theme.muted());
    let points = &figures.accuracies;
    let whole = run.confusions().of(split);
    let first = points[0][0];
    let last = whole.last().map_or(first + 1.0, |r| r.step as f64).max(first + 1.0);
    let low = points.iter().map(|p| p[1]).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p[1]).fold(f64::NEG_INFINITY, f64::max);
    let range = format!(" {}{}{}", value(low), theme.glyph("…", ".."), value(high));
    let width = area.right().saturating_sub(left + range.len() as u16).min(60);
    let line = Rect { x: left, y: area.y + 1, width, height: 1 };
    sparkline::draw(theme, points, (first, last), theme.series(0), line, buffer);
    put(buffer, line.right(), line.y, &range, area.right().saturating_sub(line.right()), theme.muted());
    2
}

/// The share of its row that the cell under the cursor had at each evaluation.
pub(super) fn cell_over_time(
    context: FrameContext<'_>,
    records: &[ConfusionRecord],
    (row, column): (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
) {
    let point = |r: &ConfusionRecord| {
        let counts = r.matrix.counts();
        let sum = counts.rows().into_iter().nth(row)?.sum();
        let share = counts.get((row, column))? / sum;
        share.is_finite().then_some([r.step as f64, share])
    };
    let points: Vec<[f64; 2]> = records.iter().filter_map(point).collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    if area.is_empty() || first[0] >= last[0] {
        return;
    }
    let theme = context.theme;
    let percent = |share: f64| format!("{:.1}%", share * 100.0);
    let label = format!("of the true over evaluations: {} ", percent(first[1]));
    let left = put(buffer, area.x, area.y, &label, area.width, theme.muted());
    let end = format!(" {}", percent(last[1]));
    let width = area.right().saturating_sub(left + end.len() as u16).min(30);
    let line = Rect { x: left, width, ..area };
    sparkline::draw(theme, &points, (first[0], last[0]), theme.series(0), line, buffer);
    put(buffer, line.right(), area.y, &end, area.right().saturating_sub(line.right()), theme.muted());
}
