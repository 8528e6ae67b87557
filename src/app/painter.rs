//! From one frame to the next in as few bytes as is simple: only cells that changed, colours only when they change,
//! the cursor moved by the shorter sequence.
//!
//! **Invariant:** a frame equal to the one before makes no bytes at all.

use std::io::Write as _;

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Rect,
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr;

use crate::ui::sgr;

const BEGIN_SYNCHRONIZED: &[u8] = b"\x1b[?2026h";
const END_SYNCHRONIZED: &[u8] = b"\x1b[?2026l";

/// What colours and attributes the terminal is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

/// Remembers what is on the terminal and turns the next frame into bytes.
#[derive(Debug)]
pub struct Painter {
    shown: Buffer,
    next: Buffer,
    /// What is on the terminal is unknown: clear it and write all.
    afresh: bool,
    synchronized: bool,
    bytes: Vec<u8>,
    pen: Pen,
    /// Where the terminal's cursor stands; `None` when it cannot be known.
    cursor: Option<(u16, u16)>,
}

impl Painter {
    /// A painter of a terminal of which nothing is known. `synchronized` puts each frame into `?2026h` … `?2026l`.
    pub fn new(synchronized: bool) -> Self {
        Self {
            shown: Buffer::empty(Rect::ZERO),
            next: Buffer::empty(Rect::ZERO),
            afresh: true,
            synchronized,
            bytes: Vec::new(),
            pen: Pen::PLAIN,
            cursor: None,
        }
    }

    /// The next frame clears the terminal and writes everything: after a resize, a suspend, a foreign write.
    pub fn forget(&mut self) {
        self.afresh = true;
    }

    /// Draws a frame of `width` × `height` and returns the bytes that bring the terminal there; none if it shows
    /// this already.
    pub fn paint(&mut self, width: u16, height: u16, draw: impl FnOnce(Rect, &mut Buffer)) -> &[u8] {
        let area = Rect::new(0, 0, width, height);
        self.bytes.clear();
        if self.synchronized {
            self.bytes.extend_from_slice(BEGIN_SYNCHRONIZED);
        }
        let start = self.bytes.len();
        if self.afresh || self.shown.area != area {
            self.afresh = false;
            self.shown = Buffer::empty(area);
            self.bytes.extend_from_slice(b"\x1b[m\x1b[2J");
            self.pen = Pen::PLAIN;
        }
        // Each frame states its first position: another program may have moved the cursor in between.
        self.cursor = None;
        self.next.resize(area);
        self.next.reset();
        draw(area, &mut self.next);
        let (mut pen, mut cursor) = (self.pen, self.cursor);
        for (x, y, cell) in self.shown.diff_iter(&self.next) {
            move_to(&mut self.bytes, &mut cursor, x, y);
            set_pen(&mut self.bytes, &mut pen, Pen::of(cell));
            let symbol = cell.symbol();
            write_symbol(&mut self.bytes, symbol);
            cursor = after(symbol, x, y, width);
        }
        (self.pen, self.cursor) = (pen, cursor);
        std::mem::swap(&mut self.shown, &mut self.next);
        if self.bytes.len() == start {
            return &[];
        }
        if self.synchronized {
            self.bytes.extend_from_slice(END_SYNCHRONIZED);
        }
        &self.bytes
    }
}

/// The cursor after `symbol` was written at `(x, y)`. Unknown where terminals disagree: at the right edge, and after
/// anything but a single character of one column.
fn after(symbol: &str, x: u16, y: u16, width: u16) -> Option<(u16, u16)> {
    let simple = symbol.width() == 1 && symbol.chars().nth(1).is_none();
    (simple && x + 1 < width).then_some((x + 1, y))
}

fn move_to(bytes: &mut Vec<u8>, cursor: &mut Option<(u16, u16)>, x: u16, y: u16) {
    // Writing to a Vec cannot fail.
    let _ = match *cursor {
        Some(at) if at == (x, y) => Ok(()),
        Some((from, row)) if row == y && x == from + 1 => write!(bytes, "\x1b[C"),
        Some((from, row)) if row == y && x > from => write!(bytes, "\x1b[{}C", x - from),
        Some((_, row)) if y == row + 1 && x == 0 => write!(bytes, "\r\n"),
        _ if x == 0 => write!(bytes, "\x1b[{}H", y + 1),
        _ => write!(bytes, "\x1b[{};{}H", y + 1, x + 1),
    };
    *cursor = Some((x, y));
}

/// Writes `symbol` unless it could steer the terminal; then a stand-in. Text from logs was made harmless long before:
/// this is the last gate.
fn write_symbol(bytes: &mut Vec<u8>, symbol: &str) {
    if symbol.is_empty() {
        bytes.push(b' ');
    } else {
        bytes.extend_from_slice(crate::model::sanitise(symbol).as_bytes());
    }
}

