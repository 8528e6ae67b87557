//! `class_confusion`: a class that is taken for another one, that is hardly ever found, or that is found less and less.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    detect::{
        DetectorSpec, Evidence, Finding, Hold, MatrixDetector, Patience, Scope, Severity, Speaks,
        Surroundings, Threshold, Verdict,
        matrix::{self, SUPPORT},
        running, words,
    },
    model::{ConfusionMatrix, ConfusionRecord, Step},
    store::Run,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "class_confusion",
    summary: "a class is taken for another one, hardly ever found, or found less than before",
    advice: "Look at samples and labels of these classes; tell them apart by data, merge them, or weight them.",
    clears: "the share is below half of what it takes to speak, for 4 evaluations",
    traps: "small evaluation sets, neighbours on a scale, several labels at once, the first evaluations of a training",
    thresholds: &[
        Threshold::new(PAIR, "share of a class that is taken for one other, and 3 times the usual one: info"),
        Threshold::new(
            LOST,
            "less recall than at its best, and F1 too, of such a class, or while accuracy rose: warn",
        ),
        Threshold::new(STARVED, "recall, and half of the median: warn"),
        Threshold::new(SUPPORT, "samples of a class"),
        Threshold::new(HOLD as f64, "evaluations in a row"),
    ],
    scopes: &[Scope::Matrix { build: || Box::new(Confusion::default()) }],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
/// Share of one class that is taken for another.
const PAIR: f64 = 0.2;
/// How many times the mean of all such shares.
const OVER_MEAN: f64 = 3.0;
/// Lower end of its interval.
const PAIR_LOW: f64 = 0.1;
/// Recall that is lost.
const LOST: f64 = 0.15;
/// How many times its usual change from one evaluation to the next.
const UNREST: f64 = 3.0;
/// F1 of a class that was told apart.
const LEARNT: f64 = 0.5;
/// Standard errors by which it is more than luck.
const LOST_Z: f64 = 4.0;
/// Recall of a class that is hardly ever found.
pub(super) const STARVED: f64 = 0.3;
/// Share of the median support below which the class is rare, and `class_imbalance` says it.
pub(super) const RARE: f64 = 1.0 / 3.0;
/// Evaluations before it speaks.
const BEGUN: u32 = 5;
/// Rise of the accuracy in three evaluations that is learning.
const RISES: f64 = 0.02;
/// Evaluations before errors may count as lasting.
pub(super) const SETTLED: u32 = 8;
/// Evaluations in a row.
const HOLD: u32 = 3;
/// Recall that still rises by this in three evaluations is being learnt.
const LEARNS: f64 = 0.05;
/// Classes beyond which only pairs are looked at.
const CLASSES: usize = 256;

/// Recall and F1 of a class over the evaluations.
#[derive(Debug, Default, Clone)]
struct OfClass {
    recall: VecDeque<f64>,
    f1: VecDeque<f64>,
    /// How much recall moves from one evaluation to the next.
    unrest: f64,
    /// The best median of three: recall, F1, accuracy then, and the step.
    best: Option<(f64, f64, f64, Step)>,
}

/// A class that was told apart better before.
#[derive(Clone, Copy, Debug)]
struct Decline {
    class: usize,
    best: f64,
    recall: f64,
    step: Step,
    z: f64,
    /// Accuracy of all at its best.
    accuracy: f64,
}

#[derive(Debug, Default)]
struct Confusion {
    evaluations: u32,
    last: Option<Step>,
    classes: Vec<OfClass>,
    accuracy: VecDeque<f64>,
    text: String,
}

impl Speaks for Confusion {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(HOLD); 3], clear: 4 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let text =
            format!("{place}: {} at step {}{}", self.text, words::step(step), words::since(finding.since));
        (text, SPEC.advice.to_owned())
    }
}

