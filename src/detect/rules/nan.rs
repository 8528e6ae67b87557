//! `nan`: a loss, metric, gradient norm or layer that is no finite number any more.
//!
//! Traps that it avoids: cells that are NaN because nothing was logged there; metrics that are undefined by
//! design (AUC with one class, reward before the first episode); the overflow that mixed-precision training
//! handles itself; a metric that was NaN from its first point.

use std::fmt::Write as _;

use crate::model::{LayerStats, Point, SeriesKey, Step};

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, LayerDetector, Patience, Scope, SeriesDetector, Severity, Speaks,
    Surroundings, Threshold, Verdict, all_finite,
    tags::{Role, Split, TagClass, Words},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "nan",
    summary: "a value is NaN or infinite",
    advice: "Go back to the last checkpoint before it, and check learning rate, gradient clipping, log(0), division and the batch.",
    clears: "10 finite values in a row (3 records of a layer)",
    traps: "cells that are NaN because nothing was logged there; metrics that are undefined for some data",
    thresholds: &[
        Threshold::new(1.0, "non-finite value of a training loss or gradient norm"),
        Threshold::new(2.0, "in a row of a validation loss or a metric"),
        Threshold::new(3.0, "in a row of a series whose name is not understood"),
    ],
    scopes: &[
        Scope::Series { judges, build },
        Scope::Layer { judges: |_| true, build: || Box::new(Layer { since: None }) },
    ],
};

fn judges(class: &TagClass) -> bool {
    matches!(
        class.role,
        Role::Loss
            | Role::UnstableLoss
            | Role::AuxiliaryLoss
            | Role::Metric
            | Role::GradientNorm
            | Role::LearningRate
            | Role::Entropy
            | Role::Unknown
    )
}

/// How a kind of series is judged.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Rule {
    /// Non-finite values in a row that are needed.
    needed: u32,
    /// The same when no finite value came before; `None`: then never.
    needed_at_start: Option<u32>,
    /// Finite values that must have come before.
    finite_before: u64,
    severity: Severity,
    /// Infinity alone is milder (a norm that overflows is often handled by the trainer).
    infinity_is_milder: bool,
}

/// Words of metrics that are undefined for some data.
const UNDEFINED_BY_DESIGN: &[&str] = &[
    "auc",
    "auroc",
    "auprc",
    "ap",
    "r2",
    "variance",
    "var",
    "reward",
    "rew",
    "return",
    "returns",
    "success",
    "pearson",
    "spearman",
    "correlation",
    "mcc",
    "matthews",
    "kappa",
    "precision",
    "recall",
    "f1",
    "perplexity",
    "ppl",
    "best",
    "score",
    "win",
];

fn rule(key: &SeriesKey, class: &TagClass) -> Rule {
    let of_training = matches!(class.split, Split::Train | Split::Unknown);
    let strict = Rule {
        needed: 1,
        needed_at_start: Some(5),
        finite_before: 0,
        severity: Severity::Critical,
        infinity_is_milder: false,
    };
    match class.role {
        Role::Loss | Role::UnstableLoss | Role::AuxiliaryLoss if of_training => strict,
        Role::GradientNorm => Rule { infinity_is_milder: true, ..strict },
        Role::Loss | Role::UnstableLoss | Role::AuxiliaryLoss => {
            Rule { needed: 2, finite_before: 1, ..strict }
        }
        Role::Metric if Words::of(key.tag.as_str()).any(UNDEFINED_BY_DESIGN) => Rule {
            needed: 3,
            needed_at_start: None,
            finite_before: 2,
            severity: Severity::Info,
            infinity_is_milder: false,
        },
        Role::Metric | Role::LearningRate => {
            Rule { needed: 2, needed_at_start: None, finite_before: 1, ..strict }
        }
        _ => Rule {
            needed: 3,
            needed_at_start: None,
            finite_before: 3,
            severity: Severity::Warn,
            infinity_is_milder: false,
        },
    }
}

fn build(key: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Series {
        rule: rule(key, class),
        finite: 0,
        last_finite: None,
        bad: 0,
        first_bad: 0,
        longest_gap: 0,
        held: None,
    })
}

#[derive(Debug)]
struct Series {
    rule: Rule,
    finite: u64,
    last_finite: Option<(Step, f64)>,
    /// Non-finite values in a row, up to now.
    bad: u32,
    first_bad: Step,
    /// The longest stretch of non-finite values that was followed by a finite one.
    longest_gap: u32,
    /// A value that waits for the loss scale of its step, which may be written after it.
    held: Option<(Step, f64)>,
}

impl Speaks for Series {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 10 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name);
        let what = if get("value").is_some_and(f64::is_nan) { "NaN" } else { "infinite" };
        let since = finding.since.unwrap_or(step);
        let mut text = format!("{place} became {what} at step {}", words::step(since));
        if let (Some(last), Some(at)) = (get("last_finite"), get("last_finite_step")) {
            let _ = write!(text, " (last finite {} at {}", words::value(last), words::step(at as Step));
            if let Some(rate) = around.schedule.rate_at(since) {
                let _ = write!(text, "; learning rate {}", words::value(rate));
            }
            text.push(')');
        } else {
            text += ": it never was a finite number";
        }
        if finding.severity == Severity::Info && get("overflow_handled").is_some() {
            let advice =
                "Watch the loss scale: mixed precision skipped this step, which is normal now and then.";
            return (text, advice.to_owned());
        }
        let advice = match get("last_finite_step") {
            Some(at) => format!(
                "Go back to a checkpoint at or before step {}; lower the learning rate or clip gradients; check log(0), division and the batch.",
                words::step(at as Step)
            ),
            None => "Check the first batch, the loss function and the initial weights for NaN, log(0) and division by zero.".to_owned(),
        };
        (text, advice)
    }
}

