//! Matrices in tables: square ones with or without names, and long ones with a row per cell or per sample.

use std::sync::Arc;

use super::{
    Found,
    orientation::{Side, agree, corner, of_names, side, without_side},
    shape::{Matrix, from_cells, from_rows},
};
use crate::formats::{
    document::Unread,
    wire::{lines::trim, numbers::number},
};

/// Names of the column that counts, in a long table.
const COUNTS: &[&str] =
    &["count", "counts", "n", "npredictions", "value", "values", "number", "freq", "frequency"];
/// Names of the row and the column that sum up the others (`pandas.crosstab(margins=True)`).
const MARGINS: &[&str] = &["all", "total", "sum"];

/// The cells of a line: `,` `;` or tab between them, quotes around.
pub(super) fn cells(line: &[u8]) -> Vec<String> {
    let delimiter = [b'\t', b';'].into_iter().find(|d| line.contains(d)).unwrap_or(b',');
    let mut cells = Vec::new();
    let mut cell = Vec::new();
    let mut quoted = false;
    for byte in line.iter().copied() {
        match byte {
            b'"' => quoted = !quoted,
            _ if byte == delimiter && !quoted => {
                cells.push(text(&cell));
                cell.clear();
            }
            _ => cell.push(byte),
        }
    }
    cells.push(text(&cell));
    cells
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(trim(cell)).into_owned()
}

pub(super) fn table(content: &[u8]) -> Result<Found, Unread> {
    let lines = content.split(|b| *b == b'\n').map(trim).filter(|l| !l.is_empty() && !l.starts_with(b"#"));
    let rows: Vec<Vec<String>> = lines.map(cells).collect();
    let Some(header) = rows.first() else { return Err(Unread::NotWhole) };
    let body = rows.get(1..).unwrap_or_default();
    let found = match long(header) {
        Some(columns) => of_long(columns, body),
        None => of_square(&rows),
    };
    Ok(match found {
        Ok(matrix) => Found::Matrix(matrix, None),
        Err(reason) => Found::Other(reason),
    })
}

/// Columns of the true class, the predicted class, and the count if there is one.
type Long = (usize, usize, Option<usize>);

fn long(header: &[String]) -> Option<Long> {
    if !(2..=3).contains(&header.len()) {
        return None;
    }
    let of = |wanted| header.iter().position(|name| side(name) == Some(wanted));
    let (actual, predicted) = of(Side::True).zip(of(Side::Predicted))?;
    let count = header.iter().position(|name| COUNTS.contains(&name.to_ascii_lowercase().as_str()));
    (header.len() == 2 || count.is_some()).then_some((actual, predicted, count))
}

fn of_long((actual, predicted, count): Long, body: &[Vec<String>]) -> Result<Matrix, &'static str> {
    let cell = |row: &'_ [String], at: usize| row.get(at).map(String::as_str).unwrap_or_default().to_owned();
    let mut read = Vec::with_capacity(body.len());
    for row in body {
        let times = match count {
            Some(at) => number(cell(row, at).as_bytes()).ok_or("a count that is no number")?,
            None => 1.0,
        };
        read.push((cell(row, actual), cell(row, predicted), times));
    }
    from_cells(read.iter().map(|(actual, predicted, times)| (actual.as_str(), predicted.as_str(), *times)))
}

fn numbers(cells: &[String]) -> Option<Vec<f64>> {
    cells.iter().map(|cell| number(cell.as_bytes())).collect()
}

fn of_square(rows: &[Vec<String>]) -> Result<Matrix, &'static str> {
    const NOT_SQUARE: &str = "a confusion matrix that is not square";
    let (Some(header), Some(last)) = (rows.first(), rows.last()) else { return Err(NOT_SQUARE) };
    let body = rows.get(1..).unwrap_or_default();
    let plain: Option<Vec<Vec<f64>>> = rows.iter().map(|row| numbers(row)).collect();
    if let Some(plain) = plain.filter(|plain| plain.len() == header.len()) {
        return from_rows(&plain, None, true);
    }
    if body.len() == header.len() && last.len() == header.len() {
        let names = header.iter().map(String::as_str);
        let counts: Option<Vec<_>> = body.iter().map(|row| numbers(row)).collect();
        let columns = of_names(names);
        return with_names(header, header, counts.ok_or(NOT_SQUARE)?, None, columns);
    }
    // an index without a name has no cell in the header of some writers
    let shifted = last.len() == header.len() + 1;
    let (first, columns) = if shifted {
        ("", header.as_slice())
    } else {
        header.split_first().map_or(("", &[][..]), |(c, r)| (c.as_str(), r))
    };
    let mut names = Vec::with_capacity(body.len());
    let mut counts = Vec::with_capacity(body.len());
    for row in body {
        let (name, values) = row.split_first().ok_or(NOT_SQUARE)?;
        names.push(name.clone());
        counts.push(numbers(values).ok_or("a confusion matrix with a cell that is no number")?);
    }
    let (rows_say, columns_say) = corner(first);
    let rows_say = rows_say.or_else(|| of_names(names.iter().map(String::as_str)));
    let columns_say = columns_say.or_else(|| of_names(columns.iter().map(String::as_str)));
    with_names(&names, columns, counts, rows_say, columns_say)
}

/// Drops sums, puts columns in the order of the rows, and decides which axis is true.
fn with_names(
    rows: &[String],
    columns: &[String],
    mut counts: Vec<Vec<f64>>,
    rows_say: Option<Side>,
    columns_say: Option<Side>,
) -> Result<Matrix, &'static str> {
    let rows_true = agree(rows_say, columns_say)?.unwrap_or(true);
    let is_margin = |name: Option<&String>| {
        name.is_some_and(|name| MARGINS.contains(&name.to_ascii_lowercase().as_str()))
    };
    let (mut rows, mut columns) = (rows, columns);
    if is_margin(rows.last()) && is_margin(columns.last()) {
        rows = rows.get(..rows.len() - 1).unwrap_or_default();
        columns = columns.get(..columns.len() - 1).unwrap_or_default();
        counts.pop();
        for row in &mut counts {
            row.pop();
        }
    }
    let bare = |name: &String, said: bool| if said { without_side(name).to_owned() } else { name.clone() };
    let names_of = |names: &[String]| -> Vec<String> {
        let said = of_names(names.iter().map(String::as_str)).is_some();
        names.iter().map(|name| bare(name, said)).collect()
    };
    let (rows, columns) = (names_of(rows), names_of(columns));
    if rows.len() != columns.len() {
        return Err("a confusion matrix that is not square");
    }
    let order: Option<Vec<usize>> = rows.iter().map(|name| columns.iter().position(|c| c == name)).collect();
    let order = order.ok_or("a confusion matrix whose rows and columns have different names")?;
    for row in &mut counts {
        *row = order.iter().filter_map(|at| row.get(*at).copied()).collect();
    }
    from_rows(&counts, Some(rows.into_iter().map(Arc::from).collect()), rows_true)
}
