//! Confusion matrices as they are kept: only the cells in which something is.

use std::sync::Arc;

use ndarray::Array2;

use super::{ClassScores, ConfusionMatrix, are_shares};

/// A [`ConfusionMatrix`] without its empty cells, and with its sums. Rows are the true class.
///
/// A thousand classes with fifty samples each have at most 50,000 filled cells of a million: 0.4 MB instead of 8.
/// Clones share the cells.
#[derive(Clone, PartialEq, Debug)]
pub struct PackedMatrix(Arc<Cells>);

#[derive(PartialEq, Debug)]
struct Cells {
    /// Where each row begins in `columns` and `values`; one more at the end.
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Values,
    row_sums: Vec<f64>,
    column_sums: Vec<f64>,
    hits: f64,
}

/// Half the size where nothing is lost by it: whole numbers up to 2²⁴.
#[derive(PartialEq, Debug)]
enum Values {
    Short(Vec<f32>),
    Long(Vec<f64>),
}

impl Values {
    fn at(&self, i: usize) -> f64 {
        match self {
            Self::Short(v) => v.get(i).map_or(0.0, |v| f64::from(*v)),
            Self::Long(v) => v.get(i).copied().unwrap_or(0.0),
        }
    }
}

impl PackedMatrix {
    /// Packs a matrix.
    pub fn new(matrix: &ConfusionMatrix) -> Self {
        let counts = matrix.counts();
        let mut starts = vec![0];
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for row in counts.rows() {
            for (column, count) in row.iter().enumerate().filter(|(_, c)| **c > 0.0) {
                columns.push(column as u32);
                values.push(*count);
            }
            starts.push(columns.len() as u32);
        }
        columns.shrink_to_fit();
        let short = values.iter().all(|v| f64::from(*v as f32) == *v);
        let mut column_sums = vec![0.0; counts.ncols()];
        for (column, count) in columns.iter().zip(&values) {
            column_sums[*column as usize] += count;
        }
        Self(Arc::new(Cells {
            starts,
            columns,
            row_sums: counts.rows().into_iter().map(|row| row.sum()).collect(),
            column_sums,
            hits: counts.diag().sum(),
            values: if short {
                Values::Short(values.into_iter().map(|v| v as f32).collect())
            } else {
                Values::Long(values)
            },
        }))
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        self.0.row_sums.len()
    }

    /// Filled cells of a row as `(predicted class, count)`, ascending. Panics beyond [`Self::classes`].
    pub fn row(&self, class: usize) -> impl Iterator<Item = (usize, f64)> {
        let cells = &*self.0;
        let range = cells.starts[class] as usize..cells.starts[class + 1] as usize;
        range.map(|i| (cells.columns[i] as usize, cells.values.at(i)))
    }

    /// Filled cells as `(true class, predicted class, count)`, row by row.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        (0..self.classes()).flat_map(|r| self.row(r).map(move |(c, count)| (r, c, count)))
    }

    /// The count of a cell; 0 beyond the matrix.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        let cells = &*self.0;
        let (Some(start), Some(end)) = (cells.starts.get(row), cells.starts.get(row + 1)) else { return 0.0 };
        let start = *start as usize;
        let found = cells.columns[start..*end as usize].binary_search(&(column as u32));
        found.map_or(0.0, |i| cells.values.at(start + i))
    }

    /// Samples of each true class.
    pub fn row_sums(&self) -> &[f64] {
        &self.0.row_sums
    }

    /// Samples predicted as each class.
    pub fn column_sums(&self) -> &[f64] {
        &self.0.column_sums
    }

    /// Samples on the diagonal.
    pub fn hits(&self) -> f64 {
        self.0.hits
    }

    /// Samples in all.
    pub fn total(&self) -> f64 {
        self.0.row_sums.iter().sum()
    }

    /// Share of samples on the diagonal; `None` for an empty matrix.
    pub fn accuracy(&self) -> Option<f64> {
        let total = self.total();
        (total > 0.0).then(|| self.0.hits / total)
    }

    /// Scores of one class. Panics if `class` is not below [`Self::classes`].
    pub fn scores(&self, class: usize) -> ClassScores {
        ClassScores::of(self.get(class, class), self.row_sums()[class], self.column_sums()[class])
    }

    /// The largest cells off the diagonal as `(true class, predicted class, count)`, largest first; ties by position.
    pub fn worst_pairs(&self, at_most: usize) -> Vec<(usize, usize, f64)> {
        let mut pairs: Vec<_> = self.cells().filter(|(row, column, _)| row != column).collect();
        let by_size = |a: &(usize, usize, f64), b: &(usize, usize, f64)| {
            b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1)))
        };
        if at_most > 0 && pairs.len() > at_most {
            pairs.select_nth_unstable_by(at_most - 1, by_size);
        }
        pairs.truncate(at_most);
        pairs.sort_by(by_size);
        pairs
    }

    /// Whether it holds shares instead of counts.
    pub fn holds_shares(&self) -> bool {
        are_shares(self.cells().all(|(.., count)| count.fract() == 0.0), self.row_sums())
    }

    /// All cells, shape `[classes, classes]`, rows true.
    pub fn unpack(&self) -> Array2<f64> {
        let mut counts = Array2::zeros((self.classes(), self.classes()));
        for (row, column, count) in self.cells() {
            counts[[row, column]] = count;
        }
        counts
    }

    /// Bytes that it holds beyond its own size.
    pub fn heap_bytes(&self) -> usize {
        let cells = &*self.0;
        let values = match &cells.values {
            Values::Short(v) => 4 * v.capacity(),
            Values::Long(v) => 8 * v.capacity(),
        };
        4 * (cells.starts.capacity() + cells.columns.capacity())
            + values
            + 8 * (cells.row_sums.capacity() + cells.column_sums.capacity())
            + size_of::<Cells>()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn what_was_packed_comes_out_again() {
        for value in [7.0, 0.1] {
            let counts = array![[5.0, 0.0, value], [0.0, 0.0, 0.0], [1.0, 0.0, 9.0]];
            let packed = PackedMatrix::new(&ConfusionMatrix::new(counts.clone()).unwrap());
            assert_eq!(packed.unpack(), counts);
            assert_eq!((packed.get(0, 2), packed.get(1, 1), packed.get(9, 9)), (value, 0.0, 0.0));
            assert_eq!(packed.row_sums(), [5.0 + value, 0.0, 10.0]);
            assert_eq!(packed.column_sums(), [6.0, 0.0, value + 9.0]);
            assert_eq!((packed.hits(), packed.cells().count()), (14.0, 4));
        }
    }

    #[test]
    fn a_thousand_classes_take_what_their_filled_cells_take() {
        let counts = Array2::from_shape_fn((1000, 1000), |(r, c)| if (r + c) % 20 == 0 { 3.0 } else { 0.0 });
        let packed = PackedMatrix::new(&ConfusionMatrix::new(counts).unwrap());
        assert!(packed.heap_bytes() < 500_000, "{}", packed.heap_bytes());
    }
}
