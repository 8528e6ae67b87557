//! A confusion matrix on screen: counts in cells where they fit, a map where they do not, never silently cut.

use ndarray::Array2;
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    heatmap::{self, Heat},
    prose,
};
use crate::ui::{
    Theme,
    text::{fit, put, put_right},
    widgets::table::fit_parts,
};

mod map;
mod number;
mod plan;

pub use number::count;
pub use plan::{Mode, Plan, Zoom, height, map_side, widest, width};

/// What the numbers in the cells are, and what the colours speak of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Normalise {
    /// Counts; coloured by the share of the row, which is the true class.
    #[default]
    Counts,
    /// Shares of the row in per cent: where the samples of a class went.
    Rows,
    /// Shares of the column in per cent: what is behind a prediction.
    Columns,
    /// Shares of all samples in per cent.
    Total,
}

impl Normalise {
    /// The next one in the cycle of its key.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Counts => Self::Rows,
            Self::Rows => Self::Columns,
            Self::Columns => Self::Total,
            Self::Total => Self::Counts,
        }
    }

    /// What the header says of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Rows => "% of the true class",
            Self::Columns => "% of the predicted class",
            Self::Total => "% of all samples",
        }
    }
}

/// How colours rise with shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scale {
    /// With the root: 1 % of a class is visible, 25 % is half way; the same for every matrix and every step.
    #[default]
    Root,
    /// Three decades, from 0.1 % to 100 %: rare confusions of many classes.
    Log,
    /// Straight, up to the largest share off the diagonal.
    Linear,
}

impl Scale {
    /// The next one in the cycle of its key.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Root => Self::Log,
            Self::Log => Self::Linear,
            Self::Linear => Self::Root,
        }
    }

    /// What the header says of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Log => "log",
            Self::Linear => "linear",
        }
    }

    /// The darkness of a share, 0 … 1. `largest` is the largest share off the diagonal.
    pub fn warmth(self, share: f64, largest: f64) -> f64 {
        let share = share.max(0.0);
        match self {
            Self::Root => share.sqrt(),
            // What is below 0.1 % is still there.
            Self::Log if share > 0.0 => (share.log10() / 3.0 + 1.0).clamp(0.13, 1.0),
            Self::Log => 0.0,
            Self::Linear if largest > 0.0 => share / largest,
            Self::Linear => share,
        }
    }
}

/// Counts with their sums.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sums {
    /// Counts by cell, rows true.
    pub counts: Array2<f64>,
    /// Sum of each row.
    pub rows: Vec<f64>,
    /// Sum of each column.
    pub columns: Vec<f64>,
    /// All samples; kept, for it is asked for once a cell.
    total: f64,
}

impl Sums {
    /// Adds up.
    pub fn new(counts: Array2<f64>) -> Self {
        let rows: Vec<f64> = counts.rows().into_iter().map(|r| r.sum()).collect();
        let columns = counts.columns().into_iter().map(|c| c.sum()).collect();
        let total = rows.iter().sum();
        Self { counts, rows, columns, total }
    }

    /// All samples.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The share of a cell in what `normalise` speaks of; 0 of nothing.
    pub fn share(&self, normalise: Normalise, row: usize, column: usize) -> f64 {
        let of = match normalise {
            Normalise::Columns => self.columns[column],
            Normalise::Total => self.total(),
            Normalise::Counts | Normalise::Rows => self.rows[row],
        };
        if of > 0.0 { self.counts[[row, column]] / of } else { 0.0 }
    }
}

/// The matrix and what is needed to speak of it. A cell is a class, or several that are neighbours in the order.
pub struct Matrix<'a> {
    /// Counts as they are.
    pub now: &'a Sums,
    /// Counts to compare with, of the same cells: what is shown then is how much more or less there is now.
    pub before: Option<&'a Sums>,
    /// By what counts of `before` are multiplied where totals differ.
    pub scale_before: f64,
    /// For cells of several classes: the largest share of one pair of different classes in it, in what `normalise`
    /// speaks of. Empty where each cell is a class.
    pub worst: &'a Array2<f64>,
    /// The largest number that a cell shows.
    pub largest: f64,
    /// Names of the cells.
    pub names: &'a [String],
    /// Classes in each cell.
    pub sizes: &'a [usize],
    /// The group of each cell; empty for none.
    pub groups: &'a [usize],
    /// What numbers and colours are.
    pub normalise: Normalise,
    /// How colours rise.
    pub colours: Scale,
    /// The diagonal is coloured like other cells, instead of in a look of its own.
    pub diagonal: bool,
    /// The largest share off the diagonal.
    pub largest_share: f64,
}

