//! Several series of a run that are judged together.

use rustc_hash::FxHashMap;

use crate::model::{Column, SeriesKey, Step, WallTime};

use super::{
    DETECTORS, GroupDetector, Scope, Surroundings,
    case::{Case, Desk, Place},
    tags::TagClass,
};

/// One rule on several series of a run.
#[derive(Debug)]
pub(super) struct GroupSubject {
    detector: Box<dyn GroupDetector>,
    case: Case,
    judges: fn(&SeriesKey, &TagClass) -> bool,
    members: FxHashMap<SeriesKey, (TagClass, Option<Step>)>,
}

/// All groups of a run, still without members.
pub(super) fn groups() -> Vec<GroupSubject> {
    let scopes = DETECTORS.iter().flat_map(|spec| spec.scopes.iter().map(move |scope| (*spec, scope)));
    scopes
        .filter_map(|(spec, scope)| match scope {
            Scope::Group { judges, build } => {
                let detector = build();
                let case = Case::new(spec, detector.patience());
                Some(GroupSubject { detector, case, judges: *judges, members: FxHashMap::default() })
            }
            _ => None,
        })
        .collect()
}

impl GroupSubject {
    /// A series has appeared; true if it belongs to the group.
    pub fn meet(&mut self, key: &SeriesKey, class: &TagClass) -> bool {
        let joins = (self.judges)(key, class);
        if joins {
            self.members.insert(key.clone(), (class.clone(), None));
        }
        joins
    }

    /// Judges the points of a member; others are passed over.
    pub fn feed(&mut self, column: &Column, around: &Surroundings, desk: &mut Desk<'_>) {
        let Some((class, last)) = self.members.get_mut(&column.key) else { return };
        for point in &column.points {
            if last.is_some_and(|last| point.step < last) {
                self.detector.rewind(&column.key, point.step);
                self.case.rewind(point.step, desk);
            }
            *last = Some(point.step);
            if let Some((step, verdict)) = self.detector.point(&column.key, class, point, around) {
                let wall = WallTime(point.wall);
                self.case.hear(step, wall, verdict, &Place::Run, &*self.detector, around, desk);
            }
        }
    }

    /// A file of the run is read anew, or another file's points take the place of a member's.
    pub fn restart(&mut self, key: &SeriesKey) {
        let Some((_, last)) = self.members.get_mut(key) else { return };
        *last = None;
        self.detector.rewind(key, Step::MIN);
        self.case.doubt();
    }

    /// Takes back what is still in doubt.
    pub fn settle(&mut self, desk: &mut Desk<'_>) {
        self.case.settle(desk);
    }
}
