//! Can the gradient of the batch be trusted? Three tests on how much the gradients of its instances differ.

use ndarray::{ArrayRef2, Axis};

/// Sums over the gradients `g` of the instances of a batch, and their mean `ḡ`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GradientMoments {
    /// How many instances.
    pub batch: f64,
    /// ‖ḡ‖².
    pub mean_square: f64,
    /// Σ‖g‖².
    pub squares: f64,
    /// Σ(g·ḡ)².
    pub inner_squares: f64,
}

/// Standard errors of the batch's gradient, in units of its length. Above 1 it says less than its noise.
///
/// As in Cockpit's code, after the adaptive batch sizes of Byrd et al. 2012 and Bollapragada, Byrd, Nocedal 2017.
/// `norm² = inner² + orthogonality²`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GradientTests {
    /// In any direction: `√((Σ‖g‖² − B‖ḡ‖²) / (B(B−1)‖ḡ‖²))`.
    pub norm: f64,
    /// Along the gradient: `√(Var(g·ḡ) / (B‖ḡ‖⁴))`.
    pub inner: f64,
    /// Across the gradient: `√((Σ‖g‖² − Σ(g·ḡ)²/‖ḡ‖²) / (B(B−1)‖ḡ‖²))`.
    pub orthogonality: f64,
}

impl GradientMoments {
    /// From one gradient a row. `None` for fewer than two, or where one is not finite.
    pub fn of(gradients: &ArrayRef2<f64>) -> Option<Self> {
        if gradients.nrows() < 2 || gradients.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let mean = gradients.mean_axis(Axis(0))?;
        let along = gradients.dot(&mean);
        Some(Self {
            batch: gradients.nrows() as f64,
            mean_square: mean.dot(&mean),
            squares: gradients.iter().map(|v| v * v).sum(),
            inner_squares: along.dot(&along),
        })
    }
}

impl GradientTests {
    /// `None` without a gradient to compare with, and where a number is not finite.
    pub fn of(moments: &GradientMoments) -> Option<Self> {
        let GradientMoments { batch, mean_square, squares, inner_squares } = *moments;
        let unit = batch * (batch - 1.0) * mean_square;
        if !(unit > 0.0 && unit.is_finite() && squares.is_finite() && inner_squares.is_finite()) {
            return None;
        }
        let along = inner_squares / mean_square;
        // Below zero only by rounding.
        let root = |v: f64| (v.max(0.0) / unit).sqrt();
        Some(Self {
            norm: root(squares - batch * mean_square),
            inner: root(along - batch * mean_square),
            orthogonality: root(squares - along),
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn tests(gradients: &ndarray::Array2<f64>) -> GradientTests {
        GradientTests::of(&GradientMoments::of(gradients).unwrap()).unwrap()
    }

    #[test]
    fn noise_along_and_across_the_gradient_is_told_apart() {
        // Mean [2, 0]: ±1 along it has a variance of 2 over 2 instances: √(2/2)/2.
        let along = tests(&array![[1.0, 0.0], [3.0, 0.0]]);
        assert!((along.norm - 0.5).abs() < 1e-12 && (along.inner - 0.5).abs() < 1e-12);
        assert!(along.orthogonality.abs() < 1e-12);
        let across = tests(&array![[2.0, 1.0], [2.0, -1.0]]);
        assert!((across.norm - 0.5).abs() < 1e-12 && (across.orthogonality - 0.5).abs() < 1e-12);
        assert!(across.inner.abs() < 1e-12);
        let same = tests(&array![[0.3, 0.4], [0.3, 0.4], [0.3, 0.4]]);
        assert!(same.norm < 1e-7 && same.inner < 1e-7 && same.orthogonality < 1e-7);
    }

    #[test]
    fn the_norm_test_is_the_other_two_together() {
        let t = tests(&array![[1.0, 2.0, 0.5], [3.0, -1.0, 0.1], [0.2, 0.4, -2.0], [1.5, 1.0, 1.0]]);
        assert!((t.norm.powi(2) - t.inner.powi(2) - t.orthogonality.powi(2)).abs() < 1e-12);
        // By the definition of the specification.
        let m = GradientMoments::of(&array![[1.0, 2.0], [3.0, -1.0], [0.0, 5.0]]).unwrap();
        let by_hand = ((m.squares - 3.0 * m.mean_square) / 2.0 / (3.0 * m.mean_square)).sqrt();
        assert!((GradientTests::of(&m).unwrap().norm - by_hand).abs() < 1e-12);
    }

    #[test]
    fn without_a_gradient_there_is_no_test() {
        assert_eq!(GradientMoments::of(&array![[1.0, 2.0]]), None);
        assert_eq!(GradientMoments::of(&array![[1.0], [f64::NAN]]), None);
        let opposed = GradientMoments::of(&array![[1.0], [-1.0]]).unwrap();
        assert_eq!(GradientTests::of(&opposed), None);
    }
}
