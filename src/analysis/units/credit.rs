//! Credit assignment: how much each unit contributes to a target, and whether the contributions add up to it.
//!
//! A contribution is activation times gradient, `c = a · ∂t/∂a`, summed over the batch; in networks of rectified
//! units without bias that is layer-wise relevance propagation (LRP-0), and the contributions of every layer add up to the target.

/// Relative deviation up to which contributions count as adding up: rounding of 32-bit logs.
pub const TOLERANCE: f64 = 1e-6;

/// Whether contributions add up to what they explain.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Conservation {
    /// The log does not say what they should add up to.
    Unknown,
    /// They do, within [`TOLERANCE`].
    Holds,
    /// They miss the target by this share of it (0.05: 5 % too much or too little). Infinite for a target of zero
    /// that is missed, NaN where a contribution or the target is no finite number.
    Misses(f64),
}

/// Compares the sum of `contributions` with `total`. Summed with Neumaier's compensation, so that the deviation is the
/// log's and not ours.
pub fn conservation(contributions: &[f64], total: Option<f64>) -> Conservation {
    let Some(total) = total else { return Conservation::Unknown };
    let sum = compensated_sum(contributions);
    if !(sum.is_finite() && total.is_finite()) {
        return Conservation::Misses(f64::NAN);
    }
    // Large contributions of both signs cancel: what rounding leaves is measured by them.
    let size: f64 = contributions.iter().map(|c| c.abs()).sum();
    let deviation = (sum - total).abs();
    let allowed = TOLERANCE * if total == 0.0 { size } else { total.abs() };
    if deviation <= allowed { Conservation::Holds } else { Conservation::Misses(deviation / total.abs()) }
}

/// The sum of all, NaN if one is NaN.
pub fn compensated_sum(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for v in values {
        let next = sum + v;
        lost += if sum.abs() >= v.abs() { (sum - next) + v } else { (v - next) + sum };
        sum = next;
    }
    // Infinities make the compensation NaN although the sum is infinite.
    if sum.is_finite() { sum + lost } else { sum }
}

/// Shares `relevance` of one output out among its inputs in proportion to `activation · weight` (LRP-0). `None` where
/// these add up to zero: the rule divides by their sum, and such a unit needs the ε-rule of the logger.
pub fn lrp_0(activations: &[f64], weights: &[f64], relevance: f64) -> Option<Vec<f64>> {
    shared(activations.iter().zip(weights).map(|(a, w)| a * w), relevance)
}

/// Like [`lrp_0`], with positive products only (the z⁺-rule). `None` where there are none.
pub fn z_plus(activations: &[f64], weights: &[f64], relevance: f64) -> Option<Vec<f64>> {
    shared(activations.iter().zip(weights).map(|(a, w)| (a * w).max(0.0)), relevance)
}

fn shared(products: impl Iterator<Item = f64>, relevance: f64) -> Option<Vec<f64>> {
    let products: Vec<f64> = products.collect();
    let sum = compensated_sum(&products);
    (sum != 0.0 && sum.is_finite()).then(|| products.iter().map(|z| z / sum * relevance).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_22_contributions_add_up_to_the_target_or_it_is_said_by_how_much_not() {
        assert_eq!(conservation(&[60.1, 22.0, 9.1], Some(91.2)), Conservation::Holds);
        assert_eq!(conservation(&[60.1, 22.0, 9.1], None), Conservation::Unknown);
        let Conservation::Misses(share) = conservation(&[60.0, 22.0, 9.1], Some(91.2)) else { panic!() };
        assert!((share - 0.1 / 91.2).abs() < 1e-12, "{share}");
        // On both sides of the tolerance.
        assert_eq!(conservation(&[1.0, 9e-7], Some(1.0)), Conservation::Holds);
        assert!(matches!(conservation(&[1.0, 2e-6], Some(1.0)), Conservation::Misses(_)));
    }

    #[test]
    fn cancelling_contributions_and_broken_ones_are_judged_by_what_they_are() {
        assert_eq!(conservation(&[1e9, -1e9, 1.0], Some(1.0)), Conservation::Holds);
        assert_eq!(conservation(&[5.0, -5.0], Some(0.0)), Conservation::Holds);
        assert_eq!(conservation(&[5.0, -4.0], Some(0.0)), Conservation::Misses(f64::INFINITY));
        let Conservation::Misses(share) = conservation(&[1.0, f64::NAN], Some(1.0)) else { panic!() };
        assert!(share.is_nan());
        assert_eq!(compensated_sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(compensated_sum(&[1.0, f64::INFINITY]), f64::INFINITY);
    }

    #[test]
    fn t_22_relevance_is_shared_by_lrp_0_and_by_z_plus() {
        let (a, w) = ([1.0, 2.0, 3.0], [2.0, -0.5, 0.0]);
        assert_eq!(lrp_0(&a, &w, 1.0), Some(vec![2.0, -1.0, 0.0]));
        assert_eq!(z_plus(&a, &w, 1.0), Some(vec![1.0, 0.0, 0.0]));
        // Products that cancel: plain LRP would divide by zero.
        assert_eq!(lrp_0(&a, &[2.0, -1.0, 0.0], 1.0), None);
    }

    #[test]
    fn t_22_activation_times_gradient_conserves_in_every_layer_of_a_relu_network_without_bias() {
        // Three layers with fixed weights; c = a · ∂t/∂a in each.
        let weights: [&[&[f64]]; 2] =
            [&[&[0.7, -0.3, 0.5], &[-0.4, 0.9, 0.2], &[0.1, 0.6, -0.8]], &[&[1.2, -0.5, 0.8]]];
        let input = vec![0.9, 0.4, 1.3];
        let mut layers = vec![input];
        for (depth, matrix) in weights.iter().enumerate() {
            let before = &layers[depth];
            let z = matrix.iter().map(|row| row.iter().zip(before).map(|(w, a)| w * a).sum::<f64>());
            layers.push(z.map(|z| if depth == 0 { z.max(0.0) } else { z }).collect());
        }
        let target = layers[2][0];
        let mut gradient = vec![1.0];
        for depth in (0..2).rev() {
            let width = layers[depth].len();
            let back: Vec<f64> = (0..width)
                .map(|i| {
                    let rows = weights[depth].iter().zip(&gradient).zip(&layers[depth + 1]);
                    rows.map(|((row, g), a)| if depth == 0 && *a <= 0.0 { 0.0 } else { row[i] * g }).sum()
                })
                .collect();
            let c: Vec<f64> = layers[depth].iter().zip(&back).map(|(a, g)| a * g).collect();
            assert_eq!(conservation(&c, Some(target)), Conservation::Holds, "layer {depth}: {c:?} {target}");
            gradient = back;
        }
    }
}
