//! Confusion matrices. Rows are the true class, columns the predicted one, always.

use std::{fmt, sync::Arc};

use ndarray::Array2;

use super::{Step, WallTime};

/// Counts (or weights) by true and predicted class. Shape `[classes, classes]`, rows true.
#[derive(Clone, PartialEq, Debug)]
pub struct ConfusionMatrix {
    counts: Array2<f64>,
}

/// Why numbers are no confusion matrix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MatrixError {
    /// Rows and columns differ in number, or there are none.
    NotSquare,
    /// A count is negative or not finite.
    NotACount,
}

impl fmt::Display for MatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSquare => "the matrix is not square",
            Self::NotACount => "the matrix holds a negative or non-finite count",
        })
    }
}

impl std::error::Error for MatrixError {}

/// Precision, recall and F1 of one class; `None` where the denominator is zero.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClassScores {
    /// True positives / everything predicted as this class.
    pub precision: Option<f64>,
    /// True positives / everything that is this class.
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: Option<f64>,
    /// How many samples are this class.
    pub support: f64,
}

impl ClassScores {
    /// From what was found of a class, how many samples are of it, and how many were taken for it.
    pub fn of(hit: f64, support: f64, predicted: f64) -> Self {
        let share = |of: f64| (of > 0.0).then(|| hit / of);
        let f1 = (support + predicted > 0.0).then(|| 2.0 * hit / (support + predicted));
        Self { precision: share(predicted), recall: share(support), f1, support }
    }
}

impl ConfusionMatrix {
    /// Takes a square matrix of non-negative finite counts whose rows are the true classes.
    pub fn new(counts: Array2<f64>) -> Result<Self, MatrixError> {
        if counts.nrows() == 0 || counts.nrows() != counts.ncols() {
            return Err(MatrixError::NotSquare);
        }
        if counts.iter().any(|c| !c.is_finite() || *c < 0.0) {
            return Err(MatrixError::NotACount);
        }
        Ok(Self { counts })
    }

    /// The same for a matrix whose rows are the *predicted* classes.
    pub fn from_predicted_rows(counts: Array2<f64>) -> Result<Self, MatrixError> {
        Self::new(counts.reversed_axes().as_standard_layout().into_owned())
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        self.counts.nrows()
    }

    /// The counts, shape `[classes, classes]`, rows true.
    pub fn counts(&self) -> &Array2<f64> {
        &self.counts
    }

    /// Samples in all.
    pub fn total(&self) -> f64 {
        self.counts.sum()
    }

    /// Share of samples on the diagonal; `None` for an empty matrix.
    pub fn accuracy(&self) -> Option<f64> {
        let total = self.total();
        (total > 0.0).then(|| self.counts.diag().sum() / total)
    }

    /// Scores of one class. Panics if `class` is not below [`Self::classes`].
    pub fn scores(&self, class: usize) -> ClassScores {
        let (support, predicted) = (self.counts.row(class).sum(), self.counts.column(class).sum());
        ClassScores::of(self.counts[[class, class]], support, predicted)
    }
}

/// A matrix as it was logged.
#[derive(Clone, PartialEq, Debug)]
pub struct ConfusionRecord {
    /// Which data it was computed on (`val`), with the group if there is one (`val age=old`).
    pub split: Arc<str>,
    /// The trainer's counter.
    pub step: Step,
    /// The epoch, if the log says.
    pub epoch: Option<f64>,
    /// When.
    pub wall: WallTime,
    /// The counts.
    pub matrix: ConfusionMatrix,
    /// Class names in the order of the rows, if this record brings them along.
    pub names: Option<Arc<[Arc<str>]>>,
    /// The task whose [`super::Record::Classes`] names the rows otherwise; empty for the only one.
    pub task: Arc<str>,
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::model::PackedMatrix;

    #[test]
    fn scores_follow_the_rows_that_are_true() {
        let m = ConfusionMatrix::new(array![[8.0, 2.0], [1.0, 9.0]]).unwrap();
        let packed = PackedMatrix::new(&m);
        let cat = m.scores(0);
        assert_eq!(packed.scores(0), cat);
        assert_eq!(cat.recall, Some(0.8));
        assert_eq!(cat.precision, Some(8.0 / 9.0));
        assert_eq!(m.accuracy(), Some(0.85));
        assert_eq!(packed.worst_pairs(5), vec![(0, 1, 2.0), (1, 0, 1.0)]);
        let same = ConfusionMatrix::from_predicted_rows(array![[8.0, 1.0], [2.0, 9.0]]).unwrap();
        assert_eq!(same, m);
    }

    #[test]
    fn a_class_that_never_occurs_has_no_recall() {
        let m = ConfusionMatrix::new(array![[0.0, 0.0], [3.0, 4.0]]).unwrap();
        assert_eq!(m.scores(0).recall, None);
        assert_eq!(m.scores(0).precision, Some(0.0));
        assert_eq!(ConfusionMatrix::new(array![[f64::NAN]]), Err(MatrixError::NotACount));
        assert_eq!(ConfusionMatrix::new(Array2::zeros((1, 2))), Err(MatrixError::NotSquare));
    }
}
