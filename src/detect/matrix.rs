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

/// Spearman's rank correlation; `None` where one of the two does not vary.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product =
        |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum() };
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    (scale > 0.0).then(|| product(&a, &b) / scale)
}

/// Places in order; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let to =
            (from..order.len()).take_while(|at| values[order[*at]] == values[order[from]]).count() + from;
        for at in &order[from..to] {
            ranks[*at] = (from + to - 1) as f64 / 2.0;
        }
        from = to;
    }
    ranks
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
    fn intervals_and_ranks_agree_with_hand_results() {
        let (low, high) = wilson(8.0, 10.0);
        assert!((low - 0.4902).abs() < 1e-3 && (high - 0.9433).abs() < 1e-3, "{low} {high}");
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(spearman(&[1.0, 1.0], &[3.0, 2.0]), None);
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [1.5, 0.0, 1.5]);
    }
}
