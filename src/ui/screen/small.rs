//! What to say where nothing fits.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::ui::{FrameContext, text::put, views::runs::trouble::Trouble};

/// Fewer than 30×8 cells: how many runs, how many in trouble, and what to do about the size.
pub fn draw_notice(context: FrameContext<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = context.theme;
    let trouble = Trouble::of(context.alerts);
    let runs = context.store.run_count();
    let mut lines = vec![(format!("{runs} runs"), theme.title())];
    if let Some((severity, in_trouble)) = trouble.worst() {
        lines.insert(
            0,
            (format!("{} {in_trouble} in trouble", theme.mark(severity)), theme.severity(severity)),
        );
    }
    lines.push(("needs 30x8".to_owned(), theme.muted()));
    for (i, (text, style)) in lines.iter().take(usize::from(area.height)).enumerate() {
        put(buffer, area.x, area.y + i as u16, text, area.width, *style);
    }
}
