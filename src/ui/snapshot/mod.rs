//! A drawn frame as text, as a terminal stream or as a picture: what `frame` prints and what tests compare.
//!
//! The same buffer always gives the same string: no times, no random identifiers, no map order.

use ratatui::buffer::{Buffer, Cell};
use unicode_width::UnicodeWidthStr;

mod ansi;
mod palette;
mod shapes;
mod svg;

pub use ansi::ansi;
pub use svg::svg;

/// The characters alone, a line a row, without blanks at the ends of lines.
pub fn text(buffer: &Buffer) -> String {
    let mut all = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        for (_, cell, _) in row(buffer, y) {
            line.extend(cell.symbol().chars().map(harmless));
        }
        all.push_str(line.trim_end());
        all.push('\n');
    }
    all
}

/// A last line of defence: views write no control character, and if one did it would not leave this module.
fn harmless(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}

/// The visible cells of a row as `(column from the left edge, cell, columns it takes)`: a cell that a wide
/// character on its left covers is left out.
fn row(buffer: &Buffer, y: u16) -> impl Iterator<Item = (u16, &Cell, u16)> {
    let left = buffer.area.left();
    let mut next = left;
    (left..buffer.area.right()).filter_map(move |x| {
        if x < next {
            return None;
        }
        let cell = buffer.cell((x, y))?;
        let width = u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
        next = x + width;
        Some((x - left, cell, width.min(buffer.area.right() - x)))
    })
}

#[cfg(test)]
mod tests {
    use ratatui::{
        layout::Rect,
        style::{Color, Modifier, Style},
    };

    use super::*;

    fn sample() -> Buffer {
        let mut b = Buffer::empty(Rect::new(3, 1, 12, 3));
        b.set_string(3, 1, "損失 a<b  c", Style::new().fg(Color::Red));
        b.set_string(3, 2, "▀▄█░⣿⠁──┐╭", Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(238)));
        b.set_string(3, 3, "bold", Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED));
        b
    }

    #[test]
    fn text_has_one_line_a_row_and_counts_wide_characters_once() {
        assert_eq!(text(&sample()), "損失 a<b  c\n▀▄█░⣿⠁──┐╭\nbold\n");
    }

    #[test]
    fn a_terminal_stream_paints_the_same_cells() {
        let mut parser = vt100::Parser::new(3, 12, 0);
        parser.process(ansi(&sample()).replace('\n', "\r\n").trim_end().as_bytes());
        let screen = parser.screen();
        assert_eq!(screen.cell(0, 0).unwrap().contents(), "損");
        assert_eq!(screen.cell(0, 0).unwrap().fgcolor(), vt100::Color::Idx(1));
        assert_eq!(screen.cell(1, 0).unwrap().bgcolor(), vt100::Color::Idx(238));
        assert_eq!(screen.cell(1, 0).unwrap().fgcolor(), vt100::Color::Rgb(1, 2, 3));
        assert!(screen.cell(2, 3).unwrap().bold() && screen.cell(2, 3).unwrap().inverse());
        assert!(!screen.cell(2, 4).unwrap().bold());
    }

    #[test]
    fn a_picture_is_well_formed_and_draws_blocks_as_shapes() {
        let picture = svg(&sample(), "a & b");
        assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
        assert!(picture.contains("<title>a &amp; b</title>"));
        assert!(picture.contains("a&lt;b"), "{picture}");
        for glyph in ['▀', '█', '░', '⣿', '─', '╭'] {
            assert!(!picture.contains(glyph), "{glyph} is left to the font");
        }
        assert_eq!(picture, svg(&sample(), "a & b"));
    }

    #[test]
    fn a_picture_of_a_full_screen_of_curves_stays_small() {
        let mut b = Buffer::empty(Rect::new(0, 0, 120, 40));
        for y in 0..40 {
            for x in 0..120_u16 {
                let dots = if (x / 10 + y) % 2 == 0 { '⡇' } else { 'x' };
                b[(x, y)].set_char(dots).set_fg(Color::Indexed((x / 5 % 8) as u8 + 100));
            }
        }
        assert!(svg(&b, "").len() < 150_000, "{}", svg(&b, "").len());
    }

    #[test]
    fn control_characters_never_reach_a_file() {
        let mut b = Buffer::empty(Rect::new(0, 0, 4, 1));
        b[(0, 0)].set_symbol("\u{1b}");
        b[(1, 0)].set_symbol("\u{7}");
        for out in [text(&b), ansi(&b), svg(&b, "\u{1b}]0;x\u{7}")] {
            assert!(!out.replace("\u{1b}[0m", "").contains(['\u{1b}', '\u{7}']), "{out:?}");
        }
    }
}
