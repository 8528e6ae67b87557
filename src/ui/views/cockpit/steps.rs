//! The page of a step: α, norms, tests of the gradient, the noise scale.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    compact,
    missing::{self, Missing},
    readings::{AlphaReading, Course, NoiseReading, Readings},
};
use crate::{
    analysis::cockpit::{Alphas, BatchAdvice, Landing},
    ui::{
        FrameContext, Theme,
        numbers::{percent, value},
        text::{columns, fit, put, put_right, set},
        theme::Role,
        widgets::{
            chart::{self, Line, Stroke, Window},
            prose,
            ridgeline::level,
            sparkline,
        },
    },
};

/// Columns from which on there are two columns of instruments.
const TWO_COLUMNS: u16 = 76;
/// Rows below which one column has only a line for each number.
const COMPACT: u16 = 20;
/// Between them.
const GAP: u16 = 3;
/// Names of lines.
const NAMES: u16 = 14;
/// Values of lines.
const VALUES: u16 = 9;
/// From this ratio of the largest to the smallest value on, a line is drawn on a logarithmic axis, as on Curves.
const FLATTENING: f64 = 200.0;
/// The tests are drawn from 0 to this.
const TESTS_TO: f64 = 2.0;

pub(super) const NORM_NAMES: [&str; 4] = ["gradient norm", "weight norm", "distance", "update size"];
pub(super) const TEST_NAMES: [&str; 3] = ["norm", "inner product", "orthogonality"];

/// One of the four instruments: the least rows it takes, and how many it can use.
#[derive(Clone, Copy)]
struct Need {
    least: u16,
    most: u16,
}

/// Draws the page.
pub(super) fn draw(context: FrameContext<'_>, readings: &Readings, area: Rect, buffer: &mut Buffer) {
    if area.width < TWO_COLUMNS && area.height < COMPACT {
        compact::draw(context.theme, readings, area, buffer);
        return;
    }
    let columns: &[&[usize]] = if area.width >= TWO_COLUMNS { &[&[0, 2], &[1, 3]] } else { &[&[0, 1, 2, 3]] };
    let count = columns.len() as u16;
    let width = (area.width + GAP) / count - GAP;
    for (at, instruments) in columns.iter().enumerate() {
        let x = area.x + at as u16 * (width + GAP);
        let column = Rect { x, width: width.min(area.right().saturating_sub(x)), ..area };
        let needs: Vec<Need> = instruments.iter().map(|i| need(readings, *i, column.width)).collect();
        let mut y = column.y;
        for (instrument, height) in instruments.iter().zip(share_out(&needs, column.height)) {
            let place = Rect { y, height, ..column };
            y += height + u16::from(height > 0);
            if height > 0 {
                let place = place.intersection(column);
                draw_one(context, readings, *instrument, place, buffer);
            }
        }
    }
}

/// Rows of a column for its instruments, a blank row between them: first what each needs, in their order, then what
/// is left to those that can use it.
fn share_out(needs: &[Need], height: u16) -> Vec<u16> {
    let mut left = height;
    let mut heights: Vec<u16> = Vec::new();
    for need in needs {
        let gap = u16::from(!heights.is_empty());
        let given = if left > gap { need.least.min(left - gap) } else { 0 };
        left -= if given > 0 { given + gap } else { 0 };
        heights.push(given);
    }
    // A row at a time, so that no instrument takes all of it.
    let grows = |(given, need): (u16, &Need)| given > 0 && given < need.most;
    while left > 0 && heights.iter().copied().zip(needs).any(grows) {
        for (given, need) in heights.iter_mut().zip(needs) {
            if left > 0 && grows((*given, need)) {
                *given += 1;
                left -= 1;
            }
        }
    }
    heights
}

