//! Text in paragraphs: wrapped at blanks, cut in the middle of a word only where a word is too long.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_width::UnicodeWidthChar;

use crate::ui::{
    Theme,
    text::{columns, fit, put},
};

/// Lines of at most `width` columns; hostile text is made harmless first. Blanks at the beginning indent all lines.
pub fn wrap(text: &str, width: usize, ascii: bool) -> Vec<String> {
    let indent = text.len() - text.trim_start_matches(' ').len();
    if indent > 0 && indent * 2 < width {
        let margin = " ".repeat(indent);
        let lines = wrap(&text[indent..], width - indent, ascii);
        return lines.into_iter().map(|line| format!("{margin}{line}")).collect();
    }
    let mut lines = Vec::new();
    if width == 0 {
        return lines;
    }
    let mut line = String::new();
    for word in fit(text, usize::MAX, ascii).split_whitespace() {
        let mut word = word.to_owned();
        loop {
            let gap = usize::from(!line.is_empty());
            if columns(&line) + gap + columns(&word) <= width {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(&word);
                break;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            let rest = split_off(&mut word, width);
            lines.push(word);
            word = rest;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Keeps what fits into `width` columns, at least one character, and returns the rest.
fn split_off(word: &mut String, width: usize) -> String {
    let mut used = 0;
    let end = word
        .char_indices()
        .skip(1)
        .find(|(at, c)| {
            if used == 0 {
                used = word[..*at].chars().map(|c| c.width().unwrap_or(0)).sum();
            }
            used += c.width().unwrap_or(0);
            used > width
        })
        .map_or(word.len(), |(at, _)| at);
    word.split_off(end)
}

/// A paragraph and its look.
pub type Paragraph = (String, Style);

/// Writes paragraphs below each other from the top of `area`; an empty one is a blank line. Returns the rows used.
/// Where the room ends in the middle, the last line ends with `…`.
pub fn draw(theme: &Theme, paragraphs: &[Paragraph], area: Rect, buffer: &mut Buffer) -> u16 {
    let mut y = area.y;
    let bottom = area.bottom();
    for (text, style) in paragraphs {
        if text.is_empty() {
            y = y.saturating_add(1).min(bottom);
            continue;
        }
        let lines = wrap(text, usize::from(area.width), theme.ascii);
        for (j, line) in lines.iter().enumerate() {
            if y >= bottom {
                return area.height;
            }
            // Where lines are left over, the last row shows it by being cut.
            let line = match lines.get(j + 1) {
                Some(next) if y + 1 == bottom => {
                    fit(&format!("{line} {next}"), usize::from(area.width), theme.ascii)
                }
                _ => line.clone(),
            };
            put(buffer, area.x, y, &line, area.width, *style);
            y += 1;
        }
    }
    y - area.y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("no layer records yet", 10, false), ["no layer", "records", "yet"]);
        assert_eq!(wrap("abcdefghij k", 4, false), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("損失関数 a", 5, false), ["損失", "関数", "a"]);
        assert_eq!(wrap("損", 1, false).concat(), "損");
        assert_eq!(wrap("  ab cd", 5, false), ["  ab", "  cd"]);
        assert_eq!(wrap("", 5, false), Vec::<String>::new());
        assert_eq!(wrap("a\u{1b}[2J\nb", 20, false), ["a␛[2J␊b"]);
    }
}
