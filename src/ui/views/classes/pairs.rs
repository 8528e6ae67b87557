//! Pairs of true and predicted class: what is mixed up most, and what moved most since the evaluation before.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::figures::Figures;
use crate::{
    analysis::classes::Move,
    ui::{
        FrameContext,
        numbers::percent,
        text::{fit, put, put_right},
        widgets::matrix::{count, short_name},
    },
};

/// Columns below which names become too short to tell apart.
pub(super) const LEAST: u16 = 20;

/// Draws a heading and as many of the pairs that are mixed up most as fit; that of the cursor is marked.
pub(super) fn draw(
    context: FrameContext<'_>,
    figures: &Figures,
    cursor: (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
) {
    let arrow = context.theme.glyph(" → ", " -> ");
    let heading = format!("mixed up most: true{arrow}predicted");
    list(context, figures, (&heading, &figures.pairs), cursor, area, buffer);
}

/// The same for pairs that moved most.
pub(super) fn draw_moves(
    context: FrameContext<'_>,
    figures: &Figures,
    cursor: (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
) {
    let heading = match figures.before {
        Some(step) => format!("moved most since step {step}"),
        None => "moved most: no evaluation of these classes before".to_owned(),
    };
    list(context, figures, (&heading, &figures.moves), cursor, area, buffer);
}

fn list(
    context: FrameContext<'_>,
    figures: &Figures,
    (heading, pairs): (&str, &[Move]),
    cursor: (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = context.theme;
    if area.height == 0 || area.width < 12 {
        return;
    }
    let arrow = theme.glyph(" → ", " -> ");
    put(
        buffer,
        area.x,
        area.y,
        &fit(heading, usize::from(area.width), theme.ascii),
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
    for (y, pair) in (area.y + 1..area.bottom()).zip(pairs) {
        let here = (pair.row, pair.column) == cursor;
        let style = if here { theme.accent() } else { Style::new() };
        let name = |class| short_name(&figures.name(class), names, theme.ascii);
        let (from, to) = (name(pair.row), name(pair.column));
        let end = put(buffer, area.x + 2, y, &format!("{from}{arrow}{to}"), area.width - 2, style);
        let share = percent(pair.now / figures.support(pair.row));
        let text = if narrow {
            format!("{:>4} {share:>4}", count(pair.now, 4))
        } else {
            format!("{:>7} {share:>5}", count(pair.now, 7))
        };
        let begin = put_right(buffer, area.x, area.right(), y, &text, style);
        // Beside the count, as much more or less as at the evaluation before.
        let size = count(pair.change.abs(), 6);
        if pair.change != 0.0 && size != "0.0" && begin > end + 8 {
            let text = format!("{}{size}", if pair.change > 0.0 { "+" } else { "-" });
            put_right(buffer, end, begin + 1, y, &text, theme.muted());
        }
    }
}
