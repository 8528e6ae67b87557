//! `validation`: what is evaluated, or how, tells little. Worth a line each, never an alarm.

use crate::{
    model::{Goal, Health, Point, SeriesKey, Step, WallTime},
    store::Run,
};

use crate::detect::{
    Company, DetectorSpec, Evaluation, Evidence, Finding, Hold, PairDetector, Patience, RunDetector, Scope,
    SeriesDetector, Severity, Speaks, Surroundings, Threshold, Verdict, state,
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "validation",
    summary: "what is evaluated, or how, tells little",
    advice: "Evaluate on data that the network does not train on, often enough, and anew each time.",
    clears: "an evaluation that differs",
    traps: "validation that is logged elsewhere; tasks that are solved at once; dropout and augmentation make training look worse",
    thresholds: &[
        Threshold::new(WITHOUT, "share of the planned run without a validation series"),
        Threshold::new(IDENTICAL as f64, "evaluations with the same loss to the bit while training moves"),
        Threshold::new(PERFECT, "a metric of which more is better at its first three evaluations"),
        Threshold::new(BETTER, "validation loss over training loss, five evaluations in a row"),
    ],
    scopes: &[
        Scope::Pair { judges: judges_loss, build: |_| Box::new(Beside::default()) },
        Scope::Series { judges: judges_metric, build: build_metric },
        Scope::Run { build: || Box::new(Missing) },
    ],
};

fn judges_loss(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Val | Split::Test)
}

fn judges_metric(class: &TagClass) -> bool {
    class.role == Role::Metric && class.goal == Some(Goal::Max) && class.split == Split::Val
}

/// Share of the planned run after which there should be a validation series.
const WITHOUT: f64 = 0.25;
/// Evaluations in a row with the same value.
const IDENTICAL: u32 = 3;
/// A metric that begins here leaks, or the task is solved.
const PERFECT: f64 = 0.999;
/// Validation loss over training loss.
const BETTER: f64 = 0.5;
/// Evaluations in a row for that.
const BETTER_HELD: u32 = 8;

/// Validation loss beside training loss.
#[derive(Debug, Default)]
struct Beside {
    last: Option<Evaluation>,
    identical: u32,
    better: u32,
    since: Option<Step>,
}

impl Speaks for Beside {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 2 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        if let Some(count) = e.get("identical") {
            let text = format!(
                "{place} is {} to the last bit at {count} evaluations in a row up to step {}",
                words::value(e.number("now")),
                words::step(step)
            );
            return (
                text,
                "Check that the evaluation uses the current weights and is not answered from a cache."
                    .to_owned(),
            );
        }
        let text = format!(
            "{place} is {} at step {}, {:.0} % of the training loss, for {} evaluations",
            words::value(e.number("now")),
            words::step(step),
            100.0 * e.number("of_train"),
            e.number("evaluations")
        );
        (text, "Check that training data did not leak into validation; strong dropout or augmentation explain it too.".to_owned())
    }
}

