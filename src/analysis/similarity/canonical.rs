//! Similarity from canonical correlations: SVCCA and PWCCA.

use ndarray::{Array2, ArrayRef2, Axis, Slice};

use super::{centred, comparable, linear::decompose};
use crate::analysis::Cancel;

/// Share of the variance that the directions kept by [`svcca`] hold in its paper.
pub const KEPT_VARIANCE: f64 = 0.99;

/// Instances for a direction below which canonical correlations are chance.
const LEAST: usize = 3;

/// Mean canonical correlation of the directions that hold the share `keep` of the variance on each side (SVCCA,
/// Raghu et al. 2017). 1 where one representation is an invertible map of the other.
///
/// Needs more instances than directions of both sides together, and even then independent representations are above
/// 0 (20 and 20 directions, 500 instances: 0.17). `None` also when `cancel` says so.
pub fn svcca(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>, keep: f64, cancel: &Cancel) -> Option<f64> {
    let (x, y) = (Side::new(x, y, keep, cancel)?, Side::new(y, x, keep, cancel)?);
    if x.directions.ncols() + y.directions.ncols() >= x.directions.nrows() {
        return None;
    }
    let smaller = x.directions.ncols().min(y.directions.ncols());
    let correlations = decompose(&x.directions.t().dot(&y.directions), cancel)?.values;
    // Directions that share nothing have a correlation of zero and are left out by the decomposition.
    answer(correlations.iter().map(|c| c.min(1.0)).sum::<f64>() / smaller as f64)
}

/// Canonical correlations weighted by how much of a representation their directions carry, Σ|⟨direction, unit⟩| over
/// its units (PWCCA, Morcos et al. 2018). As in the authors' code it is the representation with fewer directions
/// whose units weigh, `x` where both have equally many.
///
/// Invariances and needs as for [`svcca`]; directions are left out only where they are rounding.
pub fn pwcca(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>, cancel: &Cancel) -> Option<f64> {
    let (x, y) = (Side::new(x, y, 1.0, cancel)?, Side::new(y, x, 1.0, cancel)?);
    if x.directions.ncols() + y.directions.ncols() >= x.directions.nrows() {
        return None;
    }
    let (small, large) = if x.directions.ncols() <= y.directions.ncols() { (x, y) } else { (y, x) };
    let found = decompose(&small.directions.t().dot(&large.directions), cancel)?;
    // Canonical directions among the instances, and what of each unit lies along them.
    let along = small.directions.dot(&found.left).t().dot(&small.centred);
    let weights = along.map_axis(Axis(1), |row| row.iter().map(|v| v.abs()).sum::<f64>());
    let shared: f64 = weights.iter().zip(&found.values).map(|(w, c)| w * c.min(1.0)).sum();
    // Directions without any counterpart weigh too: their correlation of zero is left out by the decomposition.
    let rest = &small.directions - &small.directions.dot(&found.left.dot(&found.left.t()));
    let without = small.directions.ncols() - found.values.len();
    let lost = if without == 0 { 0.0 } else { carried(&rest, without, &small.centred, cancel)? };
    answer(shared / (weights.sum() + lost))
}

/// What of the units lies along the first `most` orthonormal directions of `span`.
fn carried(span: &Array2<f64>, most: usize, units: &Array2<f64>, cancel: &Cancel) -> Option<f64> {
    let left = decompose(span, cancel)?.left;
    let most = most.min(left.ncols());
    let along = left.slice_axis(Axis(1), Slice::from(..most)).t().dot(units);
    Some(along.iter().map(|v| v.abs()).sum())
}

/// One of the two representations.
struct Side {
    centred: Array2<f64>,
    /// Orthonormal directions among the instances, by falling variance.
    directions: Array2<f64>,
}

impl Side {
    fn new(x: &ArrayRef2<f64>, other: &ArrayRef2<f64>, keep: f64, cancel: &Cancel) -> Option<Self> {
        if !comparable(x, other, LEAST) {
            return None;
        }
        let centred = centred(x)?;
        let found = decompose(&centred, cancel)?;
        let all: f64 = found.values.iter().map(|v| v * v).sum();
        let mut sum = 0.0;
        let mut kept = 0;
        for value in &found.values {
            sum += value * value;
            kept += 1;
            if sum >= keep * all {
                break;
            }
        }
        let kept = if keep >= 1.0 { found.values.len() } else { kept };
        let directions = found.left.slice_axis(Axis(1), Slice::from(..kept)).to_owned();
        Some(Self { centred, directions })
    }
}

fn answer(v: f64) -> Option<f64> {
    v.is_finite().then_some(v)
}
