//! All classes as one picture: a point for each pair of cells.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};

use super::{Matrix, number, short_name};
use crate::ui::{
    Theme,
    text::{put, put_right, set},
    widgets::heatmap,
};

/// A difference of at least this share of the largest is a strong one.
const STRONG: f64 = 0.5;

/// Draws the names of the rows, the bands of the selected group and the points.
pub(super) fn draw(
    matrix: &Matrix<'_>,
    (label, values): (u16, usize),
    cursor: (usize, usize),
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let inner = Rect { x: area.x + label, y: area.y + 1, width: area.width - label, height: area.height - 1 };
    let step = if matrix.has_halves(theme) { 2 } else { 1 };
    for (i, y) in (inner.y..inner.bottom()).enumerate() {
        let first = i * step;
        if first >= values {
            break;
        }
        let covers = first..(first + step).min(values);
        let here = covers.contains(&cursor.0);
        let cell = if here { cursor.0 } else { first };
        let style = if here { theme.accent() } else { theme.muted() };
        let name = short_name(&matrix.name(cell), usize::from(label - 1), theme.ascii);
        put_right(buffer, area.x, area.x + label - 1, y, &name, style);
        if covers.clone().any(|cell| matrix.is_selected(cell, cursor.0)) {
            set(buffer, inner.x - 1, y, if theme.ascii { '[' } else { '▐' }, theme.accent());
        }
    }
    for cell in 0..values {
        let x = inner.x + cell as u16;
        if x < inner.right() && matrix.is_selected(cell, cursor.0) {
            set(buffer, x, area.y, if theme.ascii { '_' } else { '▂' }, theme.accent());
        }
    }
    let tip = inner.x + cursor.1 as u16;
    if tip < inner.right() {
        put(buffer, tip, area.y, theme.glyph("▾", "v"), 1, theme.accent());
    }
    if matrix.before.is_some() {
        differences(matrix, values, theme, inner, buffer);
    } else {
        heatmap::draw(theme, (values, values), |row, column| matrix.heat(row, column), inner, buffer);
    }
}

/// `+` more, `-` fewer, `▲` and `▼` many more and fewer.
fn differences(matrix: &Matrix<'_>, values: usize, theme: &Theme, inner: Rect, buffer: &mut Buffer) {
    for (row, y) in (0..values).zip(inner.y..inner.bottom()) {
        for (column, x) in (0..values).zip(inner.x..inner.right()) {
            let value = matrix.value(row, column);
            let strong = value.abs() >= STRONG * matrix.largest && value != 0.0;
            let symbol = match (value > 0.0, strong) {
                _ if value == 0.0 => theme.glyph("·", "."),
                (true, true) => theme.glyph("▲", "^"),
                (false, true) => theme.glyph("▼", "v"),
                (true, false) => "+",
                (false, false) => "-",
            };
            let mut style = number::difference(theme, row == column, value);
            style = if value == 0.0 { theme.muted() } else { style };
            if strong {
                style = style.add_modifier(Modifier::BOLD);
            }
            put(buffer, x, y, symbol, 1, style);
        }
    }
}
