//! The threshold of L2: a share of what the layer's own updates were in its first epoch.

use super::measure::{FIRST_EPOCH, FIRST_RECORDS, UPDATE_SHARE};

/// τ, or the values from which it will be known.
#[derive(Clone, Debug)]
pub enum Reference {
    /// It is this.
    Known(f64),
    /// Values of the first epoch so far that are positive and finite.
    Gathering(Vec<f64>),
}

impl Default for Reference {
    fn default() -> Self {
        Self::Gathering(Vec::new())
    }
}

impl Reference {
    /// The threshold, where it is known.
    pub fn known(&self) -> Option<f64> {
        match self {
            Self::Known(tau) => Some(*tau),
            Self::Gathering(_) => None,
        }
    }

    /// Takes the next value; returns the threshold that it is judged by. It is set when the first epoch is over, not
    /// before five values and with twenty at the latest; with ten where the log does not say how long an epoch is.
    pub fn tau(&mut self, value: f64, epoch_is_over: Option<bool>) -> Option<f64> {
        let Self::Gathering(values) = self else { return self.known() };
        let enough = match epoch_is_over {
            Some(over) => (over && values.len() >= FIRST_EPOCH.0) || values.len() >= FIRST_EPOCH.1,
            None => values.len() >= FIRST_RECORDS,
        };
        if enough {
            values.sort_unstable_by(f64::total_cmp);
            *self = Self::Known(UPDATE_SHARE * median(values));
            return self.known();
        }
        if value.is_finite() && value > 0.0 {
            values.push(value);
        }
        None
    }
}

/// Of values in ascending order that are not none.
fn median(sorted: &[f64]) -> f64 {
    let (middle, odd) = (sorted.len() / 2, sorted.len() % 2 == 1);
    let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
    if odd { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_a_twentieth_of_the_first_epoch() {
        let mut reference = Reference::default();
        for value in [0.1, 0.3, 0.2, 0.0, f64::NAN, 0.2, 0.2] {
            assert_eq!(reference.tau(value, Some(false)), None);
        }
        let tau = reference.tau(0.001, Some(true)).unwrap();
        assert!((tau - 0.01).abs() < 1e-12, "{tau}");
        assert_eq!(reference.tau(9.0, Some(true)), Some(tau));
    }

    #[test]
    fn an_epoch_without_an_end_does_not_keep_a_layer_waiting() {
        let mut long = Reference::default();
        assert_eq!((0..30).position(|_| long.tau(1.0, Some(false)).is_some()), Some(20));
        let mut unknown = Reference::default();
        assert_eq!((0..30).position(|_| unknown.tau(1.0, None).is_some()), Some(10));
        let mut short = Reference::default();
        assert_eq!((0..30).position(|_| short.tau(1.0, Some(true)).is_some()), Some(5));
    }
}
