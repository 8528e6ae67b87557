//! The page of a step where there is little room: a line for each number.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    missing::{self, Missing},
    readings::{Course, Readings},
    steps::{NORM_NAMES, TEST_NAMES, alpha_parts, fitting, record_parts, scale_parts, short},
};
use crate::{
    analysis::cockpit::Landing,
    ui::{
        Theme,
        numbers::value,
        text::{fit, put, put_right},
        theme::Role,
        widgets::sparkline,
    },
};

/// Names of lines.
const NAMES: u16 = 14;
/// Values of lines.
const VALUES: u16 = 11;

/// Draws it.
pub(super) fn draw(theme: &Theme, readings: &Readings, area: Rect, buffer: &mut Buffer) {
    if readings.is_empty() {
        missing::draw(theme, Missing::Alpha, area, buffer);
        return;
    }
    let mut lines: Vec<(String, Style)> = Vec::new();
    if let Some(alpha) = &readings.alpha {
        let mut parts = alpha_parts(alpha);
        if let Some(first) = parts.first_mut() {
            *first = format!("α {first}");
        }
        lines.push((fitting(theme, &parts, area.width), theme.title()));
        if let Some(landing) = alpha.newest.as_ref().and_then(|newest| Landing::of(newest.median)) {
            let style = if landing == Landing::Overshoot { theme.style(Role::Warn) } else { theme.accent() };
            lines.push((landing.words().to_owned(), style));
        }
    }
    if let Some(noise) = &readings.noise {
        let mut parts = scale_parts(noise);
        parts.truncate(1);
        parts.extend(record_parts(noise));
        lines.push((fitting(theme, &parts, area.width), Style::new()));
    }
    let mut rows = area.rows();
    for ((text, style), row) in lines.iter().zip(rows.by_ref()) {
        put(buffer, row.x, row.y, &fit(text, row.width.into(), theme.ascii), row.width, *style);
    }
    let tests = TEST_NAMES.iter().zip(&readings.tests).map(|(name, c)| (*name, c, 1.0));
    let norms = NORM_NAMES.iter().zip(&readings.norms).map(|(name, c)| (*name, c, f64::INFINITY));
    let known = tests.chain(norms).filter_map(|(name, course, limit)| Some((name, course.as_ref()?, limit)));
    for ((name, course, limit), row) in known.zip(rows) {
        line(theme, (name, limit), course, readings.span, row, buffer);
    }
}

/// A name, the last value and a line; a value above the limit is marked.
fn line(
    theme: &Theme,
    (name, limit): (&str, f64),
    course: &Course,
    span: (f64, f64),
    row: Rect,
    buffer: &mut Buffer,
) {
    let last = course.last().unwrap_or(f64::NAN);
    put(buffer, row.x, row.y, name, row.width, theme.muted());
    let style = if last <= limit && last.is_finite() { Style::new() } else { theme.style(Role::Warn) };
    let number = if limit.is_finite() { short(last) } else { value(last) };
    let text = format!("{}{number}", if last > limit { ">1 " } else { "" });
    put_right(buffer, row.x + NAMES, row.x + NAMES + VALUES, row.y, &text, style);
    let x = row.x + NAMES + VALUES + 1;
    let place = Rect { x, width: row.right().saturating_sub(x), ..row };
    sparkline::draw(theme, &course.points, span, theme.series(0), place, buffer);
}
