//! Median and deviation that outliers do not move.

/// 1.4826 makes the median absolute deviation estimate σ of a normal distribution.
pub const MAD_TO_SIGMA: f64 = 1.4826;

/// The median; of an even number the mean of the middle two. `None` for an empty slice. Reorders `values`; NaN counts
/// as larger than everything, so leave it out first.
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

/// The standard deviation as the median distance from `centre` tells it. `None` for an empty slice. Overwrites `values`.
pub fn mad_sigma(values: &mut [f64], centre: f64) -> Option<f64> {
    for v in values.iter_mut() {
        *v = (*v - centre).abs();
    }
    median(values).map(|mad| MAD_TO_SIGMA * mad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_move_neither_centre_nor_deviation() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 1e9]), Some(3.0));
        assert_eq!(median(&mut []), None);
        assert_eq!(mad_sigma(&mut [1.0, 2.0, 3.0, 4.0, 1e9], 3.0), Some(1.4826));
    }
}