fn need(readings: &Readings, instrument: usize, width: u16) -> Need {
    let absent = |what| {
        let rows = missing::height(what, width);
        Need { least: rows, most: rows }
    };
    match instrument {
        0 if readings.alpha.is_none() => absent(Missing::Alpha),
        0 => Need { least: 3, most: 20 },
        1 if readings.norms.iter().all(Option::is_none) => absent(Missing::Norms),
        1 => {
            let lines = readings.norms.iter().flatten().count() as u16;
            Need { least: 1 + lines, most: 1 + 5 * lines }
        }
        2 if readings.tests.iter().all(Option::is_none) => absent(Missing::Tests),
        2 => {
            let bars = readings.tests.iter().flatten().count() as u16;
            Need { least: 1 + bars, most: 2 + bars }
        }
        _ => match &readings.noise {
            None => absent(Missing::Noise),
            Some(noise) if noise.estimate.is_none() => Need { least: 2, most: 10 },
            Some(_) => Need { least: if width < 84 { 5 } else { 4 }, most: 14 },
        },
    }
}

fn draw_one(
    context: FrameContext<'_>,
    readings: &Readings,
    instrument: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    match instrument {
        0 => match &readings.alpha {
            Some(alpha) => draw_alpha(theme, alpha, readings.span, area, buffer),
            None => missing::draw(theme, Missing::Alpha, area, buffer),
        },
        1 if readings.norms.iter().all(Option::is_none) => missing::draw(theme, Missing::Norms, area, buffer),
        1 => draw_norms(theme, readings, area, buffer),
        2 if readings.tests.iter().all(Option::is_none) => missing::draw(theme, Missing::Tests, area, buffer),
        2 => draw_tests(theme, &readings.tests, area, buffer),
        _ => match &readings.noise {
            Some(noise) => draw_noise(theme, noise, readings.span, area, buffer),
            None => missing::draw(theme, Missing::Noise, area, buffer),
        },
    }
}

/// The title of an instrument, and at the right where it is read from.
fn title(theme: &Theme, text: &str, source: &str, area: Rect, buffer: &mut Buffer) {
    let text = fit(text, usize::from(area.width), theme.ascii);
    put(buffer, area.x, area.y, &text, area.width, theme.title());
    let room = usize::from(area.width).saturating_sub(columns(&text) + 2);
    let source = fit(source, room, theme.ascii);
    if columns(&source) >= 5 {
        put_right(buffer, area.x, area.right(), area.y, &source, theme.muted());
    }
}

/// As many of the parts as fit, the first ones before others.
pub(super) fn fitting(theme: &Theme, parts: &[String], width: u16) -> String {
    let dot = theme.glyph(" · ", " | ");
    let mut text = String::new();
    for part in parts {
        let part = fit(part, usize::MAX, theme.ascii);
        let longer = if text.is_empty() { part } else { format!("{text}{dot}{part}") };
        if columns(&longer) > usize::from(width) && !text.is_empty() {
            break;
        }
        text = longer;
    }
    text
}

/// A number near 1 with two digits where that says enough.
pub(super) fn short(alpha: f64) -> String {
    if alpha.abs() < 100.0 { format!("{alpha:.2}") } else { value(alpha) }
}

fn line(theme: &Theme, text: &str, style: Style, area: Rect, row: u16, buffer: &mut Buffer) {
    if row < area.height {
        let text = fit(text, usize::from(area.width), theme.ascii);
        put(buffer, area.x, area.y + row, &text, area.width, style);
    }
}

fn draw_alpha(theme: &Theme, alpha: &AlphaReading, span: (f64, f64), area: Rect, buffer: &mut Buffer) {
    title(theme, "α: where a step ends", &alpha.course.source, area, buffer);
    line(theme, &fitting(theme, &alpha_parts(alpha), area.width), Style::new(), area, 1, buffer);
    let Some(newest) = &alpha.newest else { return };
    let mut used = 2;
    if let Some(landing) = Landing::of(newest.median) {
        let bad = landing == Landing::Overshoot;
        let style = if bad { theme.style(Role::Warn) } else { theme.accent() };
        let text = format!("{}{}", if bad { theme.glyph("▲ ", "! ") } else { "" }, landing.words());
        let below = Rect { y: area.y + used, height: area.height.saturating_sub(used).min(2), ..area };
        used += prose::draw(theme, &[(text, style)], below, buffer);
    }
    let left = area.height.saturating_sub(used);
    let bars = match left {
        0..4 => 0,
        4..8 => left,
        _ => (left / 2).min(8),
    };
    if bars > 0 {
        let place = Rect { y: area.y + used, height: bars, ..area };
        histogram(theme, newest, place, buffer);
    }
    let below = Rect { y: area.y + used + bars, height: left - bars, ..area };
    graph(theme, &within_bins(&alpha.course), span, below, buffer);
}