impl PairDetector for Beside {
    fn evaluation(&mut self, at: Evaluation, _: &Surroundings, _: &Company<'_>) -> Verdict {
        let last = self.last.replace(at);
        let same = last.is_some_and(|l| l.value.to_bits() == at.value.to_bits()) && is_precise(at.value);
        let moved = match (last.and_then(|l| l.train), at.train) {
            (Some(a), Some(b)) => a.to_bits() != b.to_bits(),
            _ => false,
        };
        self.identical = if same && moved && at.value != 0.0 { self.identical + 1 } else { 0 };
        let share = at.train.filter(|t| *t > 0.0 && at.value > 0.0).map(|t| at.value / t);
        self.better = if share.is_some_and(|s| s <= BETTER) { self.better + 1 } else { 0 };
        if self.identical == 1 || self.identical == 0 && self.better == 1 {
            self.since = Some(at.step);
        }
        if self.identical + 1 >= IDENTICAL {
            let count = f64::from(self.identical + 1);
            let evidence =
                Evidence::new().with("now", at.value).at_least("identical", count, f64::from(IDENTICAL));
            return Verdict::Bad(Finding {
                severity: Severity::Info,
                since: self.since,
                evidence,
                sure: true,
            });
        }
        if let Some(share) = share.filter(|_| self.better >= BETTER_HELD) {
            let evidence = Evidence::new().with("now", at.value).at_most("of_train", share, BETTER).at_least(
                "evaluations",
                f64::from(self.better),
                f64::from(BETTER_HELD),
            );
            return Verdict::Bad(Finding {
                severity: Severity::Info,
                since: self.since,
                evidence,
                sure: true,
            });
        }
        if self.identical == 0 && self.better == 0 { Verdict::Fine } else { Verdict::Unsure }
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn partner(&mut self, _: Option<&SeriesKey>) {}
}

/// False for a number that was printed with few digits, so that equal values may be chance.
fn is_precise(value: f64) -> bool {
    value.to_string().bytes().filter(u8::is_ascii_digit).count() >= 7
}

fn build_metric(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Perfect::default())
}

/// A metric that cannot get better from the first evaluation on.
#[derive(Debug, Default)]
struct Perfect {
    seen: u32,
    over: bool,
    first: Option<Step>,
}

impl Speaks for Perfect {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 3 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let text = format!(
            "{place} is {} from the first evaluation on (up to step {})",
            words::value(finding.evidence.number("now")),
            words::step(step)
        );
        (
            text,
            "Check that the labels are not among the inputs and training data not in validation.".to_owned(),
        )
    }
}

impl SeriesDetector for Perfect {
    fn indifferent(&self, _: &[Point]) -> bool {
        self.over
    }

    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() {
            return None;
        }
        self.first.get_or_insert(point.step);
        self.seen += 1;
        if point.value < PERFECT || point.value > 1.0 || self.seen > 8 {
            self.over = true;
            return Some((point.step, Verdict::Fine));
        }
        let evidence = Evidence::new().at_least("now", point.value, PERFECT);
        let finding = Finding { severity: Severity::Info, since: self.first, evidence, sure: false };
        Some((point.step, Verdict::Bad(finding)))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

/// No validation at all.
#[derive(Debug)]
struct Missing;

impl Speaks for Missing {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
    }

    fn words(&self, _: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let text = format!(
            "no validation loss or metric up to step {}, {:.0} % of the run",
            words::step(step),
            100.0 * finding.evidence.number("share_done")
        );
        (text, "Evaluate on held-out data now and then: without it overfitting cannot be seen.".to_owned())
    }
}

impl RunDetector for Missing {
    fn look(&mut self, run: &Run, health: &Health, now: WallTime, _: f64) -> Verdict {
        let Some(total) = run.steps_total().filter(|total| *total > 0) else { return Verdict::Unsure };
        let Some(step) = run.last_step() else { return Verdict::Unsure };
        let share = step as f64 / total as f64;
        // An old run is looked at for other reasons than to be told what it should have done.
        let alive = state::run_state(run, health, now, state::STALE_AFTER_S) == state::RunState::Running;
        if share < WITHOUT || !alive || !health.caught_up() {
            return Verdict::Unsure;
        }
        let (mut learns, mut validates, mut moves) = (false, false, false);
        for series in run.series() {
            let class = tags::class_of(series.key(), run);
            let of_training = matches!(class.split, Split::Train | Split::Unknown);
            learns |= class.role == Role::Loss && of_training && series.summary().points >= 64;
            validates |= matches!(class.role, Role::Loss | Role::Metric) && !of_training;
            moves |= class.role == Role::UnstableLoss;
        }
        if validates {
            return Verdict::Fine;
        }
        if !learns || moves {
            return Verdict::Unsure;
        }
        let evidence = Evidence::new().at_least("share_done", share, WITHOUT);
        Verdict::Bad(Finding::new(Severity::Info, evidence))
    }
}
