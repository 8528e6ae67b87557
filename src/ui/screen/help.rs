//! The help overlay, from the same table as the dispatch.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    widgets::{Clear, Widget},
};

use crate::ui::{
    Theme, View, keymap,
    text::{fit, put},
    widgets::{frame, prose},
};

/// Columns of one key column with its text.
const COLUMN: u16 = 54;
/// Columns of the keys.
const KEYS: u16 = 12;

/// Draws the table over `body`, and below it what the view's numbers mean; `scroll` is brought back into range.
pub fn draw(theme: &Theme, view: &dyn View, scroll: &mut u16, body: Rect, buffer: &mut Buffer) {
    let rows = keymap::rows(view.bindings());
    let columns = (body.width.saturating_sub(2) / COLUMN).clamp(1, 3);
    let width = body.width.min(columns * COLUMN + 2);
    let per_column = rows.len().div_ceil(usize::from(columns));
    let meanings = meanings(theme, view, usize::from(width.saturating_sub(2)));
    let lines = u16::try_from(per_column + 2 + meanings.len()).unwrap_or(u16::MAX);
    let height = body.height.min(lines.saturating_add(2));
    let area =
        Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 2, width, height };
    let title = if meanings.is_empty() { "keys" } else { "keys, and below what the numbers mean (j k)" };
    let inner = draw_box(theme, title, area, buffer);
    *scroll = (*scroll).min(lines.saturating_sub(inner.height));
    let mut put_line = |line: u16, x: u16, text: &str, room: u16, style: Style| {
        if line >= *scroll && line - *scroll < inner.height {
            put(buffer, x, inner.y + line - *scroll, &fit(text, usize::from(room), theme.ascii), room, style);
        }
    };
    let about = format!("{}: {}", view.title(), view.summary());
    put_line(0, inner.x, &about, inner.width, theme.title());
    for (i, row) in rows.iter().enumerate() {
        let x = inner.x + (i / per_column) as u16 * COLUMN;
        let line = 2 + (i % per_column) as u16;
        let room = inner.right().saturating_sub(x);
        put_line(line, x, &keymap::keys_text(row), room.min(KEYS - 1), theme.accent());
        put_line(line, x + KEYS, row.help, room.min(COLUMN).saturating_sub(KEYS + 1), Style::new());
    }
    for (i, (text, style)) in meanings.iter().enumerate() {
        put_line((per_column + 2 + i) as u16, inner.x, text, inner.width, *style);
    }
}

/// Lines of what the view's numbers mean, a blank line before each.
fn meanings(theme: &Theme, view: &dyn View, width: usize) -> Vec<(String, Style)> {
    let mut lines = Vec::new();
    for explanation in view.explanations() {
        lines.push((String::new(), Style::new()));
        for (label, text) in explanation.parts() {
            let (text, style) = if label.is_empty() {
                (format!("{}: {text}", explanation.name), Style::new())
            } else {
                (format!("  {label}: {text}"), theme.muted())
            };
            lines.extend(prose::wrap(&text, width, theme.ascii).into_iter().map(|line| (line, style)));
        }
    }
    lines
}

/// An empty box on top of everything; returns its inside.
pub fn draw_box(theme: &Theme, title: &str, area: Rect, buffer: &mut Buffer) -> Rect {
    Clear.render(area, buffer);
    frame::draw(theme, title, theme.accent(), area, buffer)
}