/// The course as far as the histogram reaches: a single α of 30 would flatten all others.
fn within_bins(course: &Course) -> Course {
    let (low, wide) = Alphas::EDGES;
    let high = low + wide * Alphas::BINS as f64;
    let points = course.points.iter().map(|[x, v]| [*x, if v.is_nan() { *v } else { v.clamp(low, high) }]);
    Course { points: points.collect(), source: course.source.clone() }
}

/// What is said of α in numbers.
pub(super) fn alpha_parts(alpha: &AlphaReading) -> Vec<String> {
    let last = alpha.course.last().map_or_else(|| "–".to_owned(), short);
    let Some(newest) = &alpha.newest else {
        return vec![format!("last {last}"), "no finite value up to here".to_owned()];
    };
    let mut parts =
        vec![format!("last {last}"), format!("median {} of {}", short(newest.median), newest.count)];
    if newest.broken > 0 {
        parts.push(format!("{} NaN/Inf", newest.broken));
    }
    let above = percent(newest.overshoots as f64 / newest.count.max(1) as f64);
    parts.push(format!("{above} above 1"));
    parts
}

/// Bars of the bins, and below them what −1, 0 and 1 are.
fn histogram(theme: &Theme, alphas: &Alphas, area: Rect, buffer: &mut Buffer) {
    let bins = alphas.bins.len() as u16;
    let wide = (area.width / bins).min(4);
    if wide == 0 || area.height < 2 {
        return;
    }
    let rows = area.height - 1;
    let most = alphas.bins.iter().copied().max().unwrap_or(0).max(1) as f64;
    for (bin, count) in alphas.bins.iter().enumerate() {
        let tall = *count as f64 / most * f64::from(rows);
        for row in 0..rows {
            let share = (tall - f64::from(row)).clamp(0.0, 1.0);
            if share > 0.0 && (row == 0 || share >= 1.0 / 16.0) {
                let c = level(share.max(0.01), theme.ascii);
                for x in 0..wide {
                    set(buffer, area.x + bin as u16 * wide + x, area.y + rows - 1 - row, c, theme.series(0));
                }
            }
        }
    }
    let y = area.bottom() - 1;
    let place = |alpha: f64| ((alpha - Alphas::EDGES.0) / Alphas::EDGES.1) as u16 * wide;
    let labels: [(f64, &str); 3] = if wide >= 4 {
        [(-1.0, "|-1 start"), (0.0, "|0 minimum"), (1.0, "|1 across")]
    } else {
        [(-1.0, "|-1"), (0.0, "|0"), (1.0, "|1")]
    };
    for (alpha, text) in labels {
        let x = area.x + place(alpha);
        put(buffer, x, y, text, area.right().saturating_sub(x), theme.muted());
    }
}

