//! Values as the darkness of cells: coloured half blocks where there are colours, shades or digits where not.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use crate::ui::{
    Theme,
    text::set,
    theme::{Depth, Role},
};

/// One value of a map.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Heat {
    /// Nothing is there.
    Empty,
    /// A share of one.
    Share(f64),
    /// A cell of the diagonal with its share: drawn in another hue, because it is what ought to be large.
    Diagonal(f64),
}

/// Whether `theme` can draw two values above each other in one cell.
pub fn has_half_blocks(theme: &Theme) -> bool {
    !theme.ascii && matches!(theme.depth, Depth::Ansi256 | Depth::Rgb)
}

/// How many rows of values fit into `rows` rows of cells.
pub fn value_rows(theme: &Theme, rows: u16) -> u16 {
    if has_half_blocks(theme) { rows.saturating_mul(2) } else { rows }
}

/// The digit of a share for terminals that have only ASCII: `0` is nothing to speak of, `9` all.
pub fn digit(share: f64) -> char {
    let n = if share.is_nan() { 0 } else { ((share.clamp(0.0, 1.0) * 10.0) as u32).min(9) };
    char::from_digit(n, 10).unwrap_or('?')
}

/// The character and look of one value that has a cell for itself.
pub fn glyph(theme: &Theme, heat: Heat) -> (char, Style) {
    match heat {
        Heat::Empty => (if theme.ascii { '.' } else { '·' }, theme.muted()),
        Heat::Share(share) if theme.ascii => (digit(share), Style::new()),
        Heat::Diagonal(share) if theme.ascii => (digit(share), diagonal_text(theme)),
        Heat::Share(share) if has_half_blocks(theme) => (' ', theme.heat(share)),
        Heat::Diagonal(share) if has_half_blocks(theme) => (' ', Style::new().bg(ground(theme, heat, share))),
        // The faintest shade stands for "a little": blank would read as none.
        Heat::Share(share) => (theme.shade(share.max(0.2)), Style::new()),
        Heat::Diagonal(_) => ('■', diagonal_text(theme)),
    }
}

/// The look of text on the diagonal: what was recognised.
pub fn diagonal_text(theme: &Theme) -> Style {
    theme.style(Role::Good).add_modifier(Modifier::BOLD)
}

/// The paper under a value.
fn ground(theme: &Theme, heat: Heat, share: f64) -> Color {
    match heat {
        Heat::Empty => Color::Reset,
        Heat::Share(_) => theme.heat(share).bg.unwrap_or(Color::Reset),
        Heat::Diagonal(_) => {
            let level = (share.clamp(0.0, 1.0) * 3.0).round() as usize;
            match theme.depth {
                Depth::Rgb => [
                    Color::Rgb(30, 42, 30),
                    Color::Rgb(38, 64, 38),
                    Color::Rgb(48, 90, 46),
                    Color::Rgb(60, 118, 56),
                ][level],
                _ => Color::Indexed([233, 22, 22, 28][level]),
            }
        }
    }
}

/// Draws a map of `columns` × `rows` values from the upper left corner of `area`; what does not fit is left out, so
/// choose a map that fits (see [`value_rows`]).
pub fn draw(
    theme: &Theme,
    (columns, rows): (usize, usize),
    heat: impl Fn(usize, usize) -> Heat,
    area: Rect,
    buffer: &mut Buffer,
) {
    let halves = has_half_blocks(theme);
    for y in 0..area.height {
        for x in 0..area.width.min(u16::try_from(columns).unwrap_or(u16::MAX)) {
            let column = usize::from(x);
            let at = (area.x + x, area.y + y);
            if !halves {
                if usize::from(y) < rows {
                    let (c, style) = glyph(theme, heat(usize::from(y), column));
                    set(buffer, at.0, at.1, c, style);
                }
                continue;
            }
            let upper = usize::from(y) * 2;
            if upper >= rows {
                continue;
            }
            let above = paper_of(theme, heat(upper, column));
            let below =
                if upper + 1 < rows { paper_of(theme, heat(upper + 1, column)) } else { Color::Reset };
            let (c, style) = match (above, below) {
                (Color::Reset, Color::Reset) => (' ', Style::new()),
                (Color::Reset, below) => ('▄', Style::new().fg(below)),
                (above, Color::Reset) => ('▀', Style::new().fg(above)),
                (above, below) => ('▀', Style::new().fg(above).bg(below)),
            };
            set(buffer, at.0, at.1, c, style);
        }
    }
}

/// Nothing gets the coldest paper: it shows where the map is.
fn paper_of(theme: &Theme, heat: Heat) -> Color {
    match heat {
        Heat::Empty => ground(theme, Heat::Share(0.0), 0.0),
        Heat::Share(s) | Heat::Diagonal(s) => ground(theme, heat, s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::snapshot;

    fn drawn(theme: Theme) -> (Buffer, String) {
        let area = Rect::new(0, 0, 4, value_rows(&theme, 1));
        let mut buffer = Buffer::empty(area);
        let heat = |row: usize, column: usize| match (row, column) {
            (a, b) if a == b => Heat::Diagonal(0.9),
            (_, 3) => Heat::Empty,
            _ => Heat::Share(0.5),
        };
        draw(&theme, (4, 2), heat, area, &mut buffer);
        let text = snapshot::text(&buffer);
        (buffer, text)
    }

    #[test]
    fn half_blocks_hold_two_values_in_a_cell() {
        let (buffer, text) = drawn(Theme::new(Depth::Rgb, false));
        assert_eq!(text.lines().next(), Some("▀▀▀▀"));
        let cell = &buffer[(0, 0)];
        assert_ne!(cell.fg, cell.bg);
        assert_eq!(cell.bg, Theme::new(Depth::Rgb, false).heat(0.5).bg.unwrap());
    }

    #[test]
    fn without_colours_values_are_shades_and_in_ascii_digits() {
        let (_, text) = drawn(Theme::new(Depth::None, false));
        assert_eq!(text.lines().next(), Some("■▒▒·"));
        let (_, text) = drawn(Theme::new(Depth::None, true));
        assert_eq!(text.lines().next(), Some("955."));
        assert_eq!((digit(f64::NAN), digit(1.0), digit(0.05)), ('0', '9', '0'));
    }
}
