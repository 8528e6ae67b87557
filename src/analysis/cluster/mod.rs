//! Which of many things are alike, and in which order they read best: clustering and seriation of any symmetric
//! matrix of similarities (classes, layers, units, runs).
//!
//! The way is always the same: [`Distances`] → [`average_linkage`] → [`order`], and [`Tree::cut`] for groups. Everything
//! is a pure function of the numbers; ties are decided by the smaller index, so that equal input gives an equal picture.

use ndarray::Array2;

mod leaf_order;
mod linkage;
mod structure;
#[cfg(test)]
mod tests;
mod tree;

pub use leaf_order::{EXACT_LIMIT, cost, greedy_order, optimal_order, order};
pub use linkage::average_linkage;
pub use structure::{Structure, structure};
pub use tree::{Merge, Tree};

/// Symmetric distances between `n` items without the diagonal, which is zero. Shape: `n (n − 1) / 2` numbers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Distances {
    n: usize,
    values: Vec<f64>,
    unknown: usize,
}

impl Distances {
    /// Asks `distance` for each pair `i < j`, in ascending order. A distance that is NaN or infinite is unknown: it
    /// counts as the largest that is known, so that unknown pairs are never joined early, and is counted.
    pub fn from_fn(n: usize, mut distance: impl FnMut(usize, usize) -> f64) -> Self {
        let mut values = Vec::with_capacity(n * n.saturating_sub(1) / 2);
        for i in 0..n {
            for j in i + 1..n {
                values.push(distance(i, j));
            }
        }
        let largest = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
        let mut unknown = 0;
        for value in values.iter_mut().filter(|v| !v.is_finite()) {
            *value = largest;
            unknown += 1;
        }
        Self { n, values, unknown }
    }

    /// Distance `1 − S / max S` of a square matrix of similarities; the mean of both triangles counts and the diagonal
    /// does not. Negative similarities are set to 0, as Alsallakh et al. 2020 do with correlations. Without any
    /// positive similarity all distances are 1. Items are the rows; a matrix that is not square is cut to its square.
    pub fn of_similarity(similarity: &Array2<f64>) -> Self {
        let n = similarity.nrows().min(similarity.ncols());
        let both = |i: usize, j: usize| f64::midpoint(similarity[[i, j]], similarity[[j, i]]);
        let mut largest: f64 = 0.0;
        for i in 0..n {
            for j in i + 1..n {
                let s = both(i, j);
                largest = if s.is_finite() { largest.max(s) } else { largest };
            }
        }
        let scale = if largest > 0.0 { largest } else { 1.0 };
        Self::from_fn(n, |i, j| {
            let s = both(i, j);
            // `max` would make a number of NaN.
            if s.is_nan() { s } else { 1.0 - s.max(0.0) / scale }
        })
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Pairs whose distance was NaN or infinite.
    pub fn unknown(&self) -> usize {
        self.unknown
    }

    /// The distance of two items; 0 of an item to itself. Panics beyond [`Self::len`].
    pub fn get(&self, i: usize, j: usize) -> f64 {
        if i == j { 0.0 } else { self.values[index(self.n, i.min(j), i.max(j))] }
    }
}

/// Where the pair `i < j` of `n` items lies.
fn index(n: usize, i: usize, j: usize) -> usize {
    i * (2 * n - i - 1) / 2 + j - i - 1
}
