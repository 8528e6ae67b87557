//! What rules on confusion matrices have in common. Rows are the true classes, always.

use std::sync::Arc;

use crate::{
    model::{ConfusionMatrix, ConfusionRecord, are_shares},
    store::Run,
};

pub use crate::model::wilson;

/// Samples of a class below which its scores are luck.
pub const SUPPORT: f64 = 30.0;

/// True for shares instead of counts: how many samples there were is not known.
pub fn is_normalised(matrix: &ConfusionMatrix) -> bool {
    let counts = matrix.counts();
    let sums: Vec<f64> = counts.rows().into_iter().map(|row| row.sum()).collect();
    are_shares(counts.iter().all(|c| c.fract() == 0.0), &sums)
}

/// Names of the classes; their numbers where the log has none.
pub fn class_names(record: &ConfusionRecord, run: &Run) -> Vec<Arc<str>> {
    let names = record.names.as_ref().or_else(|| run.class_names(&record.task));
    let number = |class: usize| Arc::from(format!("class {class}"));
    (0..record.matrix.classes())
        .map(|class| names.and_then(|names| names.get(class)).cloned().unwrap_or_else(|| number(class)))
        .collect()
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
