//! All classes as one picture: a point for each pair, or for several.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{Matrix, Normalise, Plan, warmth};
use crate::ui::{
    Theme,
    text::{fit, put, put_right},
    widgets::heatmap::{self, Heat},
};

/// Draws the names of the rows and the points.
pub(super) fn draw(
    (matrix, points): (&Matrix<'_>, &Points),
    (label, per, values): (u16, usize, usize),
    cursor: (usize, usize),
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let n = matrix.counts.nrows();
    let inner = Rect { x: area.x + label, y: area.y + 1, width: area.width - label, height: area.height - 1 };
    let step = if heatmap::has_half_blocks(theme) { 2 } else { 1 };
    for (i, y) in (inner.y..inner.bottom()).enumerate() {
        let first = i * step * per;
        if first >= n {
            break;
        }
        let covers = first..(first + step * per).min(n);
        let here = covers.contains(&cursor.0);
        let class = if here { cursor.0 } else { first };
        let style = if here { theme.accent() } else { theme.muted() };
        let name = fit(&matrix.name(class), usize::from(label - 1), theme.ascii);
        put_right(buffer, area.x, area.x + label - 1, y, &name, style);
    }
    let tip = inner.x + (cursor.1 / per) as u16;
    if tip < inner.right() {
        put(buffer, tip, area.y, theme.glyph("▾", "v"), 1, theme.accent());
    }
    let heat = |row: usize, column: usize| points.at(row, column);
    heatmap::draw(theme, (values, values), heat, inner, buffer);
}

/// The points of a map, kept between frames: each may be the summary of many cells.
#[derive(Default)]
pub struct Points {
    version: u64,
    per: usize,
    normalise: Normalise,
    values: usize,
    heat: Vec<Heat>,
}

impl Points {
    /// Sums up anew if the plan is another map or the matrix has another `version`; nothing for other plans.
    pub fn refresh(&mut self, matrix: &Matrix<'_>, plan: &Plan, version: u64) {
        let Plan::Map { per, values, .. } = *plan else { return };
        let same = (self.version, self.per, self.normalise, self.values)
            == (version, per, matrix.normalise, values)
            && !self.heat.is_empty();
        if same {
            return;
        }
        let heat = (0..values).flat_map(|row| (0..values).map(move |column| (row, column)));
        self.heat = heat.map(|(row, column)| block(matrix, per, row, column)).collect();
        (self.version, self.per, self.normalise, self.values) = (version, per, matrix.normalise, values);
    }

    fn at(&self, row: usize, column: usize) -> Heat {
        self.heat.get(row * self.values + column).copied().unwrap_or(Heat::Empty)
    }
}

/// Several classes as one value: the largest share of its cells, so that one bad pair among many good ones stays
/// visible.
pub(super) fn block(matrix: &Matrix<'_>, per: usize, row: usize, column: usize) -> Heat {
    let n = matrix.counts.nrows();
    let mut worst: f64 = 0.0;
    let mut best: f64 = 0.0;
    for r in row * per..((row + 1) * per).min(n) {
        for c in column * per..((column + 1) * per).min(n) {
            let share = matrix.share(r, c);
            if r == c {
                best = best.max(share);
            } else {
                worst = worst.max(share);
            }
        }
    }
    if row == column && (per == 1 || best >= worst) {
        Heat::Diagonal(best)
    } else if worst > 0.0 {
        Heat::Share(warmth(worst))
    } else {
        Heat::Empty
    }
}