impl Matrix<'_> {
    /// How many cells along each side.
    pub fn len(&self) -> usize {
        self.now.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of a cell, or its number.
    pub fn name(&self, cell: usize) -> String {
        self.names.get(cell).cloned().unwrap_or_else(|| cell.to_string())
    }

    /// Whether two rows of a map's points share a row of the screen; a difference needs a sign, and that a cell for
    /// itself.
    pub fn has_halves(&self, theme: &Theme) -> bool {
        self.before.is_none() && heatmap::has_half_blocks(theme)
    }

    /// Whether a cell of the diagonal stands for one class only.
    fn is_single(&self, cell: usize) -> bool {
        self.sizes.get(cell).is_none_or(|size| *size < 2)
    }

    /// What a cell shows: a share or a count, or the difference of it.
    pub fn value(&self, row: usize, column: usize) -> f64 {
        let of = |sums: &Sums| match self.normalise {
            Normalise::Counts => sums.counts[[row, column]],
            normalise => sums.share(normalise, row, column),
        };
        match self.before {
            Some(before) if self.normalise == Normalise::Counts => {
                of(self.now) - self.scale_before * of(before)
            }
            Some(before) => of(self.now) - of(before),
            None => of(self.now),
        }
    }

    /// The darkness of a share.
    fn warmth(&self, share: f64) -> f64 {
        // A class's share of all samples is small: measured by an equal share.
        let per_class = if self.normalise == Normalise::Total { self.classes() as f64 } else { 1.0 };
        self.colours.warmth((share * per_class).min(1.0), self.largest_share * per_class)
    }

    fn classes(&self) -> usize {
        if self.sizes.is_empty() { self.len() } else { self.sizes.iter().sum() }
    }

    /// What the colour of a cell says. Cells of several classes speak of their worst pair, so that one bad pair among
    /// many good ones stays visible; on the diagonal that is a pair inside of the cell.
    fn heat(&self, row: usize, column: usize) -> Heat {
        let share = self.now.share(self.normalise, row, column);
        let worst = self.worst.get((row, column)).copied();
        if row != column {
            let share = worst.unwrap_or(share);
            return if share > 0.0 { Heat::Share(self.warmth(share)) } else { Heat::Empty };
        }
        match worst {
            _ if self.diagonal => Heat::Share(self.warmth(share)),
            Some(worst) if !self.is_single(row) => {
                if worst > 0.0 {
                    Heat::Share(self.warmth(worst))
                } else {
                    Heat::Empty
                }
            }
            _ => Heat::Diagonal(share),
        }
    }

    /// The first cell of a group, where a border is drawn.
    fn begins_group(&self, cell: usize) -> bool {
        cell > 0 && self.groups.get(cell - 1).zip(self.groups.get(cell)).is_some_and(|(a, b)| a != b)
    }

    /// Whether a cell is of the same group as the one under the cursor, and there is more than one group.
    fn is_selected(&self, cell: usize, cursor: usize) -> bool {
        let several = self.groups.iter().any(|g| Some(g) != self.groups.first());
        several && self.groups.get(cell) == self.groups.get(cursor)
    }
}

/// Draws the matrix as planned: rows are the true classes, columns the predicted ones.
pub fn draw(
    matrix: &Matrix<'_>,
    plan: &Plan,
    cursor: (usize, usize),
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    match plan {
        Plan::Counts { label, cell, rows, columns } => {
            corner(theme, *label, area, buffer);
            for (i, column) in columns.clone().enumerate() {
                let x = area.x + label + i as u16 * cell;
                let room = usize::from(*cell).saturating_sub(1);
                let whole = matrix.name(column);
                // Of a name in parts (`animal:dog`) the last one tells most; the rows say the whole.
                let leaf = whole.rsplit([':', '/']).next().filter(|leaf| !leaf.is_empty()).unwrap_or(&whole);
                let name = if whole.len() <= room { &whole } else { leaf };
                // Cut without a mark: two letters say more than one and an ellipsis.
                let name = fit(name, usize::MAX, theme.ascii);
                // A name of nothing but spaces has no line at all.
                let name = prose::wrap(&name.replace(' ', "_"), room, theme.ascii).into_iter().next();
                let name = name.unwrap_or_default();
                let style = if column == cursor.1 { theme.accent() } else { theme.muted() };
                // The band of the selected group: reversed, in both directions.
                let style = number::banded(matrix.is_selected(column, cursor.0), style);
                put_right(buffer, x, (x + cell).min(area.right()), area.y, &name, style);
            }
            for (i, row) in rows.clone().enumerate() {
                let y = area.y + 1 + i as u16;
                let style = if row == cursor.0 { theme.accent() } else { Style::new() };
                let style = number::banded(matrix.is_selected(row, cursor.0), style);
                let name = short_name(&matrix.name(row), usize::from(label - 1), theme.ascii);
                put_right(buffer, area.x, area.x + label - 1, y, &name, style);
                for (j, column) in columns.clone().enumerate() {
                    let place = Rect { x: area.x + label + j as u16 * cell, y, width: *cell, height: 1 };
                    number::draw(matrix, (row, column), cursor, theme, place, buffer);
                }
            }
        }
        Plan::Map { label, values } => {
            corner(theme, *label, area, buffer);
            map::draw(matrix, (*label, *values), cursor, theme, area, buffer);
        }
        Plan::Nothing => {}
    }
}

/// A class in `width` columns: of a name in parts (`animal:dog`) the first ones are shortened, others are cut at the end.
pub fn short_name(name: &str, width: usize, ascii: bool) -> String {
    if name.contains([':', '/']) { fit_parts(name, width, ascii) } else { fit(name, width, ascii) }
}

/// Says which side is which, in the corner where both meet.
fn corner(theme: &Theme, label: u16, area: Rect, buffer: &mut Buffer) {
    let text = match (label, theme.ascii) {
        (10.., false) => "true↓ pred→",
        (10.., true) => "true v pred>",
        (5.., false) => "true↓",
        (5.., true) => "truev",
        (_, false) => "t↓",
        (_, true) => "tv",
    };
    let room = usize::from(label);
    put(buffer, area.x, area.y, &fit(text, room, theme.ascii), label, theme.muted());
}

#[cfg(test)]
mod tests;
