//! The columns of a table: what each is for, and the cells of the row that is being read.

use std::{path::Path, sync::Arc};

use super::{
    cell::{Cell, Decimal, LIST_LIMIT, duration, list},
    long::Long,
    missing::{Habit, Habits, is_missing},
    names::{Named, is_index, name},
    rows::unquoted,
};
use crate::{
    formats::{
        ColumnIndex, Decoded,
        wire::{
            axes::{Axis, STEP_RANKS, looks_like_metric, wall_of_number, wall_of_text},
            numbers::{integer, leading_number, number},
        },
    },
    model::{Point, SeriesKey, Step},
};

/// Columns beyond these are not followed.
pub const COLUMNS_LIMIT: usize = 1 << 16;

#[derive(Debug)]
struct Column {
    key: SeriesKey,
    /// The run within the file.
    run: Arc<str>,
    axis: Axis,
    /// May hold durations such as `01:05`.
    durations: bool,
    cell: Cell,
    wall: Option<f64>,
    made: Option<(u64, ColumnIndex)>,
}

/// A list that stands in a cell of the current row.
#[derive(Debug)]
struct List {
    column: usize,
    values: [f64; LIST_LIMIT],
    count: usize,
}

/// What stands at the start of bytes that are expected to be a row of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ahead {
    /// Such a row, of that many bytes with its line end.
    Row(usize),
    /// Something else.
    Other,
    /// The beginning of one.
    Torn,
}

/// The columns of a table.
#[derive(Debug, Default)]
pub struct Columns {
    all: Vec<Column>,
    habits: Vec<Habit>,
    decimal: Decimal,
    lists: Vec<List>,
    /// Places of columns that may carry the step or the time.
    axes: Vec<usize>,
    index: Option<usize>,
    monitor: bool,
    several_runs: bool,
    some_empty: bool,
    numbers: usize,
    /// Rows name their metric in a cell.
    pub long: Option<Long>,
}

