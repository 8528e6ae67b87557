//! What is worked out of a confusion matrix once per record, so that frames only draw.

use std::sync::Arc;

use crate::{
    model::{ClassScores, ConfusionRecord, RunId, Step},
    store::Run,
};

/// Pairs that are kept for the list of what is mixed up most.
const PAIRS: usize = 100;

/// Everything that a frame needs of one matrix.
#[derive(Default)]
pub(super) struct Figures {
    /// Scores by class.
    pub scores: Vec<ClassScores>,
    /// Samples of each true class.
    pub row_sums: Vec<f64>,
    /// Samples predicted as each class.
    pub column_sums: Vec<f64>,
    /// The largest count.
    pub largest: f64,
    /// All samples.
    pub total: f64,
    /// Share on the diagonal.
    pub accuracy: Option<f64>,
    /// Unweighted mean of the F1 of classes that have one.
    pub macro_f1: Option<f64>,
    /// The largest cells off the diagonal.
    pub pairs: Vec<Pair>,
    /// Names of the classes, as many as the log gives.
    pub names: Vec<String>,
    /// Accuracy over all evaluations up to the shown one.
    pub accuracies: Vec<[f64; 2]>,
    /// Grows whenever everything was worked out anew.
    pub version: u64,
    source: Option<Source>,
}

/// A class that is taken for another one.
pub(super) struct Pair {
    /// The true class.
    pub row: usize,
    /// What it is taken for.
    pub column: usize,
    /// How often.
    pub count: f64,
    /// How much more often than at the evaluation before.
    pub change: Option<f64>,
}

/// What the figures were worked out from. A run that only logs scalars does not change it.
#[derive(PartialEq)]
struct Source {
    run: RunId,
    split: Arc<str>,
    evaluations: (u64, usize),
    step: Step,
    wall_bits: u64,
    names: Option<Arc<[Arc<str>]>>,
}

impl Figures {
    /// Works everything out anew when the run, the split, its evaluations or the time cursor have changed.
    pub fn refresh(&mut self, run: &Run, split: &Arc<str>, records: &[ConfusionRecord]) {
        let Some(record) = records.last() else { return };
        let names = record.names.as_ref().or_else(|| run.class_names(&record.task));
        let source = Source {
            run: run.id().clone(),
            split: split.clone(),
            evaluations: (run.confusions().count(split), records.len()),
            step: record.step,
            wall_bits: record.wall.0.to_bits(),
            names: names.cloned(),
        };
        if self.source.as_ref() == Some(&source) {
            return;
        }
        let matrix = &record.matrix;
        let n = matrix.classes();
        let counts = matrix.counts();
        self.row_sums = counts.rows().into_iter().map(|r| r.sum()).collect();
        self.column_sums = vec![0.0; n];
        for row in counts.rows() {
            for (sum, count) in self.column_sums.iter_mut().zip(row) {
                *sum += count;
            }
        }
        self.largest = counts.iter().copied().fold(0.0, f64::max);
        self.scores = (0..n).map(|c| self.score(c, counts[[c, c]])).collect();
        self.total = self.row_sums.iter().sum();
        self.accuracy = matrix.accuracy();
        let f1: Vec<f64> = self.scores.iter().filter_map(|s| s.f1).collect();
        self.macro_f1 = (!f1.is_empty()).then(|| f1.iter().sum::<f64>() / f1.len() as f64);
        let before = records.len().checked_sub(2).map(|i| records[i].matrix.counts());
        let before = before.filter(|b| b.dim() == counts.dim());
        let pair = |(row, column, count)| {
            let change = before.map(|b| count - b[[row, column]]);
            Pair { row, column, count, change }
        };
        self.pairs = matrix.worst_pairs(PAIRS).into_iter().map(pair).collect();
        let words = |names: &Arc<[Arc<str>]>| names.iter().map(ToString::to_string).collect();
        self.names = source.names.as_ref().map(words).unwrap_or_default();
        self.accuracies =
            records.iter().filter_map(|r| r.matrix.accuracy().map(|a| [r.step as f64, a])).collect();
        self.version += 1;
        self.source = Some(source);
    }

    /// The same as [`crate::model::ConfusionMatrix::scores`], from sums that are there already: a matrix of a
    /// thousand classes would be added up a thousand times otherwise.
    fn score(&self, class: usize, hit: f64) -> ClassScores {
        let (support, predicted) = (self.row_sums[class], self.column_sums[class]);
        let share = |of: f64| (of > 0.0).then(|| hit / of);
        ClassScores {
            precision: share(predicted),
            recall: share(support),
            f1: (support + predicted > 0.0).then(|| 2.0 * hit / (support + predicted)),
            support,
        }
    }

    /// The name of a class, or its number.
    pub fn name(&self, class: usize) -> String {
        self.names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}
