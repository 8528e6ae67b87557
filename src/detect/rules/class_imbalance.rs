//! `class_imbalance`: rare classes are found less than frequent ones, or not at all.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    detect::{
        DetectorSpec, Evidence, Finding, Hold, MatrixDetector, Patience, Scope, Severity, Speaks,
        Surroundings, Threshold, Verdict,
        matrix::{self, SUPPORT},
        rules::class_confusion::{self, RARE, SETTLED, STARVED, Starved},
        running, words,
    },
    model::{ConfusionMatrix, ConfusionRecord, Step},
    store::Run,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "class_imbalance",
    summary: "rare classes are found less than frequent ones",
    advice: "Weight the classes in the loss, resample them, or collect more of the rare ones; judge by macro scores.",
    clears: "recall does not follow the size of a class any more, for 4 evaluations",
    traps: "small evaluation sets, classes that are rare and hard for another reason",
    thresholds: &[
        Threshold::new(RATIO, "times as many samples of the largest class as of the smallest, and"),
        Threshold::new(FOLLOWS, "rank correlation of recall with size: info"),
        Threshold::new(STARVED, "recall of a rare class with 30 samples, and half of the median: warn"),
        Threshold::new(TOGETHER, "samples of all rare classes that are judged together"),
    ],
    scopes: &[Scope::Matrix { build: || Box::new(Imbalance::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Largest over smallest class.
const RATIO: f64 = 10.0;
/// Samples of all rare classes together.
const TOGETHER: f64 = 15.0;
/// Share of the usual recall below which that of the rare classes lies with 95 %.
const APART: f64 = 0.6;
/// Spearman's correlation.
const FOLLOWS: f64 = 0.5;
/// Classes from which a correlation says something.
const CLASSES: usize = 4;
/// Evaluations before it speaks.
const BEGUN: u32 = 5;
/// Recall that still rises by this in three evaluations is being learnt.
const LEARNS: f64 = 0.05;

#[derive(Debug, Default)]
struct Imbalance {
    evaluations: u32,
    last: Option<Step>,
    /// Recall of all classes at the last evaluations.
    recalls: VecDeque<Vec<f64>>,
    text: String,
}

impl Speaks for Imbalance {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 4 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let text =
            format!("{place}: {}, at step {}{}", self.text, words::step(step), words::since(finding.since));
        (text, SPEC.advice.to_owned())
    }
}

impl MatrixDetector for Imbalance {
    fn matrix(&mut self, record: &ConfusionRecord, run: &Run) -> Verdict {
        if self.last.is_some_and(|last| record.step <= last) {
            *self = Self::default();
        }
        self.last = Some(record.step);
        self.evaluations += 1;
        let m = &record.matrix;
        if matrix::is_normalised(m) {
            return Verdict::Unsure;
        }
        let before = self.recalls.front().cloned().unwrap_or_default();
        self.recalls.push_back((0..m.classes()).map(|class| m.scores(class).recall.unwrap_or(0.0)).collect());
        if self.recalls.len() > 3 {
            self.recalls.pop_front();
        }
        if self.evaluations < BEGUN {
            return Verdict::Unsure;
        }
        let learns =
            |class: usize, recall: f64| before.get(class).is_none_or(|before| recall - before > LEARNS);
        if self.evaluations >= SETTLED {
            let starved = class_confusion::starved(m, learns).filter(|s| s.of_median_support < RARE);
            let found = match starved {
                Some(starved) => Some(self.starved(&starved, &matrix::class_names(record, run))),
                None => self.rare_together(m, learns),
            };
            if let Some(evidence) = found {
                return Verdict::Bad(Finding::new(Severity::Warn.min(EARNED), evidence));
            }
        }
        self.follows(m)
    }
}

impl Imbalance {
    fn starved(&mut self, starved: &Starved, names: &[Arc<str>]) -> Evidence {
        self.text = format!(
            "\"{}\" is rare ({} samples, {:.0} % of the median class) and hardly ever found: recall {:.2}, {:.2} in the median class",
            names[starved.class],
            starved.support,
            100.0 * starved.of_median_support,
            starved.recall,
            starved.median_recall
        );
        starved.evidence().at_most("of_median_support", starved.of_median_support, RARE)
    }

    /// The rare classes are too small to be judged one by one; together they are hardly ever found.
    fn rare_together(
        &mut self,
        m: &ConfusionMatrix,
        learns: impl Fn(usize, f64) -> bool,
    ) -> Option<Evidence> {
        let scores: Vec<_> = (0..m.classes()).map(|class| (class, m.scores(class))).collect();
        let supports: Vec<f64> = scores.iter().map(|(_, s)| s.support).filter(|n| *n > 0.0).collect();
        let median = running::median_of(&supports)?;
        let (rare, others): (Vec<_>, Vec<_>) = scores
            .iter()
            .filter_map(|(class, s)| Some((*class, s.support, s.recall?)))
            .partition(|(_, support, _)| *support < RARE * median);
        let support: f64 = rare.iter().map(|(_, support, _)| support).sum();
        let hits: f64 = rare.iter().map(|(_, support, recall)| support * recall).sum();
        let usual = running::median_of(&others.iter().map(|(.., recall)| *recall).collect::<Vec<_>>())?;
        if rare.is_empty()
            || support < TOGETHER
            || rare.iter().any(|(class, _, recall)| learns(*class, *recall))
        {
            return None;
        }
        let (recall, (_, high)) = (hits / support, matrix::wilson(hits, support));
        if recall >= STARVED || high >= APART * usual {
            return None;
        }
        let which =
            if rare.len() == 1 { "1 rare class".to_owned() } else { format!("{} rare classes", rare.len()) };
        self.text = format!(
            "{which} with {support} samples in all: hardly ever found, recall {recall:.2}, {usual:.2} in the median class"
        );
        Some(
            Evidence::new()
                .at_most("recall", recall, STARVED)
                .at_most("recall_high", high, APART * usual)
                .at_least("support", support, TOGETHER)
                .with("median_recall", usual)
                .with("rare_classes", rare.len() as f64),
        )
    }

    fn follows(&mut self, m: &ConfusionMatrix) -> Verdict {
        let scores: Vec<_> =
            (0..m.classes()).map(|class| m.scores(class)).filter(|s| s.support > 0.0).collect();
        let supports: Vec<f64> = scores.iter().map(|s| s.support).collect();
        let recalls: Vec<f64> = scores.iter().filter_map(|s| s.recall).collect();
        let most = supports.iter().copied().fold(0.0, f64::max);
        let least = supports.iter().copied().fold(f64::INFINITY, f64::min);
        let ratio = most / least;
        if supports.len() < CLASSES || most < SUPPORT || ratio.is_nan() || ratio < RATIO / 2.0 {
            return Verdict::Fine;
        }
        let follows = running::spearman(&supports, &recalls);
        if follows < FOLLOWS / 2.0 {
            return Verdict::Fine;
        }
        // All of them are found: an order among recalls near 1 is no fault.
        let worst = recalls.iter().copied().fold(1.0, f64::min);
        if ratio < RATIO || follows < FOLLOWS || worst > 0.8 {
            return Verdict::Unsure;
        }
        self.text = format!(
            "the largest class has {ratio:.0} times the samples of the smallest, and recall follows the size (rank correlation {follows:.2}, lowest recall {worst:.2})"
        );
        let evidence = Evidence::new()
            .at_least("size_ratio", ratio, RATIO)
            .at_least("recall_follows_size", follows, FOLLOWS)
            .at_most("lowest_recall", worst, 0.8);
        Verdict::Bad(Finding::new(Severity::Info, evidence))
    }
}
