//! `metric_disagreement`: validation loss rises while a validation metric does not get worse: the network grows
//! over-confident.

use crate::model::{SeriesKey, Step};

use crate::detect::{
    Company, DetectorSpec, Evaluation, Evidence, Finding, Hold, PairDetector, Patience, Scope, Severity,
    Speaks, Surroundings, Threshold, Verdict,
    running::{self, Window},
    tags::{Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "metric_disagreement",
    summary: "validation loss rises while a validation metric does not get worse",
    advice: "Choose checkpoints by the metric that you need, and calibrate the probabilities (temperature, label smoothing).",
    clears: "one of the two trends ends",
    traps: "a metric on other data than the loss; thresholds that are tuned on the fly",
    thresholds: &[
        Threshold::new(TREND_Z, "z of the Mann–Kendall trend of the loss over 12 evaluations"),
        Threshold::new(RISE, "rise of the loss over its best, while the metric is no worse than then"),
    ],
    scopes: &[Scope::Pair { judges, build: |_| Box::new(MetricDisagreement::default()) }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Val | Split::Test)
}

/// Evaluations that are compared.
const EVALUATIONS: usize = 12;
/// z of the trend of the loss.
const TREND_Z: f64 = 1.96;
/// Rise of the loss over its best, as a share of it.
const RISE: f64 = 0.05;

#[derive(Debug, Default)]
struct MetricDisagreement {
    values: Window<EVALUATIONS>,
    /// Lowest running median of 5, and the evaluation after it.
    best: Option<(Step, f64)>,
    next: Option<Step>,
    metric: Option<String>,
}

impl Speaks for MetricDisagreement {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let number = |name| words::value(finding.evidence.number(name));
        let text = format!(
            "{place} rose from {} to {} at step {} while {} went from {} to {}: over-confidence",
            number("loss_before"),
            number("now"),
            words::step(step),
            self.metric.as_deref().unwrap_or("a metric"),
            number("metric_before"),
            number("metric_now")
        );
        let advice = "Choose checkpoints by the metric that you need, and calibrate the probabilities (temperature, label smoothing).";
        (text, advice.to_owned())
    }
}

impl PairDetector for MetricDisagreement {
    fn evaluation(&mut self, at: Evaluation, _: &Surroundings, company: &Company<'_>) -> Verdict {
        self.values.push(at.value);
        let level = running::median_of(self.values.last(5)).unwrap_or(at.value);
        if self.best.is_none_or(|(_, best)| level < best) {
            self.best = Some((at.step, level));
            self.next = None;
        } else {
            self.next.get_or_insert(at.step);
        }
        if self.values.values().len() < EVALUATIONS {
            return Verdict::Unsure;
        }
        let loss = self.values.values();
        let rise = running::mann_kendall(loss);
        if rise < TREND_Z / 2.0 {
            return Verdict::Fine;
        }
        if rise < TREND_Z {
            return Verdict::Unsure;
        }
        // The loss against its best, the metric against what it was then; the metrics of this evaluation may not have
        // been written yet.
        let (best_step, best) = self.best.unwrap_or((at.step, at.value));
        let now = running::median_of(self.values.last(5)).unwrap_or(at.value);
        if now < (1.0 + RISE) * best || best <= 0.0 {
            return Verdict::Unsure;
        }
        for (key, values) in company.values_around(best_step) {
            let (then, since) = values;
            let (Some(then_level), Some(level)) =
                (running::median_of(&then), running::median_of(&since[since.len().saturating_sub(5)..]))
            else {
                continue;
            };
            if since.len() >= 5 && then.len() >= 3 && level >= then_level {
                self.metric = Some(key.label());
                let evidence = Evidence::new()
                    .with("loss_before", best)
                    .at_least("now", now, (1.0 + RISE) * best)
                    .at_least("loss_trend_z", rise, TREND_Z)
                    .with("metric_before", then_level)
                    .at_least("metric_now", level, then_level);
                return Verdict::Bad(Finding {
                    severity: Severity::Info,
                    since: self.next,
                    evidence,
                    sure: false,
                });
            }
        }
        Verdict::Unsure
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn partner(&mut self, _: Option<&SeriesKey>) {}
}
