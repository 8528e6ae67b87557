//! A border with a title in it.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::ui::{
    Theme,
    text::{fit, put, set},
};

/// Draws a rounded border (`+-|` in ASCII) and returns the inside. Too small an area stays empty.
pub fn draw(theme: &Theme, title: &str, style: Style, area: Rect, buffer: &mut Buffer) -> Rect {
    if area.width < 2 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    let [tl, tr, bl, br, h, v] =
        if theme.ascii { ['+', '+', '+', '+', '-', '|'] } else { ['╭', '╮', '╰', '╯', '─', '│'] };
    let (left, right, top, bottom) = (area.x, area.right() - 1, area.y, area.bottom() - 1);
    for x in left + 1..right {
        set(buffer, x, top, h, style);
        set(buffer, x, bottom, h, style);
    }
    for y in top + 1..bottom {
        set(buffer, left, y, v, style);
        set(buffer, right, y, v, style);
    }
    set(buffer, left, top, tl, style);
    set(buffer, right, top, tr, style);
    set(buffer, left, bottom, bl, style);
    set(buffer, right, bottom, br, style);
    if !title.is_empty() && area.width > 6 {
        let room = area.width - 4;
        let text = format!(" {} ", fit(title, usize::from(room - 2), theme.ascii));
        put(buffer, left + 1, top, &text, room, theme.title());
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}
