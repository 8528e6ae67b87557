//! Numbers that are known: invariances, independence, and what must not have an answer.

use ndarray::{Array2, Axis, array, concatenate};

use super::*;

use crate::analysis::Cancel;

fn never() -> Cancel {
    Cancel::default()
}

/// Normal numbers that are the same everywhere (splitmix64, Box and Muller).
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || {
            let (u, v) = (1.0 - self.uniform(), self.uniform());
            (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
        })
    }
}

/// An orthogonal matrix.
fn turn(n: usize, random: &mut Normal) -> Array2<f64> {
    decompose(&random.matrix(n, n), &never()).unwrap().left
}

fn near(a: Option<f64>, b: f64, by: f64) {
    let a = a.expect("an answer");
    assert!((a - b).abs() <= by, "{a} is not {b}");
}

#[test]
fn a_decomposition_gives_the_matrix_again_by_orthonormal_directions() {
    let mut random = Normal(1);
    for (rows, columns) in [(30, 7), (7, 30), (12, 12), (1, 1), (5, 1)] {
        let m = random.matrix(rows, columns);
        let found = decompose(&m, &never()).unwrap();
        let again = found.left.dot(&Array2::from_diag(&ndarray::Array1::from(found.values.clone())));
        let again = again.dot(&found.right.t());
        assert!((&again - &m).iter().all(|v| v.abs() < 1e-10));
        let unit = found.left.t().dot(&found.left) - Array2::<f64>::eye(found.values.len());
        assert!(unit.iter().all(|v| v.abs() < 1e-10));
        assert!(found.values.is_sorted_by(|a, b| a >= b));
    }
    // Known by hand: the singular values of [[3, 0], [4, 5]] are 3√5 and √5.
    let found = decompose(&array![[3.0, 0.0], [4.0, 5.0]], &never()).unwrap();
    assert!((found.values[0] - 45.0_f64.sqrt()).abs() < 1e-12);
    assert!((found.values[1] - 5.0_f64.sqrt()).abs() < 1e-12);
    let twice = array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
    assert_eq!(decompose(&twice, &never()).unwrap().values.len(), 1, "rank 1");
}

#[test]
fn cka_forgives_rotation_and_scale_and_no_other_map() {
    let mut random = Normal(2);
    let x = random.matrix(500, 20);
    let turned = 3.0 * x.dot(&turn(20, &mut random));
    let mapped = x.dot(&random.matrix(20, 20));
    for measure in [cka_biased, cka_unbiased] {
        near(measure(&x, &x), 1.0, 1e-9);
        near(measure(&x, &turned), 1.0, 1e-9);
        let map = measure(&x, &mapped).unwrap();
        assert!((0.6..0.85).contains(&map), "about 0.74 with the reference's map: {map}");
    }
    let shifted = &x + 17.0;
    near(cka_unbiased(&x, &shifted), 1.0, 1e-9);
}

#[test]
fn only_the_unbiased_estimate_puts_independent_representations_at_nothing() {
    let mut random = Normal(3);
    let mut sums = [0.0; 2];
    for _ in 0..20 {
        let (x, y) = (random.matrix(50, 20), random.matrix(50, 20));
        sums[0] += cka_biased(&x, &y).unwrap() / 20.0;
        sums[1] += cka_unbiased(&x, &y).unwrap() / 20.0;
    }
    // 20 / (49 + 20) on average; the reference's single draw has 0.33.
    assert!((sums[0] - 0.29).abs() < 0.02, "{sums:?}");
    assert!(sums[1].abs() < 0.03, "{sums:?}");
    let (x, y) = (random.matrix(500, 20), random.matrix(500, 20));
    near(cka_biased(&x, &y), 0.039, 0.01);
}

