//! One line of text that the user edits.

use ratatui::{
    buffer::Buffer,
    crossterm::event::{Event, KeyEvent},
    layout::Rect,
    style::Modifier,
};
use tui_input::{Input, InputRequest, backend::crossterm::EventHandler};

use crate::ui::{
    Theme,
    text::{columns, fit, put, put_right, set},
};

/// Characters that a prompt takes; more would not be read by anybody.
const LONGEST: usize = 200;

/// The line and its cursor.
pub struct Prompt {
    input: Input,
}

impl Prompt {
    /// Starts with `text`, the cursor behind it.
    pub fn new(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()) }
    }

    /// What it says.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Edits.
    pub fn key(&mut self, event: KeyEvent) {
        if self.text().chars().count() < LONGEST
            || !matches!(event.code, ratatui::crossterm::event::KeyCode::Char(_))
        {
            self.input.handle_event(&Event::Key(event));
        }
    }

    /// Inserts pasted text without its control characters.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text().chars().count() >= LONGEST {
                break;
            }
            self.input.handle(InputRequest::InsertChar(c));
        }
    }

    /// Draws `lead`, the line with a block cursor, and `hint` at the right where there is room.
    pub fn draw(&self, theme: &Theme, lead: &str, hint: &str, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let x = put(buffer, area.x, area.y, lead, area.width, theme.accent());
        let room = area.right().saturating_sub(x).saturating_sub(1);
        let before: String = self.text().chars().take(self.input.cursor()).collect();
        let skip = columns(&before).saturating_sub(usize::from(room));
        let visible: String = self.text().chars().skip(skip).collect();
        let end = put(buffer, x, area.y, &fit(&visible, usize::from(room), theme.ascii), room, theme.title());
        let cursor = x + (columns(&before) - skip).min(usize::from(room)) as u16;
        if let Some(cell) = buffer.cell_mut((cursor, area.y)) {
            cell.modifier |= Modifier::REVERSED;
        }
        if end == cursor {
            set(buffer, cursor, area.y, ' ', theme.title().add_modifier(Modifier::REVERSED));
        }
        if usize::from(area.right().saturating_sub(end)) > columns(hint) + 2 {
            put_right(buffer, end + 2, area.right(), area.y, hint, theme.muted());
        }
    }
}
