//! Judges and alerts: what is wrong with a run, since when, and what to do about it.
//!
//! ```text
//! Batch ─▶ Detectors ─▶ one detector per subject ─▶ Verdict ─▶ Judge (patience) ─▶ AlertBook
//! ```
//!
//! Detectors are pure functions of the points of their subject in file order; the wall clock enters only into
//! the rule about silence. How to add one: a file with a `SPEC` in `rules/`, and one line in [`DETECTORS`].

mod alert;
mod alert_book;
mod attitude;
mod case;
mod company;
mod derived;
mod detectors;
mod evidence;
pub mod forecast;
mod group_subject;
mod journal;
mod judge;
mod matrix;
mod network;
mod other_subjects;
mod pair_subject;
mod part;
mod progress;
pub mod questions;
mod rule_limits;
mod rules;
mod run_judges;
mod running;
mod saturation;
mod schedule;
mod siblings;
pub mod state;
mod subgroups;
mod subject;
mod suppression;
mod surroundings;
pub mod tags;
mod tensor;
mod words;

use std::fmt::Debug;

use crate::{
    model::{ConfusionRecord, Health, LayerKind, LayerName, LayerStats, Point, SeriesKey, Step, WallTime},
    store::Run,
};

pub use alert::{Alert, AlertState, Opening, Severity};
pub use alert_book::{ALERTS_KEPT_PER_RULE, AlertBook, AlertCounts, Draft};
pub use attitude::{Attitude, AttitudeKey, Attitudes};
pub use company::Company;
pub use derived::Derived;
pub use detectors::Detectors;
pub use evidence::{Evidence, Fact, Needs};
pub use journal::{BINS, Bin, Journal};
pub use judge::{Finding, Hold, Judge, Patience, Turn, Verdict};
pub use network::Profile;
pub use part::Part;
pub use progress::{Outlook, Progress};
pub use rule_limits::{Loudness, RuleLimit, RuleLimits};
pub use rules::DETECTORS;
pub use schedule::{Overflows, Schedule};
pub use siblings::{Compare, Say};
pub use subgroups::Subgroups;
pub use suppression::causes;
pub use surroundings::Surroundings;
use tags::TagClass;

/// A rule as the registry, the help and the documentation know it.
#[derive(Debug)]
pub struct DetectorSpec {
    /// Fixed name, part of the JSON contract.
    pub id: &'static str,
    /// What it means for a run, one clause.
    pub summary: &'static str,
    /// What usually helps, one imperative sentence.
    pub advice: &'static str,
    /// What ends its alerts, one clause.
    pub clears: &'static str,
    /// What fools it: why an alert of it may be a false alarm, one clause.
    pub traps: &'static str,
    /// The numbers that it decides by, for people who want to know why it spoke or kept silent.
    pub thresholds: &'static [Threshold],
    /// What it looks at.
    pub scopes: &'static [Scope],
}

/// A number that a rule decides by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Threshold {
    /// The number.
    pub value: f64,
    /// What it is compared with, with its unit.
    pub of: &'static str,
}

impl Threshold {
    /// `value` is what `of` is compared with.
    pub const fn new(value: f64, of: &'static str) -> Self {
        Self { value, of }
    }
}

/// What a detector is given, and how one is made for a subject.
#[derive(Debug)]
pub enum Scope {
    /// One series; made for those whose class `judges` accepts.
    Series {
        /// Asked once per series.
        judges: fn(&TagClass) -> bool,
        /// Makes the detector of one series.
        build: fn(&SeriesKey, &TagClass) -> Box<dyn SeriesDetector>,
    },
    /// A validation series, with the training series of the same quantity where there is one.
    Pair {
        /// Asked once per validation series.
        judges: fn(&TagClass) -> bool,
        /// Makes the detector of one validation series.
        build: fn(&SeriesKey) -> Box<dyn PairDetector>,
    },
    /// One tensor of one layer.
    Layer {
        /// Asked once per layer and kind.
        judges: fn(LayerKind) -> bool,
        /// Makes the detector.
        build: fn() -> Box<dyn LayerDetector>,
    },
    /// All layers of one kind at one step, once the step is over.
    Network {
        /// Makes the detector of one run.
        build: fn() -> Box<dyn NetworkDetector>,
    },
    /// Several series of a run that only together mean something.
    Group {
        /// Asked once per series.
        judges: fn(&SeriesKey, &TagClass) -> bool,
        /// Makes the detector of one run.
        build: fn() -> Box<dyn GroupDetector>,
    },
    /// The main loss of a run beside those of its siblings, the runs of one folder.
    Siblings {
        /// Compares it with theirs.
        compare: Compare,
        /// Puts what was found into words.
        say: Say,
    },
    /// What other alerts of the run mean together with its plan: a function of both.
    Alerts {
        /// Everything that follows from them, each under a key of its own.
        derive: fn(&[&Alert], &Surroundings) -> Vec<Derived>,
    },
    /// The confusion matrices of one split.
    Matrix {
        /// Makes the detector.
        build: fn() -> Box<dyn MatrixDetector>,
    },
    /// The confusion matrices of the groups of one split at one step, once the step is over.
    Subgroups {
        /// Makes the detector of one split.
        build: fn() -> Box<dyn SubgroupDetector>,
    },
    /// A run as a whole, looked at when time passes.
    Run {
        /// Makes the detector.
        build: fn() -> Box<dyn RunDetector>,
    },
}

