//! A validation series beside its training series, judged once per evaluation.

use std::collections::{BTreeMap, VecDeque};

use crate::model::{Point, SeriesKey, Step, WallTime};

use super::{
    DETECTORS, Evaluation, PairDetector, Scope, Surroundings,
    case::{Case, Desk, Place},
    company::Company,
    journal::Journal,
    tags::TagClass,
};

/// A validation series beside its training series.
#[derive(Debug)]
pub(super) struct PairSubject {
    /// The training series.
    pub train: Option<SeriesKey>,
    pub judged: Vec<(Box<dyn PairDetector>, Case)>,
    /// Evaluations whose step training has not reached, and when they came.
    pub waiting: VecDeque<(Point, WallTime)>,
    /// Step of the evaluation before.
    pub before: Option<Step>,
    /// The past changed: tell the detectors everything anew.
    pub anew: bool,
}

/// When waiting evaluations are judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Release {
    /// Training has passed their step.
    Passed,
    /// They have waited for long.
    Late,
    /// Now.
    All,
}

impl PairSubject {
    /// `None` when no rule judges pairs with such a validation series.
    pub fn of(key: &SeriesKey, class: &TagClass) -> Option<Self> {
        let mut judged = Vec::new();
        for spec in DETECTORS {
            for scope in spec.scopes {
                if let Scope::Pair { judges, build } = scope
                    && judges(class)
                {
                    let detector = build(key);
                    let case = Case::new(spec, detector.patience());
                    judged.push((detector, case));
                }
            }
        }
        (!judged.is_empty()).then(|| Self {
            train: None,
            judged,
            waiting: VecDeque::new(),
            before: None,
            anew: false,
        })
    }

    /// Forgets all evaluations.
    pub fn restart(&mut self) {
        self.before = None;
        self.waiting.clear();
        for (detector, case) in &mut self.judged {
            detector.reset();
            case.doubt();
        }
    }

    /// Judges one evaluation beside the journal of its training series.
    pub fn evaluate(
        &mut self,
        val: &SeriesKey,
        point: Point,
        train: Option<&Journal>,
        around: &Surroundings,
        metrics: &BTreeMap<SeriesKey, Journal>,
        desk: &mut Desk<'_>,
    ) {
        let train = train.and_then(|journal| journal.mean_between(self.before, point.step));
        self.before = Some(point.step);
        if around.moving_target {
            return;
        }
        let company = Company::new(metrics, point.step);
        let at = Evaluation { step: point.step, value: point.value, train };
        for (detector, case) in &mut self.judged {
            let verdict = detector.evaluation(at, around, &company);
            let place = Place::Series(val);
            case.hear(point.step, WallTime(point.wall), verdict, &place, &**detector, around, desk);
        }
    }
}

/// Series whose starts differ by a factor of more than 50 are not of the same unit.
pub(super) fn comparable(train: Option<&Journal>, val: Option<&Journal>) -> bool {
    match (train.and_then(Journal::start), val.and_then(Journal::start)) {
        (Some(a), Some(b)) if a > 0.0 && b > 0.0 => (a / b).max(b / a) <= 50.0,
        _ => true,
    }
}
