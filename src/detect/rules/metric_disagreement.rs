//! `metric_disagreement`: validation loss and a validation metric rise together: the network grows over-confident.

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
    summary: "validation loss and a validation metric rise together",
    advice: "Choose checkpoints by the metric that you need, and calibrate the probabilities (temperature, label smoothing).",
    clears: "one of the two trends ends",
    traps: "a metric on other data than the loss; thresholds that are tuned on the fly",
    thresholds: &[
        Threshold::new(TREND_Z, "z of the Mann–Kendall trend of both over 12 evaluations"),
        Threshold::new(CORRELATION, "Spearman's correlation of the two (healthy: negative)"),
    ],
    scopes: &[Scope::Pair { judges, build: |_| Box::new(MetricDisagreement::default()) }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Val | Split::Test)
}

/// Evaluations that are compared.
const EVALUATIONS: usize = 12;
/// z of both trends.
const TREND_Z: f64 = 1.96;
/// Spearman's correlation of loss and metric.
const CORRELATION: f64 = 0.5;

#[derive(Debug, Default)]
struct MetricDisagreement {
    values: Window<EVALUATIONS>,
    steps: Vec<Step>,
    metric: Option<String>,
}

impl Speaks for MetricDisagreement {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let number = |name| words::value(finding.evidence.number(name));
        let text = format!(
            "{place} rose from {} to {} over {EVALUATIONS} evaluations up to step {} while {} rose from {} to {} (over-confidence)",
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
        self.steps.push(at.step);
        if self.steps.len() > EVALUATIONS {
            self.steps.remove(0);
        }
        if self.steps.len() < EVALUATIONS {
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
        // The metrics of this evaluation may not have been written yet: the ones before are compared.
        for (key, values) in company.values_since(self.steps[0]) {
            let n = values.len().min(EVALUATIONS - 1);
            if n < EVALUATIONS - 2 {
                continue;
            }
            let values = &values[values.len() - n..];
            let trend = running::mann_kendall(values);
            let correlation = running::spearman(&loss[EVALUATIONS - 1 - n..EVALUATIONS - 1], values);
            if trend >= TREND_Z && correlation >= CORRELATION {
                self.metric = Some(key.label());
                let evidence = Evidence::new()
                    .with("loss_before", loss[0])
                    .with("now", at.value)
                    .at_least("loss_trend_z", rise, TREND_Z)
                    .with("metric_before", values[0])
                    .with("metric_now", values[n - 1])
                    .at_least("metric_trend_z", trend, TREND_Z)
                    .at_least("correlation", correlation, CORRELATION);
                return Verdict::Bad(Finding::new(Severity::Info, evidence));
            }
        }
        Verdict::Unsure
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn partner(&mut self, _: Option<&SeriesKey>) {}
}
