//! `validation`: what is evaluated, or how, tells little. Worth a line each, never an alarm.

use crate::{
    model::{Goal, Health, Point, SeriesKey, Step, WallTime},
    store::Run,
};

use crate::detect::{
    Company, DetectorSpec, Evaluation, Evidence, Finding, Hold, PairDetector, Patience, RunDetector, Scope,
    SeriesDetector, Severity, Speaks, Surroundings, Threshold, Verdict, running, state,
    tags::{self, Role, Split, TagClass, Words},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "validation",
    summary: "what is evaluated, or how, tells little",
    advice: "Evaluate on data that the network does not train on, often enough, and anew each time.",
    clears: "an evaluation that differs",
    traps: "validation that is logged elsewhere; tasks that are solved at once",
    thresholds: &[
        Threshold::new(WITHOUT, "share of the planned run without a validation series"),
        Threshold::new(IDENTICAL as f64, "evaluations with the same loss to the bit while training moves"),
        Threshold::new(PERFECT, "a metric of which more is better at its first three evaluations"),
        Threshold::new(
            STOPPED,
            "times the usual distance between evaluations without one, while training goes on",
        ),
    ],
    scopes: &[
        Scope::Pair { judges: judges_loss, build: |_| Box::new(Beside::default()) },
        Scope::Series { judges: judges_metric, build: build_metric },
        Scope::Run { build: || Box::new(Missing) },
        Scope::Run { build: || Box::new(Stopped) },
    ],
};

fn judges_loss(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Val | Split::Test)
}

fn judges_metric(class: &TagClass) -> bool {
    let exact = ["acc", "accuracy", "auc", "auroc", "f1", "precision", "recall", "map", "top1"];
    class.role == Role::Metric
        && class.goal == Some(Goal::Max)
        && class.split == Split::Val
        && Words::of(&class.stem).any(&exact)
}

/// Share of the planned run after which there should be a validation series.
const WITHOUT: f64 = 0.25;
/// Evaluations in a row with the same value.
const IDENTICAL: u32 = 3;
/// A metric that begins here leaks, or the task is solved.
const PERFECT: f64 = 0.999;
/// Times the usual distance between evaluations, and twice the longest, without one.
const STOPPED: f64 = 4.0;

/// Validation loss beside training loss.
#[derive(Debug, Default)]
struct Beside {
    last: Option<Evaluation>,
    identical: u32,
    since: Option<Step>,
}

impl Speaks for Beside {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 2 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "{place} is {} to the last bit at {} evaluations in a row up to step {}",
            words::value(e.number("now")),
            e.number("identical"),
            words::step(step)
        );
        (
            text,
            "Check that the evaluation uses the current weights and is not answered from a cache.".to_owned(),
        )
    }
}

impl PairDetector for Beside {
    fn evaluation(&mut self, at: Evaluation, _: &Surroundings, _: &Company<'_>) -> Verdict {
        let last = self.last.replace(at);
        let same = last.is_some_and(|l| l.value.to_bits() == at.value.to_bits()) && is_precise(at.value);
        // Without a training series nothing says that the weights moved.
        let moved = match (last.and_then(|l| l.train), at.train) {
            (Some(a), Some(b)) => a.to_bits() != b.to_bits(),
            _ => false,
        };
        self.identical = if same && moved && at.value != 0.0 { self.identical + 1 } else { 0 };
        if self.identical == 1 {
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
        if self.identical == 0 { Verdict::Fine } else { Verdict::Unsure }
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
        if point.value < PERFECT || point.value > 1.0 {
            self.over = true;
            return Some((point.step, Verdict::Fine));
        }
        if self.seen > 8 {
            return None;
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

/// Evaluations that have ended while training goes on.
#[derive(Debug)]
struct Stopped;

impl Speaks for Stopped {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
    }

    fn words(&self, _: &str, _: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "no evaluation since step {}, {} steps ago; before, one came every {} steps",
            words::step(e.number("last_step") as Step),
            words::step(e.number("steps_without") as Step),
            words::step(e.number("usual_steps") as Step)
        );
        (
            text,
            "Check whether evaluation was switched off or fails silently: overfitting cannot be seen now."
                .to_owned(),
        )
    }
}

impl RunDetector for Stopped {
    fn look(&mut self, run: &Run, health: &Health, _: WallTime, _: f64) -> Verdict {
        if !health.caught_up() {
            return Verdict::Unsure;
        }
        let (mut trained, mut evaluated): (Option<Step>, Vec<Step>) = (None, Vec::new());
        for series in run.series() {
            let class = tags::class_of(series.key(), run);
            if !matches!(class.role, Role::Loss | Role::Metric) {
                continue;
            }
            let last = series.summary().last.map(|p| p.step);
            if matches!(class.split, Split::Val | Split::Test) {
                if evaluated.last() < last.as_ref() {
                    evaluated = series.buckets(None).iter().map(|b| b.last.step).collect();
                }
            } else if class.role == Role::Loss {
                trained = trained.max(last);
            }
        }
        let (Some(trained), Some(last)) = (trained, evaluated.last().copied()) else {
            return Verdict::Unsure;
        };
        let mut gaps: Vec<f64> = evaluated
            .windows(2)
            .map(|pair| pair[1].saturating_sub(pair[0]) as f64)
            .filter(|g| *g > 0.0)
            .collect();
        let longest = gaps.iter().copied().fold(0.0, f64::max);
        if gaps.len() < 4 {
            return Verdict::Unsure;
        }
        let Some(usual) = running::median(&mut gaps) else { return Verdict::Unsure };
        let without = trained.saturating_sub(last) as f64;
        let limit = (STOPPED * usual).max(2.0 * longest);
        if without < limit {
            return Verdict::Fine;
        }
        let evidence = Evidence::new()
            .with("last_step", last as f64)
            .at_least("steps_without", without, limit)
            .with("usual_steps", usual);
        let since = Some(last.saturating_add(usual as Step));
        Verdict::Bad(Finding { severity: Severity::Info, since, evidence, sure: true })
    }
}
