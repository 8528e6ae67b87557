//! `generalisation_gap`: validation falls behind training more and more. An early sign, never an alarm.

use crate::model::{SeriesKey, Step};

use crate::detect::{
    Company, DetectorSpec, Evaluation, Evidence, Finding, Hold, PairDetector, Patience, Scope, Severity,
    Speaks, Surroundings, Threshold, Verdict, running,
    tags::{Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "generalisation_gap",
    summary: "validation falls behind training more and more",
    advice: "Expect overfitting: regularise, augment or keep the best checkpoint.",
    clears: "the gap comes within 1.5 times what it was",
    traps: "dropout, mixup and label smoothing move the training loss, so that only the change of the gap counts",
    thresholds: &[
        Threshold::new(GROWTH, "times the gap of a quarter of the evaluations ago"),
        Threshold::new(LEAST, "gap as a share of the training loss"),
        Threshold::new(TREND_Z, "z of its Mann–Kendall trend over that quarter"),
    ],
    scopes: &[Scope::Pair { judges, build }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Val | Split::Test)
}

/// Evaluations before it speaks.
const EVALUATIONS: usize = 16;
/// The gap now over that of a quarter of the run ago.
const GROWTH: f64 = 2.0;
/// The gap as a share of the training loss.
const LEAST: f64 = 0.1;
/// z of the trend of the gap.
const TREND_Z: f64 = 2.6;
/// Evaluations that are kept: of longer runs every second, fourth, … one.
const KEPT: usize = 128;

fn build(_: &SeriesKey) -> Box<dyn PairDetector> {
    Box::new(GeneralisationGap { stride: 1, ..GeneralisationGap::default() })
}

#[derive(Debug, Default)]
struct GeneralisationGap {
    train_name: Option<String>,
    /// Validation and training loss.
    values: Vec<(f64, f64)>,
    stride: usize,
    seen: usize,
}

impl Speaks for GeneralisationGap {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let number = |name| words::value(finding.evidence.number(name));
        let text = format!(
            "{place} is {} above {} at step {}, after {} a quarter of the run ago, and does not improve",
            number("gap"),
            self.train_name.as_deref().unwrap_or("the training loss"),
            words::step(step),
            number("gap_before")
        );
        (text, "Expect overfitting: regularise, augment, or keep the best checkpoint.".to_owned())
    }
}

impl PairDetector for GeneralisationGap {
    fn evaluation(&mut self, at: Evaluation, _: &Surroundings, _: &Company<'_>) -> Verdict {
        let Some(train) = at.train else { return Verdict::Unsure };
        self.seen += 1;
        if !self.seen.is_multiple_of(self.stride) {
            return Verdict::Unsure;
        }
        self.values.push((at.value, train));
        if self.values.len() >= KEPT {
            self.values = self.values.iter().copied().skip(1).step_by(2).collect();
            self.stride *= 2;
        }
        self.verdict()
    }

    fn reset(&mut self) {
        *self = Self { train_name: self.train_name.take(), stride: 1, ..Self::default() };
    }

    fn partner(&mut self, train: Option<&SeriesKey>) {
        self.train_name = train.map(SeriesKey::label);
    }
}

impl GeneralisationGap {
    fn verdict(&self) -> Verdict {
        let n = self.values.len();
        if n < EVALUATIONS {
            return Verdict::Unsure;
        }
        let quarter = (n / 4).max(6);
        let gaps: Vec<f64> = self.values.iter().map(|(v, t)| v - t).collect();
        let vals: Vec<f64> = self.values.iter().map(|(v, _)| *v).collect();
        let median = |values: &[f64]| running::median_of(values).unwrap_or(f64::NAN);
        let now = median(&gaps[n - 3..]);
        let before = median(&gaps[n - quarter - 3..n - quarter]).max(0.0);
        let train = median(&self.values[n - 3..].iter().map(|(_, t)| t.abs()).collect::<Vec<_>>());
        if now < 0.75 * GROWTH * before || now <= 0.0 {
            return Verdict::Fine;
        }
        let least = (LEAST * train).max(GROWTH * before);
        let trend = running::mann_kendall(&gaps[n - quarter..]);
        let best = vals[..n - 3].iter().copied().fold(f64::INFINITY, f64::min);
        let improving = median(&vals[n - 3..]) < best || running::mann_kendall(&vals[n - quarter..]) < -1.0;
        if now < least || trend < TREND_Z || improving {
            return Verdict::Unsure;
        }
        let evidence = Evidence::new()
            .at_least("gap", now, least)
            .with("gap_before", before)
            .with("train", train)
            .at_least("trend_z", trend, TREND_Z);
        Verdict::Bad(Finding::new(Severity::Info, evidence))
    }
}
