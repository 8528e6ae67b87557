//! A frame as a stream for terminals: characters and `SGR` sequences, nothing that moves the cursor.

use std::fmt::Write as _;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

use super::{harmless, row};
use crate::ui::sgr;

/// Lines with colours; each begins and ends with the terminal's own look, so that they can be cut apart.
///
/// Colours are written as the theme chose them: 16, 256 or 24 bit.
pub fn ansi(buffer: &Buffer) -> String {
    let mut all = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        line(buffer, y, &mut all);
        all.push('\n');
    }
    all
}

/// What sets a cell apart from plain text.
type Look = (Color, Color, Modifier);

const PLAIN: Look = (Color::Reset, Color::Reset, Modifier::empty());

fn look(cell: &Cell) -> Look {
    (cell.fg, cell.bg, cell.modifier)
}

fn line(buffer: &Buffer, y: u16, all: &mut String) {
    let visible = row(buffer, y)
        .filter(|(_, cell, _)| cell.symbol() != " " || look(cell) != PLAIN)
        .map(|(x, _, width)| x + width)
        .last()
        .unwrap_or(0);
    let mut now = PLAIN;
    for (_, cell, _) in row(buffer, y).take_while(|(x, ..)| *x < visible) {
        let wanted = look(cell);
        if wanted != now {
            change(wanted, all);
            now = wanted;
        }
        all.extend(cell.symbol().chars().map(harmless));
    }
    if now != PLAIN {
        all.push_str("\x1b[0m");
    }
}

/// Every change starts from nothing: a few bytes more, and no state to get wrong.
fn change((fg, bg, modifier): Look, all: &mut String) {
    all.push_str("\x1b[0");
    for (flag, code) in sgr::ATTRIBUTES {
        if modifier.contains(flag) {
            let _ = write!(all, ";{code}");
        }
    }
    for (colour, parameter) in [(fg, sgr::foreground(fg)), (bg, sgr::background(bg))] {
        if colour != Color::Reset {
            let _ = write!(all, ";{parameter}");
        }
    }
    all.push('m');
}
