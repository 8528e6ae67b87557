//! α: where a step ends on the parabola through the loss before and after it.

/// What is measured at both ends of a step, along its direction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Probe {
    /// Length of the step.
    pub length: f64,
    /// Loss before and after it, of the same batch.
    pub values: [f64; 2],
    /// Slope of the loss along the step, before and after it.
    pub slopes: [f64; 2],
    /// Variances of the two values and the two slopes over the instances of the batch, where they are known.
    pub noise: Option<[f64; 4]>,
}

/// The normalised length of a step: −1 where it begins, 0 in the minimum along it, 1 on the other side at the height
/// of the beginning.
///
/// `w₀ + w₁s + w₂s²` is fitted to `f(0)`, `f(t)`, `f′(0)`, `f′(t)` by least squares, weighted by one over the noise
/// where it is known; α = 2t / (−w₁/w₂) − 1, and −1 where the parabola opens downwards (as in the authors' code: a
/// step along it is never too long). `None` where a number is not finite, the step has no length, or the loss is
/// flat at its beginning and has no minimum ahead.
pub fn alpha(probe: &Probe) -> Option<f64> {
    let t = probe.length;
    let known = probe.values.iter().chain(&probe.slopes).all(|v| v.is_finite());
    if !known || !t.is_finite() || t <= 0.0 {
        return None;
    }
    // With the step as unit of length: the rows are [1 0 0], [1 1 1], [0 1 0], [0 1 2].
    let rows = [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 2.0]];
    let seen = [probe.values[0], probe.values[1], probe.slopes[0] * t, probe.slopes[1] * t];
    let weights = weights(probe.noise.map(|[a, b, c, d]| [a, b, c * t * t, d * t * t]));
    let mut normal = [[0.0; 4]; 3];
    for ((row, y), weight) in rows.iter().zip(seen).zip(weights) {
        for i in 0..3 {
            for j in 0..3 {
                normal[i][j] += weight * row[i] * row[j];
            }
            normal[i][3] += weight * row[i] * y;
        }
    }
    let [_, slope, curvature] = solve(normal)?;
    if curvature < 0.0 {
        return Some(-1.0);
    }
    let alpha = -2.0 * curvature / slope - 1.0;
    alpha.is_finite().then_some(alpha)
}

/// One over the variance, the largest one 1. Numbers without noise are taken as a million times surer than the
/// noisiest one, so that the fit stays solvable; equal weights where no noise is known.
fn weights(noise: Option<[f64; 4]>) -> [f64; 4] {
    let Some(noise) = noise.filter(|n| n.iter().all(|v| v.is_finite() && *v >= 0.0)) else { return [1.0; 4] };
    let most = noise.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return [1.0; 4];
    }
    let floored = noise.map(|v| (v / most).max(1e-6));
    let least = floored.iter().copied().fold(f64::INFINITY, f64::min);
    floored.map(|v| least / v)
}

/// Solves three equations with the right side in the fourth column.
fn solve(mut m: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for i in 0..3 {
        let pivot = (i..3).max_by(|a, b| m[*a][i].abs().total_cmp(&m[*b][i].abs()))?;
        m.swap(i, pivot);
        let chosen = m[i];
        if chosen[i].abs() < 1e-300 {
            return None;
        }
        for (at, row) in m.iter_mut().enumerate() {
            if at != i {
                let by = row[i] / chosen[i];
                for (value, own) in row.iter_mut().zip(chosen) {
                    *value -= by * own;
                }
            }
        }
    }
    Some([m[0][3] / m[0][0], m[1][3] / m[1][1], m[2][3] / m[2][2]])
}

/// Where steps end, by the median of α.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Landing {
    /// Well before the minimum along the step.
    Short,
    /// At about the minimum along the step.
    Minimum,
    /// On the other side of it, lower than where it began.
    Across,
    /// On the other side, higher than where it began.
    Overshoot,
}

impl Landing {
    /// How far from the minimum still counts as the minimum, in units of α.
    pub const ABOUT: f64 = 0.25;

    /// What a median says; `None` for NaN.
    pub fn of(median: f64) -> Option<Self> {
        match median {
            m if m.is_nan() => None,
            m if m > 1.0 => Some(Self::Overshoot),
            m if m > Self::ABOUT => Some(Self::Across),
            m if m >= -Self::ABOUT => Some(Self::Minimum),
            _ => Some(Self::Short),
        }
    }

    /// A clause that ends a sentence about the steps.
    pub fn words(self) -> &'static str {
        match self {
            Self::Short => "steps are too short: they end before the minimum along them",
            Self::Minimum => "steps end at the minimum along them",
            Self::Across => "steps end on the other side of the minimum, still lower than they began",
            Self::Overshoot => "steps overshoot: the loss is higher where they end than where they began",
        }
    }
}

/// α of many steps.
#[derive(Clone, PartialEq, Debug)]
pub struct Alphas {
    /// The middle one (mean of the two middle ones).
    pub median: f64,
    /// How many there are.
    pub count: usize,
    /// How many were not finite, and are in none of the other numbers.
    pub broken: usize,
    /// How many are above 1.
    pub overshoots: usize,
    /// How many fall into each bin of [`Alphas::EDGES`]; the outer bins hold everything beyond.
    pub bins: [usize; Self::BINS],
}

impl Alphas {
    /// How many bins.
    pub const BINS: usize = 16;

    /// Left edge of the first bin, and the width of each.
    pub const EDGES: (f64, f64) = (-1.5, 0.25);