/// A line over time in braille dots with its range at the left; in one row a sparkline.
fn graph(theme: &Theme, course: &Course, span: (f64, f64), area: Rect, buffer: &mut Buffer) {
    if area.height == 0 || area.width < 12 {
        return;
    }
    if area.height < 3 {
        sparkline::draw(theme, &course.points, span, theme.series(0), Rect { height: 1, ..area }, buffer);
        return;
    }
    let finite = || course.points.iter().map(|p| p[1]).filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return;
    }
    let log = low > 0.0 && high / low > FLATTENING;
    let (bottom, top) = if log {
        (low * 0.9, high * 1.1)
    } else {
        let pad = if high > low { (high - low) * 0.02 } else { (high.abs() * 0.1).max(1e-9) };
        (low - pad, high + pad)
    };
    let window = Window { x: span, y: (bottom, top), log_y: log };
    let plot = Rect { x: area.x + VALUES, width: area.width - VALUES, ..area };
    if high > low {
        put_right(buffer, area.x, plot.x - 1, plot.y, &value(high), theme.muted());
        put_right(buffer, area.x, plot.x - 1, plot.bottom() - 1, &value(low), theme.muted());
        if log && plot.height > 2 {
            put_right(buffer, area.x, plot.x - 1, plot.y + plot.height / 2, "log", theme.muted());
        }
    } else {
        put_right(buffer, area.x, plot.x - 1, plot.y + plot.height / 2, &value(low), theme.muted());
    }
    let line = Line { points: &course.points, style: theme.series(0), stroke: Stroke::Solid, letter: None };
    chart::draw(theme, &[line], &window, plot, buffer);
    for point in course.points.iter().filter(|p| !p[1].is_finite()) {
        if let Some(column) = window.cell(point[0], plot.width) {
            let c = if theme.ascii { 'N' } else { '×' };
            set(buffer, plot.x + column, plot.bottom() - 1, c, theme.style(Role::Bad));
        }
    }
}

fn draw_norms(theme: &Theme, readings: &Readings, area: Rect, buffer: &mut Buffer) {
    let known: Vec<(&str, &Course)> =
        NORM_NAMES.iter().zip(&readings.norms).filter_map(|(name, c)| Some((*name, c.as_ref()?))).collect();
    let mut sources: Vec<&str> = known.iter().map(|(_, c)| c.source.as_str()).collect();
    sources.dedup();
    title(theme, "norms of the network", &sources.join(", "), area, buffer);
    let rows = ((area.height - 1) / (known.len() as u16).max(1)).clamp(1, 5);
    let mut y = area.y + 1;
    for (name, course) in known {
        if y >= area.bottom() {
            return;
        }
        let place = Rect { y, height: rows.min(area.bottom() - y), ..area };
        y += rows;
        let last = course.last().unwrap_or(f64::NAN);
        put(buffer, place.x, place.y, name, place.width, theme.muted());
        let style = if last.is_finite() { Style::new() } else { theme.style(Role::Bad) };
        if place.height >= 3 {
            put(buffer, place.x, place.y + 1, &value(last), place.width, style);
            let right = Rect { x: place.x + NAMES, width: place.width.saturating_sub(NAMES), ..place };
            graph(theme, course, readings.span, right, buffer);
            continue;
        }
        put_right(buffer, place.x + NAMES, place.x + NAMES + VALUES, place.y, &value(last), style);
        let x = place.x + NAMES + VALUES + 1;
        let width = place.right().saturating_sub(x);
        let spark = Rect { x, width, height: 1, ..place };
        sparkline::draw(theme, &course.points, readings.span, theme.series(0), spark, buffer);
    }
}

fn draw_tests(theme: &Theme, tests: &[Option<Course>; 3], area: Rect, buffer: &mut Buffer) {
    title(theme, "gradient tests: noise over signal", "", area, buffer);
    let known: Vec<(&str, &Course)> =
        TEST_NAMES.iter().zip(tests).filter_map(|(name, c)| Some((*name, c.as_ref()?))).collect();
    let bar = area.width.saturating_sub(NAMES + VALUES + 9).min(60);
    let mut above = 0;
    for (row, (name, course)) in (1..area.height).zip(&known) {
        let y = area.y + row;
        let last = course.last().unwrap_or(f64::NAN);
        let over = last > 1.0;
        above += usize::from(over);
        put(buffer, area.x, y, name, area.width, theme.muted());
        let full = f64::from(bar) * last / TESTS_TO;
        for x in 0..bar {
            let share = (full - f64::from(x)).clamp(0.0, 1.0);
            let style = if over { theme.style(Role::Warn) } else { theme.series(0) };
            if share >= 0.5 {
                set(buffer, area.x + NAMES + x, y, if theme.ascii { '=' } else { '█' }, style);
            } else if x == bar / 2 {
                set(buffer, area.x + NAMES + x, y, if theme.ascii { '|' } else { '│' }, theme.muted());
            }
        }
        let style = if last.is_finite() && !over { Style::new() } else { theme.style(Role::Warn) };
        let text = format!("{}{}", short(last), if over { " above 1" } else { "" });
        let x = area.x + NAMES + bar + 1;
        put(buffer, x, y, &text, area.right().saturating_sub(x), style);
    }
    let row = 1 + known.len() as u16;
    let text = match above {
        0 => "below 1: the batch's gradient says more than its noise",
        _ => "above 1: the batch's gradient is mostly noise there",
    };
    line(theme, text, theme.muted(), area, row, buffer);
}

