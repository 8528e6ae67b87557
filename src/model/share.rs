//! Shares of samples: how sure they are, and how to tell them from counts.

/// The interval of Wilson (1927) that holds a share of `hits` in `of` with 95 %. NaN for no samples.
pub fn wilson(hits: f64, of: f64) -> (f64, f64) {
    const Z: f64 = 1.96;
    let share = hits / of;
    let (square, centre) = (Z * Z, share + Z * Z / (2.0 * of));
    let half = Z * (share * (1.0 - share) / of + square / (4.0 * of * of)).sqrt();
    let scale = 1.0 + square / of;
    ((centre - half) / scale, (centre + half) / scale)
}

/// Whether a matrix with these sums of rows holds shares instead of counts: how many samples there were is not known
/// then. `whole`: all its cells are whole numbers.
pub fn are_shares(whole: bool, row_sums: &[f64]) -> bool {
    let rows_of = |sum: f64| row_sums.iter().all(|row| *row == 0.0 || (row - sum).abs() < 0.02 * sum);
    let total: f64 = row_sums.iter().sum();
    rows_of(1.0) || (total - 1.0).abs() < 0.02 || !whole && rows_of(100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_reference() {
        let close = |(a, b): (f64, f64), (c, d): (f64, f64)| (a - c).abs() < 5e-5 && (b - d).abs() < 5e-5;
        assert!(close(wilson(65.0, 100.0), (0.5525, 0.7364)), "{:?}", wilson(65.0, 100.0));
        assert!(close(wilson(3.0, 4.0), (0.3006, 0.9544)), "{:?}", wilson(3.0, 4.0));
        assert!(wilson(0.0, 0.0).0.is_nan());
    }
}
