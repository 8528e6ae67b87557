//! An early indicator of over-fitting: training and validation batches begin to use a layer differently.
//!
//! It is a hint and never the alert, which needs the validation loss. Density (share of active responses) and GDV
//! (how well classes are separated) of the same layer on both splits; their gap is compared with what it was in the
//! first quarter of the evaluations.

use crate::model::Step;
use crate::model::robust::{mad_sigma, median};

/// How far from its beginnings the gap must be, in robust standard deviations.
pub const Z_LIMIT: f64 = 3.0;
/// Evaluations in a row for which it must be so, on the same side.
pub const IN_A_ROW: usize = 3;
/// Evaluations of the baseline, whatever a quarter is: of fewer the deviation is not known.
const LEAST_BASELINE: usize = 10;
/// The median absolute deviation of `n` values is too small on the average; with a factor of 1 + 2/n chance alone gives
/// a hint in fewer than 1 of 1,000 layers of 40 evaluations (simulated).
const SMALL_SAMPLE: f64 = 2.0;
/// A gap that never moved has no deviation; this share of the values' size counts as one.
const LEAST_SIGMA: f64 = 0.005;

/// A gap between training and validation that opened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hint {
    /// The first of the evaluations in a row.
    pub since: Step,
    /// The one at which it was certain.
    pub step: Step,
    /// Training minus validation there.
    pub gap: f64,
    /// The same in the first quarter of the evaluations: its median.
    pub usual: f64,
    /// How far that is, in robust standard deviations; the sign is the gap's.
    pub z: f64,
}

/// Looks for the first time that the gap between two series leaves its beginnings for [`IN_A_ROW`] evaluations.
///
/// Both ascend in steps. An evaluation is a value of `validation` with the last value of `training` at or before it;
/// values that are no finite number, and validations before the first training value, are passed over. The baseline at
/// each evaluation is the first quarter of those up to it, at least [`LEAST_BASELINE`], so that what was said at a step
/// does not change when more is read.
pub fn early_overfit(training: &[(Step, f64)], validation: &[(Step, f64)]) -> Option<Hint> {
    let finite: Vec<(Step, f64)> = training.iter().filter(|(_, v)| v.is_finite()).copied().collect();
    let mut gaps: Vec<(Step, f64)> = Vec::new();
    let mut size = 0.0_f64;
    for (step, v) in validation.iter().filter(|(_, v)| v.is_finite()) {
        let before = finite.partition_point(|(at, _)| at <= step);
        if let Some((_, t)) = before.checked_sub(1).and_then(|i| finite.get(i)) {
            gaps.push((*step, t - v));
        }
    }
    let mut run = (0_usize, 0.0_f64, 0);
    for (i, (step, gap)) in gaps.iter().enumerate() {
        let quarter = ((i + 1) / 4).max(LEAST_BASELINE);
        if i < quarter {
            continue;
        }
        if i == LEAST_BASELINE {
            let early = validation.iter().chain(training).filter(|(at, v)| at <= step && v.is_finite());
            size = early.map(|(_, v)| v.abs()).fold(0.0, f64::max);
        }
        let mut baseline: Vec<f64> = gaps[..quarter].iter().map(|(_, gap)| *gap).collect();
        let usual = median(&mut baseline)?;
        let correction = 1.0 + SMALL_SAMPLE / quarter as f64;
        let sigma =
            (mad_sigma(&mut baseline, usual)? * correction).max(LEAST_SIGMA * size).max(f64::MIN_POSITIVE);
        let z = (gap - usual) / sigma;
        let goes_on = run.0 > 0 && run.1.signum() == z.signum();
        if z.abs() <= Z_LIMIT || z.is_nan() {
            run = (0, 0.0, 0);
            continue;
        }
        run = if goes_on { (run.0 + 1, z, run.2) } else { (1, z, *step) };
        if run.0 >= IN_A_ROW {
            return Some(Hint { since: run.2, step: *step, gap: *gap, usual, z });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between −1 and 1, the same everywhere.
    fn noise(seed: u64, at: i64) -> f64 {
        let mut x = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ at.unsigned_abs().wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(17);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        2.0 * (x as f64 / u64::MAX as f64) - 1.0
    }

    type Curve = Vec<(Step, f64)>;

    fn density(seed: u64, opens: Option<i64>) -> (Curve, Curve) {
        let level = |epoch: i64| 0.45 - 0.1 * (epoch as f64 / 40.0);
        let train = (1..=40).map(|e| (e, level(e) + 0.004 * noise(seed, e))).collect();
        let gap = |e: i64| opens.map_or(0.0, |o| (e - o + 1).max(0) as f64 * 0.02);
        let val = (1..=40).map(|e| (e, level(e) + 0.01 - gap(e) + 0.004 * noise(seed + 99, e))).collect();
        (train, val)
    }

    #[test]
    fn t_14_a_density_gap_that_opens_at_epoch_20_gives_a_hint_at_21_to_23() {
        for seed in 0..20 {
            let (train, val) = density(seed, Some(20));
            let hint = early_overfit(&train, &val).unwrap();
            assert!((21..=23).contains(&hint.step), "seed {seed}: {hint:?}");
            assert!(hint.z > Z_LIMIT && hint.gap > hint.usual);
            // What was said does not change when more is read.
            let until = hint.step as usize;
            assert_eq!(early_overfit(&train[..until], &val[..until]), Some(hint));
            assert_eq!(early_overfit(&train[..until - 1], &val[..until - 1]), None);
        }
    }

    #[test]
    fn t_14_a_log_without_gap_gives_no_hint() {
        let hints = (0..500).filter(|seed| {
            let (train, val) = density(*seed, None);
            early_overfit(&train, &val).is_some()
        });
        assert!(hints.count() <= 2);
    }

    #[test]
    fn nan_missing_values_and_other_steps_are_passed_over() {
        let train: Vec<_> = (0..40).map(|s| (s * 10, 0.5)).collect();
        let mut val: Vec<_> = (0..40).map(|s| (s * 10 + 3, if s < 20 { 0.5 } else { 0.4 })).collect();
        let hint = early_overfit(&train, &val).unwrap();
        assert_eq!((hint.since, hint.step, hint.usual), (203, 223, 0.0));
        val[21].1 = f64::NAN;
        assert_eq!(early_overfit(&train, &val).unwrap().step, 233);
        assert_eq!(early_overfit(&[], &val), None);
        assert_eq!(early_overfit(&train, &[]), None);
        assert_eq!(early_overfit(&train, &train), None);
    }
}
