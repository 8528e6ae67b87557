//! What is mixed up most: pairs of true and predicted class, largest count first.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::figures::Figures;
use crate::ui::{
    FrameContext,
    numbers::percent,
    text::{fit, put, put_right},
    widgets::{matrix::count, table::fit_middle},
};

/// Draws a heading and as many pairs as fit; that of the cursor is marked.
pub(super) fn draw(
    context: FrameContext<'_>,
    figures: &Figures,
    cursor: (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    if area.height == 0 || area.width < 12 {
        return;
    }
    let arrow = theme.glyph(" → ", " -> ");
    let heading = format!("mixed up most: true{arrow}predicted");
    put(
        buffer,
        area.x,
        area.y,
        &fit(&heading, usize::from(area.width), theme.ascii),
        area.width,
        theme.muted(),
    );
    let of = "share of true";
    if usize::from(area.width) > heading.len() + of.len() + 2 {
        put_right(buffer, area.x, area.right(), area.y, of, theme.muted());
    }
    let numbers = 13;
    let names = usize::from(area.width.saturating_sub(numbers + 2)).saturating_sub(3) / 2;
    let names = names.clamp(2, 24);
    for (y, (row, column, n)) in (area.y + 1..area.bottom()).zip(&figures.pairs) {
        let here = (*row, *column) == cursor;
        let style = if here { theme.accent() } else { Style::new() };
        let from = fit_middle(&figures.name(*row), names, theme.ascii);
        let to = fit_middle(&figures.name(*column), names, theme.ascii);
        let text = format!("{from}{arrow}{to}");
        put(buffer, area.x + 2, y, &text, area.width - 2, style);
        let share = percent(n / figures.row_sums[*row]);
        let text = format!("{:>7} {share:>5}", count(*n, 7));
        put_right(buffer, area.x, area.right(), y, &text, style);
    }
}
