//! The gradient noise scale: at which batch size noise and gradient have the same weight (`McCandlish` et al.,
//! "An empirical model of large-batch training", 2018).

/// Squared gradient norms at two batch sizes of one step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NoiseRecord {
    /// The smaller batch.
    pub b_small: f64,
    /// The larger one.
    pub b_big: f64,
    /// ‖G‖² of the smaller batch.
    pub g2_small: f64,
    /// ‖G‖² of the larger batch.
    pub g2_big: f64,
}

impl NoiseRecord {
    /// Estimates of |G|², the squared norm of the true gradient, and of tr Σ, the noise of one instance. Either may
    /// be negative by chance. `None` where a number is not finite or the batches are not two sizes.
    pub fn estimates(&self) -> Option<(f64, f64)> {
        let Self { b_small, b_big, g2_small, g2_big } = *self;
        let all = [b_small, b_big, g2_small, g2_big];
        if all.iter().any(|v| !v.is_finite() || *v < 0.0) || b_small <= 0.0 || b_big <= b_small {
            return None;
        }
        let square = (b_big * g2_big - b_small * g2_small) / (b_big - b_small);
        let noise = (g2_small - g2_big) / (1.0 / b_small - 1.0 / b_big);
        (square.is_finite() && noise.is_finite()).then_some((square, noise))
    }
}

/// What the records up to a moment say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NoiseEstimate {
    /// |G|², averaged.
    pub gradient: f64,
    /// tr Σ, averaged.
    pub noise: f64,
}

impl NoiseEstimate {
    /// `B_simple` = tr Σ / |G|². `None`, not estimable, where either average is not positive.
    pub fn scale(&self) -> Option<f64> {
        let scale = self.noise / self.gradient;
        (self.gradient > 0.0 && self.noise > 0.0 && scale.is_finite()).then_some(scale)
    }
}

/// Averages numerator and denominator apart: the mean of ratios would be ruled by the steps whose |G|² is near zero.
#[derive(Clone, Debug, Default)]
pub struct NoiseScale {
    sums: (f64, f64),
    weight: f64,
    records: u64,
    negative: u64,
    unusable: u64,
}

impl NoiseScale {
    /// Weight of the past in the moving averages, which begin without bias.
    pub const BETA: f64 = 0.99;

    /// Takes the next record; what it says alone, where it says something.
    pub fn push(&mut self, record: &NoiseRecord) -> Option<NoiseEstimate> {
        let Some((gradient, noise)) = record.estimates() else {
            self.unusable += 1;
            return None;
        };
        self.records += 1;
        self.negative += u64::from(gradient <= 0.0);
        let (a, b) = self.sums;
        let mix = |old: f64, new: f64| Self::BETA * old + (1.0 - Self::BETA) * new;
        self.sums = (mix(a, gradient), mix(b, noise));
        self.weight = mix(self.weight, 1.0);
        Some(NoiseEstimate { gradient, noise })
    }

    /// The averages; `None` before the first usable record.
    pub fn estimate(&self) -> Option<NoiseEstimate> {
        let of = |sum: f64| sum / self.weight;
        (self.records > 0).then(|| NoiseEstimate { gradient: of(self.sums.0), noise: of(self.sums.1) })
    }

    /// Records that were averaged.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Records that were left out: not finite, or not two batch sizes.
    pub fn unusable(&self) -> u64 {
        self.unusable
    }

    /// Share of the averaged records whose own |G|² is not positive, 0…1. Near a half there is nothing but noise.
    pub fn negative_share(&self) -> Option<f64> {
        (self.records > 0).then(|| self.negative as f64 / self.records as f64)
    }
}

/// What the noise scale says of a batch size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchAdvice {
    /// Below half of it.
    LargerPays,
    /// Within a factor of two.
    Critical,
    /// Above twice of it.
    SmallerDoes,
}

