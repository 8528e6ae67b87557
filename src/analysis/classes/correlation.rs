//! How alike two classes are to the network, by how their logits go together.

use ndarray::{Array2, ArrayView2, Axis};

/// Logits that are taken into account at most; beyond it instances are left out evenly.
const MOST_LOGITS: usize = 4_000_000;
/// Multiplications that are done at most: half a second.
const MOST_WORK: usize = 2_000_000_000;

/// Correlations of classes.
#[derive(Clone, PartialEq, Debug)]
pub struct LogitCorrelation {
    /// Pearson's correlation of each two classes' logits over the instances; negative ones are 0. Shape
    /// `[classes, classes]`.
    pub similarity: Array2<f64>,
    /// Instances that were taken into account.
    pub instances: usize,
    /// Instances with a logit that is NaN or infinite, which were left out.
    pub broken: usize,
}

/// Correlates the columns of `batches`, each of shape `[instances, classes]` (Alsallakh et al. 2020). Batches with
/// another number of classes are left out. A class whose logit never changes is like no other. `None` below three
/// whole instances: two points always lie on a line.
pub fn logit_correlation(batches: &[ArrayView2<'_, f64>], classes: usize) -> Option<LogitCorrelation> {
    let rows = || batches.iter().filter(|b| b.ncols() == classes).flat_map(|b| b.outer_iter());
    let all = rows().count();
    let most = (MOST_LOGITS / classes.max(1)).min(MOST_WORK / (classes * classes).max(1)).max(3);
    let stride = all.div_ceil(most).max(1);
    let taken: Vec<_> = rows().step_by(stride).collect();
    let whole: Vec<_> = taken.iter().filter(|row| row.iter().all(|v| v.is_finite())).collect();
    if whole.len() < 3 || classes < 2 {
        return None;
    }
    let mut z = Array2::zeros((whole.len(), classes));
    for (mut target, row) in z.outer_iter_mut().zip(&whole) {
        target.assign(row);
    }
    for mut column in z.axis_iter_mut(Axis(1)) {
        let mean = column.sum() / column.len() as f64;
        column.mapv_inplace(|v| v - mean);
        let norm = column.iter().map(|v| v * v).sum::<f64>().sqrt();
        let scale = if norm > 0.0 && norm.is_finite() { 1.0 / norm } else { 0.0 };
        column.mapv_inplace(|v| v * scale);
    }
    let similarity = z.t().dot(&z).mapv(|v| if v > 0.0 { v } else { 0.0 });
    Some(LogitCorrelation { similarity, instances: whole.len(), broken: taken.len() - whole.len() })
}
