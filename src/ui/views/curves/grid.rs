//! How many charts fit, and where.

use ratatui::layout::Rect;

/// Below this a chart tells less than its title.
const LEGIBLE: (u16, u16) = (34, 8);

/// A grid of equal cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Grid {
    /// Cells across.
    pub columns: usize,
    /// Cells down.
    pub rows: usize,
}

impl Grid {
    /// The grid for `charts` in `area`: all of them if they fit legibly, in cells about three times as wide as high;
    /// else as many as fit, the rest by scrolling.
    pub fn fitting(charts: usize, area: Rect) -> Self {
        let most_columns = usize::from(area.width / LEGIBLE.0).max(1);
        let most_rows = usize::from(area.height / LEGIBLE.1).max(1);
        let wanted = charts.clamp(1, most_columns * most_rows);
        let unlikeness = |columns: usize| {
            let rows = wanted.div_ceil(columns);
            let shape = f64::from(area.width) / columns as f64 / (f64::from(area.height) / rows as f64);
            let empty = (columns * rows - wanted) as f64;
            (shape / 3.5).ln().abs() + 0.35 * empty
        };
        let columns = (1..=most_columns)
            .filter(|columns| wanted.div_ceil(*columns) <= most_rows)
            .min_by(|a, b| unlikeness(*a).total_cmp(&unlikeness(*b)))
            .unwrap_or(most_columns);
        Self { columns, rows: wanted.div_ceil(columns) }
    }

    /// Charts on one screen.
    pub fn len(self) -> usize {
        self.columns * self.rows
    }

    /// The cell of the `index`th chart on screen.
    pub fn cell(self, index: usize, area: Rect) -> Rect {
        let edge = |i: usize, n: usize, length: u16| (i * usize::from(length) / n.max(1)) as u16;
        let (column, row) = (index % self.columns.max(1), index / self.columns.max(1));
        let (x0, x1) = (edge(column, self.columns, area.width), edge(column + 1, self.columns, area.width));
        let (y0, y1) = (edge(row, self.rows, area.height), edge(row + 1, self.rows, area.height));
        Rect { x: area.x + x0, y: area.y + y0, width: x1 - x0, height: y1 - y0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_fill_the_screen_and_stay_legible() {
        let grid = |charts, width, height| {
            let grid = Grid::fitting(charts, Rect::new(0, 0, width, height));
            (grid.columns, grid.rows)
        };
        assert_eq!(grid(1, 200, 47), (1, 1));
        assert_eq!(grid(2, 80, 21), (1, 2));
        assert_eq!(grid(6, 200, 47), (2, 3));
        assert_eq!(grid(4, 80, 21), (2, 2));
        assert_eq!(grid(100, 80, 21), (2, 2));
        assert_eq!(grid(5, 40, 9), (1, 1));
        assert_eq!(grid(0, 0, 0), (1, 1));
    }

    #[test]
    fn cells_cover_the_area_without_overlap() {
        let area = Rect::new(3, 1, 101, 47);
        let grid = Grid { columns: 3, rows: 2 };
        let cells: u32 = (0..grid.len()).map(|i| grid.cell(i, area).area()).sum();
        assert_eq!(cells, area.area());
    }
}
