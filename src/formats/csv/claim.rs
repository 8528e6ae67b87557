//! Which files are tables of metrics, from their name and start.

use super::{
    missing::is_missing,
    rows::{cells, sniff, unquoted},
};
use crate::formats::{
    Candidate, Claim, HEAD_BYTES,
    wire::{
        axes::{Axis, looks_like_metric},
        lines::{trim, whole_lines, without_mark},
        numbers::number,
    },
};

/// Decides. A header with a step column is enough; one that only has names of metrics needs a first row of
/// numbers, because tables of results have such headers too. Anything else is taken for a data set.
pub fn claim(file: &Candidate<'_>) -> Claim {
    let name = file.name.to_ascii_lowercase();
    if !name.ends_with(".csv") && !name.ends_with(".tsv") {
        return Claim::No("");
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
        if line.starts_with(b"#{") && line.windows(9).any(|w| w == b"\"t_start\"") {
            return Claim::Yes;
        }
        header = lines.next();
    }
    let Some(header) = header else {
        return if long { Claim::No("only comments in the first 4096 bytes") } else { Claim::NotYet };
    };
    judge(header, lines.next())
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
    let step = names.iter().any(|name| Axis::of(name).is_step());
    let metric = names.iter().any(|name| looks_like_metric(name));
    let mut row_cells = Vec::new();
    if let Some(row) = row {
        cells(row, delimiter, &mut row_cells);
    }
    let numeric = row_cells.iter().all(|cell| number(cell).is_some() || is_missing(cell));
    let some_number = row.is_none() || row_cells.iter().any(|cell| number(cell).is_some());
    match (step, metric) {
        (true, _) if some_number => Claim::Yes,
        (false, true) if row.is_none() => Claim::NotYet,
        (false, true) if numeric && some_number => Claim::Yes,
        (true, _) => Claim::No("no numbers in the first row"),
        (false, true) => Claim::No("no step column, and the first row holds text: a table, not a log"),
        (false, false) => Claim::No("no column named like a step or a metric: a data set, not a log"),
    }
}
