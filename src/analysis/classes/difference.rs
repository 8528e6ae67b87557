//! What changed between two matrices of the same classes.

use ndarray::Array2;

use crate::model::PackedMatrix;

/// Totals that differ by less are the same: a last batch more or less.
const SAME_TOTAL: f64 = 0.02;

/// A pair of different classes that is mixed up more or less often than before.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Move {
    /// The true class.
    pub row: usize,
    /// What it is taken for.
    pub column: usize,
    /// How often now.
    pub now: f64,
    /// `ΔC`: how much more often than before; the former count is scaled to the total of now where totals differ.
    pub change: f64,
}

/// By what counts of `before` are multiplied to be compared with `now`: the ratio of their totals, 1 where they hardly
/// differ.
pub fn total_ratio(now: &PackedMatrix, before: &PackedMatrix) -> f64 {
    let (a, b) = (now.total(), before.total());
    if b <= 0.0 || (a - b).abs() <= SAME_TOTAL * b { 1.0 } else { a / b }
}

/// The pairs that moved most, largest change first, ties by position; none for matrices of different classes.
pub fn moves(now: &PackedMatrix, before: &PackedMatrix, at_most: usize) -> Vec<Move> {
    if now.classes() != before.classes() {
        return Vec::new();
    }
    let scale = total_ratio(now, before);
    let mut found = Vec::new();
    for row in 0..now.classes() {
        let mut a = now.row(row).peekable();
        let mut b = before.row(row).peekable();
        // Both ascend by column.
        while let Some(column) = a.peek().into_iter().chain(b.peek()).map(|(c, _)| *c).min() {
            let count = a.next_if(|(c, _)| *c == column).map_or(0.0, |(_, n)| n);
            let former = b.next_if(|(c, _)| *c == column).map_or(0.0, |(_, n)| n);
            let change = count - former * scale;
            if column != row && change != 0.0 {
                found.push(Move { row, column, now: count, change });
            }
        }
    }
    let by_size = |a: &Move, b: &Move| {
        b.change.abs().total_cmp(&a.change.abs()).then((a.row, a.column).cmp(&(b.row, b.column)))
    };
    if found.len() > at_most && at_most > 0 {
        found.select_nth_unstable_by(at_most - 1, by_size);
    }
    found.truncate(at_most);
    found.sort_by(by_size);
    found
}

/// `now − before` cell by cell, `before` scaled to the total of `now` where totals differ. Shape `[classes, classes]`;
/// `None` for matrices of different classes.
pub fn signed(now: &PackedMatrix, before: &PackedMatrix) -> Option<Array2<f64>> {
    if now.classes() != before.classes() {
        return None;
    }
    let scale = total_ratio(now, before);
    let mut difference = now.unpack();
    for (row, column, count) in before.cells() {
        difference[[row, column]] -= count * scale;
    }
    Some(difference)
}

/// Total variation distance of the errors, `½ Σ |P − Q|`, where P and Q are the cells off the diagonal as shares of all
/// errors: 0 for the same errors, 1 for none in common (`ConfusionVis`, Theissler et al. 2022). It says where errors go, not
/// how many there are. `None` for different classes; without errors on one side 1, on both 0.
pub fn error_distance(a: &PackedMatrix, b: &PackedMatrix) -> Option<f64> {
    if a.classes() != b.classes() {
        return None;
    }
    let errors = |m: &PackedMatrix| m.cells().filter(|(r, c, _)| r != c).map(|(.., n)| n).sum::<f64>();
    let (of_a, of_b) = (errors(a), errors(b));
    if of_a <= 0.0 || of_b <= 0.0 {
        return Some(if of_a <= 0.0 && of_b <= 0.0 { 0.0 } else { 1.0 });
    }
    let off = |(r, c, _): &(usize, usize, f64)| r != c;
    let in_a: f64 = a.cells().filter(off).map(|(r, c, n)| (n / of_a - b.get(r, c) / of_b).abs()).sum();
    let only_b: f64 =
        b.cells().filter(off).filter(|(r, c, _)| a.get(*r, *c) == 0.0).map(|(.., n)| n / of_b).sum();
    Some(f64::midpoint(in_a, only_b))
}
