//! Precision, recall and errors of groups of classes.

use ndarray::Array2;

use crate::model::PackedMatrix;

/// Scores of one group, group-level and exact. `None` where there is nothing to divide by.
///
/// Group-level counts a sample as right if it was taken for any class of its group; exact, as Neo does (Görtler et al.
/// 2022), only if it was taken for its own class.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct GroupScores {
    /// Samples of its classes.
    pub support: f64,
    /// Samples that were taken for one of its classes.
    pub predicted: f64,
    /// Samples of it that were taken for it: `Σ C[i, j]` over `i, j` in the group.
    pub inside: f64,
    /// Samples of it that were taken for their own class.
    pub hits: f64,
}

impl GroupScores {
    /// Share of what was taken for the group that is of it.
    pub fn precision(&self) -> Option<f64> {
        share(self.inside, self.predicted)
    }

    /// Share of the group that was taken for it.
    pub fn recall(&self) -> Option<f64> {
        share(self.inside, self.support)
    }

    /// Harmonic mean of the two.
    pub fn f1(&self) -> Option<f64> {
        share(2.0 * self.inside, self.support + self.predicted)
    }

    /// Share of what was taken for one of its classes that is of that class.
    pub fn exact_precision(&self) -> Option<f64> {
        share(self.hits, self.predicted)
    }

    /// Share of the group that was taken for its own class.
    pub fn exact_recall(&self) -> Option<f64> {
        share(self.hits, self.support)
    }
}

fn share(part: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| part / of)
}

/// A matrix seen by groups.
#[derive(Clone, PartialEq, Debug)]
pub struct GroupMeasures {
    /// By group.
    pub scores: Vec<GroupScores>,
    /// Sums of the cells, shape `[groups, groups]`, rows true.
    pub matrix: Array2<f64>,
    /// Samples in all.
    pub total: f64,
    /// Samples that were taken for their own class.
    pub hits: f64,
}

impl GroupMeasures {
    /// Samples that were taken for a class of their group.
    pub fn inside(&self) -> f64 {
        self.scores.iter().map(|s| s.inside).sum()
    }

    /// Share of samples that were taken for another class.
    pub fn class_error(&self) -> Option<f64> {
        share(self.total - self.hits, self.total)
    }

    /// Share of samples that were taken for a class of another group.
    pub fn group_error(&self) -> Option<f64> {
        share(self.total - self.inside(), self.total)
    }

    /// Share of errors that stay inside the group, `(Σ TP_g − tr C) / (n − tr C)`; `None` without errors.
    pub fn within_share(&self) -> Option<f64> {
        share(self.inside() - self.hits, self.total - self.hits)
    }
}

/// Sums a matrix up by groups; `groups` is that of each class, below `count`. Classes without one are left out.
pub fn group_measures(matrix: &PackedMatrix, groups: &[usize], count: usize) -> GroupMeasures {
    let mut found = GroupMeasures {
        scores: vec![GroupScores::default(); count],
        matrix: Array2::zeros((count, count)),
        total: 0.0,
        hits: 0.0,
    };
    for (row, column, samples) in matrix.cells() {
        let (Some(&from), Some(&to)) = (groups.get(row), groups.get(column)) else { continue };
        if from >= count || to >= count {
            continue;
        }
        found.matrix[[from, to]] += samples;
        found.total += samples;
        found.scores[from].support += samples;
        found.scores[to].predicted += samples;
        if from == to {
            found.scores[from].inside += samples;
        }
        if row == column {
            found.hits += samples;
            found.scores[from].hits += samples;
        }
    }
    found
}
