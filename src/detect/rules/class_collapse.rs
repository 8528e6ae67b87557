//! `class_collapse`: nearly everything is predicted to be of one class.

use std::sync::Arc;

use crate::{
    detect::{
        DetectorSpec, Evidence, Finding, Hold, MatrixDetector, Patience, Scope, Severity, Speaks,
        Surroundings, Threshold, Verdict, matrix, words,
    },
    model::{ConfusionRecord, Step},
    store::Run,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "class_collapse",
    summary: "nearly everything is predicted to be of one class",
    advice: "Check labels and the loss, lower the learning rate, and weight or resample the classes.",
    clears: "less than 90 % of the predictions are of that class, for 3 evaluations",
    traps: "the first evaluations of a training, data of which most is that class, small evaluation sets",
    thresholds: &[
        Threshold::new(PREDICTED, "share of the predictions in one class"),
        Threshold::new(HOLD[0] as f64, "evaluations in a row"),
        Threshold::new(HOLD[1] as f64, "evaluations in a row where it never told classes apart before"),
        Threshold::new(TRUE, "share of the samples that are of that class, at most"),
        Threshold::new(BEGUN, "of the planned steps, or 3 evaluations, before it speaks"),
    ],
    scopes: &[Scope::Matrix { build: || Box::new(Collapse::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Share of the predictions.
const PREDICTED: f64 = 0.95;
/// Share of the samples.
const TRUE: f64 = 0.8;
/// Share of the run.
const BEGUN: f64 = 0.1;
/// Share of the largest class among predictions that are of several.
const DIVERSE: f64 = 0.6;
/// Evaluations in a row, after it had begun to tell classes apart and before.
const HOLD: [u32; 2] = [2, 6];
/// Samples of an evaluation.
const SAMPLES: f64 = 30.0;

#[derive(Debug, Default)]
struct Collapse {
    evaluations: u32,
    last: Option<Step>,
    class: Option<Arc<str>>,
    /// Evaluations at which predictions were of several classes: it had begun to learn.
    diverse: u32,
    held: u32,
    since: Step,
}

impl Speaks for Collapse {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 3 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let percent = |name| 100.0 * finding.evidence.number(name);
        let text = format!(
            "{place}: {:.0} % of all predictions are \"{}\", {:.0} % of the samples, at step {}{}",
            percent("predicted"),
            self.class.as_deref().unwrap_or_default(),
            percent("true"),
            words::step(step),
            words::since(finding.since)
        );
        (text, SPEC.advice.to_owned())
    }
}

impl MatrixDetector for Collapse {
    fn matrix(&mut self, record: &ConfusionRecord, run: &Run) -> Verdict {
        if self.last.is_some_and(|last| record.step <= last) {
            *self = Self::default();
        }
        self.last = Some(record.step);
        self.evaluations += 1;
        let counts = record.matrix.counts();
        let total = record.matrix.total();
        if record.matrix.classes() < 2 || total < SAMPLES || matrix::is_normalised(&record.matrix) {
            return Verdict::Unsure;
        }
        let predicted = |class: usize| counts.column(class).sum() / total;
        let Some(class) = (0..record.matrix.classes())
            .max_by(|a, b| predicted(*a).total_cmp(&predicted(*b)).then(b.cmp(a)))
        else {
            return Verdict::Unsure;
        };
        let (share, truly) = (predicted(class), counts.row(class).sum() / total);
        self.diverse += u32::from(share < DIVERSE);
        if share < 1.0 - 2.0 * (1.0 - PREDICTED) || truly >= TRUE {
            self.held = 0;
            return Verdict::Fine;
        }
        let share_done = run.steps_total().filter(|total| *total > 0).map(|t| record.step as f64 / t as f64);
        let begun = share_done.map_or(self.evaluations >= 3, |done| done >= BEGUN);
        if share < PREDICTED || !begun {
            self.held = 0;
            return Verdict::Unsure;
        }
        if self.held == 0 {
            self.since = record.step;
        }
        self.held += 1;
        // A network that never told classes apart may be about to begin.
        let needed = if self.diverse >= 3 { HOLD[0] } else { HOLD[1] };
        if self.held < needed {
            return Verdict::Unsure;
        }
        self.class = matrix::class_names(record, run).get(class).cloned();
        let evidence = Evidence::new()
            .at_least("predicted", share, PREDICTED)
            .at_most("true", truly, TRUE)
            .with("samples", total)
            .maybe("accuracy", record.matrix.accuracy());
        let evidence = evidence.at_least("evaluations", f64::from(self.held), f64::from(needed));
        let finding = Finding::new(Severity::Critical.min(EARNED), evidence);
        Verdict::Bad(Finding { since: Some(self.since), ..finding })
    }
}
