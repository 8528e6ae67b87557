//! What `nan` in a table means: a value, or that nothing was measured.
//!
//! Tables mark what a row does not hold by an empty cell, or by `nan` (whatever pandas wrote). A loss that
//! became NaN looks the same. The rules, so that a diverging run is seen and a sparse column is not an alarm:
//!
//! 1. Empty, `NA`, `N/A`, `None`, `null`: missing, always.
//! 2. `nan` in a column that was never finite: missing, unless the table has had three rows running in which no
//!    metric at all was finite.
//! 3. In a table that leaves cells empty, any other `nan` is a value: it knows a way to say *missing*.
//! 4. Otherwise columns differ by their habit. A column that was finite in two rows running is dense: its `nan`
//!    is a value, unless the row holds a metric which the column's last finite row did not (rows of another
//!    kind: training and validation rows in turn).
//! 5. A sparse column has a cadence, the longest way between two finite rows. Its `nan` is a value where a
//!    finite one is overdue by half a cadence, and again at every cadence after that.
//! 6. A column with one finite row so far: missing if it is named after validation or test, else as a dense one.

/// Texts that mean that nothing was measured.
pub fn is_missing(cell: &[u8]) -> bool {
    cell.is_empty()
        || [&b"NA"[..], b"N/A", b"None", b"null", b"-", b"--"]
            .iter()
            .any(|word| cell.eq_ignore_ascii_case(word))
}

/// The habit of one column.
#[derive(Clone, Debug, Default)]
pub struct Habit {
    /// A metric other than a learning rate.
    pub metric: bool,
    /// Named after validation or test.
    pub evaluation: bool,
    finite_rows: u64,
    last: u64,
    /// The finite row before `last`.
    before_last: Option<u64>,
    longest_gap: u64,
    dense: bool,
}

impl Habit {
    /// The habit of a column of that name, before its first row.
    pub fn of(name: &str, metric: bool) -> Self {
        let name = name.to_ascii_lowercase();
        let metric = metric && !name.contains("lr") && !name.contains("learning");
        Self {
            metric,
            evaluation: ["val", "test", "eval"].iter().any(|w| name.contains(w)),
            ..Self::default()
        }
    }

    fn finite(&mut self, row: u64) {
        if self.finite_rows > 0 {
            let gap = row - self.last;
            self.dense |= gap == 1;
            self.longest_gap = self.longest_gap.max(gap);
            self.before_last = Some(self.last);
        }
        self.finite_rows += 1;
        self.last = row;
    }

    /// Finite in `row`, and not in `earlier`.
    fn is_new_since(&self, earlier: u64, row: u64) -> bool {
        self.finite_rows > 0 && self.last == row && self.before_last.is_none_or(|before| before < earlier)
    }

    fn overdue(&self, row: u64) -> bool {
        let late = (row - self.last).saturating_sub(self.longest_gap + self.longest_gap.div_ceil(2));
        row - self.last >= self.longest_gap + self.longest_gap.div_ceil(2)
            && late.is_multiple_of(self.longest_gap.max(1))
    }
}

/// What is known of a whole table.
#[derive(Debug, Default)]
pub struct Habits {
    row: u64,
    empty_seen: bool,
    barren_rows: u64,
}

impl Habits {
    /// Takes in one row before its `nan`s are judged: `finite` holds the places of finite cells.
    pub fn row(&mut self, columns: &mut [Habit], finite: impl Iterator<Item = usize>, some_empty: bool) {
        self.row += 1;
        self.empty_seen |= some_empty;
        let mut barren = true;
        for at in finite {
            if let Some(column) = columns.get_mut(at) {
                column.finite(self.row);
                barren &= !column.metric;
            }
        }
        self.barren_rows = if barren { self.barren_rows + 1 } else { 0 };
    }

    /// Whether `nan` in the column at `at` of the row taken in last is a value.
    pub fn nan_is_value(&self, columns: &[Habit], at: usize) -> bool {
        let Some(column) = columns.get(at) else { return false };
        if column.finite_rows == 0 {
            return column.metric && self.barren_rows >= 3;
        }
        if self.empty_seen {
            return true;
        }
        let of_another_kind =
            || columns.iter().any(|other| other.metric && other.is_new_since(column.last, self.row));
        if column.dense {
            !of_another_kind()
        } else if column.finite_rows == 1 {
            !column.evaluation && !of_another_kind()
        } else {
            column.overdue(self.row)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which `nan`s of a table are values, by row; cells: `f` finite, `n` nan, ` ` empty.
    fn judged(names: &[&str], rows: &[&str]) -> Vec<String> {
        let mut columns: Vec<Habit> = names.iter().map(|name| Habit::of(name, true)).collect();
        let mut habits = Habits::default();
        rows.iter()
            .map(|row| {
                let finite = row.bytes().enumerate().filter(|(_, c)| *c == b'f').map(|(at, _)| at);
                habits.row(&mut columns, finite, row.contains(' '));
                row.bytes()
                    .enumerate()
                    .map(|(at, c)| match c {
                        b'n' if habits.nan_is_value(&columns, at) => 'N',
                        b'n' => '.',
                        _ => c as char,
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_loss_that_becomes_nan_is_a_value() {
        let rows = ["fff", "fff", "nfn", "nfn"];
        assert_eq!(judged(&["loss", "lr", "grad_norm"], &rows), ["fff", "fff", "NfN", "NfN"]);
        assert_eq!(
            judged(&["loss", "lr"], &["ff", "nf", "nf"]),
            ["ff", "Nf", "Nf"],
            "from the second row on"
        );
    }

    #[test]
    fn a_loss_that_was_never_finite_is_seen_after_three_rows() {
        assert_eq!(judged(&["loss", "lr"], &["nf", "nf", "nf", "nf"]), [".f", ".f", "Nf", "Nf"]);
    }

    #[test]
    fn a_validation_column_padded_with_nan_is_not_an_alarm_until_its_value_is_overdue() {
        let names = ["loss", "val_loss"];
        let rows = ["fn", "fn", "ff", "fn", "fn", "ff", "fn", "fn", "fn", "fn", "fn", "fn", "fn", "fn"];
        let read = judged(&names, &rows);
        assert_eq!(read.iter().filter(|row| row.contains('N')).count(), 2, "{read:?}");
        assert_eq!(read[10], "fN", "half a cadence too late: {read:?}");
        let first = judged(&names, &["ff", "fn", "fn", "fn", "ff", "fn", "fn", "fn", "ff"]);
        assert!(first.iter().all(|row| !row.contains('N')), "{first:?}");
    }

    #[test]
    fn training_and_validation_rows_in_turn_pad_each_other() {
        let names = ["train_loss", "val_loss"];
        let rows = ["fn", "fn", "nf", "fn", "fn", "nf", "fn"];
        assert!(judged(&names, &rows).iter().all(|row| !row.contains('N')));
    }

    #[test]
    fn tables_with_empty_cells_mean_nan_when_they_write_it() {
        assert_eq!(judged(&["loss", "val_loss"], &["f ", "ff", "n ", "nn"]), ["f ", "ff", "N ", "NN"]);
        assert!(is_missing(b"") && is_missing(b"NA") && is_missing(b"None") && !is_missing(b"nan"));
    }
}