#[test]
fn canonical_correlations_forgive_any_invertible_map() {
    let mut random = Normal(4);
    let x = random.matrix(500, 20);
    let mapped = x.dot(&random.matrix(20, 20));
    near(svcca(&x, &mapped, 1.0, &never()), 1.0, 1e-6);
    near(pwcca(&x, &mapped, &never()), 1.0, 1e-6);
    let other = random.matrix(500, 20);
    near(svcca(&x, &other, 1.0, &never()), 0.172, 0.03);
    let weighted = pwcca(&x, &other, &never()).unwrap();
    assert!((0.1..0.25).contains(&weighted), "{weighted}");
}

#[test]
fn pwcca_weighs_by_what_the_units_carry_and_svcca_does_not() {
    // Two directions: the strong one is shared, the weak one is not.
    let mut random = Normal(5);
    let basis = decompose(&centred(&random.matrix(400, 3)).unwrap(), &never()).unwrap().left;
    let column = |i: usize| basis.column(i).insert_axis(Axis(1)).to_owned();
    let x = concatenate![Axis(1), 10.0 * &column(0), column(1)];
    let y = concatenate![Axis(1), column(0), column(2)];
    near(svcca(&x, &y, 1.0, &never()), 0.5, 1e-9);
    near(pwcca(&x, &y, &never()), 10.0 / 11.0, 1e-9);
    // Among the directions with 90 % of the variance only the shared one is left of x.
    near(svcca(&x, &y, 0.9, &never()), 1.0, 1e-9);
}

#[test]
fn all_measures_agree_with_numpy_on_a_small_example() {
    let x = array![
        [1.0, 2.0],
        [3.0, 1.0],
        [0.0, 4.0],
        [5.0, 2.0],
        [2.0, 2.0],
        [7.0, 1.0],
        [1.0, 5.0],
        [4.0, 4.0],
        [6.0, 0.0],
        [2.0, 3.0],
    ];
    let y = array![
        [1.0, 0.0, 2.0],
        [2.0, 1.0, 1.0],
        [0.0, 3.0, 4.0],
        [4.0, 1.0, 1.0],
        [1.0, 2.0, 2.0],
        [6.0, 2.0, 0.0],
        [0.0, 4.0, 3.0],
        [3.0, 3.0, 1.0],
        [5.0, 1.0, 2.0],
        [2.0, 0.0, 3.0],
    ];
    near(cka_biased(&x, &y), 0.914_339_330_861_774_7, 1e-12);
    near(cka_unbiased(&x, &y), 0.898_302_823_176_402_4, 1e-12);
    near(svcca(&x, &y, 1.0, &never()), 0.855_468_225_839_597_8, 1e-12);
    near(svcca(&x, &y, 0.9, &never()), 0.850_633_224_001_587_7, 1e-12);
    for (a, b) in [(&x, &y), (&y, &x)] {
        near(pwcca(a, b, &never()), 0.910_377_538_745_111, 1e-12);
    }
}

#[test]
fn what_cannot_be_compared_has_no_answer() {
    let mut random = Normal(6);
    let x = random.matrix(40, 5);
    let all = |x: &ArrayRef2<f64>, y: &ArrayRef2<f64>| {
        [cka_biased(x, y), cka_unbiased(x, y), svcca(x, y, KEPT_VARIANCE, &never()), pwcca(x, y, &never())]
    };
    let mut broken = x.clone();
    broken[[3, 2]] = f64::NAN;
    let constant = Array2::from_elem((40, 5), 0.1);
    for other in [broken, constant, random.matrix(39, 5), Array2::zeros((40, 0)), Array2::zeros((0, 0))] {
        assert_eq!(all(&x, &other), [None; 4]);
        assert_eq!(all(&other, &x), [None; 4]);
    }
    // More directions than instances: any two of them agree, which says nothing.
    let wide = random.matrix(20, 15);
    assert_eq!(svcca(&wide, &random.matrix(20, 15), 1.0, &never()), None);
    let huge = 1e200 * &x;
    near(cka_unbiased(&x, &huge), 1.0, 1e-9);
    let given_up = Cancel::default();
    given_up.cancel();
    assert_eq!(svcca(&x, &x, 1.0, &given_up), None);
    assert!(decompose(&x, &given_up).is_none());
}
