//! How errors between groups and inside of them fall over training.

use super::group_measures;
use crate::model::{PackedMatrix, Step};

/// An error below which something counts as separated.
pub const SEPARATED: f64 = 0.05;

/// One evaluation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moment {
    /// The trainer's counter.
    pub step: Step,
    /// The epoch, if the log says.
    pub epoch: Option<f64>,
    /// Share of samples taken for another class.
    pub class_error: f64,
    /// Share of samples taken for a class of another group.
    pub group_error: f64,
    /// Share of errors inside groups; `None` without errors.
    pub within_share: Option<f64>,
}

/// All evaluations, with the groups of one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Evolution {
    /// In ascending order of steps; evaluations without samples or with other classes are left out.
    pub moments: Vec<Moment>,
}

impl Evolution {
    /// The first evaluation from which on the error between groups stays at or below [`SEPARATED`].
    pub fn groups_separated(&self) -> Option<&Moment> {
        self.since(|m| m.group_error)
    }

    /// The same for the error between classes.
    pub fn classes_separated(&self) -> Option<&Moment> {
        self.since(|m| m.class_error)
    }

    fn since(&self, error: impl Fn(&Moment) -> f64) -> Option<&Moment> {
        let above = self.moments.iter().rposition(|m| error(m) > SEPARATED);
        self.moments.get(above.map_or(0, |at| at + 1))
    }

    /// `groups separated at epoch 3; remaining 100 % of errors inside groups`, or how far they are from it. `None`
    /// without evaluations.
    pub fn sentence(&self) -> Option<String> {
        let last = self.moments.last()?;
        let inside = last.within_share.map(|share| format!("{} of errors inside groups", percent(share)));
        let rest =
            inside.as_ref().map_or_else(|| "no errors remain".to_owned(), |text| format!("remaining {text}"));
        Some(match (self.groups_separated(), self.classes_separated()) {
            (Some(groups), Some(classes)) => {
                let classes = place(classes);
                format!("groups separated at {}, classes at {classes}; {rest}", place(groups))
            }
            (Some(groups), None) => format!("groups separated at {}; {rest}", place(groups)),
            _ => {
                let inside = inside.unwrap_or_default();
                format!(
                    "groups not separated: {} of samples leave theirs, {inside}",
                    percent(last.group_error)
                )
            }
        })
    }
}

fn place(moment: &Moment) -> String {
    match moment.epoch {
        Some(epoch) if epoch.fract() == 0.0 => format!("epoch {epoch:.0}"),
        Some(epoch) => format!("epoch {epoch:.1}"),
        None => format!("step {}", moment.step),
    }
}

/// Never rounded to all or none when it is not.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent.round() {
        100.0 if percent < 100.0 => ">99 %".to_owned(),
        0.0 if percent > 0.0 => "<1 %".to_owned(),
        rounded => format!("{rounded:.0} %"),
    }
}

/// Follows the errors through `evaluations`, ascending, with the group of each class.
pub fn evolution<'a>(
    evaluations: impl IntoIterator<Item = (Step, Option<f64>, &'a PackedMatrix)>,
    groups: &[usize],
    count: usize,
) -> Evolution {
    let moment = |(step, epoch, matrix): (Step, Option<f64>, &PackedMatrix)| {
        if matrix.classes() != groups.len() {
            return None;
        }
        let measures = group_measures(matrix, groups, count);
        Some(Moment {
            step,
            epoch,
            class_error: measures.class_error()?,
            group_error: measures.group_error()?,
            within_share: measures.within_share(),
        })
    };
    Evolution { moments: evaluations.into_iter().filter_map(moment).collect() }
}
