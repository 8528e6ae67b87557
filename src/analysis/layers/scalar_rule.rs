//! When a measure that is one number a record has come to rest: median and maximum of the newest values against a
//! threshold.

use super::{machine::Machine, ring::Ring, state::State};

/// Values that are looked at.
pub const WINDOW: usize = 5;
/// Stable when the median of the window is at most τ and its maximum at most so many τ.
pub const ENTER_MOST: f64 = 2.0;
/// Not stable any more when two values in a row are above so many τ.
pub const LEAVE: f64 = 3.0;
/// Values in a row that are exactly zero before a layer is called frozen: one may be a step that a loss scaler skipped.
pub const FROZEN_AFTER: u32 = 3;

/// The rule over the values of one layer in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScalarRule {
    window: Ring<WINDOW>,
    /// Values above [`LEAVE`] τ in a row.
    above: u32,
    /// Values that are exactly zero in a row.
    zeros: u32,
    /// Zero means that the layer is not trained.
    zero_is_frozen: bool,
    machine: Machine,
}

impl ScalarRule {
    /// A rule for a measure that is exactly zero only while the layer is not trained.
    pub fn of_updates() -> Self {
        Self { zero_is_frozen: true, ..Self::default() }
    }

    /// Takes the next value and the threshold τ; without one the layer is warming. What is not a number counts as
    /// infinitely large: something that is broken has not come to rest.
    pub fn push(&mut self, value: f64, tau: Option<f64>) -> State {
        let size = if value.is_nan() { f64::INFINITY } else { value.abs() };
        self.window.push(size);
        self.machine.trend(size);
        self.zeros = if size == 0.0 { self.zeros + 1 } else { 0 };
        if self.zero_is_frozen && self.zeros >= FROZEN_AFTER {
            return State::Frozen;
        }
        let Some(tau) = tau else { return State::Warming };
        self.above = if size > LEAVE * tau { self.above + 1 } else { 0 };
        if !self.window.is_full() {
            return State::Warming;
        }
        let mut sorted = [0.0; WINDOW];
        sorted.copy_from_slice(self.window.as_slice());
        sorted.sort_unstable_by(f64::total_cmp);
        let enters = sorted[WINDOW / 2] <= tau && sorted[WINDOW - 1] <= ENTER_MOST * tau;
        self.machine.judge(enters, self.above >= 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(values: impl Iterator<Item = f64>, tau: f64) -> Vec<State> {
        let mut rule = ScalarRule::default();
        values.map(|v| rule.push(v, Some(tau))).collect()
    }

    #[test]
    fn t_10_a_relative_change_that_drops_is_stable_six_records_later() {
        for (drop, wanted) in [(5, 11), (15, 21), (25, 31), (35, 41)] {
            // From the drop on it halves with each record.
            let change = |t: i32| 0.1 * 0.5_f64.powi((t - drop).max(0));
            let states = states((0..60).map(change), 0.02);
            assert_eq!(states.iter().position(|s| *s == State::Stable), Some(wanted), "{states:?}");
            let settles = states.iter().position(|s| *s == State::Settling).unwrap();
            assert!(settles > drop as usize && settles < wanted, "{states:?}");
            assert!(states[..4].iter().all(|s| *s == State::Warming));
        }
    }

    #[test]
    fn one_large_value_does_not_end_stability_and_two_do() {
        let mut values = vec![0.01; 10];
        values.extend([0.5, 0.01, 0.5, 0.5, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01]);
        let states = states(values.into_iter(), 0.02);
        assert_eq!(states[12], State::Stable);
        assert_eq!(states[13], State::Regressing);
        assert_eq!(states[19], State::Stable);
        assert!(!states[14..17].contains(&State::Moving), "{states:?}");
    }

    #[test]
    fn a_value_that_is_no_number_is_never_at_rest() {
        let states = states([0.01; 6].into_iter().chain([f64::NAN; 3]), 0.02);
        assert_eq!(states[5], State::Stable);
        assert_eq!(states[7], State::Regressing);
    }

    #[test]
    fn exactly_zero_three_times_is_frozen_where_zero_means_that() {
        let mut rule = ScalarRule::of_updates();
        let states: Vec<State> = [0.0, 0.0, 0.0, 0.0, 0.1].map(|v| rule.push(v, None)).into();
        assert_eq!(states, [State::Warming, State::Warming, State::Frozen, State::Frozen, State::Warming]);
        let mut plain = ScalarRule::default();
        assert!([0.0; 8].map(|v| plain.push(v, Some(0.01))).iter().all(|s| *s != State::Frozen));
    }
}
