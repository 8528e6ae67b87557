//! Which files are tables of metrics, from their name and start.

use super::{
    cell::Decimal,
    long::Long,
    missing::is_missing,
    names::is_index,
    rows::{cells, sniff, unquoted},
};
use crate::formats::{
    Candidate, Claim, HEAD_BYTES,
    wire::{
        axes::{Axis, looks_like_metric},
        lines::{named, trim, whole_lines, without_mark},
        numbers::number,
    },
};

/// Decides. A header with a step column is enough; one that only has names of metrics needs a first row of
/// numbers, because tables of results have such headers too. Anything else is taken for a data set.
///
/// Names that any text may have (`.txt`, `.dat`, `.log`) need a header with a step and a row of nothing but numbers.
pub fn claim(file: &Candidate<'_>) -> Claim {
    let by_name = named(file.name, ".csv") || named(file.name, ".tsv");
    let maybe = [".txt", ".dat", ".log"].iter().any(|end| named(file.name, end));
    if !by_name && !maybe {
        return Claim::No("");
    }
    if file.head.starts_with(b"\xff\xfe") || file.head.starts_with(b"\xfe\xff") {
        return Claim::No(if by_name { "UTF-16: only tables in UTF-8 are read" } else { "" });
    }
    let head = without_mark(file.head);
    let long = file.head.len() >= HEAD_BYTES;
    let whole = whole_lines(head, false);
    // a header longer than the head is judged by its beginning
    let shown = if whole.is_empty() && long { head } else { whole };
    let mut lines = shown.split(|b| *b == b'\n').map(trim).filter(|line| !line.is_empty());
    let mut header = lines.next();
    while let Some(line) = header
        && line.first() == Some(&b'#')
        && !is_commented_header(line)
    {
        if by_name && line.starts_with(b"#{") && line.windows(9).any(|w| w == b"\"t_start\"") {
            return Claim::Yes;
        }
        header = lines.next();
    }
    match header {
        None if maybe => Claim::No(""),
        None if long => Claim::No("only comments in the first 4096 bytes"),
        None => Claim::NotYet,
        Some(header) if maybe => judge_text(header, lines.next()),
        Some(header) => judge(header, lines.next()),
    }
}

/// A file whose name says nothing.
fn judge_text(header: &[u8], row: Option<&[u8]>) -> Claim {
    let header = header.strip_prefix(b"#").unwrap_or(header);
    let Some(delimiter) = sniff(header) else { return Claim::No("") };
    let mut names = Vec::new();
    cells(header, delimiter, &mut names);
    let is_name = |name: &&[u8]| {
        !name.is_empty()
            && name.len() < 100
            && number(name).is_none()
            && !name.contains(&b':')
            && !name.contains(&b'=')
    };
    if !names.iter().all(is_name) || !names.iter().any(|name| Axis::of(&unquoted(name)).is_step()) {
        return Claim::No("");
    }
    let Some(row) = row else { return Claim::NotYet };
    let mut found = Vec::new();
    cells(row, delimiter, &mut found);
    let numeric =
        |cell: &&[u8]| is_missing(cell) || Decimal::default().number(cell).is_ok_and(|n| n.is_some());
    let fits = found.len() == names.len() && found.iter().all(numeric);
    if fits { Claim::Yes } else { Claim::No("") }
}

/// A header behind a comment sign: `# step,loss`.
pub fn is_commented_header(line: &[u8]) -> bool {
    let Some(line) = line.strip_prefix(b"#") else { return false };
    let Some(delimiter) = sniff(line) else { return false };
    let mut names = Vec::new();
    cells(line, delimiter, &mut names);
    names.first().is_some_and(|name| Axis::of(&unquoted(name)).is_step())
}

fn judge(header: &[u8], row: Option<&[u8]>) -> Claim {
    let header = header.strip_prefix(b"#").unwrap_or(header);
    let Some(delimiter) = sniff(header) else { return Claim::No("the first line has only one column") };
    let mut names = Vec::new();
    cells(header, delimiter, &mut names);
    if names.iter().any(|name| number(name).is_some()) {
        return Claim::No("the first line is no header: it holds numbers");
    }
    let names: Vec<String> = names.iter().map(|name| unquoted(name)).collect();
    let long = Long::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let step = names.iter().any(|name| Axis::of(name).is_step());
    let metric = names.iter().any(|name| looks_like_metric(name));
    let mut row_cells = Vec::new();
    if let Some(row) = row {
        cells(row, delimiter, &mut row_cells);
    }
    let is_number = |cell: &[u8]| {
        let mut decimal = if delimiter == b',' { Decimal::Point } else { Decimal::Unknown };
        decimal.number(cell).is_ok_and(|n| n.is_some())
    };
    // the index that pandas writes may hold anything
    let values = || names.iter().zip(&row_cells).filter(|(name, _)| !is_index(name)).map(|(_, cell)| *cell);
    let numeric = values().all(|cell| is_number(cell) || is_missing(cell));
    let some_number = row.is_none() || row_cells.iter().any(|cell| is_number(cell));
    if let (false, Some(long)) = (step, &long) {
        return match row {
            None => Claim::NotYet,
            Some(_) if long.names_metric(&row_cells) && some_number => Claim::Yes,
            Some(_) => Claim::No("no column named like a step or a metric: a data set, not a log"),
        };
    }
    match (step, metric) {
        (true, _) if some_number => Claim::Yes,
        (false, true) if row.is_none() => Claim::NotYet,
        (false, true) if numeric && some_number => Claim::Yes,
        (true, _) => Claim::No("no numbers in the first row"),
        (false, true) => Claim::No("no step column, and the first row holds text: a table, not a log"),
        (false, false) => Claim::No("no column named like a step or a metric: a data set, not a log"),
    }
}
