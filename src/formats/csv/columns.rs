//! The columns of a table: what each is for, and the cells of the row that is being read.

use super::{
    missing::{Habit, Habits, is_missing},
    rows::unquoted,
};
use crate::{
    formats::{
        ColumnIndex, Decoded,
        wire::{
            axes::{Axis, STEP_RANKS, looks_like_metric, wall_of_number, wall_of_text},
            numbers::number,
        },
    },
    model::SeriesKey,
};

/// Columns beyond these are not followed.
const COLUMNS_LIMIT: usize = 1 << 16;

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cell {
    /// Text, or nothing.
    Nothing,
    /// `nan`.
    Nan,
    /// A number, or an infinity.
    Number(f64),
}

#[derive(Debug)]
struct Column {
    key: SeriesKey,
    axis: Axis,
    cell: Cell,
    wall: Option<f64>,
    made: Option<(u64, ColumnIndex)>,
}

/// The columns of a table.
#[derive(Debug, Default)]
pub struct Columns {
    columns: Vec<Column>,
    habits: Vec<Habit>,
    monitor: bool,
}

impl Columns {
    /// Columns of these names.
    pub fn of(names: &[&[u8]]) -> Self {
        let names: Vec<String> = names.iter().map(|name| unquoted(name)).collect();
        let habits = names.iter().map(|name| Habit::of(name, looks_like_metric(name))).collect();
        let monitor = names.iter().take(3).eq(["r", "l", "t"].iter());
        let column = |name: &String| Column {
            key: SeriesKey::plain(name.as_str()),
            axis: Axis::of(name),
            cell: Cell::Nothing,
            wall: None,
            made: None,
        };
        Self { columns: names.iter().map(column).collect(), habits, monitor }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// How each column is used to saying *missing*.
    pub fn habits(&self) -> &[Habit] {
        &self.habits
    }

    /// Takes in the cells of a row, as many as there are columns.
    pub fn read(&mut self, cells: &[&[u8]], habits: &mut Habits) {
        let mut some_empty = false;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.wall = None;
            column.cell = match number(cell) {
                Some(value) if value.is_nan() => Cell::Nan,
                Some(value) => Cell::Number(value),
                None => Cell::Nothing,
            };
            some_empty |= column.cell == Cell::Nothing && is_missing(cell);
            if let Axis::Time(_) = column.axis {
                column.wall = match column.cell {
                    Cell::Number(value) => wall_of_number(value),
                    Cell::Nan => None,
                    Cell::Nothing => std::str::from_utf8(cell).ok().and_then(wall_of_text),
                };
            }
        }
        let finite = self.columns.iter().enumerate().filter_map(|(at, column)| match column.cell {
            Cell::Number(_) => Some(at),
            _ => None,
        });
        habits.row(&mut self.habits, finite, some_empty);
    }

    /// The cell of the row taken in last.
    pub fn cell(&self, at: usize) -> Cell {
        self.columns.get(at).filter(|c| !c.key.tag.as_str().is_empty()).map_or(Cell::Nothing, |c| c.cell)
    }

    /// Numbers of the row that may be its step, by rank.
    pub fn steps(&self, by_rank: &mut [Option<f64>; STEP_RANKS]) {
        for column in &self.columns {
            if let (Axis::Step(rank), Cell::Number(value)) = (column.axis, column.cell) {
                by_rank[usize::from(rank)] = Some(value);
            }
        }
    }

    /// The row's time of day and the place of the column that says it.
    pub fn wall(&self) -> Option<(f64, usize)> {
        let rank = |column: &Column| if let Axis::Time(rank) = column.axis { rank } else { u8::MAX };
        self.columns
            .iter()
            .enumerate()
            .filter_map(|(at, column)| column.wall.map(|wall| (rank(column), wall, at)))
            .min_by_key(|(rank, _, _)| *rank)
            .map(|(_, wall, at)| (wall, at))
    }

    /// Whether a column does nothing but carry the step.
    pub fn is_used_up(&self, at: usize, rank: Option<usize>) -> bool {
        match self.columns.get(at).map(|c| c.axis) {
            Some(Axis::Step(r)) => Axis::Step(r) != Axis::EPOCH && Some(usize::from(r)) == rank,
            _ => false,
        }
    }

    /// Return, length and seconds of an episode, where the columns are those of SB3's monitor.
    pub fn monitor(&self) -> Option<[f64; 3]> {
        let number = |at: usize| match self.cell(at) {
            Cell::Number(value) if value.is_finite() => Some(value),
            _ => None,
        };
        if self.monitor { Some([number(0)?, number(1)?, number(2)?]) } else { None }
    }

    /// The column's place in this turn's sink.
    pub fn column(&mut self, at: usize, turn: u64, out: &mut Decoded) -> ColumnIndex {
        let column = &mut self.columns[at];
        match column.made {
            Some((made, index)) if made == turn => index,
            _ => {
                let index = out.column(&column.key);
                column.made = Some((turn, index));
                index
            }
        }
    }
}

/// Whether cells in the middle of a file are a header with other columns: nothing but words, among them the name
/// of a step or a metric.
pub fn is_other_header(cells: &[&[u8]]) -> bool {
    cells.len() > 1
        && cells.len() <= COLUMNS_LIMIT
        && cells.iter().all(|cell| number(cell).is_none() && !is_missing(cell))
        && cells.iter().any(|cell| {
            let name = unquoted(cell);
            Axis::of(&name).is_step() || looks_like_metric(&name)
        })
}