fn set_pen(bytes: &mut Vec<u8>, pen: &mut Pen, want: Pen) {
    if *pen == want {
        return;
    }
    if want == Pen::PLAIN {
        bytes.extend_from_slice(b"\x1b[m");
        *pen = want;
        return;
    }
    bytes.extend_from_slice(b"\x1b[");
    let start = bytes.len();
    // An attribute can only be taken back one by one or all at once; all at once is shorter to say and to check.
    if !want.modifier.contains(pen.modifier) {
        bytes.extend_from_slice(b"0;");
        *pen = Pen::PLAIN;
    }
    for (modifier, code) in sgr::ATTRIBUTES {
        if want.modifier.contains(modifier) && !pen.modifier.contains(modifier) {
            let _ = write!(bytes, "{code};");
        }
    }
    if want.fg != pen.fg {
        let _ = write!(bytes, "{};", sgr::foreground(want.fg));
    }
    if want.bg != pen.bg {
        let _ = write!(bytes, "{};", sgr::background(want.bg));
    }
    if bytes.len() > start {
        bytes.pop();
    }
    bytes.push(b'm');
    *pen = want;
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    fn text(painter: &mut Painter, lines: &[(&str, Style)]) -> Vec<u8> {
        painter
            .paint(20, 4, |_, buffer| {
                for (y, (line, style)) in lines.iter().enumerate() {
                    buffer.set_string(0, y as u16, line, *style);
                }
            })
            .to_vec()
    }

    #[test]
    fn an_unchanged_frame_makes_no_bytes_and_one_changed_cell_few() {
        let mut painter = Painter::new(true);
        let plain = Style::new();
        assert!(text(&mut painter, &[("loss 0.5", plain)]).starts_with(b"\x1b[?2026h\x1b[m\x1b[2J"));
        assert_eq!(text(&mut painter, &[("loss 0.5", plain)]), b"");
        assert_eq!(text(&mut painter, &[("loss 0.4", plain)]), b"\x1b[?2026h\x1b[1;8H4\x1b[?2026l");
        painter.forget();
        assert!(text(&mut painter, &[("loss 0.4", plain)]).len() > 20);
    }

    #[test]
    fn what_a_terminal_shows_is_what_was_drawn() {
        let mut painter = Painter::new(true);
        let mut terminal = vt100::Parser::new(4, 20, 0);
        let bold = Style::new().fg(Color::Indexed(75)).add_modifier(Modifier::BOLD);
        let rgb = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::LightRed);
        let frames: [&[(&str, Style)]; 5] = [
            &[("a wide 損失 word", Style::new()), ("0123456789abcdefghij", bold), ("x", rgb)],
            &[("a bold 損失 word", bold), ("0123456789abcdefghiJ", bold), ("", rgb), ("end", rgb)],
            &[("é⣿⣿ ⣿", rgb), ("0123456789abcdefghiJ", Style::new()), ("y", rgb), ("end", rgb)],
            &[("", rgb)],
            &[("損失損失", bold), ("a", rgb), ("b", rgb), ("c", bold)],
        ];
        for lines in frames {
            let bytes = text(&mut painter, lines);
            terminal.process(&bytes);
            let mut want = Buffer::empty(Rect::new(0, 0, 20, 4));
            for (y, (line, style)) in lines.iter().enumerate() {
                want.set_string(0, y as u16, line, *style);
            }
            for y in 0..4 {
                for x in 0..20 {
                    let (cell, seen) = (&want[(x, y)], terminal.screen().cell(y, x).unwrap());
                    if seen.is_wide_continuation() {
                        continue;
                    }
                    assert_eq!(cell.symbol().trim(), seen.contents().trim(), "at {x},{y}");
                    assert_eq!(cell.modifier.contains(Modifier::BOLD), seen.bold(), "at {x},{y}");
                    let fg = match cell.fg {
                        Color::Indexed(i) => vt100::Color::Idx(i),
                        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
                        _ => vt100::Color::Default,
                    };
                    assert_eq!(fg, seen.fgcolor(), "at {x},{y}");
                }
            }
        }
    }

    #[test]
    fn a_control_character_never_leaves() {
        let mut bytes = Vec::new();
        for symbol in ["\x1b]0;x\x07", "\u{9b}", "", "\u{202e}", "⣿"] {
            write_symbol(&mut bytes, symbol);
        }
        assert_eq!(&bytes[..], "␛]0;x␇\u{fffd} \u{fffd}⣿".as_bytes());
    }
}