impl MatrixDetector for Confusion {
    fn matrix(&mut self, record: &ConfusionRecord, run: &Run) -> Verdict {
        if self.last.is_some_and(|last| record.step <= last) || self.changed(&record.matrix) {
            *self = Self::default();
        }
        self.last = Some(record.step);
        self.evaluations += 1;
        let m = &record.matrix;
        let (Some(accuracy), false) = (m.accuracy(), matrix::is_normalised(m)) else {
            return Verdict::Unsure;
        };
        push(&mut self.accuracy, accuracy);
        if m.classes() <= CLASSES {
            self.remember(m, record.step);
        }
        if self.evaluations < BEGUN {
            return Verdict::Unsure;
        }
        let names = matrix::class_names(record, run);
        // While accuracy rises, classes come one after the other.
        let rises =
            self.accuracy.back().zip(self.accuracy.front()).is_none_or(|(now, then)| now - then > RISES);
        let settled = self.evaluations >= SETTLED && !rises;
        let found = self
            .lost(m, accuracy, &names)
            .or_else(|| self.starved(m, &names).filter(|_| settled))
            .or_else(|| {
                pair(m, &names)
                    .filter(|_| settled)
                    .map(|(class, evidence, text)| self.graded(m, class, evidence, text))
            });
        match found {
            Some((severity, evidence, text)) => {
                self.text = text;
                Verdict::Bad(Finding::new(severity.min(EARNED), evidence))
            }
            None if worst_pair(m).is_some_and(|(_, _, share)| share >= PAIR / 2.0) => Verdict::Unsure,
            None => Verdict::Fine,
        }
    }
}

impl Confusion {
    fn changed(&self, m: &ConfusionMatrix) -> bool {
        !self.classes.is_empty() && self.classes.len() != m.classes()
    }

    fn remember(&mut self, m: &ConfusionMatrix, step: Step) {
        self.classes.resize(m.classes(), OfClass::default());
        let accuracy = median3(&self.accuracy);
        for (class, known) in self.classes.iter_mut().enumerate() {
            let scores = m.scores(class);
            let (Some(recall), true) = (scores.recall, scores.support >= SUPPORT) else { continue };
            if let Some(last) = known.recall.back() {
                known.unrest += 0.1 * ((recall - last).abs() - known.unrest);
            }
            push(&mut known.recall, recall);
            push(&mut known.f1, scores.f1.unwrap_or(0.0));
            let (recall, f1) = (median3(&known.recall), median3(&known.f1));
            // By F1: of a class that everything is taken for, recall is high for nothing.
            if known.recall.len() >= 3 && known.best.is_none_or(|(_, best, _, _)| f1 > best) {
                known.best = Some((recall, f1, accuracy, step));
            }
        }
    }

    /// What a class has lost since it was told apart best, beyond luck and its usual unrest.
    fn decline(&self, m: &ConfusionMatrix, class: usize) -> Option<Decline> {
        let known = self.classes.get(class)?;
        let scores = m.scores(class);
        let f1 = scores.f1?;
        let recall = known.recall.iter().copied().fold(0.0, f64::max);
        let (best, best_f1, accuracy, step) = known.best?;
        let middle = f64::midpoint(best, recall);
        let error = (2.0 * middle * (1.0 - middle) / scores.support).sqrt();
        let z = if error > 0.0 { ((best - recall) / error).min(f64::MAX) } else { f64::MAX };
        let lost =
            best - recall >= LOST.max(UNREST * known.unrest) && best_f1 - f1 >= LOST / 2.0 && z >= LOST_Z;
        (lost && best_f1 >= LEARNT && scores.support >= SUPPORT).then_some(Decline {
            class,
            best,
            recall,
            step,
            z,
            accuracy,
        })
    }

