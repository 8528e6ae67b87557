//! The chosen curves of a layer's units over steps; outliers carry their unit's number.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{sampled::Sampled, style};
use crate::ui::{
    Theme,
    text::{columns, put, set},
    theme::Role,
    widgets::{
        axis::{self, Bounds, LARGEST, Unit},
        chart::{self, Line, Stroke, Window},
    },
};

/// One curve with its look.
struct Curve {
    points: Vec<[f64; 2]>,
    style: Style,
    /// What stands at its end.
    label: Option<String>,
    /// Steps at which it is no finite number.
    broken: Vec<f64>,
}

/// Draws axes and curves: the crowd below, outliers above it, the marked one on top. `log` draws decades where all
/// values are positive.
pub(super) fn draw(
    theme: &Theme,
    sampled: &Sampled,
    (marked, log): (usize, bool),
    bounds: &mut Bounds,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < 3 || area.width < 16 {
        return;
    }
    let curves = in_order(theme, sampled, marked);
    let finite = || curves.iter().flat_map(|c| &c.points).map(|p| p[1]).filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min).max(-LARGEST);
    let high = finite().fold(f64::NEG_INFINITY, f64::max).min(LARGEST);
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let log = log && low > 0.0;
    let steps = sampled.curves.steps();
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return };
    let window = Window {
        x: axis::x_bounds(*first as f64, *last as f64, false, None),
        y: bounds.around(low, high, log),
        log_y: log,
    };
    let plot_height = area.height - 1;
    let left = axis::y_width(&window, plot_height).min(area.width / 3);
    let plot = Rect { x: area.x + left, width: area.width - left, height: plot_height, ..area };
    axis::draw_y(&window, theme.muted(), Rect { width: left, height: plot_height, ..area }, buffer);
    axis::draw_x(
        &window,
        Unit::Count,
        "step",
        theme.muted(),
        Rect { y: area.bottom() - 1, height: 1, ..plot },
        buffer,
    );
    let lines: Vec<Line<'_>> = curves
        .iter()
        .map(|c| Line { points: &c.points, style: c.style, stroke: Stroke::Solid, letter: None })
        .collect();
    chart::draw(theme, &lines, &window, plot, buffer);
    let mut taken = Vec::new();
    for curve in &curves {
        breaks(theme, curve, &window, plot, buffer);
        label(curve, &window, plot, &mut taken, buffer);
    }
}

fn in_order(theme: &Theme, sampled: &Sampled, marked: usize) -> Vec<Curve> {
    let picks = &sampled.sample.picks;
    let mut order: Vec<usize> = (0..picks.len()).rev().collect();
    order.sort_by_key(|i| (*i == marked, picks[*i].outlier));
    let curve_of = |i: usize| {
        let pick = &picks[i];
        let values = sampled.curves.curve(pick.at);
        let steps = sampled.curves.steps();
        let known: Vec<[f64; 2]> =
            steps.iter().zip(values).filter_map(|(step, v)| v.map(|v| [*step as f64, v])).collect();
        let unit = sampled.curves.units().get(pick.at).copied().unwrap_or_default();
        Curve {
            broken: known.iter().filter(|p| !p[1].is_finite()).map(|p| p[0]).collect(),
            points: known,
            style: style(theme, i, pick.outlier, i == marked),
            label: (pick.outlier || i == marked).then(|| format!("{unit}")),
        }
    };
    order.into_iter().map(curve_of).collect()
}

/// A mark in the lowest row where a curve begins to be no finite number.
fn breaks(theme: &Theme, curve: &Curve, window: &Window, plot: Rect, buffer: &mut Buffer) {
    let mark = if theme.ascii { 'N' } else { '×' };
    if let Some(column) = curve.broken.first().and_then(|x| window.cell(*x, plot.width)) {
        set(buffer, plot.x + column, plot.bottom() - 1, mark, theme.style(Role::Bad));
    }
}

/// The unit's number before the end of its curve, in a row where no other one stands.
fn label(curve: &Curve, window: &Window, plot: Rect, taken: &mut Vec<u16>, buffer: &mut Buffer) {
    let Some(text) = &curve.label else { return };
    let end = curve.points.iter().rev().find(|p| (0.0..=1.0).contains(&window.up(p[1])));
    let Some(&[x, y]) = end else { return };
    let Some(column) = window.cell(x, plot.width) else { return };
    let row = plot.y + ((1.0 - window.up(y)) * f64::from(plot.height - 1)).round() as u16;
    let rows = (0..plot.height).flat_map(|away| [row.checked_sub(away), row.checked_add(away)]).flatten();
    let free = rows.filter(|r| (plot.y..plot.bottom()).contains(r)).find(|r| !taken.contains(r));
    let Some(row) = free else { return };
    taken.push(row);
    let width = columns(text) as u16;
    let from = (plot.x + column + 1).saturating_sub(width).max(plot.x);
    put(buffer, from, row, text, plot.right().saturating_sub(from), curve.style.add_modifier(Modifier::BOLD));
}
