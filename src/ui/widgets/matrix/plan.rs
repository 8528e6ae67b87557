//! Which part of a matrix is drawn, and how: numbers that scroll, or a map of everything.

use std::ops::Range;

use ratatui::layout::Rect;

use super::{Matrix, Normalise, count};

use crate::ui::{Theme, widgets::heatmap};

/// How much of the matrix is wanted at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zoom {
    /// Counts if all classes fit so, else the map of all.
    #[default]
    Auto,
    /// Counts; scrolls.
    Counts,
    /// The map of all classes.
    Map,
}

/// How a matrix is to be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As numbers.
    Counts,
    /// As a map.
    Map,
}

/// How a matrix is laid out in an area.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plan {
    /// Numbers.
    Counts {
        /// Columns of the row names.
        label: u16,
        /// Columns of a cell, with the blank before it.
        cell: u16,
        /// Visible true classes.
        rows: Range<usize>,
        /// Visible predicted classes.
        columns: Range<usize>,
    },
    /// One point for each pair of cells.
    Map {
        /// Columns of the row names.
        label: u16,
        /// Points along each side.
        values: usize,
    },
    /// There is no room for anything.
    Nothing,
}

impl Mode {
    /// Numbers if they are wanted, or if `cells` of them fit; four always do, scrolling if need be. `widest` is the
    /// largest number of digits, `names` the longest name.
    pub fn choose(zoom: Zoom, cells: usize, widest: usize, names: usize, area: Rect) -> Self {
        let label = label_width(names, area.width);
        let (width, height) =
            (usize::from(area.width.saturating_sub(label)), usize::from(area.height.saturating_sub(1)));
        let least = widest.max(2) + 1;
        match zoom {
            Zoom::Counts => Self::Counts,
            Zoom::Auto if cells <= 4 || (width / least >= cells && height >= cells) => Self::Counts,
            _ => Self::Map,
        }
    }
}

/// How many points a map in `area` has at most along each side; at least one. `names` is the longest name in columns,
/// `signed` whether differences are shown.
pub fn map_side(theme: &Theme, names: usize, signed: bool, area: Rect) -> usize {
    let label = label_width(names, area.width);
    let rows = area.height.saturating_sub(1);
    let tall = if signed { rows } else { heatmap::value_rows(theme, rows) };
    usize::from(tall.min(area.width.saturating_sub(label)).max(1))
}

impl Plan {
    /// Lays out in `area`, with the cell of `cursor` (true, predicted) in view; `names` is the longest name in columns.
    /// A map needs a matrix that fits, see [`map_side`].
    pub fn new(matrix: &Matrix<'_>, mode: Mode, names: usize, cursor: (usize, usize), area: Rect) -> Self {
        let n = matrix.len();
        if n == 0 || area.width < 6 || area.height < 3 {
            return Self::Nothing;
        }
        let label = label_width(names, area.width);
        if mode == Mode::Map {
            return Self::Map { label, values: n };
        }
        let (width, height) = (usize::from(area.width - label), usize::from(area.height - 1));
        let least = widest(matrix.normalise, matrix.largest, matrix.before.is_some()).max(2) + 1;
        let roomy = (names + 1).clamp(least.max(6), least.max(10));
        let cell = (width / n).clamp(least, roomy).min(width.max(1));
        let rows = around(cursor.0, n, height.max(1));
        let columns = around(cursor.1, n, (width / cell).max(1));
        Self::Counts { label, cell: cell as u16, rows, columns }
    }

    /// What has to be said because not every cell is on screen or not every class has a cell of its own; empty when
    /// everything is there.
    pub fn note(&self, cells: usize, classes: usize, theme: &Theme) -> String {
        let dash = if theme.ascii { '-' } else { '–' };
        match self {
            Self::Counts { rows, columns, .. } if rows.len() < cells || columns.len() < cells => {
                let span = |r: &Range<usize>| format!("{}{dash}{}", r.start + 1, r.end);
                format!("rows {}, columns {} of {cells}", span(rows), span(columns))
            }
            Self::Map { values, .. } if *values == classes => format!("map of all {classes}, a point a cell"),
            Self::Map { values, .. } => format!("map of all {classes} classes in {values} cells"),
            Self::Counts { .. } | Self::Nothing => String::new(),
        }
    }

    /// The cells (true, predicted) at a cell of the screen; `halves` says whether two rows of points share a row of it
    /// (see [`Matrix::has_halves`]).
    pub fn at(&self, halves: bool, area: Rect, column: u16, row: u16) -> Option<(usize, usize)> {
        let down = usize::from(row.checked_sub(area.y + 1)?);
        match self {
            Self::Counts { label, cell, rows, columns } => {
                let right = usize::from(column.checked_sub(area.x + label)? / (*cell).max(1));
                let pair = (rows.start + down, columns.start + right);
                (pair.0 < rows.end && pair.1 < columns.end).then_some(pair)
            }
            Self::Map { label, values } => {
                let right = usize::from(column.checked_sub(area.x + label)?);
                let down = if halves { down * 2 } else { down };
                (right < *values && down < *values).then_some((down, right))
            }
            Self::Nothing => None,
        }
    }

    /// The row of the screen, below the row of names, in which a cell stands; `None` for one that is scrolled away.
    pub fn row_of(&self, halves: bool, cell: usize) -> Option<u16> {
        match self {
            Self::Counts { rows, .. } => rows.contains(&cell).then(|| (cell - rows.start) as u16),
            Self::Map { .. } => Some(if halves { cell / 2 } else { cell } as u16),
            Self::Nothing => None,
        }
    }
}

/// Digits of the largest number.
pub fn widest(normalise: Normalise, largest: f64, signed: bool) -> usize {
    let digits = match normalise {
        Normalise::Counts => count(largest, 5).len(),
        Normalise::Rows | Normalise::Columns | Normalise::Total => 3,
    };
    digits + usize::from(signed)
}

/// Columns that a plan fills, with the names of the rows.
pub fn width(plan: &Plan) -> u16 {
    match plan {
        Plan::Counts { label, cell, columns, .. } => label + cell * columns.len() as u16,
        Plan::Map { label, values } => label + *values as u16,
        Plan::Nothing => 0,
    }
}

/// Rows that a plan fills, with the row of column names.
pub fn height(matrix: &Matrix<'_>, theme: &Theme, plan: &Plan) -> u16 {
    let rows = match plan {
        Plan::Counts { rows, .. } => rows.len(),
        Plan::Map { values, .. } if matrix.has_halves(theme) => values.div_ceil(2),
        Plan::Map { values, .. } => *values,
        Plan::Nothing => 0,
    };
    u16::try_from(rows + 1).unwrap_or(u16::MAX)
}

/// `room` indices of `n`, with `index` among them, moving by half a screen.
pub(super) fn around(index: usize, n: usize, room: usize) -> Range<usize> {
    if n <= room {
        return 0..n;
    }
    let stride = (room / 2).max(1);
    let first = (index / stride * stride).saturating_sub(stride / 2).min(n - room);
    let first = first.clamp((index + 1).saturating_sub(room), index);
    first..first + room
}

/// Columns of the names of rows, with a blank behind them.
fn label_width(names: usize, width: u16) -> u16 {
    let most = usize::from(width / 4).clamp(3, 18);
    (names.clamp(1, most) + 1) as u16
}