    /// A class that is found less than at its best, while all in all more is found.
    fn lost(
        &self,
        m: &ConfusionMatrix,
        accuracy: f64,
        names: &[Arc<str>],
    ) -> Option<(Severity, Evidence, String)> {
        let Decline { class, best, recall, step, z, accuracy: then } = (0..self.classes.len())
            .filter_map(|class| self.decline(m, class))
            .filter(|decline| accuracy >= decline.accuracy)
            .max_by(|a, b| (a.best - a.recall).total_cmp(&(b.best - b.recall)).then(b.class.cmp(&a.class)))?;
        let evidence = Evidence::new()
            .at_least("lost_recall", best - recall, LOST)
            .at_least("z", z, LOST_Z)
            .at_least("accuracy", accuracy, then)
            .with("recall", recall)
            .with("best_recall", best)
            .with("best_step", step as f64)
            .with("class", class as f64);
        let text = format!(
            "recall of \"{}\" fell from {:.2} (step {}) to {recall:.2} although accuracy rose {then:.2} → {accuracy:.2}",
            names[class],
            best,
            words::step(step)
        );
        Some((Severity::Warn, evidence, text))
    }

    /// A pair of classes that were told apart before is a fault, one that never was may be alike.
    fn graded(
        &self,
        m: &ConfusionMatrix,
        class: usize,
        evidence: Evidence,
        text: String,
    ) -> (Severity, Evidence, String) {
        match self.decline(m, class) {
            Some(d) => {
                let evidence = evidence.at_least("lost_recall", d.best - d.recall, LOST);
                let text = text
                    + &format!(", recall {:.2} → {:.2} since step {}", d.best, d.recall, words::step(d.step));
                (Severity::Warn, evidence, text)
            }
            None => (Severity::Info, evidence, text),
        }
    }

    /// A class of ordinary size that is hardly ever found and gets no better.
    fn starved(&self, m: &ConfusionMatrix, names: &[Arc<str>]) -> Option<(Severity, Evidence, String)> {
        let starved = starved(m, |class, recall| self.learns(class, recall))?;
        if starved.of_median_support < RARE {
            return None;
        }
        let taken = (0..m.classes())
            .filter(|other| *other != starved.class)
            .max_by(|a, b| m.counts()[[starved.class, *a]].total_cmp(&m.counts()[[starved.class, *b]]))?;
        let text = format!(
            "\"{}\" is hardly ever found: recall {:.2}, {:.2} in the median class; mostly taken for \"{}\"",
            names[starved.class], starved.recall, starved.median_recall, names[taken]
        );
        Some((Severity::Warn, starved.evidence(), text))
    }

    fn learns(&self, class: usize, recall: f64) -> bool {
        let Some(known) = self.classes.get(class) else { return true };
        let before = known.recall.front();
        before.is_none_or(|before| recall - before > LEARNS) || known.recall.iter().any(|r| *r >= STARVED)
    }
}

/// A class that is hardly ever found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Starved {
    pub class: usize,
    pub recall: f64,
    pub median_recall: f64,
    pub support: f64,
    pub of_median_support: f64,
}

impl Starved {
    pub(super) fn evidence(&self) -> Evidence {
        Evidence::new()
            .at_most("recall", self.recall, STARVED)
            .at_most("recall_of_half_the_median", self.recall, self.median_recall / 2.0)
            .at_least("support", self.support, SUPPORT)
            .with("median_recall", self.median_recall)
            .with("class", self.class as f64)
    }
}

/// The class with the least recall, if it is starved; `learns` says that its recall still rises.
pub(super) fn starved(m: &ConfusionMatrix, learns: impl Fn(usize, f64) -> bool) -> Option<Starved> {
    let scores: Vec<_> = (0..m.classes()).map(|class| m.scores(class)).collect();
    let recalls: Vec<f64> = scores.iter().filter_map(|s| s.recall).collect();
    let supports: Vec<f64> = scores.iter().map(|s| s.support).filter(|s| *s > 0.0).collect();
    let (median_recall, median) = (running::median_of(&recalls)?, running::median_of(&supports)?);
    scores
        .iter()
        .enumerate()
        .filter_map(|(class, s)| {
            let recall = s.recall.filter(|_| s.support >= SUPPORT)?;
            let starved = median_recall >= STARVED
                && recall < STARVED
                && recall < median_recall / 2.0
                && !learns(class, recall);
            let of_median_support = s.support / median;
            starved.then_some(Starved { class, recall, median_recall, support: s.support, of_median_support })
        })
        .min_by(|a, b| a.recall.total_cmp(&b.recall).then(a.class.cmp(&b.class)))
}

