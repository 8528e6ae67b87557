//! A curve in one row of block characters.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::ui::{Theme, text::set, theme::Role};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// What falls into one column.
#[derive(Clone, Copy)]
struct Column {
    low: f64,
    high: f64,
    sum: f64,
    count: f64,
    broken: bool,
}

/// Draws `points` (`[x, y]`, ascending in `x`) between `x.0` and `x.1` into the first row of `area`.
///
/// A column shows the mean of its values, or its extreme where that stands out; columns between points repeat the
/// last value; a column with a value that is not finite shows `×` (`N` in ASCII).
pub fn draw(
    theme: &Theme,
    points: &[[f64; 2]],
    x: (f64, f64),
    style: Style,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.is_empty() || x.0 >= x.1 {
        return;
    }
    let width = usize::from(area.width);
    let mut columns: Vec<Option<Column>> = vec![None; width];
    for &[at, y] in points {
        let share = (at - x.0) / (x.1 - x.0);
        if !(0.0..=1.0).contains(&share) {
            continue;
        }
        let slot = &mut columns[((share * width as f64) as usize).min(width - 1)];
        let column =
            slot.get_or_insert(Column { low: f64::MAX, high: f64::MIN, sum: 0.0, count: 0.0, broken: false });
        if y.is_finite() {
            column.low = column.low.min(y);
            column.high = column.high.max(y);
            column.sum += y.clamp(-1e300, 1e300) / 16.0;
            column.count += 1.0 / 16.0;
        } else {
            column.broken = true;
        }
    }
    let seen = || columns.iter().flatten().filter(|c| c.count > 0.0);
    let low = seen().map(|c| c.low).fold(f64::INFINITY, f64::min);
    let high = seen().map(|c| c.high).fold(f64::NEG_INFINITY, f64::max);
    let last_filled = columns.iter().rposition(Option::is_some).map_or(0, |i| i + 1);
    let mut level = None;
    for (i, column) in columns.iter().take(last_filled).enumerate() {
        let place = area.x + i as u16;
        if let Some(column) = column {
            if column.broken {
                let mark = if theme.ascii { 'N' } else { '×' };
                set(buffer, place, area.y, mark, theme.style(Role::Bad));
                continue;
            }
            level = Some(height(column, low, high));
        }
        if let Some(level) = level {
            set(buffer, place, area.y, if theme.ascii { ASCII[level] } else { BLOCKS[level] }, style);
        }
    }
}

fn height(column: &Column, low: f64, high: f64) -> usize {
    let range = high - low;
    if range.is_nan() || range <= 0.0 {
        return 3;
    }
    let mean = column.sum / column.count;
    let value = if column.high - mean > 0.25 * range {
        column.high
    } else if mean - column.low > 0.25 * range {
        column.low
    } else {
        mean
    };
    ((value / range - low / range).clamp(0.0, 1.0) * 7.0).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[[f64; 2]], width: u16) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        draw(&Theme::default(), points, (0.0, f64::from(width)), Style::new(), area, &mut buffer);
        (0..width).map(|x| buffer[(x, 0)].symbol().to_owned()).collect()
    }

    #[test]
    fn levels_span_the_range_and_gaps_repeat() {
        assert_eq!(line(&[[0.5, 0.0], [1.5, 7.0], [3.5, 3.0]], 5), "▁██▄ ");
        assert_eq!(line(&[[0.5, 2.0], [1.5, f64::NAN], [2.5, 2.0]], 3), "▄×▄");
    }

    #[test]
    fn a_spike_among_many_points_is_seen() {
        let points: Vec<[f64; 2]> =
            (0..1000).map(|i| [f64::from(i) / 100.0, if i == 555 { 9.0 } else { 1.0 }]).collect();
        assert_eq!(line(&points, 10), "▁▁▁▁▁█▁▁▁▁");
    }
}
