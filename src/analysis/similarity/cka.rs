//! Linear centred kernel alignment, as it is usually written and without its bias.

use ndarray::{Array1, Array2, ArrayRef2};

use super::{centred, comparable};

/// Linear CKA, `‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖)` of centred matrices (Frobenius norms): 1 where one is a rotation and a scaling of the other.
///
/// Biased: independent representations are not at 0 but the further above it the more units there are for an
/// instance (20 units: 0.04 at 500 instances, 0.33 at 50). Show [`cka_unbiased`].
pub fn cka_biased(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Option<f64> {
    if !comparable(x, y, 2) {
        return None;
    }
    let (x, y) = (centred(x)?, centred(y)?);
    let square = |a: &Array2<f64>, b: &Array2<f64>| -> f64 { a.t().dot(b).iter().map(|v| v * v).sum() };
    answer(square(&x, &y) / (square(&x, &x) * square(&y, &y)).sqrt())
}

/// Linear CKA with the unbiased estimate of HSIC (Song et al. 2012; Nguyen, Raghu, Kornblith 2021): about 0 for
/// independent representations of any size, and below it by chance. At most 1. Takes 4 instances or more.
pub fn cka_unbiased(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Option<f64> {
    if !comparable(x, y, 4) {
        return None;
    }
    // Unbiased HSIC does not depend on the means; centred numbers lose fewer digits.
    let (x, y) = (hollow(&centred(x)?), hollow(&centred(y)?));
    let (xy, xx, yy) = (hsic(&x, &y), hsic(&x, &x), hsic(&y, &y));
    if xx <= 0.0 || yy <= 0.0 {
        return None;
    }
    answer(xy / (xx * yy).sqrt())
}

/// The Gram matrix with zeros on its diagonal.
fn hollow(x: &Array2<f64>) -> Array2<f64> {
    let mut gram = x.dot(&x.t());
    gram.diag_mut().fill(0.0);
    gram
}

fn hsic(k: &Array2<f64>, l: &Array2<f64>) -> f64 {
    let n = k.nrows() as f64;
    // tr(KL) of symmetric matrices.
    let trace: f64 = k.iter().zip(l).map(|(a, b)| a * b).sum();
    let ones = Array1::<f64>::ones(k.nrows());
    let (rows_k, rows_l) = (k.dot(&ones), l.dot(&ones));
    let both = rows_k.sum() * rows_l.sum() / ((n - 1.0) * (n - 2.0));
    (trace + both - 2.0 / (n - 2.0) * rows_k.dot(&rows_l)) / (n * (n - 3.0))
}

fn answer(v: f64) -> Option<f64> {
    v.is_finite().then(|| v.min(1.0))
}
