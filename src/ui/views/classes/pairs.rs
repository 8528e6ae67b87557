//! What is mixed up most: pairs of true and predicted class, largest count first.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::figures::Figures;
use crate::ui::{
    FrameContext,
    numbers::percent,
    text::{fit, put, put_right},
    widgets::{matrix::count, table::fit_middle},
};

/// Columns below which names become too short to tell apart.
pub(super) const LEAST: u16 = 20;

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
    let of = "change, count, share of true";
    if usize::from(area.width) > heading.len() + of.len() + 2 {
        put_right(buffer, area.x, area.right(), area.y, of, theme.muted());
    }
    let narrow = area.width < 30;
    let numbers = if narrow { 9 } else { 13 };
    let names = usize::from(area.width.saturating_sub(numbers + 2)).saturating_sub(3) / 2;
    let names = names.clamp(2, 24);
    for (y, pair) in (area.y + 1..area.bottom()).zip(&figures.pairs) {
        let here = (pair.row, pair.column) == cursor;
        let style = if here { theme.accent() } else { Style::new() };
        let from = fit_middle(&figures.name(pair.row), names, theme.ascii);
        let to = fit_middle(&figures.name(pair.column), names, theme.ascii);
        let end = put(buffer, area.x + 2, y, &format!("{from}{arrow}{to}"), area.width - 2, style);
        let share = percent(pair.count / figures.row_sums[pair.row]);
        let text = if narrow {
            format!("{:>4} {share:>4}", count(pair.count, 4))
        } else {
            format!("{:>7} {share:>5}", count(pair.count, 7))
        };
        let begin = put_right(buffer, area.x, area.right(), y, &text, style);
        // Beside the count, as much more or less as at the evaluation before.
        if let Some(change) = pair.change.filter(|c| *c != 0.0)
            && begin > end + 8
        {
            let text = format!("{}{}", if change > 0.0 { "+" } else { "-" }, count(change.abs(), 6));
            put_right(buffer, end, begin + 1, y, &text, theme.muted());
        }
    }
}
