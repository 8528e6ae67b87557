//! A histogram over time: one low bar chart a record, oldest above, all on the same axis.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::distribution::{Bars, Span};
use crate::ui::{
    Theme,
    numbers::value,
    text::{fit, put, put_right, set},
};

/// Blank, then eighths of a cell.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same in ASCII, by how dark the character is.
const ASCII_EIGHTHS: [char; 9] = [' ', '.', '.', ':', '-', '=', '+', '#', '@'];

/// The character for a share of a cell's height, 0…1; anything above zero is seen.
pub fn level(share: f64, ascii: bool) -> char {
    let step = if share > 0.0 { ((share * 8.0).round() as usize).clamp(1, 8) } else { 0 };
    if ascii { ASCII_EIGHTHS[step] } else { EIGHTHS[step] }
}

/// One record.
pub struct Ridge<'a> {
    /// What stands on its left, such as the step.
    pub label: String,
    /// The histogram.
    pub bars: Bars<'a>,
    /// The look of its bars.
    pub style: Style,
}

/// Draws `ridges` from above, each `height` rows high and scaled to its own peak (shapes are compared, not sizes),
/// with the ends of the axis and its zero in the last row. What does not fit at the bottom is not drawn: choose with
/// [`pick`] first.
pub fn draw(theme: &Theme, ridges: &[Ridge<'_>], span: Span, height: u16, area: Rect, buffer: &mut Buffer) {
    let label =
        ridges.iter().map(|r| r.label.len()).max().unwrap_or(0).min(usize::from(area.width) / 3) as u16;
    let left = area.x + label + 1;
    let width = area.right().saturating_sub(left);
    if width < 4 || area.height < 2 || height == 0 {
        return;
    }
    let zero = zero_column(span, width);
    let rows = usize::from((area.height - 1) / height);
    for (i, ridge) in ridges.iter().take(rows).enumerate() {
        let bottom = area.y + (i as u16 + 1) * height - 1;
        let text = fit(&ridge.label, usize::from(label), theme.ascii);
        put_right(buffer, area.x, area.x + label, bottom, &text, theme.muted());
        let shares = ridge.bars.shares(span.low, span.high, usize::from(width));
        let peak = shares.iter().copied().fold(0.0, f64::max);
        for (x, share) in (0..width).zip(&shares) {
            let tall = if peak > 0.0 { share / peak * f64::from(height) } else { 0.0 };
            column(theme, tall, height, (left + x, bottom), ridge.style, buffer);
            if *share <= 0.0 {
                let at_zero = zero == Some(x);
                let base = if at_zero { theme.glyph("┊", "|") } else { theme.glyph("·", " ") };
                put(buffer, left + x, bottom, base, 1, theme.muted());
            }
        }
    }
    axis(theme, span, zero, Rect { x: left, y: area.bottom() - 1, width, height: 1 }, buffer);
}

/// A bar `tall` cells high that stands on the row of `(x, bottom)`.
fn column(theme: &Theme, tall: f64, height: u16, (x, bottom): (u16, u16), style: Style, buffer: &mut Buffer) {
    for row in 0..height {
        let share = (tall - f64::from(row)).clamp(0.0, 1.0);
        // Only the foot shows the smallest amounts: a speck above a full cell would say more than there is.
        let shown = if row > 0 && share < 1.0 / 16.0 { 0.0 } else { share };
        if shown > 0.0 {
            set(buffer, x, bottom - row, level(shown, theme.ascii), style);
        }
    }
}

fn zero_column(span: Span, width: u16) -> Option<u16> {
    let at = -span.low / (span.high - span.low) * f64::from(width);
    (span.low < 0.0 && span.high > 0.0).then(|| (at as u16).min(width - 1))
}

fn axis(theme: &Theme, span: Span, zero: Option<u16>, area: Rect, buffer: &mut Buffer) {
    let (mut low, mut high) = (value(span.low), value(span.high));
    if span.cut {
        low = format!("{}{low}", theme.glyph("≤", "<"));
        high = format!("{}{high}", theme.glyph("≥", ">"));
    }
    let room = usize::from(area.width) / 2;
    let (low, high) = (fit(&low, room, theme.ascii), fit(&high, room, theme.ascii));
    let low_end = put(buffer, area.x, area.y, &low, area.width, theme.muted());
    let high_begin = put_right(buffer, area.x, area.right(), area.y, &high, theme.muted());
    if let Some(zero) = zero.map(|z| area.x + z)
        && zero > low_end
        && zero + 1 < high_begin
    {
        put(buffer, zero, area.y, "0", 1, theme.muted());
    }
}

/// Which of `total` records fill `room` rows: all, or evenly spread ones with the first and the last. Ascending.
pub fn pick(total: usize, room: usize) -> Vec<usize> {
    if total <= room {
        return (0..total).collect();
    }
    match room {
        0 => Vec::new(),
        1 => vec![total - 1],
        _ => (0..room).map(|i| (i * (total - 1) + (room - 1) / 2) / (room - 1)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{snapshot, theme::Depth};

    fn drawn(theme: Theme, height: u16) -> String {
        let narrow = Bars { edges: &[-0.1, 0.0, 0.1], counts: &[5.0, 10.0] };
        let broad = Bars { edges: &[-1.0, -0.5, 0.5, 1.0], counts: &[1.0, 6.0, 3.0] };
        let ridges: Vec<_> = [("0", narrow), ("100", broad)]
            .into_iter()
            .map(|(label, bars)| Ridge { label: label.to_owned(), bars, style: Style::new() })
            .collect();
        let area = Rect::new(0, 0, 24, 2 * height + 1);
        let mut buffer = Buffer::empty(area);
        let span = Span { low: -1.0, high: 1.0, cut: false };
        draw(&theme, &ridges, span, height, area, &mut buffer);
        snapshot::text(&buffer)
    }

    #[test]
    fn records_share_an_axis_and_each_has_its_own_scale() {
        let text = drawn(Theme::new(Depth::None, false), 1);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("  0 ···") && lines[0].contains('█'), "{text}");
        assert!(lines[1].starts_with("100 ▃"), "{text}");
        assert!(lines[2].contains("-1") && lines[2].ends_with('1') && lines[2].contains('0'), "{text}");
    }

    #[test]
    fn ascii_stays_ascii_and_two_rows_make_it_finer() {
        let text = drawn(Theme::new(Depth::None, true), 2);
        assert!(text.is_ascii() && text.contains('@'), "{text}");
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn of_many_records_the_first_and_the_last_are_kept() {
        assert_eq!(pick(3, 5), [0, 1, 2]);
        assert_eq!(pick(10, 4), [0, 3, 6, 9]);
        assert_eq!(pick(10, 1), [9]);
        for total in 1..50 {
            for room in 2..20 {
                let p = pick(total, room);
                assert!(p.windows(2).all(|w| w[0] < w[1]) && p[0] == 0 && *p.last().unwrap() == total - 1);
            }
        }
    }
}
