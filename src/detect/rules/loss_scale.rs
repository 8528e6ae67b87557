//! `loss_scale`: mixed-precision training overflows again and again.

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, Patience, Scope, SeriesDetector, Severity, Speaks, Surroundings,
    Threshold, Verdict,
    run_judges::counts_skips,
    tags::{Role, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "loss_scale",
    summary: "mixed precision overflows again and again",
    advice: "Use bfloat16, lower the learning rate, or look for the layer whose activations overflow.",
    clears: "100 steps without an overflow",
    traps: "the search from a high first scale; one halving now and then is how it works",
    thresholds: &[
        Threshold::new(HALVINGS as f64, "halvings of the loss scale within 100 steps: warn"),
        Threshold::new(SMALLEST, "loss scale at or below: warn"),
        Threshold::new(SKIPPED, "skipped iterations within 100 steps: warn"),
    ],
    scopes: &[
        Scope::Series { judges: |class: &TagClass| class.role == Role::LossScale, build: build_scale },
        Scope::Series { judges: |class: &TagClass| class.role == Role::Optimiser, build: build_skips },
    ],
};

/// Halvings within [`STEPS`].
const HALVINGS: usize = 4;
/// Skipped iterations within [`STEPS`].
const SKIPPED: f64 = 5.0;
/// Steps that are looked at.
const STEPS: Step = 100;
/// Steps of the search for the first scale.
const SEARCH: Step = 50;
/// A scale that protects nothing any more.
const SMALLEST: f64 = 1.0;

fn build_scale(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Scale::default())
}

fn build_skips(key: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Skips { counts: counts_skips(key), ..Skips::default() })
}

fn patience() -> Patience {
    Patience { hold: [Hold::in_a_row(1); 3], clear: 1 }
}

const ADVICE: &str =
    "Use bfloat16, lower the learning rate, or look for the layer whose activations or gradients overflow.";

#[derive(Debug, Default)]
struct Scale {
    first: Option<Step>,
    last: Option<f64>,
    /// Steps of the last halvings.
    halved: Vec<Step>,
    from: f64,
}

impl Speaks for Scale {
    fn patience(&self) -> Patience {
        patience()
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let now = words::value(finding.evidence.number("now"));
        let text = if let Some(halvings) = finding.evidence.get("halvings") {
            format!(
                "{place} was lowered {halvings} times within {STEPS} steps, to {now} at step {}",
                words::step(step)
            )
        } else {
            format!("{place} is down to {now} at step {}: gradients still overflow", words::step(step))
        };
        (text, ADVICE.to_owned())
    }
}

impl SeriesDetector for Scale {
    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() {
            return None;
        }
        let first = *self.first.get_or_insert(point.step);
        let searching = point.step.saturating_sub(first) < SEARCH;
        if let Some(last) = self.last
            && point.value < last
            && !searching
        {
            // Several halvings may lie between two records.
            let times = (last / point.value.max(f64::MIN_POSITIVE)).log2().round().clamp(1.0, 8.0) as usize;
            if self.halved.is_empty() {
                self.from = last;
            }
            self.halved.extend(std::iter::repeat_n(point.step, times));
        }
        self.last = Some(point.value);
        self.halved.retain(|s| *s > point.step.saturating_sub(STEPS));
        let since = self.halved.first().copied();
        let evidence = Evidence::new().with("before", self.from);
        let count = self.halved.len();
        let verdict = if count >= HALVINGS {
            let evidence =
                evidence.with("now", point.value).at_least("halvings", count as f64, HALVINGS as f64);
            Verdict::Bad(Finding { severity: Severity::Warn, since, evidence, sure: true })
        } else if point.value <= SMALLEST && count > 0 {
            let evidence = evidence.at_most("now", point.value, SMALLEST);
            Verdict::Bad(Finding { severity: Severity::Warn, since, evidence, sure: true })
        } else if count == 0 {
            Verdict::Fine
        } else {
            Verdict::Unsure
        };
        Some((point.step, verdict))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

#[derive(Debug, Default)]
struct Skips {
    counts: bool,
    last: Option<f64>,
    /// A count that has fallen is that of each record, not of all so far.
    per_record: bool,
    skipped: Vec<(Step, f64)>,
    first: Option<Step>,
}

impl Speaks for Skips {
    fn patience(&self) -> Patience {
        patience()
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let text = format!(
            "{} iterations were skipped within {STEPS} steps up to step {} ({place})",
            finding.evidence.number("skipped"),
            words::step(step)
        );
        (text, ADVICE.to_owned())
    }
}

impl SeriesDetector for Skips {
    fn indifferent(&self, _: &[Point]) -> bool {
        !self.counts
    }

    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if !self.counts || !point.value.is_finite() {
            return None;
        }
        let first = *self.first.get_or_insert(point.step);
        let last = self.last.replace(point.value).unwrap_or(0.0);
        self.per_record |= point.value < last;
        let new = if self.per_record { point.value } else { point.value - last };
        if new > 0.0 && point.step.saturating_sub(first) >= SEARCH {
            self.skipped.push((point.step, new));
        }
        self.skipped.retain(|(s, _)| *s > point.step.saturating_sub(STEPS));
        self.skipped.truncate(STEPS as usize);
        let sum: f64 = self.skipped.iter().map(|(_, n)| n).sum();
        let verdict = if sum >= SKIPPED {
            let evidence = Evidence::new().at_least("skipped", sum, SKIPPED);
            let since = self.skipped.first().map(|(s, _)| *s);
            Verdict::Bad(Finding { severity: Severity::Warn, since, evidence, sure: true })
        } else if sum == 0.0 {
            Verdict::Fine
        } else {
            Verdict::Unsure
        };
        Some((point.step, verdict))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self { counts: self.counts, ..Self::default() };
    }
}
