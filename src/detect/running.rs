//! Robust statistics over short windows: median, deviation, slope, trend.

/// 1.4826 makes the median absolute deviation estimate σ of a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// Pairs of points beyond which slope and trend work on a thinned series.
const TREND_POINTS: usize = 32;

/// The median; of an even number the mean of the middle two. `None` for an empty slice. Reorders `values`.
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (middle, odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    Some(f64::midpoint(lower, upper))
}

/// The median of a slice that is left alone.
pub fn median_of(values: &[f64]) -> Option<f64> {
    median(&mut values.to_vec())
}

/// σ of the noise of a curve: from the median absolute deviation of its first differences, which a trend
/// does not inflate. Infinite for fewer than 4 points, so that rules on it stay silent.
pub fn noise(values: &[f64]) -> f64 {
    if values.len() < 4 {
        return f64::INFINITY;
    }
    let mut differences: Vec<f64> = values.windows(2).map(|w| w[1] - w[0]).collect();
    let Some(centre) = median(&mut differences) else { return f64::INFINITY };
    for d in &mut differences {
        *d = (*d - centre).abs();
    }
    median(&mut differences).map_or(f64::INFINITY, |mad| MAD_TO_SIGMA * mad / std::f64::consts::SQRT_2)
}

/// σ of a median of 5 values whose own σ is `sigma`.
pub fn sigma_of_median5(sigma: f64) -> f64 {
    1.2533 * sigma / 5_f64.sqrt()
}

/// Theil–Sen: the median of the slopes between all pairs of points, per point. Longer input is thinned by
/// block means first.
pub fn theil_sen(values: &[f64]) -> Option<f64> {
    let values = thinned(values, TREND_POINTS);
    if values.len() < 2 {
        return None;
    }
    let mut slopes = Vec::with_capacity(values.len() * (values.len() - 1) / 2);
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate().skip(i + 1) {
            slopes.push((b - a) / (j - i) as f64);
        }
    }
    median(&mut slopes)
}

/// Mann–Kendall: z of the trend; negative when falling. 0 for fewer than 4 points. Longer input is thinned.
pub fn mann_kendall(values: &[f64]) -> f64 {
    let values = thinned(values, TREND_POINTS);
    let n = values.len() as f64;
    if values.len() < 4 {
        return 0.0;
    }
    let mut balance = 0.0;
    for (i, a) in values.iter().enumerate() {
        for b in &values[i + 1..] {
            balance += f64::from(i8::from(b > a) - i8::from(b < a));
        }
    }
    let variance = n * (n - 1.0) * (2.0 * n + 5.0) / 18.0;
    let towards_zero = f64::signum(balance) * f64::from(u8::from(balance != 0.0));
    (balance - towards_zero) / variance.sqrt()
}

/// At most `most` block means in order.
pub fn thinned(values: &[f64], most: usize) -> Vec<f64> {
    if values.len() <= most {
        return values.to_vec();
    }
    (0..most)
        .map(|block| {
            let part = &values[block * values.len() / most..(block + 1) * values.len() / most];
            part.iter().sum::<f64>() / part.len() as f64
        })
        .collect()
}

/// The last `N` values, oldest first.
#[derive(Clone, PartialEq, Debug)]
pub struct Window<const N: usize> {
    values: [f64; N],
    count: usize,
}

impl<const N: usize> Default for Window<N> {
    fn default() -> Self {
        Self { values: [0.0; N], count: 0 }
    }
}

impl<const N: usize> Window<N> {
    /// Adds a value; the oldest one leaves when there are more than `N`.
    pub fn push(&mut self, value: f64) {
        if self.count == N {
            self.values.rotate_left(1);
            self.values[N - 1] = value;
        } else {
            self.values[self.count] = value;
            self.count += 1;
        }
    }

    /// What is kept, oldest first.
    pub fn values(&self) -> &[f64] {
        &self.values[..self.count]
    }

    /// The last `n` or fewer.
    pub fn last(&self, n: usize) -> &[f64] {
        &self.values[self.count.saturating_sub(n)..self.count]
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_even_counts_is_the_mean_of_the_middle() {
        assert_eq!(median_of(&[]), None);
        assert_eq!(median_of(&[3.0]), Some(3.0));
        assert_eq!(median_of(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median_of(&[5.0, 1.0, 9.0]), Some(5.0));
    }

    #[test]
    fn noise_ignores_a_trend_and_is_unknown_for_few_points() {
        assert_eq!(noise(&[1.0, 2.0, 3.0]), f64::INFINITY);
        let line: Vec<f64> = (0..30).map(f64::from).collect();
        assert!(noise(&line) < 1e-12);
        let noisy: Vec<f64> = (0..31).map(|i| f64::from(i) + f64::from(i % 2)).collect();
        assert!((noise(&noisy) - MAD_TO_SIGMA / std::f64::consts::SQRT_2).abs() < 1e-9);
    }

    #[test]
    fn slope_and_trend_agree_with_hand_results() {
        // slopes 2, 2, 95, 2, 48.5, 33 → the outlier moves the median to (2 + 33)/2, not the slope of a fit
        assert_eq!(theil_sen(&[1.0, 3.0, 5.0, 100.0]), Some(17.5));
        assert_eq!(theil_sen(&[0.0, 2.0, 4.0, 6.0, 8.0]), Some(2.0));
        // S = 10, variance = 5·4·15/18 → z = 9/√16.67
        assert!((mann_kendall(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 9.0 / (300.0_f64 / 18.0).sqrt()).abs() < 1e-12);
        assert_eq!(mann_kendall(&[1.0; 20]), 0.0);
        assert!(mann_kendall(&(0..1000).map(|i| -f64::from(i)).collect::<Vec<_>>()) < -5.0);
    }

    #[test]
    fn a_window_keeps_the_last_values_in_order() {
        let mut window = Window::<3>::default();
        for v in 1..=5 {
            window.push(f64::from(v));
        }
        assert_eq!(window.values(), [3.0, 4.0, 5.0]);
        assert_eq!(window.last(2), [4.0, 5.0]);
    }
}
