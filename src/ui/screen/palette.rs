//! The command palette: all actions of the key table, found by typing.

use ratatui::{buffer::Buffer, crossterm::event::KeyEvent, layout::Rect};

use super::{help::draw_box, prompt::Prompt};
use crate::ui::{
    Action, Binding, Theme,
    filter::Filter,
    keymap,
    text::{fit, put, put_right},
};

/// What was typed and what is chosen.
pub struct Palette {
    pub(super) prompt: Prompt,
    rows: Vec<Binding>,
    selected: usize,
}

impl Palette {
    /// All actions, those of the view first.
    pub fn new(of_view: &'static [Binding]) -> Self {
        Self { prompt: Prompt::new(""), rows: keymap::rows(of_view), selected: 0 }
    }

    fn found(&self) -> Vec<Binding> {
        let mut filter = Filter::new(self.prompt.text());
        let mut found: Vec<(u32, Binding)> = if self.prompt.text().is_empty() {
            self.rows.iter().map(|b| (0, *b)).collect()
        } else {
            self.rows.iter().filter_map(|b| filter.score(b.help).map(|s| (s, *b))).collect()
        };
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, b)| b).collect()
    }

    /// The action under the bar.
    pub fn chosen(&self) -> Option<Action> {
        self.found().get(self.selected).map(|b| b.action)
    }

    /// Moves the bar.
    pub fn move_by(&mut self, by: isize) {
        let last = self.found().len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Edits what was typed.
    pub fn key(&mut self, event: KeyEvent) {
        self.prompt.key(event);
        self.selected = 0;
    }

    /// Draws a box at the top of `body`.
    pub fn draw(&self, theme: &Theme, body: Rect, buffer: &mut Buffer) {
        let found = self.found();
        let width = body.width.min(60);
        let height = body.height.min(14.min(found.len() as u16 + 3).max(4));
        let area = Rect { x: body.x + (body.width - width) / 2, y: body.y, width, height };
        let inner = draw_box(theme, "commands", area, buffer);
        if inner.is_empty() {
            return;
        }
        self.prompt.draw(theme, ":", "Enter does it", Rect { height: 1, ..inner }, buffer);
        let room = usize::from(inner.height.saturating_sub(1));
        let first = self.selected.saturating_sub(room.saturating_sub(1));
        for (i, b) in found.iter().enumerate().skip(first).take(room) {
            let y = inner.y + 1 + (i - first) as u16;
            let mark = if i == self.selected { ">" } else { " " };
            put(buffer, inner.x, y, mark, 1, theme.accent());
            let keys = keymap::keys_text(b);
            let left = put_right(buffer, inner.x + 2, inner.right(), y, &keys, theme.accent());
            let room = left.saturating_sub(inner.x + 3);
            put(
                buffer,
                inner.x + 2,
                y,
                &fit(b.help, usize::from(room), theme.ascii),
                room,
                ratatui::style::Style::new(),
            );
            if i == self.selected {
                buffer.set_style(Rect { y, height: 1, ..inner }, theme.selected());
            }
        }
    }
}