fn draw_noise(theme: &Theme, noise: &NoiseReading, span: (f64, f64), area: Rect, buffer: &mut Buffer) {
    title(theme, "gradient noise scale", &noise.course.source, area, buffer);
    let scale = scale(noise);
    let style = if scale.is_some() { Style::new() } else { theme.style(Role::Warn) };
    line(theme, &fitting(theme, &scale_parts(noise), area.width), style, area, 1, buffer);
    let mut used = 2;
    let records = record_parts(noise);
    if !records.is_empty() {
        line(theme, &fitting(theme, &records, area.width), theme.muted(), area, used, buffer);
        used += 1;
    }
    if let (Some(scale), Some((batch, source))) = (scale, noise.batch) {
        let text = format!("{source} {batch:.0}: {}", BatchAdvice::of(scale, batch).words());
        let below = Rect {
            y: area.y + used.min(area.height),
            height: area.height.saturating_sub(used).min(2),
            ..area
        };
        used += prose::draw(theme, &[(text, theme.accent())], below, buffer);
    }
    let left = area.height.saturating_sub(used);
    let below = Rect { y: area.y + used.min(area.height), height: left, ..area };
    graph(theme, &noise.course, span, below, buffer);
}

/// The newest `B_simple`, where it is one.
fn scale(noise: &NoiseReading) -> Option<f64> {
    match &noise.estimate {
        Some(estimate) => estimate.scale(),
        None => noise.course.last().filter(|v| v.is_finite() && *v > 0.0),
    }
}

/// The noise scale and what it is made of.
pub(super) fn scale_parts(noise: &NoiseReading) -> Vec<String> {
    let said = scale(noise).map_or_else(|| "not estimable".to_owned(), value);
    let mut parts = vec![format!("B_simple {said}")];
    if let Some(estimate) = &noise.estimate {
        parts.push(format!("|G|² {}", value(estimate.gradient)));
        parts.push(format!("tr Σ {}", value(estimate.noise)));
    }
    parts
}

/// Of how many records.
pub(super) fn record_parts(noise: &NoiseReading) -> Vec<String> {
    let Some(negative) = noise.negative else { return Vec::new() };
    let (kept, read) = noise.records;
    let of = if read > kept + noise.unusable {
        format!("{kept} of {read} records")
    } else {
        format!("{kept} records")
    };
    let mut parts = vec![of, format!("{} not estimable", percent(negative))];
    if noise.unusable > 0 {
        parts.push(format!("{} unusable", noise.unusable));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_given_by_need_first_and_then_in_turns() {
        let need = |least, most| Need { least, most };
        assert_eq!(share_out(&[need(3, 20), need(2, 3)], 10), [6, 3]);
        assert_eq!(share_out(&[need(3, 4), need(2, 3)], 30), [4, 3]);
        assert_eq!(share_out(&[need(3, 9), need(5, 9)], 6), [3, 2]);
        assert_eq!(share_out(&[need(3, 9), need(5, 9)], 3), [3, 0]);
        assert_eq!(share_out(&[need(3, 9)], 0), [0]);
    }
}
