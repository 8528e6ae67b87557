//! What rules on confusion matrices have in common. Rows are the true classes, always.

use std::sync::Arc;

use crate::{
    model::{ConfusionMatrix, ConfusionRecord},
    store::Run,
};

/// Samples of a class below which its scores are luck.
pub const SUPPORT: f64 = 30.0;

/// True for shares instead of counts: how many samples there were is not known.
pub fn is_normalised(matrix: &ConfusionMatrix) -> bool {
    let counts = matrix.counts();
    let whole = counts.iter().all(|c| c.fract() == 0.0);
    let rows_of = |sum: f64| {
        counts.rows().into_iter().all(|row| row.sum() == 0.0 || (row.sum() - sum).abs() < 0.02 * sum)
    };
    rows_of(1.0) || (matrix.total() - 1.0).abs() < 0.02 || !whole && rows_of(100.0)
}

/// Names of the classes; their numbers where the log has none.
pub fn class_names(record: &ConfusionRecord, run: &Run) -> Vec<Arc<str>> {
    let names = record.names.as_ref().or_else(|| run.class_names(&record.task));
    let number = |class: usize| Arc::from(format!("class {class}"));
    (0..record.matrix.classes())
        .map(|class| names.and_then(|names| names.get(class)).cloned().unwrap_or_else(|| number(class)))
        .collect()
}

/// The interval of Wilson that holds a share of `hits` in `of` with 95 %.
pub fn wilson(hits: f64, of: f64) -> (f64, f64) {
    const Z: f64 = 1.96;
    let share = hits / of;
    let (square, centre) = (Z * Z, share + Z * Z / (2.0 * of));
    let half = Z * (share * (1.0 - share) / of + square / (4.0 * of * of)).sqrt();
    let scale = 1.0 + square / of;
    ((centre - half) / scale, (centre + half) / scale)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn shares_are_told_from_counts() {
        let of = |counts| is_normalised(&ConfusionMatrix::new(counts).unwrap());
        assert!(of(array![[0.9, 0.1], [0.25, 0.75]]));
        assert!(of(array![[0.45, 0.05], [0.125, 0.375]]));
        assert!(of(array![[99.5, 0.5], [2.25, 97.75]]));
        assert!(!of(array![[50.0, 2.0], [3.0, 60.0]]));
    }

    #[test]
    fn intervals_agree_with_hand_results() {
        let (low, high) = wilson(8.0, 10.0);
        assert!((low - 0.4902).abs() < 1e-3 && (high - 0.9433).abs() < 1e-3, "{low} {high}");
    }
}
