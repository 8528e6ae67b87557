//! The validation metrics beside a validation loss.

use std::collections::BTreeMap;

use crate::model::{SeriesKey, Step};

use super::{
    journal::{Bin, Journal},
    running,
};

/// Validation metrics of which more is better, as far as they were written before an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Company<'a> {
    metrics: &'a BTreeMap<SeriesKey, Journal>,
    before: Step,
}

impl<'a> Company<'a> {
    /// What `metrics` said before the evaluation at `before`.
    pub fn new(metrics: &'a BTreeMap<SeriesKey, Journal>, before: Step) -> Self {
        Self { metrics, before }
    }

    /// True when one of them has risen beyond its noise since a step.
    pub fn improved(&self, since: Step) -> bool {
        self.metrics.values().any(|journal| improved(journal, since, self.before))
    }

    /// Of each metric the last five values up to a step, and those after it, oldest first.
    pub fn values_around(
        &self,
        step: Step,
    ) -> impl Iterator<Item = (&'a SeriesKey, (Vec<f64>, Vec<f64>))> + use<'a> {
        let before = self.before;
        self.metrics.iter().map(move |(key, journal)| {
            let known = journal.bins().iter().filter(|b| b.last_step < before);
            let (then, since): (Vec<&Bin>, Vec<&Bin>) = known.partition(|b| b.last_step <= step);
            let means = |bins: &[&Bin]| bins.iter().map(|b| b.mean()).collect::<Vec<f64>>();
            (key, (means(&then[then.len().saturating_sub(5)..]), means(&since)))
        })
    }
}

/// True when a metric of which more is better has risen beyond its noise between two steps, as far as it was
/// written before the later one.
fn improved(journal: &Journal, since: Step, before: Step) -> bool {
    let means: Vec<f64> = journal.bins().iter().filter(|b| b.last_step < before).map(Bin::mean).collect();
    let then = journal.bins().iter().take_while(|b| b.last_step <= since).count().min(means.len());
    if then < 3 || means.len() < then + 3 {
        return false;
    }
    let sigma = running::sigma_of_median5(running::noise(&means[means.len().saturating_sub(31)..]));
    let level = |upto: usize| running::median_of(&means[upto.saturating_sub(5)..upto]);
    match (level(then), level(means.len())) {
        (Some(then), Some(now)) => now - then >= (2.0 * sigma).max(0.002 * then.abs()),
        _ => false,
    }
}
