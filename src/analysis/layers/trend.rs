//! Whether a short series falls, by ranks: robust against outliers, and no matter in which units it is.

/// How many values a trend is asked of, at most.
pub const WINDOW: usize = 10;
/// Fewer say nothing.
pub const LEAST: usize = 5;
/// One-sided 5 % of the normal distribution.
const SIGNIFICANT: f64 = 1.645;

/// What the trend of a window is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trend {
    /// It falls, with less than 5 % probability of that by chance.
    Falls,
    /// Nothing can be said, but more pairs fall than rise.
    Leans,
    /// It does not fall.
    None,
}

/// Mann–Kendall's test of the newest [`WINDOW`] values against a falling trend. Ties count for neither side; a value
/// that is NaN is above all others, as something that is broken has not settled.
pub fn mann_kendall(values: &[f64]) -> Trend {
    let n = values.len();
    if n < LEAST {
        return Trend::None;
    }
    let key = |v: f64| if v.is_nan() { f64::INFINITY } else { v };
    let mut score = 0_i32;
    for (at, earlier) in values.iter().enumerate() {
        for later in &values[at + 1..] {
            score += match key(*later).total_cmp(&key(*earlier)) {
                std::cmp::Ordering::Less => -1,
                std::cmp::Ordering::Equal => 0,
                std::cmp::Ordering::Greater => 1,
            };
        }
    }
    let n = n as f64;
    let sigma = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    // One less for the continuity correction.
    let z = (f64::from(score) + 1.0) / sigma;
    match score {
        1.. | 0 => Trend::None,
        _ if z <= -SIGNIFICANT => Trend::Falls,
        _ => Trend::Leans,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Trend {
        mann_kendall(values)
    }

    #[test]
    fn falling_series_fall_and_flat_ones_do_not() {
        assert_eq!(of(&[9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5]), Trend::Falls);
        assert_eq!(of(&[9.0, 8.0, 99.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5]), Trend::Falls, "an outlier");
        assert_eq!(of(&[5.0; 10]), Trend::None);
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0, 5.0]), Trend::None);
        assert_eq!(of(&[5.0, 4.0, 3.0, 2.0]), Trend::None, "too few");
        assert_eq!(of(&[5.0, 4.0, 3.0, 2.0, 1.0]), Trend::Falls);
        assert_eq!(of(&[5.0, 6.0, 4.0, 5.0, 3.0, 5.5]), Trend::Leans);
        assert_eq!(of(&[1.0, 1.0, 1.0, 1.0, f64::NAN]), Trend::None);
    }
}