impl Columns {
    /// Columns of these names, of a file at `path`.
    pub fn of(names: &[&[u8]], path: &Path) -> Self {
        let named = name(names, path);
        let headers = || named.iter().map(|n| n.header.as_str());
        let all: Vec<Column> = named.iter().map(column).collect();
        let axes: Vec<usize> = (0..all.len()).filter(|at| all[*at].axis != Axis::None).collect();
        let steps = all.iter().any(|c| c.axis.is_step());
        Self {
            habits: headers().map(|name| Habit::of(name, looks_like_metric(name))).collect(),
            index: if steps { None } else { headers().position(is_index) },
            monitor: headers().take(3).eq(["r", "l", "t"]),
            several_runs: named.iter().any(|n| !n.run.is_empty()),
            long: Long::of(&headers().collect::<Vec<_>>()),
            axes,
            all,
            ..Self::default()
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Takes in the row at the start of `text` if it holds nothing but numbers and empty cells between commas and ends
    /// there, without looking for its end first.
    pub fn read_ahead(&mut self, text: &[u8]) -> Ahead {
        self.begin_row();
        let mut rest = text;
        let last = self.all.len().saturating_sub(1);
        for (at, column) in self.all.iter_mut().enumerate() {
            column.wall = None;
            if let Some((value, used)) = leading_number(rest) {
                rest = rest.get(used..).unwrap_or_default();
                column.cell = Cell::of(value);
                self.numbers += 1;
                if let Axis::Time(_) = column.axis {
                    column.wall = wall_of_number(value);
                }
            } else {
                column.cell = Cell::Nothing;
                self.some_empty = true;
            }
            rest = match rest {
                [b',', after @ ..] if at < last => after,
                [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] if at == last && self.numbers > 0 => after,
                [] | [b'\r'] => return Ahead::Torn,
                _ => return Ahead::Other,
            };
        }
        Ahead::Row(text.len() - rest.len())
    }

    /// Takes in a row that holds no quotes; false if it has another number of cells. A row of nothing but words
    /// leaves [`Self::numbers`] at 0.
    pub fn read_plain(&mut self, text: &[u8], delimiter: u8, out: &mut Decoded) -> bool {
        self.begin_row();
        let mut rest = text;
        let last = self.all.len().saturating_sub(1);
        for at in 0..self.all.len() {
            rest = rest.trim_ascii_start_but(delimiter);
            let used = self.fast(at, rest, delimiter);
            let end = if let Some(used) = used {
                used
            } else {
                let end = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                self.cell(at, rest.get(..end).unwrap_or_default().trim_ascii(), delimiter, out);
                end
            };
            match rest.get(end..) {
                Some([_, after @ ..]) if at < last => rest = after,
                // a delimiter at the end of the line is forgiven
                Some([_, after @ ..]) => return after.trim_ascii().is_empty(),
                _ => return at == last,
            }
        }
        false
    }

    /// A number that stands at the start of `rest` and is all of its cell: its length with the blanks behind it.
    #[inline]
    fn fast(&mut self, at: usize, rest: &[u8], delimiter: u8) -> Option<usize> {
        let (value, mut used) = leading_number(rest)?;
        while let Some(b' ' | b'\r') = rest.get(used)
            && delimiter != b' '
        {
            used += 1;
        }
        if rest.get(used).is_some_and(|b| *b != delimiter) {
            return None;
        }
        if delimiter != b',' && self.decimal != Decimal::Point && rest.get(..used)?.contains(&b'.') {
            if self.decimal == Decimal::Comma {
                return None;
            }
            self.decimal = Decimal::Point;
        }
        let column = self.all.get_mut(at)?;
        column.cell = Cell::of(value);
        self.numbers += 1;
        if column.axis != Axis::None {
            column.wall = if let Axis::Time(_) = column.axis { wall_of_number(value) } else { None };
        }
        Some(used)
    }

    /// Takes in the cells of a row, as many as there are columns.
    pub fn read_cells(&mut self, cells: &[&[u8]], delimiter: u8, out: &mut Decoded) {
        self.begin_row();
        for (at, cell) in cells.iter().enumerate() {
            self.cell(at, cell, delimiter, out);
        }
    }

    fn begin_row(&mut self) {
        self.lists.clear();
        self.some_empty = false;
        self.numbers = 0;
    }

    fn cell(&mut self, at: usize, cell: &[u8], delimiter: u8, out: &mut Decoded) {
        let Some(column) = self.all.get_mut(at) else { return };
        let read = if delimiter == b',' { Ok(number(cell)) } else { self.decimal.number(cell) };
        let mut value = read.unwrap_or_else(|oddity| {
            out.oddity(oddity);
            None
        });
        if value.is_none() && column.durations {
            value = duration(cell);
        }
        column.cell = value.map_or(Cell::Nothing, Cell::of);
        self.numbers += usize::from(value.is_some());
        self.some_empty |= value.is_none() && is_missing(cell);
        column.wall = match (column.axis, column.cell) {
            (Axis::Time(_), Cell::Number(value)) => wall_of_number(value),
            (Axis::Time(_), Cell::Nothing) => std::str::from_utf8(cell).ok().and_then(wall_of_text),
            _ => None,
        };
        if value.is_none()
            && let Some((values, count)) = list(cell)
        {
            self.lists.push(List { column: at, values, count });
        }
    }

    /// Whether the row taken in last holds nothing but words.
    pub fn only_words(&self) -> bool {
        self.numbers == 0 && !self.some_empty
    }

    /// Lets the habits learn from the row taken in last.
    pub fn learn(&mut self, habits: &mut Habits) {
        let finite = self.all.iter().enumerate().filter_map(|(at, column)| match column.cell {
            Cell::Number(_) => Some(at),
            _ => None,
        });
        habits.row(&mut self.habits, finite, self.some_empty);
    }

    /// The cell of the row taken in last.
    pub fn number(&self, at: usize) -> Option<f64> {
        match self.all.get(at)?.cell {
            Cell::Number(value) => Some(value),
            Cell::Nan => Some(f64::NAN),
            Cell::Nothing => None,
        }
    }

    /// Numbers of the row that may be its step, by rank.
    pub fn steps(&self, by_rank: &mut [Option<f64>; STEP_RANKS]) {
        for column in self.axes.iter().filter_map(|at| self.all.get(*at)) {
            if let (Axis::Step(rank), Cell::Number(value)) = (column.axis, column.cell) {
                by_rank[usize::from(rank)] = Some(value);
            }
        }
    }

    /// The number that pandas gave the row, where nothing else says its step.
    pub fn index(&self) -> Option<Step> {
        self.index.and_then(|at| self.number(at)).and_then(integer)
    }

    /// The row's time of day and the place of the column that says it.
    pub fn wall(&self) -> Option<(f64, usize)> {
        let rank = |at: usize| match self.all.get(at).map(|c| c.axis) {
            Some(Axis::Time(rank)) => rank,
            _ => u8::MAX,
        };
        let walls = self.axes.iter().filter_map(|at| Some((*at, self.all.get(*at)?.wall?)));
        walls.min_by_key(|(at, _)| rank(*at)).map(|(at, wall)| (wall, at))
    }

    /// Seconds since the start at the end of an episode, where the columns are those of SB3's monitor.
    pub fn monitor(&self) -> Option<f64> {
        if self.monitor { self.number(2).filter(|t| t.is_finite()) } else { None }
    }

    /// Hands the row's values out. `rank` is that of the name that carried the step, `time` the place of the column
    /// that carried the time: neither is a series.
    pub fn emit(&mut self, row: &Row, habits: &Habits, out: &mut Decoded) {
        let Self { all, habits: of_columns, .. } = self;
        for (at, column) in all.iter_mut().enumerate() {
            let value = match column.cell {
                Cell::Number(value) => value,
                Cell::Nan if habits.nan_is_value(of_columns, at) => f64::NAN,
                _ => continue,
            };
            if column.axis != Axis::None && (row.time == Some(at) || row.carried(column.axis)) {
                continue;
            }
            if column.key.tag.as_str().is_empty() {
                continue;
            }
            if self.several_runs {
                out.in_run(&column.run);
            }
            let index = match column.made {
                Some((made, index)) if made == row.turn => index,
                _ => {
                    let index = out.column(&column.key);
                    column.made = Some((row.turn, index));
                    index
                }
            };
            out.push(index, Point { step: row.step, wall: row.wall, value });
        }
        if self.several_runs {
            out.in_run("");
        }
        self.emit_lists(row, out);
    }

    fn emit_lists(&self, row: &Row, out: &mut Decoded) {
        for list in &self.lists {
            let Some(column) = self.all.get(list.column).filter(|c| !c.key.tag.as_str().is_empty()) else {
                continue;
            };
            for (at, value) in list.values.iter().take(list.count).enumerate() {
                let key = SeriesKey::plain(format!("{}[{at}]", column.key.tag).as_str());
                out.point(&key, Point { step: row.step, wall: row.wall, value: *value });
            }
        }
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its step.
    pub step: Step,
    /// Rank of the name that the step came from.
    pub rank: Option<usize>,
    /// Seconds since 1970; NaN if unknown.
    pub wall: f64,
    /// The column that the time came from.
    pub time: Option<usize>,
    /// The decoder's turn, in which places in the sink are valid.
    pub turn: u64,
}

impl Row {
    fn carried(&self, axis: Axis) -> bool {
        match axis {
            Axis::Step(rank) => self.rank == Some(usize::from(rank)),
            _ => false,
        }
    }
}

fn column(named: &Named) -> Column {
    let axis = Axis::of(&named.header);
    let lower = named.header.to_ascii_lowercase();
    Column {
        key: named.key.clone(),
        run: named.run.clone(),
        axis,
        durations: ["time", "elapsed", "duration", "eta"].iter().any(|word| lower.contains(word)),
        cell: Cell::Nothing,
        wall: None,
        made: None,
    }
}

/// Blanks at the start of a cell that do not separate cells.
trait Blanks {
    fn trim_ascii_start_but(&self, delimiter: u8) -> &Self;
}

impl Blanks for [u8] {
    #[inline]
    fn trim_ascii_start_but(&self, delimiter: u8) -> &Self {
        let mut rest = self;
        while let [first @ (b' ' | b'\t'), after @ ..] = rest
            && *first != delimiter
        {
            rest = after;
        }
        rest
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
