//! Values at a step: the table beside a chart, and the same as text for files and the clipboard.

use std::fmt::Write;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    catalog::Chart,
    legend::{colour, letter, run_name, shown_row},
    painter::{Painter, Scene},
};
use crate::{
    store::Run,
    ui::{
        numbers,
        text::{fit_end, put, put_right},
        widgets::frame,
    },
};

/// Columns of the table beside a chart that is `width` wide; none where the chart would suffer.
pub fn width(width: u16) -> u16 {
    if width >= 76 { (width / 4).clamp(28, 44) } else { 0 }
}

/// Three lines a curve: its name; the step and value read; the smoothed value and the extremes of the place.
pub fn draw(
    scene: Scene<'_>,
    painter: &Painter,
    chart: &Chart,
    readout: Option<f64>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let Scene { context, runs, .. } = scene;
    let theme = context.theme;
    let inside = frame::draw(theme, "values", theme.muted(), area, buffer);
    let mut y = inside.y;
    for (position, curve) in chart.curves.iter().enumerate() {
        if y + 1 >= inside.bottom() {
            break;
        }
        let letter = letter(curve, position, chart.curves.len(), runs.len());
        let series = theme.series(colour(curve, position, runs.len()));
        let mut x = inside.x;
        if let Some(letter) = letter {
            x = put(buffer, x, y, &format!("{letter} "), inside.width, series);
        }
        let mut name = curve.key.label();
        if let Some(run) = runs.get(curve.run).filter(|_| runs.len() > 1) {
            name = format!("{} {name}", run_name(run, 24, theme.ascii));
        }
        let room = inside.right().saturating_sub(x);
        put(buffer, x, y, &fit_end(&name, usize::from(room), theme.ascii), room, theme.title());
        let row = painter.trace(curve).and_then(|t| shown_row(t, readout));
        let Some(row) = row else {
            put(buffer, inside.x + 2, y + 1, "not begun", inside.width.saturating_sub(2), theme.muted());
            y += 3;
            continue;
        };
        let step = format!("step {}", numbers::step(row.step));
        put(buffer, inside.x + 2, y + 1, &step, inside.width.saturating_sub(2), theme.muted());
        put_right(buffer, inside.x, inside.right(), y + 1, &numbers::value(row.value), Style::new());
        if y + 2 < inside.bottom() {
            let spread = row.low < row.high;
            let detail = if spread {
                format!("{} to {}", numbers::value(row.low), numbers::value(row.high))
            } else if row.smooth.to_bits() == row.value.to_bits() {
                String::new()
            } else {
                format!("smoothed {}", numbers::value(row.smooth))
            };
            put_right(buffer, inside.x, inside.right(), y + 2, &detail, theme.muted());
        }
        y += 3;
    }
}

/// The rows of charts as CSV: what is on screen, so thinned as the store has it.
pub fn csv(painter: &Painter, runs: &[&Run], charts: &[&Chart]) -> String {
    let mut text = String::from("run,series,step,value,min,max,smoothed\n");
    for curve in charts.iter().flat_map(|c| &c.curves) {
        let (Some(run), Some(trace)) = (runs.get(curve.run), painter.trace(curve)) else { continue };
        let (run, series) = (quoted(run.id().as_str()), quoted(&curve.key.label()));
        for row in &trace.rows {
            let _ = writeln!(
                text,
                "{run},{series},{},{},{},{},{}",
                row.step, row.value, row.low, row.high, row.smooth
            );
        }
    }
    text
}

/// One line a curve: run, series, step, value.
pub fn summary(painter: &Painter, runs: &[&Run], chart: &Chart, readout: Option<f64>) -> String {
    let mut text = String::new();
    for curve in &chart.curves {
        let row = painter.trace(curve).and_then(|t| shown_row(t, readout));
        if let (Some(run), Some(row)) = (runs.get(curve.run), row) {
            let _ = writeln!(text, "{}\t{}\t{}\t{}", run.id(), curve.key, row.step, row.value);
        }
    }
    text
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
