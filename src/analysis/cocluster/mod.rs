//! Rows and columns of a table that belong together: spectral co-clustering (Dhillon 2001), as `RNNVis` uses it for words
//! and units (Ming et al. 2017).

use ndarray::{Array2, ArrayRef2};

use super::{
    Cancel,
    similarity::{Decomposition, decompose},
};

mod k_means;
#[cfg(test)]
mod tests;

/// Cells of a table that is taken; beyond it the decomposition takes too long.
pub const MOST_CELLS: usize = 1 << 20;

/// The group of each row and of each column; equal numbers belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoClusters {
    /// Of each row.
    pub rows: Vec<usize>,
    /// Of each column.
    pub columns: Vec<usize>,
}

/// Splits a table of amounts, none negative, into `groups` of rows and columns, so that amounts are large where row
/// and column have one group: singular vectors 2 to 1 + ⌈log₂ groups⌉ of `D₁^−½ A D₂^−½`, and k-means over rows and
/// columns together, the best of several starts.
///
/// Give absolute values, or positive and negative parts one after the other. Rows and columns that hold nothing belong
/// nowhere by what they say; they come into the group that is nearest to the origin. `None` where a cell is negative
/// or not finite, the table is empty or beyond [`MOST_CELLS`], there are fewer rows or columns than groups, or
/// `cancel` says so. Equal input gives equal groups.
pub fn co_cluster(table: &ArrayRef2<f64>, groups: usize, cancel: &Cancel) -> Option<CoClusters> {
    let (rows, columns) = table.dim();
    let bad = table.iter().any(|v| !v.is_finite() || *v < 0.0);
    if bad || groups == 0 || groups > rows.min(columns) || rows * columns > MOST_CELLS {
        return None;
    }
    if groups == 1 {
        return Some(CoClusters { rows: vec![0; rows], columns: vec![0; columns] });
    }
    // Scaled so that no sum overflows; the groups do not depend on the scale.
    let most = table.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let scaled = table.mapv(|v| v / most);
    let root = |sums: Vec<f64>| -> Vec<f64> {
        sums.into_iter().map(|sum| if sum > 0.0 { 1.0 / sum.sqrt() } else { 0.0 }).collect()
    };
    let of_rows = root(scaled.rows().into_iter().map(|r| r.sum()).collect());
    let of_columns = root(scaled.columns().into_iter().map(|c| c.sum()).collect());
    let normal = Array2::from_shape_fn((rows, columns), |(i, j)| scaled[[i, j]] * of_rows[i] * of_columns[j]);
    let Decomposition { left, right, .. } = decompose(&normal, cancel)?;
    // The first pair of vectors is the sums themselves and parts nothing.
    let wanted = groups.next_power_of_two().trailing_zeros() as usize;
    let last = left.ncols().min(1 + wanted);
    let place = |vectors: &Array2<f64>, roots: &[f64], at: usize| -> Vec<f64> {
        (1..last).map(|k| vectors[[at, k]] * roots[at]).collect()
    };
    let mut points: Vec<Vec<f64>> = (0..rows).map(|i| place(&left, &of_rows, i)).collect();
    points.extend((0..columns).map(|j| place(&right, &of_columns, j)));
    let mut labels = k_means::k_means(&points, groups, cancel)?;
    let columns = labels.split_off(rows);
    Some(CoClusters { rows: labels, columns })
}
