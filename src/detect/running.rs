//! Robust statistics over short windows: median, deviation, slope, trend.

use crate::model::robust::mad_sigma;
pub use crate::model::robust::median;

/// Pairs of points beyond which slope and trend work on a thinned series.
const TREND_POINTS: usize = 32;

/// The median of a slice that is left alone.
pub fn median_of(values: &[f64]) -> Option<f64> {
    // Most are medians of 3, 5 or 64 values, asked for with each point: no allocation.
    let mut room = [0.0; 64];
    match room.get_mut(..values.len()) {
        Some(part) => {
            part.copy_from_slice(values);
            median(part)
        }
        None => median(&mut values.to_vec()),
    }
}

/// Running medians of 3: of each value and the two before it, as many as there are.
pub fn medians_of_3(values: &[f64]) -> Vec<f64> {
    (0..values.len()).filter_map(|i| median_of(&values[i.saturating_sub(2)..=i])).collect()
}

/// The median absolute deviation from `centre`. `None` for an empty slice.
pub fn mad(values: &[f64], centre: f64) -> Option<f64> {
    let mut room = [0.0; 64];
    let Some(part) = room.get_mut(..values.len()) else {
        return median(&mut values.iter().map(|v| (v - centre).abs()).collect::<Vec<f64>>());
    };
    for (to, value) in part.iter_mut().zip(values) {
        *to = (value - centre).abs();
    }
    median(part)
}

/// The value below which a share `q` (0…1) of the values lie, without interpolation. `None` for an empty slice.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = (q * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied()
}

/// Spearman's rank correlation of two equally long slices; ties share their mean rank. 0 for fewer than 3 values or a
/// constant.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    if n < 3 {
        return 0.0;
    }
    let mean = (n as f64 - 1.0) / 2.0;
    let centred = |values: &[f64]| -> Vec<f64> { ranks(values).iter().map(|rank| rank - mean).collect() };
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let (a, b) = (centred(&a[..n]), centred(&b[..n]));
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    if spread == 0.0 { 0.0 } else { product(&a, &b) / spread }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|i, j| values[*i].total_cmp(&values[*j]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let tied = order[at..].iter().take_while(|i| values[**i] == values[order[at]]).count().max(1);
        for place in &order[at..at + tied] {
            ranks[*place] = at as f64 + (tied as f64 - 1.0) / 2.0;
        }
        at += tied;
    }
    ranks
}

/// σ of the noise of a curve: from the median absolute deviation of its first differences, which a trend
/// does not inflate. Infinite for fewer than 4 points, so that rules on it stay silent.
pub fn noise(values: &[f64]) -> f64 {
    if values.len() < 4 {
        return f64::INFINITY;
    }
    let mut differences: Vec<f64> = values.windows(2).map(|w| w[1] - w[0]).collect();
    let Some(centre) = median(&mut differences) else { return f64::INFINITY };
    mad_sigma(&mut differences, centre).map_or(f64::INFINITY, |sigma| sigma / std::f64::consts::SQRT_2)
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

/// All values so far in at most 64 blocks of equal length.
#[derive(Clone, PartialEq, Debug)]
pub struct Trail {
    blocks: Vec<f64>,
    open: (f64, u32),
    per_block: u32,
}

impl Default for Trail {
    fn default() -> Self {
        Self { blocks: Vec::new(), open: (0.0, 0), per_block: 1 }
    }
}

impl Trail {
    /// Adds a value.
    pub fn push(&mut self, value: f64) {
        self.open = (self.open.0 + value, self.open.1 + 1);
        if self.open.1 < self.per_block {
            return;
        }
        self.blocks.push(self.open.0 / f64::from(self.open.1));
        self.open = (0.0, 0);
        if self.blocks.len() == 64 {
            self.blocks = self.blocks.chunks(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect();
            self.per_block *= 2;
        }
    }

    /// Means of the whole blocks, oldest first.
    pub fn blocks(&self) -> &[f64] {
        &self.blocks
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
        assert!(noise(&[1.0, 2.0, 3.0]).is_infinite());
        let line: Vec<f64> = (0..30).map(f64::from).collect();
        assert!(noise(&line) < 1e-12);
        let noisy: Vec<f64> = (0..31).map(|i| f64::from(i) + f64::from(i % 2)).collect();
        assert!((noise(&noisy) - crate::model::robust::MAD_TO_SIGMA / std::f64::consts::SQRT_2).abs() < 1e-9);
    }

    #[test]
    fn slope_and_trend_agree_with_hand_results() {
        // slopes 2, 2, 95, 2, 48.5, 33 → the outlier moves the median to (2 + 33)/2, not the slope of a fit
        assert_eq!(theil_sen(&[1.0, 3.0, 5.0, 100.0]), Some(17.5));
        assert_eq!(theil_sen(&[0.0, 2.0, 4.0, 6.0, 8.0]), Some(2.0));
        // S = 10, variance = 5·4·15/18 → z = 9/√16.67
        assert!((mann_kendall(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 9.0 / (300.0_f64 / 18.0).sqrt()).abs() < 1e-12);
        assert!(mann_kendall(&[1.0; 20]).abs() < 1e-12);
        assert!(mann_kendall(&(0..1000).map(|i| -f64::from(i)).collect::<Vec<_>>()) < -5.0);
    }

    #[test]
    fn ranks_agree_with_hand_results() {
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0, 40.0, 30.0]) - 0.8).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 3.0], &[9.0, 4.0, 1.0]) + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), 0.0);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0]), 1.0);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(spearman(&[1.0, 1.0], &[3.0, 2.0]), 0.0);
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [1.5, 0.0, 1.5]);
        assert_eq!(mad(&[1.0, 2.0, 9.0], 2.0), Some(1.0));
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0, 5.0], 0.9), Some(5.0));
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