    /// Sums up; `None` where there is no finite one.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (mut finite, broken): (Vec<f64>, Vec<f64>) = values.into_iter().partition(|v| v.is_finite());
        finite.sort_by(f64::total_cmp);
        let n = finite.len();
        let (low, high) = (finite.get(n.checked_sub(1)? / 2)?, finite.get(n / 2)?);
        let mut bins = [0; Self::BINS];
        for value in &finite {
            let at = ((value - Self::EDGES.0) / Self::EDGES.1).floor();
            bins[at.clamp(0.0, (Self::BINS - 1) as f64) as usize] += 1;
        }
        Some(Self {
            median: f64::midpoint(*low, *high),
            count: n,
            broken: broken.len(),
            overshoots: finite.iter().filter(|v| **v > 1.0).count(),
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_parabola(t: f64, noise: Option<[f64; 4]>) -> Probe {
        let (f, df) = (|s: f64| 0.5 * (2.0 - s).powi(2), |s: f64| -(2.0 - s));
        Probe { length: t, values: [f(0.0), f(t)], slopes: [df(0.0), df(t)], noise }
    }

    #[test]
    fn t_51_a_step_on_a_parabola_is_placed_exactly_whatever_its_weights() {
        for noise in [None, Some([1.0, 2.0, 0.1, 7.0]), Some([0.0; 4]), Some([0.0, 1.0, 0.0, 1.0])] {
            for (t, known) in [(1.0, -0.5), (2.0, 0.0), (3.0, 0.5), (4.0, 1.0)] {
                let found = alpha(&on_parabola(t, noise)).unwrap();
                assert!((found - known).abs() < 1e-8, "{t}: {found}");
            }
        }
    }

    #[test]
    fn noise_decides_whom_the_fit_believes() {
        // The slopes say that the step ended in the minimum, the values that it went up.
        let mut probe = on_parabola(2.0, None);
        probe.values = [2.0, 6.0];
        let torn = alpha(&probe).unwrap();
        probe.noise = Some([100.0, 100.0, 0.01, 0.01]);
        let slopes = alpha(&probe).unwrap();
        assert!(slopes.abs() < 0.01 && (torn - slopes).abs() > 0.05, "{torn} {slopes}");
    }

    #[test]
    fn steps_without_a_minimum_ahead_are_no_overshoot() {
        let hill = Probe { length: 1.0, values: [0.0, -2.0], slopes: [-1.0, -3.0], noise: None };
        assert_eq!(alpha(&hill), Some(-1.0));
        let straight = Probe { length: 1.0, values: [0.0, -1.0], slopes: [-1.0, -1.0], noise: None };
        assert!((alpha(&straight).unwrap() + 1.0).abs() < 1e-9);
        for broken in [f64::NAN, f64::INFINITY] {
            assert_eq!(alpha(&Probe { values: [broken, 0.0], ..hill }), None);
            assert_eq!(alpha(&Probe { length: broken, ..hill }), None);
        }
        assert_eq!(alpha(&Probe { length: 0.0, ..hill }), None);
        let flat = Probe { length: 1.0, values: [1.0; 2], slopes: [0.0; 2], noise: None };
        assert_eq!(alpha(&flat), None);
    }

    #[test]
    fn many_are_summed_up_by_their_median_and_a_histogram_that_loses_none() {
        let all = Alphas::of([-0.5, 0.0, 0.5, 1e9, f64::NAN, -7.0]).unwrap();
        assert_eq!((all.median, all.count, all.broken, all.overshoots), (0.0, 5, 1, 1));
        assert_eq!(all.bins.iter().sum::<usize>(), 5);
        assert_eq!((all.bins[0], all.bins[15], all.bins[6]), (1, 1, 1));
        assert_eq!(Alphas::of([1.0, 2.0]).unwrap().median, 1.5);
        assert_eq!(Alphas::of([f64::NAN]), None);
        let words = [-0.9, -0.1, 0.6, 1.2].map(|m| Landing::of(m).unwrap());
        assert_eq!(words, [Landing::Short, Landing::Minimum, Landing::Across, Landing::Overshoot]);
        assert_eq!(Landing::of(f64::NAN), None);
    }

    /// Gradient descent on `½a·x²`, whose α is known: a rate of η ends at α = ηa − 1.
    #[test]
    fn t_51_a_tenfold_learning_rate_lets_the_median_cross_zero_and_then_one() {
        let run = |rate: fn(usize) -> f64| -> Vec<f64> {
            // Each step meets another curvature, as each batch does; the loss starts anew where it left.
            let mut x = 1.0_f64;
            let mut state = 7_u64;
            (0..1000)
                .filter_map(|i| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let curvature = 0.5 + (state >> 33) as f64 / (1_u64 << 31) as f64;
                    let gradient = curvature * x;
                    let t = rate(i) * gradient.abs();
                    let end = x - rate(i) * gradient;
                    let f = |x: f64| 0.5 * curvature * x * x;
                    let slope = |x: f64| -curvature * x * gradient.signum();
                    let probe = Probe {
                        length: t,
                        values: [f(x), f(end)],
                        slopes: [slope(x), slope(end)],
                        noise: None,
                    };
                    x = end.clamp(-1.0, 1.0);
                    if x.abs() < 1e-3 {
                        x = 1.0;
                    }
                    alpha(&probe)
                })
                .collect()
        };
        let found = run(|step| if step < 500 { 0.25 } else { 2.5 });
        let (before, after) =
            (Alphas::of(found[..500].to_vec()).unwrap(), Alphas::of(found[500..].to_vec()).unwrap());
        assert!(before.median < 0.0, "{}", before.median);
        assert!(after.median > 1.0, "{}", after.median);
        assert_eq!(Landing::of(after.median), Some(Landing::Overshoot));
        let calm = Alphas::of(run(|_| 0.25)[500..].to_vec()).unwrap();
        assert!(calm.median < 0.0, "without the raise nothing crosses");
    }
}
