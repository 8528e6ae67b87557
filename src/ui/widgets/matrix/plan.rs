//! Which part of a matrix is drawn, and how: numbers that scroll, or a map of everything.

use std::ops::Range;

use ratatui::layout::Rect;

use super::{Matrix, Normalise, count};
use crate::ui::{Theme, text::columns, widgets::heatmap};

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
    /// One value for each class, or for several.
    Map {
        /// Columns of the row names.
        label: u16,
        /// Classes in a value, along each side.
        per: usize,
        /// Values along each side.
        values: usize,
    },
    /// There is no room for anything.
    Nothing,
}

impl Plan {
    /// Chooses for `area`, with the cell of `cursor` (true, predicted) in view.
    pub fn new(matrix: &Matrix<'_>, zoom: Zoom, cursor: (usize, usize), theme: &Theme, area: Rect) -> Self {
        let n = matrix.counts.nrows();
        if n == 0 || area.width < 6 || area.height < 3 {
            return Self::Nothing;
        }
        let label = label_width(matrix, n, area.width);
        let (width, height) = (usize::from(area.width - label), usize::from(area.height - 1));
        let widest = match matrix.normalise {
            Normalise::Counts => count(matrix.largest, 5).len(),
            Normalise::Rows | Normalise::Columns => 3,
        };
        let least = widest.max(2) + 1;
        let counts_fit = width / least >= n && height >= n;
        if zoom == Zoom::Counts || (zoom == Zoom::Auto && (counts_fit || n <= 4)) {
            let names = matrix.names.iter().take(64).map(|name| columns(name)).max().unwrap_or(0);
            let roomy = (names + 1).clamp(least.max(6), least.max(10));
            let cell = (width / n).clamp(least, roomy).min(width.max(1));
            let rows = around(cursor.0, n, height.max(1));
            let columns = around(cursor.1, n, (width / cell).max(1));
            return Self::Counts { label, cell: cell as u16, rows, columns };
        }
        let tall = usize::from(heatmap::value_rows(theme, area.height - 1));
        let per = n.div_ceil(width.max(1)).max(n.div_ceil(tall.max(1))).max(1);
        Self::Map { label, per, values: n.div_ceil(per) }
    }

    /// What has to be said because not every class has a number of its own; empty when everything is there.
    pub fn note(&self, classes: usize, theme: &Theme) -> String {
        let dash = if theme.ascii { '-' } else { '–' };
        match self {
            Self::Counts { rows, columns, .. } if rows.len() < classes || columns.len() < classes => {
                let span = |r: &Range<usize>| format!("{}{dash}{}", r.start + 1, r.end);
                format!("rows {}, columns {} of {classes}", span(rows), span(columns))
            }
            Self::Map { per: 1, .. } => format!("map of all {classes}, a point a cell"),
            Self::Map { per, .. } => format!("map of all {classes}, {per} classes a point"),
            Self::Counts { .. } | Self::Nothing => String::new(),
        }
    }

    /// The class pair (true, predicted) at a cell of the screen; the first of several.
    pub fn at(&self, theme: &Theme, area: Rect, column: u16, row: u16) -> Option<(usize, usize)> {
        let down = usize::from(row.checked_sub(area.y + 1)?);
        match self {
            Self::Counts { label, cell, rows, columns } => {
                let right = usize::from(column.checked_sub(area.x + label)? / (*cell).max(1));
                let pair = (rows.start + down, columns.start + right);
                (pair.0 < rows.end && pair.1 < columns.end).then_some(pair)
            }
            Self::Map { label, per, values } => {
                let right = usize::from(column.checked_sub(area.x + label)?);
                let down = if heatmap::has_half_blocks(theme) { down * 2 } else { down };
                (right < *values && down < *values).then_some((down * per, right * per))
            }
            Self::Nothing => None,
        }
    }
}

/// Columns that a plan fills, with the names of the rows.
pub fn width(plan: &Plan) -> u16 {
    match plan {
        Plan::Counts { label, cell, columns, .. } => label + cell * columns.len() as u16,
        Plan::Map { label, values, .. } => label + *values as u16,
        Plan::Nothing => 0,
    }
}

/// Rows that a plan fills, with the row of column names.
pub fn height(theme: &Theme, plan: &Plan, classes: usize) -> u16 {
    let rows = match plan {
        Plan::Counts { rows, .. } => rows.len().min(classes),
        Plan::Map { values, .. } if heatmap::has_half_blocks(theme) => values.div_ceil(2),
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

fn label_width(matrix: &Matrix<'_>, n: usize, width: u16) -> u16 {
    let most = usize::from(width / 4).clamp(3, 18);
    let numbers = n.to_string().len();
    // A look at the first few hundred names is enough to set a width, and costs the same in every frame.
    let names = matrix.names.iter().take(n.min(400)).map(|name| columns(name)).max().unwrap_or(0);
    (label_text_width(numbers, names).min(most) + 1) as u16
}

fn label_text_width(number: usize, name: usize) -> usize {
    name.max(number).max(1)
}
