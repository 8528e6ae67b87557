//! What the shown evaluation is compared with.

use std::{collections::BTreeMap, sync::Arc};

use super::figures::Figures;
use crate::{
    analysis::classes::{error_distance, total_ratio},
    model::{ConfusionMatrix, PackedMatrix, RunId, Step, WallTime},
    store::{Evaluation, Run},
    ui::{FrameContext, Selection},
};

/// What the user wants to compare with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Compare {
    /// Nothing: the matrix itself.
    #[default]
    Off,
    /// The evaluation before.
    Before,
    /// The last evaluation up to a step that was pinned.
    Pinned(Step),
    /// The newest evaluation of the first other marked run.
    Marked,
}

/// Another matrix of the same classes in the same order.
pub(super) struct Reference {
    /// What it is.
    pub label: String,
    /// Its counts.
    pub matrix: PackedMatrix,
    /// By what its counts are multiplied: the ratio of the totals, 1 where they hardly differ.
    pub scale: f64,
    /// How differently errors are distributed, 0 … 1.
    pub distance: Option<f64>,
}

/// The reference of the last frame, so that it is not put in order again.
#[derive(Default)]
pub(super) struct References {
    known: Option<(RunId, Step, WallTime, u64, PackedMatrix, Option<f64>)>,
}

impl Compare {
    /// The next one in the cycle of its key; `shown` is the step on screen.
    pub fn next(self, shown: Step, marked: bool) -> Self {
        match self {
            Self::Off => Self::Before,
            Self::Before => Self::Pinned(shown),
            Self::Pinned(_) if marked => Self::Marked,
            Self::Pinned(_) | Self::Marked => Self::Off,
        }
    }

    /// What is said when it is chosen.
    pub fn says(self) -> String {
        match self {
            Self::Off => "the matrix itself".to_owned(),
            Self::Before => "difference to the evaluation before".to_owned(),
            Self::Pinned(step) => format!("difference to step {step}: [ and ] go to another evaluation"),
            Self::Marked => "difference to the marked run".to_owned(),
        }
    }
}

/// The first marked run besides `run` that has matrices.
pub(super) fn marked<'a>(context: FrameContext<'a>, selection: &Selection, run: &Run) -> Option<&'a Run> {
    let others = selection.marked.iter().filter(|id| *id != run.id());
    others.filter_map(|id| context.store.run(id)).find(|r| !r.confusions().is_empty())
}

impl References {
    /// What to compare with, or why not.
    pub fn find(
        &mut self,
        compare: Compare,
        (context, selection): (FrameContext<'_>, &Selection),
        run: &Run,
        records: &[Evaluation],
        figures: &Figures,
    ) -> Option<Result<Reference, String>> {
        let now = records.last()?;
        let (label, other, of) = match compare {
            Compare::Off => return None,
            Compare::Before => match records.len().checked_sub(2).and_then(|i| records.get(i)) {
                Some(before) => (format!("step {}", before.step), before, run),
                None => return Some(Err("no evaluation before this one".to_owned())),
            },
            Compare::Pinned(step) => {
                let known = run.confusions().of(&now.split);
                // Nothing from after the time cursor.
                let step = selection.until(run.id()).map_or(step, |until| until.min(step));
                match known.partition_point(|r| r.step <= step).checked_sub(1).and_then(|i| known.get(i)) {
                    Some(pinned) => (format!("step {}", pinned.step), pinned, run),
                    None => return Some(Err(format!("no evaluation up to step {step}"))),
                }
            }
            Compare::Marked => {
                let Some(other) = marked(context, selection, run) else {
                    return Some(Err("no other run with matrices is marked (Space)".to_owned()));
                };
                let known = super::shown(other, &now.split, selection.until(other.id()));
                match known.last() {
                    Some(last) => (format!("{} at step {}", other.title(), last.step), last, other),
                    None => return Some(Err(format!("{} has no matrix of {}", other.title(), now.split))),
                }
            }
        };
        Some(self.in_order(label, now, other, of, figures))
    }

    fn in_order(
        &mut self,
        label: String,
        now: &Evaluation,
        other: &Evaluation,
        of: &Run,
        figures: &Figures,
    ) -> Result<Reference, String> {
        let same =
            |(id, step, wall, version, ..): &(RunId, Step, WallTime, u64, PackedMatrix, Option<f64>)| {
                (id, *step, *wall, *version) == (of.id(), other.step, other.wall, figures.version)
            };
        if self.known.as_ref().is_none_or(|known| !same(known)) {
            let names = other.names.as_ref().or_else(|| of.class_names(&other.task));
            let Some(matrix) = sorted(&other.matrix, names.map_or(&[], |n| n), figures) else {
                let (a, b) = (other.matrix.classes(), now.matrix.classes());
                return Err(if a == b {
                    format!("{label} has other classes")
                } else {
                    format!("{label} has {a} classes, this one {b}")
                });
            };
            let distance = error_distance(&now.matrix, &matrix);
            self.known = Some((of.id().clone(), other.step, other.wall, figures.version, matrix, distance));
        }
        let Some((.., matrix, distance)) = &self.known else { return Err(String::new()) };
        let scale = total_ratio(&now.matrix, matrix);
        Ok(Reference { label, matrix: matrix.clone(), scale, distance: *distance })
    }
}

/// The other matrix with its classes in the order of the shown one, by their names; as it is where one side has none.
/// `None` for other classes.
fn sorted(matrix: &PackedMatrix, names: &[Arc<str>], figures: &Figures) -> Option<PackedMatrix> {
    let n = figures.scores.len();
    if matrix.classes() != n {
        return None;
    }
    let nameless = names.len() != n || figures.names.len() != n;
    if nameless || figures.names.iter().zip(names).all(|(a, b)| **a == **b) {
        return Some(matrix.clone());
    }
    let places: BTreeMap<&str, usize> =
        figures.names.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
    if places.len() != n {
        return None;
    }
    let mut to = Vec::with_capacity(n);
    for name in names {
        to.push(*places.get(&**name)?);
    }
    let mut counts = ndarray::Array2::zeros((n, n));
    for (row, column, count) in matrix.cells() {
        counts[[to[row], to[column]]] += count;
    }
    Some(PackedMatrix::new(&ConfusionMatrix::new(counts).ok()?))
}
