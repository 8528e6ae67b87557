//! What is worked out of a confusion matrix once per record, so that frames only draw.

use std::sync::Arc;

use crate::{
    analysis::classes::{Move, moves},
    model::{ClassScores, PackedMatrix, RunId, Step, wilson},
    store::{Evaluation, Run},
};

/// Pairs that are kept for the lists of what is mixed up most and of what moved most.
const PAIRS: usize = 100;

/// Everything that a frame needs of one matrix.
#[derive(Default)]
pub(super) struct Figures {
    /// The matrix.
    pub matrix: Option<PackedMatrix>,
    /// Scores by class.
    pub scores: Vec<ClassScores>,
    /// The largest count.
    pub largest: f64,
    /// All samples.
    pub total: f64,
    /// It holds shares, so that nobody knows how many samples there were.
    pub shares: bool,
    /// Share on the diagonal.
    pub accuracy: Option<f64>,
    /// Unweighted mean of the F1 of classes that have one.
    pub macro_f1: Option<f64>,
    /// The largest cells off the diagonal, with how much more often than at the evaluation before; 0 without one.
    pub pairs: Vec<Move>,
    /// The pairs that moved most since the evaluation before.
    pub moves: Vec<Move>,
    /// The step of the evaluation before, if it has the same classes.
    pub before: Option<Step>,
    /// Names of the classes, as many as the log gives.
    pub names: Vec<String>,
    /// Accuracy over all evaluations up to the shown one.
    pub accuracies: Vec<[f64; 2]>,
    /// Grows whenever everything was worked out anew.
    pub version: u64,
    /// What it was worked out from.
    pub source: Option<Source>,
}

/// What the figures were worked out from. A run that only logs scalars does not change it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Source {
    run: RunId,
    pub split: Arc<str>,
    evaluations: (u64, usize),
    step: Step,
    wall_bits: u64,
    pub names: Option<Arc<[Arc<str>]>>,
}

impl Source {
    /// Whether what is known of `older` may stand in: the same run and split, and nothing from after this evaluation.
    pub fn goes_on_from(&self, older: &Self) -> bool {
        self.run == older.run && self.split == older.split && older.step <= self.step
    }
}

impl Figures {
    /// Works everything out anew when the run, the split, its evaluations or the time cursor have changed.
    pub fn refresh(&mut self, run: &Run, split: &Arc<str>, records: &[Evaluation]) {
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
        self.largest = matrix.cells().map(|(.., count)| count).fold(0.0, f64::max);
        self.scores = (0..n).map(|c| matrix.scores(c)).collect();
        self.total = matrix.total();
        self.shares = matrix.holds_shares();
        self.accuracy = matrix.accuracy();
        let f1: Vec<f64> = self.scores.iter().filter_map(|s| s.f1).collect();
        self.macro_f1 = (!f1.is_empty()).then(|| f1.iter().sum::<f64>() / f1.len() as f64);
        let before = records.len().checked_sub(2).map(|i| &records[i]).filter(|b| b.matrix.classes() == n);
        self.moves = before.map_or_else(Vec::new, |b| moves(matrix, &b.matrix, PAIRS));
        self.before = before.map(|b| b.step);
        let ratio = before.map_or(1.0, |b| crate::analysis::classes::total_ratio(matrix, &b.matrix));
        self.pairs = matrix
            .worst_pairs(PAIRS)
            .into_iter()
            .map(|(row, column, now)| {
                let change = before.map_or(0.0, |b| now - ratio * b.matrix.get(row, column));
                Move { row, column, now, change }
            })
            .collect();
        let words = |names: &Arc<[Arc<str>]>| names.iter().map(ToString::to_string).collect();
        self.names = source.names.as_ref().map(words).unwrap_or_default();
        self.accuracies =
            records.iter().filter_map(|r| r.matrix.accuracy().map(|a| [r.step as f64, a])).collect();
        self.matrix = Some(matrix.clone());
        self.version += 1;
        self.source = Some(source);
    }

    /// The name of a class, or its number.
    pub fn name(&self, class: usize) -> String {
        self.names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// Samples of a class.
    pub fn support(&self, class: usize) -> f64 {
        self.scores.get(class).map_or(0.0, |s| s.support)
    }

    /// Samples that were taken for a class.
    pub fn predicted(&self, class: usize) -> f64 {
        self.matrix.as_ref().and_then(|m| m.column_sums().get(class)).copied().unwrap_or(0.0)
    }
}

/// The interval of a share of `hits` in `of`.
pub(super) fn interval(hits: f64, of: f64) -> Option<(f64, f64)> {
    (of > 0.0).then(|| wilson(hits.min(of), of))
}

/// The interval of F1. `TP / (TP + FP + FN)` is a share of what was of the class or taken for it, and F1 rises with it:
/// its interval by Wilson becomes that of F1 (the indirect way of Lam et al. 2023).
pub(super) fn f1_interval(hits: f64, support: f64, predicted: f64) -> Option<(f64, f64)> {
    let (low, high) = interval(hits, support + predicted - hits)?;
    Some((2.0 * low / (1.0 + low), 2.0 * high / (1.0 + high)))
}
