//! The groups of a split under judgement beside each other (`val age=old`, `val age=young`): their confusion matrices of
//! one step are looked at once the step is over.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{ConfusionMatrix, ConfusionRecord, Step, WallTime};

use super::{
    DETECTORS, Scope, SubgroupDetector, Surroundings,
    case::{Case, Desk, Place},
};

/// Groups of one split that are looked at; more are no groups but something else.
const GROUPS: usize = 64;

/// The groups of one split at a step, by name.
#[derive(Clone, Copy, Debug)]
pub struct Subgroups<'a> {
    /// The trainer's counter.
    pub step: Step,
    /// Each group's matrix.
    pub matrices: &'a BTreeMap<Arc<str>, ConfusionMatrix>,
}

/// Split and group of what a matrix was computed on: `val age=old` is the group `age=old` of `val`.
pub(super) fn split_and_group(text: &str) -> Option<(&str, &str)> {
    let (split, group) = text.split_once(' ').unwrap_or(("", text));
    group.contains('=').then_some((split, group))
}

/// The judges of the groups of one split.
#[derive(Debug)]
pub(super) struct OfSplit {
    split: Arc<str>,
    judged: Vec<(Box<dyn SubgroupDetector>, Case)>,
    step: Step,
    wall: WallTime,
    matrices: BTreeMap<Arc<str>, ConfusionMatrix>,
}

impl OfSplit {
    /// Judges without a case yet.
    pub fn new(split: &str) -> Self {
        let scopes = DETECTORS.iter().flat_map(|spec| spec.scopes.iter().map(move |scope| (*spec, scope)));
        let judged = scopes
            .filter_map(|(spec, scope)| match scope {
                Scope::Subgroups { build } => {
                    let detector = build();
                    let case = Case::new(spec, detector.patience());
                    Some((detector, case))
                }
                _ => None,
            })
            .collect();
        Self {
            split: split.into(),
            judged,
            step: Step::MIN,
            wall: WallTime::UNKNOWN,
            matrices: BTreeMap::new(),
        }
    }

    /// Takes a group's matrix.
    pub fn record(
        &mut self,
        group: &str,
        record: &ConfusionRecord,
        around: &Surroundings,
        desk: &mut Desk<'_>,
    ) {
        if record.step < self.step {
            self.matrices.clear();
            for (detector, case) in &mut self.judged {
                detector.rewind(record.step);
                case.rewind(record.step, desk);
            }
        } else if record.step > self.step {
            self.close(around, desk);
        }
        (self.step, self.wall) = (record.step, record.wall);
        if self.matrices.len() < GROUPS {
            self.matrices.insert(group.into(), record.matrix.clone());
        }
    }

    /// The matrices of the step are all there.
    pub fn close(&mut self, around: &Surroundings, desk: &mut Desk<'_>) {
        if self.matrices.is_empty() {
            return;
        }
        let matrices = std::mem::take(&mut self.matrices);
        let groups = Subgroups { step: self.step, matrices: &matrices };
        for (detector, case) in &mut self.judged {
            let verdict = detector.groups(&groups);
            case.hear(self.step, self.wall, verdict, &Place::Split(&self.split), &**detector, around, desk);
        }
    }

    /// A file is read anew.
    pub fn doubt(&mut self) {
        self.step = Step::MIN;
        self.matrices.clear();
        for (detector, case) in &mut self.judged {
            detector.rewind(Step::MIN);
            case.doubt();
        }
    }

    /// Takes back what is still in doubt.
    pub fn settle(&mut self, desk: &mut Desk<'_>) {
        self.judged.iter_mut().for_each(|(_, case)| case.settle(desk));
    }
}
