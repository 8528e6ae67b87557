//! Text from logs into cells: harmless, and never wider than its place.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::model::sanitise;

/// `text` made harmless and cut to `width` columns; what was cut is replaced by `…` (`~` where `ascii`).
///
/// With `ascii` our own signs become words, and other characters `?`, so that a terminal without Unicode stays aligned.
pub fn fit(text: &str, width: usize, ascii: bool) -> String {
    let clean = sanitise(text);
    let clean: String = if ascii {
        let mut plain = String::with_capacity(clean.len());
        for c in clean.chars() {
            match in_ascii(c) {
                Some(word) => plain.push_str(word),
                None => plain.push(if c.is_ascii() { c } else { '?' }),
            }
        }
        plain
    } else {
        clean.into_owned()
    };
    if clean.width() <= width {
        return clean;
    }
    cut(clean.chars(), width, ascii)
}

/// As many characters as leave a cell for the sign that something is missing, and that sign.
fn cut(chars: impl Iterator<Item = char>, width: usize, ascii: bool) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < width
    };
    let mut kept: String = chars.take_while(fits).collect();
    if width > 0 {
        kept.push(if ascii { '~' } else { '…' });
    }
    kept
}

/// The signs that our own sentences use, where there is no Unicode.
fn in_ascii(c: char) -> Option<&'static str> {
    Some(match c {
        'σ' => "sigma",
        'α' => "alpha",
        'Σ' => "Sum",
        '²' => "^2",
        '≤' => "<=",
        '∞' => "inf",
        '→' => "->",
        '×' => "x",
        '·' => "|",
        '…' => "~",
        '–' | '—' | '−' | '↔' => "-",
        _ => return None,
    })
}

/// Like [`fit`], but keeps the end, which is where paths and tags differ.
pub fn fit_end(text: &str, width: usize, ascii: bool) -> String {
    let clean = fit(text, usize::MAX, ascii);
    if clean.width() <= width {
        return clean;
    }
    cut(clean.chars().rev(), width, ascii).chars().rev().collect()
}

/// Columns that `text` takes once drawn.
pub fn columns(text: &str) -> usize {
    sanitise(text).width()
}

/// Writes `text` at a cell, at most `width` columns, made harmless; returns the column behind it.
///
/// Outside of the buffer nothing is written.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, width: u16, style: Style) -> u16 {
    let area = buffer.area;
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
        return x;
    }
    let text = sanitise(text);
    let room = width.min(area.right() - x);
    // What lay there before must not shine through; a background stays.
    let taken = (text.width().min(room.into()) as u16, 1);
    let blank = Style::new().fg(Color::Reset).remove_modifier(Modifier::all());
    buffer.set_style(Rect::new(x, y, taken.0, taken.1), blank);
    let (end, _) = buffer.set_stringn(x, y, text, room.into(), style);
    end
}

/// Writes `text` so that it ends before column `right`; returns where it begins.
pub fn put_right(buffer: &mut Buffer, left: u16, right: u16, y: u16, text: &str, style: Style) -> u16 {
    let room = right.saturating_sub(left);
    let width = (columns(text) as u16).min(room);
    put(buffer, right - width, y, text, width, style);
    right - width
}

/// Sets one cell, if it is there.
pub fn set(buffer: &mut Buffer, x: u16, y: u16, symbol: char, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_char(symbol).set_fg(Color::Reset);
        cell.modifier = Modifier::empty();
        cell.set_style(style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_text_says_so_and_keeps_its_width() {
        assert_eq!(fit("train/loss", 20, false), "train/loss");
        assert_eq!(fit("train/loss", 6, false), "train…");
        assert_eq!(fit_end("train/loss", 6, false), "…/loss");
        assert_eq!(fit("損失関数", 5, false), "損失…");
        assert_eq!(fit("損失", 4, true), "??");
        assert_eq!(fit("(+7 %, ∞ σ)", 20, true), "(+7 %, inf sigma)");
        assert_eq!(fit("abc", 0, false), "");
        assert_eq!(fit("a\x1b[2J", 9, false), "a␛[2J");
    }
}
