//! How alike two classes are, by how often they are taken for each other.

use ndarray::Array2;

use crate::model::PackedMatrix;

/// Errors for each class that an order needs: with 10 planted groups were found in all of 100 matrices, with 3 in six
/// of ten (see the tests).
const ERRORS_PER_CLASS: f64 = 10.0;
/// Evaluations that are summed at most: older ones are of another network.
const MOST_EVALUATIONS: usize = 10;

/// How many of the last evaluations have to be summed for enough errors. `evaluations` are ascending in time; those of
/// another number of classes end the count.
pub fn evaluations_needed(evaluations: &[PackedMatrix]) -> usize {
    let Some(last) = evaluations.last() else { return 0 };
    let wanted = ERRORS_PER_CLASS * last.classes() as f64;
    let mut errors = 0.0;
    for (taken, matrix) in evaluations.iter().rev().take(MOST_EVALUATIONS).enumerate() {
        if matrix.classes() != last.classes() {
            return taken;
        }
        errors += matrix.total() - matrix.hits();
        if errors >= wanted {
            return taken + 1;
        }
    }
    evaluations.len().min(MOST_EVALUATIONS)
}

/// `S = (R + Rᵀ) / 2`, where R is the sum of the matrices with each row divided by its sum, without the diagonal: how
/// likely a sample of the one class is taken for the other. Shape `[classes, classes]`.
///
/// The diagonal has to go: it dominates, and what is clustered with it is accuracy (Alsallakh et al. 2020). Matrices of
/// another size than the last are left out; a class without samples is like no other.
pub fn confusion_similarity(matrices: &[PackedMatrix]) -> Array2<f64> {
    let n = matrices.last().map_or(0, PackedMatrix::classes);
    let mut similarity = Array2::zeros((n, n));
    let alike: Vec<&PackedMatrix> = matrices.iter().filter(|m| m.classes() == n).collect();
    let mut rows = vec![0.0; n];
    for matrix in &alike {
        for (sum, of) in rows.iter_mut().zip(matrix.row_sums()) {
            *sum += of;
        }
    }
    for (row, column, count) in alike.iter().flat_map(|m| m.cells()).filter(|(r, c, _)| r != c) {
        let half = count / rows[row] / 2.0;
        similarity[[row, column]] += half;
        similarity[[column, row]] += half;
    }
    similarity
}
