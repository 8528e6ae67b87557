//! TensorBoard's debiased exponential moving average.

/// The state of the average along one series.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Smoother {
    weight: f64,
    last: f64,
    /// `weight` to the power of how many values were taken.
    decay: f64,
}

impl Smoother {
    /// An average that keeps `weight` (0…1, 1 excluded) of what it was at each value.
    pub fn new(weight: f64) -> Self {
        Self { weight: weight.clamp(0.0, 0.999_999), last: 0.0, decay: 1.0 }
    }

    /// The average after one more value. A value that is not finite is returned as it is and not taken in.
    pub fn next(&mut self, value: f64) -> f64 {
        self.next_many(value, 1)
    }

    /// The average after `count` more values whose mean is `mean`: exact where they are equal, and what a thinned
    /// stretch of a series allows otherwise.
    pub fn next_many(&mut self, mean: f64, count: u64) -> f64 {
        if !mean.is_finite() || count == 0 {
            return mean;
        }
        let kept = self.weight.powf(count as f64);
        self.last = self.last * kept + (1.0 - kept) * mean;
        self.decay *= kept;
        self.last / (1.0 - self.decay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smooth(values: &[f64], weight: f64) -> Vec<f64> {
        let mut smoother = Smoother::new(weight);
        values.iter().map(|v| smoother.next(*v)).collect()
    }

    #[test]
    fn it_equals_tensorboards() {
        let expected = [1.0, 1.625, 2.326_531, 3.095_588];
        for (got, want) in smooth(&[1.0, 2.0, 3.0, 4.0], 0.6).into_iter().zip(expected) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
        let gap = smooth(&[1.0, f64::NAN, 3.0], 0.5);
        assert!(gap[0] == 1.0 && gap[1].is_nan() && (gap[2] - 2.333_333).abs() < 1e-6);
    }

    #[test]
    fn a_constant_stays_and_no_weight_changes_nothing() {
        assert!(smooth(&[3.5; 50], 0.97).iter().all(|v| (v - 3.5).abs() < 1e-12));
        assert_eq!(smooth(&[1.0, 5.0, 2.0], 0.0), [1.0, 5.0, 2.0]);
        let mut thinned = Smoother::new(0.9);
        assert!((thinned.next_many(2.0, 100) - 2.0).abs() < 1e-12);
    }
}
