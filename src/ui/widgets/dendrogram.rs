//! The tree of a clustering in box characters, root at the left, beside the rows that it orders.

use std::ops::Range;

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    analysis::cluster::Tree,
    ui::{Theme, text::set},
};

/// Columns below which a tree says nothing.
pub const LEAST: u16 = 3;

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;
const UP_DOWN: u8 = UP | DOWN;
const ACROSS: u8 = LEFT | RIGHT;

/// Draws the tree of `order` into `area`, its leaves at the right edge. `row_of` says in which row of the area a place of
/// the order stands; several places may share a row, and what is joined inside of a row is not drawn. The branches of
/// the places in `selected` stand out. Horizontally a join stands at its height, the root at the left.
pub fn draw(
    theme: &Theme,
    (tree, order): (&Tree, &[usize]),
    row_of: impl Fn(usize) -> u16,
    selected: &Range<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let area = area.intersection(buffer.area);
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    if area.width < LEAST || height == 0 || order.len() != tree.leaves() {
        return;
    }
    let mut cells = vec![(0_u8, false); width * height];
    let mut mark = |row: usize, column: usize, bits: u8, strong: bool| {
        if row < height
            && column < width
            && let Some(cell) = cells.get_mut(row * width + column)
        {
            *cell = (cell.0 | bits, cell.1 || strong);
        }
    };
    let spans = tree.spans(order);
    let top = tree.merges().last().map_or(0.0, |m| m.height).max(f64::MIN_POSITIVE);
    // Where each node stands: its row, and its column or the right edge if it lies within one row.
    let mut rows: Vec<f64> = spans.iter().take(tree.leaves()).map(|s| f64::from(row_of(s.start))).collect();
    let mut columns: Vec<usize> = vec![width; tree.leaves()];
    for (i, merge) in tree.merges().iter().enumerate() {
        let (a, b) = (rows[merge.left], rows[merge.right]);
        rows.push(f64::midpoint(a, b));
        let (upper, lower) = (a.min(b).round() as usize, a.max(b).round() as usize);
        if upper == lower {
            columns.push(columns[merge.left].min(columns[merge.right]));
            continue;
        }
        let at = ((1.0 - merge.height / top).clamp(0.0, 1.0) * (width - 2) as f64).round() as usize;
        let at = at.min(columns[merge.left]).min(columns[merge.right]);
        columns.push(at);
        let span = &spans[tree.leaves() + i];
        let strong = !selected.is_empty() && span.start >= selected.start && span.end <= selected.end;
        mark(upper, at, DOWN, strong);
        mark(lower, at, UP, strong);
        for row in upper + 1..lower {
            mark(row, at, UP | DOWN, strong);
        }
        for child in [merge.left, merge.right] {
            let row = rows[child].round() as usize;
            let end = columns[child];
            if end > at {
                mark(row, at, RIGHT, strong);
                for column in at + 1..end {
                    mark(row, column, LEFT | RIGHT, strong);
                }
                mark(row, end, LEFT, false);
            }
        }
    }
    for (i, (bits, strong)) in cells.into_iter().enumerate().filter(|(_, (bits, _))| *bits > 0) {
        let place = (area.x + (i % width) as u16, area.y + (i / width) as u16);
        let style = if strong { theme.accent() } else { theme.muted() };
        set(buffer, place.0, place.1, glyph(bits, theme.ascii), style);
    }
}

fn glyph(bits: u8, ascii: bool) -> char {
    let (vertical, horizontal) = (bits & (UP | DOWN) > 0, bits & (LEFT | RIGHT) > 0);
    match (ascii, vertical, horizontal) {
        (true, true, true) => return '+',
        (true, true, false) => return '|',
        (true, false, _) => return '-',
        _ => {}
    }
    match (bits & UP_DOWN, bits & ACROSS) {
        (0, _) => '─',
        (_, 0) => '│',
        (DOWN, RIGHT) => '┌',
        (UP, RIGHT) => '└',
        (DOWN, LEFT) => '┐',
        (UP, LEFT) => '┘',
        (UP_DOWN, RIGHT) => '├',
        (UP_DOWN, LEFT) => '┤',
        (DOWN, _) => '┬',
        (UP, _) => '┴',
        _ => '┼',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{snapshot, theme::Depth};

    fn drawn(ascii: bool, width: u16, height: u16, per: u16) -> String {
        let tree = Tree::new(4, [(0, 1, 0.2), (2, 3, 0.3), (4, 5, 1.0)]).unwrap();
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::new(Depth::None, ascii);
        draw(&theme, (&tree, &[0, 1, 3, 2]), |place| place as u16 / per, &(0..2), area, &mut buffer);
        snapshot::text(&buffer).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn joins_stand_at_their_height_and_leaves_at_the_right() {
        assert_eq!(drawn(false, 8, 4, 1), "     ┌──\n┌────┴──\n│   ┌───\n└───┴───");
        assert_eq!(drawn(true, 8, 4, 1).lines().count(), 4);
        assert!(drawn(true, 8, 4, 1).is_ascii());
    }

    #[test]
    fn what_shares_a_row_is_not_drawn_and_any_area_does() {
        assert_eq!(drawn(false, 6, 2, 2), "┌─────\n└─────");
        for width in 0..12 {
            for height in 0..6 {
                drawn(false, width, height, 1);
                drawn(true, width, height, 3);
            }
        }
    }
}