/// The share of one class that is taken for another, at its largest.
fn worst_pair(m: &ConfusionMatrix) -> Option<(usize, usize, f64)> {
    pairs(m).into_iter().next()
}

/// Such shares of classes with enough samples, largest first.
fn pairs(m: &ConfusionMatrix) -> Vec<(usize, usize, f64)> {
    let mut pairs: Vec<_> = m
        .counts()
        .rows()
        .into_iter()
        .enumerate()
        .filter_map(|(t, row)| Some((t, row, row.sum())).filter(|(.., support)| *support >= SUPPORT))
        .flat_map(|(t, row, support)| {
            row.iter()
                .enumerate()
                .filter(|(p, count)| *p != t && **count / support >= PAIR / 2.0)
                .map(|(p, count)| (t, p, count / support))
                .collect::<Vec<_>>()
        })
        .collect();
    pairs.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    pairs
}

/// A pair of classes that stands out among the errors.
fn pair(m: &ConfusionMatrix, names: &[Arc<str>]) -> Option<(usize, Evidence, String)> {
    let counts = m.counts();
    let others = (m.classes() - 1) as f64;
    // With two classes every error is of the one pair there is.
    if others < 2.0 {
        return None;
    }
    let errors: f64 = (0..m.classes()).filter_map(|class| Some(1.0 - m.scores(class).recall?)).sum::<f64>();
    let all = m.classes() as f64 * others;
    let rate = |t: usize, p: usize| counts[[t, p]] / counts.row(t).sum().max(1.0);
    // The mean of the other shares: with few classes the pair itself would raise it.
    let mean = |t: usize, p: usize| (errors - rate(t, p) - rate(p, t)).max(0.0) / (all - 2.0);
    let stands_out: Vec<_> = pairs(m)
        .into_iter()
        .filter(|(t, p, share)| {
            let low = matrix::wilson(counts[[*t, *p]], counts.row(*t).sum()).0;
            *share >= PAIR && *share >= OVER_MEAN * mean(*t, *p) && low >= PAIR_LOW
        })
        .collect();
    let (t, p, share) = *stands_out.first()?;
    let support = counts.row(t).sum();
    let mean = mean(t, p);
    let evidence = Evidence::new()
        .at_least("share", share, PAIR)
        .at_least("share_low", matrix::wilson(counts[[t, p]], support).0, PAIR_LOW)
        .at_least("of_the_mean", if mean > 0.0 { share / mean } else { f64::MAX }, OVER_MEAN)
        .at_least("support", support, SUPPORT)
        .with("both_ways", counts[[t, p]] + counts[[p, t]])
        .with("class", t as f64)
        .with("taken_for", p as f64);
    let mut text = format!("{:.0} % of \"{}\" is taken for \"{}\"", 100.0 * share, names[t], names[p]);
    let back = counts[[p, t]] / counts.row(p).sum().max(1.0);
    if back >= PAIR / 2.0 {
        text += &format!(", {:.0} % the other way", 100.0 * back);
    }
    for (t, p, share) in stands_out.iter().skip(1).filter(|(a, b, _)| (*a, *b) != (p, t)).take(2) {
        text += &format!("; {:.0} % of \"{}\" for \"{}\"", 100.0 * share, names[*t], names[*p]);
    }
    Some((t, evidence, text))
}

/// Keeps the last three.
fn push(values: &mut VecDeque<f64>, value: f64) {
    values.push_back(value);
    if values.len() > 3 {
        values.pop_front();
    }
}

fn median3(values: &VecDeque<f64>) -> f64 {
    let values: Vec<f64> = values.iter().copied().collect();
    running::median_of(&values).unwrap_or(f64::NAN)
}