/// What every detector says in words.
pub trait Speaks: Send + Sync + Debug {
    /// How long its condition must last.
    fn patience(&self) -> Patience;

    /// Message and advice for an alert about `place` that opens or escalates at `step`.
    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String);
}

/// Judges one series.
pub trait SeriesDetector: Speaks {
    /// True when none of `points` can matter; they are then only handed to [`Self::skip`]. A quick look at a
    /// whole column, so that a healthy series costs next to nothing.
    fn indifferent(&self, points: &[Point]) -> bool {
        let _ = points;
        false
    }

    /// Points that do not matter.
    fn skip(&mut self, points: &[Point]) {
        let _ = points;
    }

    /// Every point. Nothing to say: `None`; otherwise the step that the verdict is about, which may be an
    /// earlier one that waited.
    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        let _ = (point, around);
        None
    }

    /// True when it looks at a point only once the next one has come: by then everything that was written beside it (the
    /// learning rate of its step) is known, in whatever order. What cannot wait says false.
    fn waits(&self) -> bool {
        true
    }

    /// True when [`Self::bin`] wants to be asked; only then a journal is kept.
    fn reads_journal(&self) -> bool {
        false
    }

    /// The journal, whenever a bin became whole.
    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        let _ = (journal, around);
        None
    }

    /// Everything at and after `step` is void; the journal has already forgotten it.
    fn rewind(&mut self, step: Step) {
        let _ = step;
    }

    /// The series goes on in a later file of the run: the trainer was started again.
    fn continued(&mut self) {}

    /// Nothing more will come for now: what waited for a later point.
    fn settle(&mut self, around: &Surroundings) -> Option<(Step, Verdict)> {
        let _ = around;
        None
    }
}

/// A validation point with what belongs to it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Evaluation {
    /// The trainer's counter.
    pub step: Step,
    /// The validation value, finite.
    pub value: f64,
    /// The mean of the training values since the evaluation before, if there is a training series.
    pub train: Option<f64>,
}

/// Judges a validation series beside its training series, once per evaluation.
pub trait PairDetector: Speaks {
    /// The next evaluation, beside the validation metrics of the run.
    fn evaluation(&mut self, at: Evaluation, around: &Surroundings, company: &Company<'_>) -> Verdict;

    /// Forgets everything; the evaluations that are left are told again.
    fn reset(&mut self);

    /// The training series' name for messages.
    fn partner(&mut self, train: Option<&SeriesKey>);
}

/// Judges one tensor of one layer.
pub trait LayerDetector: Speaks {
    /// True when the record needs no detector yet; most layers never get one.
    fn indifferent(&self, stats: &LayerStats) -> bool {
        let _ = stats;
        false
    }

    /// The statistics at a step.
    fn layer(&mut self, step: Step, stats: &LayerStats) -> Verdict;
}

/// Judges the layers of a run together.
pub trait NetworkDetector: Speaks {
    /// The layers of one kind at a step. `report` takes a verdict on a layer, or with `None` on all of them;
    /// a layer that is not mentioned is neither bad nor fine.
    fn profile(
        &mut self,
        profile: &Profile<'_>,
        around: &Surroundings,
        report: &mut dyn FnMut(Option<&LayerName>, Verdict),
    );

    /// Everything at and after `step` is void.
    fn rewind(&mut self, step: Step);
}

/// Judges series that only together mean something. In which order points of different series come depends on how the
/// log was read, so a verdict must follow from what each series said up to its own steps, and name the step.
pub trait GroupDetector: Speaks {
    /// A point of one of its series, in the order of that series.
    fn point(
        &mut self,
        key: &SeriesKey,
        class: &TagClass,
        point: &Point,
        around: &Surroundings,
    ) -> Option<(Step, Verdict)>;

    /// Everything of `key` at and after `step` is void.
    fn rewind(&mut self, key: &SeriesKey, step: Step);
}

/// Judges the confusion matrices of one split.
pub trait MatrixDetector: Speaks {
    /// The next matrix.
    fn matrix(&mut self, record: &ConfusionRecord, run: &Run) -> Verdict;
}

/// Judges the groups of a split beside each other.
pub trait SubgroupDetector: Speaks {
    /// The matrices of the groups at a step.
    fn groups(&mut self, groups: &Subgroups<'_>) -> Verdict;

    /// Everything at and after `step` is void.
    fn rewind(&mut self, step: Step);
}

/// Judges a run by what it does not say.
pub trait RunDetector: Speaks {
    /// Looks at the run. `stale_after_s`: silence beyond which a run is simply old.
    fn look(&mut self, run: &Run, health: &Health, now: WallTime, stale_after_s: f64) -> Verdict;
}

/// True when every value is finite: the exponent bits decide, so that the compiler can take many at once.
pub(crate) fn all_finite(points: &[Point]) -> bool {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let mut any = false;
    for point in points {
        any |= point.value.to_bits() & EXPONENT == EXPONENT;
    }
    !any
}
