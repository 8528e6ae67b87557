//! A cell that is a number.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{Matrix, Normalise};
use crate::ui::{
    Theme,
    text::{columns, fit, put_right, set},
    theme::{Depth, Role},
    widgets::heatmap::{self, Heat},
};

/// A count, or a weight, in `width` columns: whole numbers as they are, large ones with a unit.
pub fn count(value: f64, width: usize) -> String {
    let plain = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    if plain.len() <= width {
        return plain;
    }
    let whole = format!("{value:.0}");
    if whole.len() <= width {
        return whole;
    }
    for (unit, size) in [("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)] {
        let short = format!("{:.0}{unit}", value / size);
        if short.len() <= width {
            return short;
        }
    }
    "#".repeat(width)
}

/// The look of a name inside of the selected group.
pub(super) fn banded(selected: bool, style: Style) -> Style {
    if selected { style.add_modifier(Modifier::REVERSED) } else { style }
}

/// The number of a cell as text of at most `width` columns, with a sign if it is a difference.
fn text(matrix: &Matrix<'_>, row: usize, column: usize, width: usize) -> String {
    let value = matrix.value(row, column);
    let percent = matrix.normalise != Normalise::Counts;
    let size = if percent { value.abs() * 100.0 } else { value.abs() };
    if matrix.before.is_none() {
        return match (percent, size > 0.0 && size < 0.5) {
            (true, true) => "<1".to_owned(),
            (true, false) => format!("{size:.0}"),
            _ => count(value, width),
        };
    }
    let sign = if value < 0.0 { '-' } else { '+' };
    match (percent, size < 0.5) {
        (true, true) => format!("{sign}0"),
        (true, false) => format!("{sign}{size:.0}"),
        _ => format!("{sign}{}", count(size, width.saturating_sub(1).max(1))),
    }
}

/// The look of a difference: what is more on the diagonal is good, elsewhere it is bad. Without colours the sign says
/// it.
pub(super) fn difference(theme: &Theme, on_diagonal: bool, value: f64) -> Style {
    let good = on_diagonal == (value > 0.0);
    theme.style(if good { Role::Good } else { Role::Bad })
}

pub(super) fn draw(
    matrix: &Matrix<'_>,
    (row, column): (usize, usize),
    cursor: (usize, usize),
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
) {
    let selected = (row, column) == cursor;
    let on_diagonal = row == column;
    let value = matrix.value(row, column);
    let nothing = value == 0.0 || (matrix.before.is_none() && matrix.now.counts[[row, column]] <= 0.0);
    let mut style = match matrix.heat(row, column) {
        _ if nothing && (!on_diagonal || matrix.before.is_some()) => theme.muted(),
        _ if matrix.before.is_some() => difference(theme, on_diagonal, value),
        _ if on_diagonal && !matrix.diagonal => heatmap::diagonal_text(theme),
        Heat::Share(warmth) => theme.heat(warmth),
        _ => Style::new(),
    };
    if selected {
        style = style.add_modifier(Modifier::REVERSED);
    }
    if matrix.begins_group(column) {
        set(buffer, place.x, place.y, if theme.ascii { '|' } else { '│' }, theme.muted());
    }
    let room = usize::from(place.width).saturating_sub(1);
    let text = match (nothing, on_diagonal && matrix.before.is_none()) {
        (true, false) => theme.glyph("·", ".").to_owned(),
        _ => fit(&text(matrix, row, column, room), room, theme.ascii),
    };
    let painted = Rect { x: place.x + 1, width: place.width.saturating_sub(1), ..place };
    buffer.set_style(painted.intersection(buffer.area), style);
    put_right(buffer, painted.x, painted.right(), place.y, &text, style);
    if selected && theme.depth == Depth::None {
        let left = painted.right().saturating_sub(columns(&text) as u16 + 1).max(place.x);
        set(buffer, left, place.y, if theme.ascii { '>' } else { '▸' }, Style::new());
    }
}