impl BatchAdvice {
    /// Compares a batch with `B_simple`.
    pub fn of(scale: f64, batch: f64) -> Self {
        if batch < scale / 2.0 {
            Self::LargerPays
        } else if batch > 2.0 * scale {
            Self::SmallerDoes
        } else {
            Self::Critical
        }
    }

    /// A clause that ends a sentence about the batch.
    pub fn words(self) -> &'static str {
        match self {
            Self::LargerPays => "far below: a larger batch would save steps at nearly no cost in samples",
            Self::Critical => "about critical: a larger batch would save few steps",
            Self::SmallerDoes => "far above: a smaller batch would save samples at nearly no cost in steps",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(g2_small: f64, g2_big: f64) -> NoiseRecord {
        NoiseRecord { b_small: 10.0, b_big: 100.0, g2_small, g2_big }
    }

    #[test]
    fn t_57_the_noise_scale_of_the_reference_is_25_and_stays_so_over_equal_records() {
        let (square, noise) = record(14.0, 5.0).estimates().unwrap();
        assert!((square - 4.0).abs() < 1e-12 && (noise - 100.0).abs() < 1e-11);
        let mut scale = NoiseScale::default();
        for _ in 0..500 {
            scale.push(&record(14.0, 5.0));
            // Without removing the bias the averages would begin at a hundredth of this.
            let now = scale.estimate().unwrap();
            assert!((now.gradient - 4.0).abs() < 1e-9 && (now.noise - 100.0).abs() < 1e-8);
            assert!((now.scale().unwrap() - 25.0).abs() < 1e-9);
        }
    }

    #[test]
    fn t_57_a_negative_gradient_is_not_estimable_and_is_counted() {
        let mut scale = NoiseScale::default();
        let alone = scale.push(&record(14.0, 1.0)).unwrap();
        assert!(alone.gradient < 0.0 && alone.scale().is_none());
        assert_eq!(scale.estimate().unwrap().scale(), None);
        assert_eq!(scale.negative_share(), Some(1.0));
        for _ in 0..3 {
            scale.push(&record(14.0, 5.0));
        }
        assert_eq!(scale.negative_share(), Some(0.25));
        assert!(scale.estimate().unwrap().scale().is_some(), "the average is positive again");
    }

    #[test]
    fn t_57_numerator_and_denominator_are_averaged_apart() {
        // |G|² of 4 and −1, tr Σ of 100 and 150: 125 / 1.5, about. The mean of the ratios would be −62.5.
        let other = NoiseRecord { g2_small: -1.0 + 15.0, g2_big: -1.0 + 1.5, ..record(0.0, 0.0) };
        let mut scale = NoiseScale::default();
        for _ in 0..1000 {
            scale.push(&record(14.0, 5.0));
            scale.push(&other);
        }
        let now = scale.estimate().unwrap();
        assert!((now.scale().unwrap() - 125.0 / 1.5).abs() < 2.0, "{now:?}");
    }

    #[test]
    fn records_that_say_nothing_are_left_out_and_counted() {
        let mut scale = NoiseScale::default();
        for broken in [
            record(f64::NAN, 5.0),
            record(14.0, f64::INFINITY),
            NoiseRecord { b_big: 10.0, ..record(14.0, 5.0) },
            NoiseRecord { b_small: 0.0, ..record(14.0, 5.0) },
            NoiseRecord { b_small: 200.0, ..record(14.0, 5.0) },
        ] {
            assert_eq!(scale.push(&broken), None);
        }
        assert_eq!((scale.records(), scale.unusable()), (0, 5));
        assert_eq!((scale.estimate(), scale.negative_share()), (None, None));
    }

    #[test]
    fn a_batch_is_compared_with_it_by_factors_of_two() {
        let said = [10.0, 25.0, 100.0].map(|batch| BatchAdvice::of(25.0, batch));
        assert_eq!(said, [BatchAdvice::LargerPays, BatchAdvice::Critical, BatchAdvice::SmallerDoes]);
    }
}
