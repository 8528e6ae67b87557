//! How alike two representations of the same instances are, whatever their units are called.
//!
//! A representation is a matrix with a row for each instance and a column for each unit; both matrices have the same
//! instances in the same order. CKA (Kornblith et al. 2019) forgives rotations and a common scale, the measures from
//! canonical correlations (SVCCA, Raghu et al. 2017; PWCCA, Morcos et al. 2018) any invertible map.
//!
//! Everything here answers `None` where there is no answer: other shapes, too few instances, a representation that
//! does not vary, more than is worked out within a second or so ([`MOST_SAMPLES`], [`MOST_UNITS`]), or a
//! number that is not finite. A NaN in a representation is no similarity of zero, and nothing is left out silently.

use ndarray::{Array2, ArrayRef2, Axis};

mod canonical;
mod cka;
mod linear;
#[cfg(test)]
mod tests;

pub use canonical::{KEPT_VARIANCE, pwcca, svcca};
pub use cka::{cka_biased, cka_unbiased};
pub use linear::{Decomposition, decompose};

/// Instances of a representation that are taken; two Gram matrices of so many take 64 MiB.
pub const MOST_SAMPLES: usize = 2048;

/// Units of a representation that are taken.
pub const MOST_UNITS: usize = 4096;

/// Both have the same instances, at least `least`, within the limits, and only finite numbers.
fn comparable(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>, least: usize) -> bool {
    let fits = |m: &ArrayRef2<f64>| {
        m.ncols() > 0
            && m.ncols() <= MOST_UNITS
            && m.nrows() <= MOST_SAMPLES
            && m.iter().all(|v| v.is_finite())
    };
    x.nrows() == y.nrows() && x.nrows() >= least && fits(x) && fits(y)
}

/// The matrix with the mean of each column taken from it, scaled so that its largest element is 1: no product of
/// such elements overflows, and no measure here depends on the scale. `None` where nothing varies.
fn centred(m: &ArrayRef2<f64>) -> Option<Array2<f64>> {
    let most = m.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    if most <= 0.0 {
        return None;
    }
    let mut scaled = m.mapv(|v| v / most);
    let mean = scaled.mean_axis(Axis(0))?;
    scaled -= &mean;
    let most = scaled.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    // What is left of a constant column is rounding.
    if most <= 1e-13 {
        return None;
    }
    scaled.mapv_inplace(|v| v / most);
    Some(scaled)
}