impl SeriesDetector for Series {
    fn waits(&self) -> bool {
        false
    }

    fn indifferent(&self, points: &[Point]) -> bool {
        self.bad == 0 && self.held.is_none() && all_finite(points)
    }

    fn skip(&mut self, points: &[Point]) {
        self.finite += points.len() as u64;
        if let Some(last) = points.last() {
            self.last_finite = Some((last.step, last.value));
        }
    }

    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        if point.value.is_finite() {
            let held = self.held.take().map(|(step, value)| (step, self.bad_verdict(step, value, around)));
            self.longest_gap = self.longest_gap.max(self.bad);
            self.bad = 0;
            self.finite += 1;
            self.last_finite = Some((point.step, point.value));
            return Some(held.unwrap_or((point.step, Verdict::Fine)));
        }
        if self.bad == 0 {
            self.first_bad = point.step;
        }
        self.bad = self.bad.saturating_add(1);
        if self.rule.infinity_is_milder && around.overflows.known() {
            let (step, value) = self.held.replace((point.step, point.value))?;
            return Some((step, self.bad_verdict(step, value, around)));
        }
        Some((point.step, self.bad_verdict(point.step, point.value, around)))
    }

    fn rewind(&mut self, step: Step) {
        self.bad = 0;
        self.held = None;
        if self.last_finite.is_some_and(|(s, _)| s >= step) {
            self.last_finite = None;
        }
    }

    fn settle(&mut self, around: &Surroundings) -> Option<(Step, Verdict)> {
        let (step, value) = self.held.take()?;
        Some((step, self.bad_verdict(step, value, around)))
    }
}

impl Series {
    fn bad_verdict(&self, step: Step, value: f64, around: &Surroundings) -> Verdict {
        if self.bad < self.needed(around) || self.finite < self.rule.finite_before && self.finite > 0 {
            return Verdict::Unsure;
        }
        let needed = f64::from(self.needed(around));
        let mut evidence = Evidence::new()
            .with("value", value)
            .at_least("non_finite_in_a_row", f64::from(self.bad), needed)
            .maybe("last_finite", self.last_finite.map(|(_, last)| last))
            .maybe("last_finite_step", self.last_finite.map(|(at, _)| at as f64));
        let mut severity = self.rule.severity;
        if self.rule.infinity_is_milder {
            let from = self.last_finite.map_or(Step::MIN, |(s, _)| s);
            let ahead = if from == Step::MIN { 1 } else { (step.saturating_sub(from)).max(1) };
            if around.overflows.between(from, step.saturating_add(ahead)) {
                severity = Severity::Info;
                evidence = evidence.with("overflow_handled", 1.0);
            } else if value.is_infinite() && self.bad < 3 {
                severity = Severity::Warn;
            }
        }
        Verdict::Bad(Finding { severity, since: Some(self.first_bad), evidence, sure: false })
    }

    fn needed(&self, around: &Surroundings) -> u32 {
        if self.finite == 0 {
            // A validation column beside a training loss may wait long for its first value.
            let waits = self.rule.needed > 1 && around.training_loss;
            return self.rule.needed_at_start.filter(|_| !waits).unwrap_or(u32::MAX);
        }
        if around.nan_for_missing.is_some_and(|since| since < self.first_bad) {
            return self.rule.needed.max(3).max(2 * self.longest_gap + 1);
        }
        self.rule.needed
    }
}

#[derive(Debug)]
struct Layer {
    since: Option<Step>,
}

/// NaN and infinities in a layer's statistics: what the writer counted, or what its numbers are themselves.
fn damage(stats: &LayerStats) -> (f64, f64) {
    let mut nan = stats.nan.filter(|n| *n > 0.0).unwrap_or(0.0);
    let mut inf = stats.inf.filter(|n| *n > 0.0).unwrap_or(0.0);
    if nan == 0.0 && inf == 0.0 {
        // Not counted by the writer, but a statistic over the elements is not finite.
        for value in [stats.mean, stats.norm, stats.absmean].into_iter().flatten() {
            nan = f64::max(nan, f64::from(u8::from(value.is_nan())));
            inf = f64::max(inf, f64::from(u8::from(value.is_infinite())));
        }
    }
    (nan, inf)
}

impl Speaks for Layer {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 3 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name).unwrap_or(0.0);
        let text = format!(
            "{place} holds at least {} NaN and {} infinite elements at step {}",
            get("nan"),
            get("inf"),
            words::step(step)
        );
        (text, "Go back to a checkpoint before this step and look at what this layer is fed.".to_owned())
    }
}

impl LayerDetector for Layer {
    fn indifferent(&self, stats: &LayerStats) -> bool {
        damage(stats) == (0.0, 0.0)
    }

    fn layer(&mut self, step: Step, stats: &LayerStats) -> Verdict {
        let (nan, inf) = damage(stats);
        if nan == 0.0 && inf == 0.0 {
            self.since = None;
            return Verdict::Fine;
        }
        let since = *self.since.get_or_insert(step);
        let evidence =
            Evidence::new().with("nan", nan).with("inf", inf).at_least("non_finite", nan + inf, 1.0);
        Verdict::Bad(Finding { severity: Severity::Critical, since: Some(since), evidence, sure: false })
    }
}
