//! A singular value decomposition that is small rather than fast: one-sided Jacobi rotations (Hestenes 1958).

use ndarray::{Array2, ArrayRef2};

use crate::analysis::Cancel;

/// Sweeps after which it is taken as it is; 6 to 10 are usual.
const SWEEPS: usize = 60;
/// Columns with a smaller cosine between them are orthogonal.
const ORTHOGONAL: f64 = 1e-14;
/// Directions with a smaller share of the largest singular value are rounding.
const NOTHING: f64 = 1e-12;

/// `M = left · diag(values) · rightᵀ`, without the directions that are nothing but rounding.
#[derive(Clone, Debug)]
pub struct Decomposition {
    /// Orthonormal columns, as long as the rows of the matrix are many.
    pub left: Array2<f64>,
    /// Falling, all positive.
    pub values: Vec<f64>,
    /// Orthonormal columns, as long as the columns of the matrix are many.
    pub right: Array2<f64>,
}

/// Decomposes a matrix of finite numbers. `None` when `cancel` says so, which is asked once for each row of pairs
/// of columns, or when a number is not finite.
///
/// Takes about 10 · rows · columns² multiplications, of the smaller side.
pub fn decompose(m: &ArrayRef2<f64>, cancel: &Cancel) -> Option<Decomposition> {
    if m.iter().any(|v| !v.is_finite()) {
        return None;
    }
    if m.nrows() < m.ncols() {
        let turned = decompose(&m.t(), cancel)?;
        return Some(Decomposition { left: turned.right, right: turned.left, ..turned });
    }
    let (rows, columns) = m.dim();
    // A column of the matrix is a row here, so that it lies in one piece.
    let mut work: Vec<Vec<f64>> = m.columns().into_iter().map(|c| c.to_vec()).collect();
    let unit = |i: usize| -> Vec<f64> { (0..columns).map(|j| if i == j { 1.0 } else { 0.0 }).collect() };
    let mut turns: Vec<Vec<f64>> = (0..columns).map(unit).collect();
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..columns {
            if cancel.is_cancelled() {
                return None;
            }
            for q in p + 1..columns {
                let Some((c, s)) = rotation(&work[p], &work[q]) else { continue };
                rotated = true;
                rotate(&mut work, p, q, c, s);
                rotate(&mut turns, p, q, c, s);
            }
        }
        if !rotated {
            break;
        }
    }
    Some(sorted(&work, &turns, rows, columns))
}

/// Cosine and sine that make two columns orthogonal; `None` if they are.
fn rotation(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    if ab == 0.0 || ab.abs() <= ORTHOGONAL * (aa * bb).sqrt() {
        return None;
    }
    let zeta = (bb - aa) / (2.0 * ab);
    let t = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    (c.is_finite() && t != 0.0).then_some((c, c * t))
}

fn rotate(columns: &mut [Vec<f64>], p: usize, q: usize, c: f64, s: f64) {
    let (before, from) = columns.split_at_mut(q);
    for (x, y) in before[p].iter_mut().zip(from[0].iter_mut()) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

fn sorted(work: &[Vec<f64>], turns: &[Vec<f64>], rows: usize, columns: usize) -> Decomposition {
    let norm = |v: &Vec<f64>| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut order: Vec<(usize, f64)> = work.iter().map(norm).enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let most = order.first().map_or(0.0, |o| o.1);
    order.retain(|(_, value)| *value > NOTHING * most);
    Decomposition {
        left: Array2::from_shape_fn((rows, order.len()), |(i, k)| work[order[k].0][i] / order[k].1),
        values: order.iter().map(|o| o.1).collect(),
        right: Array2::from_shape_fn((columns, order.len()), |(j, k)| turns[order[k].0][j]),
    }
}
