//! The tab bar: the program, the views with their numbers, and how much trouble there is.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};

use crate::{
    detect::Severity,
    ui::{
        FrameContext,
        text::{columns, put, put_right},
        theme::Role,
        views::runs::trouble::Trouble,
    },
};

/// Draws one row; returns the columns of each tab, for the mouse (empty spans for tabs without room).
pub fn draw(
    context: FrameContext<'_>,
    titles: &[&str],
    current: usize,
    area: Rect,
    buffer: &mut Buffer,
) -> Vec<(u16, u16)> {
    let theme = context.theme;
    let wide: usize = titles.iter().map(|t| columns(t) + 4).sum();
    let name = "epochscope";
    let room = usize::from(area.width).saturating_sub(wide - titles.len());
    let right = draw_trouble(context, room, area, buffer);
    let room = usize::from(right.saturating_sub(area.x));
    let mut x = area.x;
    if wide + name.len() + 3 <= room {
        x = put(buffer, x + 1, area.y, name, area.width, theme.title()) + 1;
    }
    let all_titles = wide <= room;
    // Without the blank before each number, for 80 columns.
    let tight = wide - titles.len() <= room;
    let kept = titles.get(current).map_or(0, |title| columns(title) + 4);
    let mut spans = Vec::with_capacity(titles.len());
    for (i, title) in titles.iter().enumerate() {
        let open = i == current;
        let text = match (all_titles, tight) {
            (false, true) => format!("{} {title} ", i + 1),
            (false, false) if !open => format!(" {} ", i + 1),
            _ => format!(" {} {title} ", i + 1),
        };
        // The open tab is always named; those before it leave it the room.
        let kept = if i < current && !tight { kept } else { 0 };
        if columns(&text) + kept > usize::from(right.saturating_sub(x)) {
            spans.push((0, 0));
            continue;
        }
        let style = if open { theme.accent().add_modifier(Modifier::REVERSED) } else { theme.muted() };
        let end = put(buffer, x, area.y, &text, right - x, style);
        spans.push((x, end));
        x = end;
    }
    spans
}

/// `✗ 1 ▲ 2` at the right, in few words if there is little `room` beside the tabs; returns the first column of it.
fn draw_trouble(context: FrameContext<'_>, room: usize, area: Rect, buffer: &mut Buffer) -> u16 {
    let theme = context.theme;
    let trouble = Trouble::of(context.alerts);
    let mut x = area.right();
    for severity in [Severity::Warn, Severity::Critical] {
        let runs = trouble.runs_at(severity);
        if runs > 0 {
            let text = format!("{} {runs} ", theme.mark(severity));
            x = put_right(buffer, area.x, x, area.y, &text, theme.severity(severity));
        }
    }
    if x == area.right() && context.store.run_count() > 0 {
        let text = if room > "no trouble ".len() { "no trouble " } else { "ok " };
        x = put_right(buffer, area.x, x, area.y, text, theme.style(Role::Good));
    }
    x.saturating_sub(1).max(area.x)
}
