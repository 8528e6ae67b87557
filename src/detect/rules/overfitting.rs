//! `overfitting`: validation loss rises from its best while training loss goes on falling.
//!
//! The clock is the evaluation: windows count validation points. All levels are running medians of 5, so that
//! one bad evaluation says nothing. Thresholds and their measured cost: docs/DETECTION.md.

use std::fmt::Write as _;

use crate::model::{SeriesKey, Step};

use crate::detect::{
    Company, DetectorSpec, Evaluation, Evidence, Finding, Hold, PairDetector, Patience, Scope, Severity,
    Speaks, Surroundings, Threshold, Verdict,
    running::{self, Trail, Window},
    tags::{Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "overfitting",
    summary: "validation loss rises while training loss falls",
    advice: "Keep the checkpoint of the best validation loss and stop early, or regularise, augment, or lower the learning rate.",
    clears: "validation comes within 1 % of its best for 6 evaluations",
    traps: "a later drop of the learning rate may bring a new best; double descent; validation subsets that change",
    thresholds: &[
        Threshold::new(RISE_OVER, "rise over the best as a share of it: info"),
        Threshold::new(RISE[1], "rise over the best as a share of it, 3 evaluations in a row: warn"),
        Threshold::new(RISE[2], "rise over the best as a share of it: critical"),
        Threshold::new(RISE_SIGMA[1], "σ of a median of 5 that the rise must be beyond"),
        Threshold::new(TREND_Z[1], "z of the Mann–Kendall trend since the best"),
    ],
    scopes: &[Scope::Pair { judges, build }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Val | Split::Test)
}

fn build(val: &SeriesKey) -> Box<dyn PairDetector> {
    let _ = val;
    Box::new(Overfitting::default())
}

/// Evaluations before it speaks, with and without a training series.
const EVALUATIONS: [usize; 2] = [8, 12];
/// Evaluations since the best.
const SINCE_BEST: usize = 5;
/// Rise over the best as a share of it: info, warn, critical.
const RISE: [f64; 3] = [0.01, 0.03, 0.25];
/// The same without a training series.
const RISE_ALONE: f64 = 2.0;
/// Rise as a share of what validation had gained.
const RISE_OF_GAIN: f64 = 0.05;
/// … and that makes it critical.
const RISE_OF_GAIN_CRITICAL: f64 = 0.5;
/// Rise in σ of a median of 5: info, and warn.
const RISE_SIGMA: [f64; 2] = [3.0, 5.0];
/// z of an upward trend since the best: info, and warn. Keeps the minimum of a long noisy plateau, which is
/// always far below what follows, from looking like a turn.
const TREND_Z: [f64; 2] = [1.64, 2.0];
/// Rise below which the alert may end.
const RISE_OVER: f64 = 0.015;
/// Share of the evaluations after the best for critical.
const SPENT: f64 = 0.1;

#[derive(Debug, Default)]
struct Overfitting {
    train_name: Option<String>,
    values: Window<32>,
    trains: Window<5>,
    medians: Window<11>,
    since_best: Trail,
    first: Vec<f64>,
    evaluations: usize,
    lowest: f64,
    best: Option<Best>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Best {
    level: f64,
    step: Step,
    /// The evaluation after it.
    next: Option<Step>,
    evaluation: usize,
    train: Option<f64>,
}

impl Speaks for Overfitting {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold { needed: 2, of: 3 }, Hold::in_a_row(3), Hold::in_a_row(3)], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name);
        let number = |name| words::value(get(name).unwrap_or(f64::NAN));
        let best_step = words::step(get("best_step").unwrap_or(f64::NAN) as Step);
        let (best, now) = (get("best").unwrap_or(f64::NAN), get("now").unwrap_or(f64::NAN));
        let mut text = format!(
            "{place} rose from {} at step {best_step} to {} at step {} ({}, {} σ) over {} evaluations",
            words::value(best),
            words::value(now),
            words::step(step),
            words::percent((now - best) / best.abs()),
            words::sigma(get("rise_sigma").unwrap_or(f64::NAN)),
            get("evaluations_since_best").unwrap_or(0.0),
        );
        if let (Some(name), Some(_)) = (&self.train_name, get("train_now")) {
            let _ = write!(
                text,
                " while {name} fell from {} to {}",
                number("train_at_best"),
                number("train_now")
            );
        }
        if get("metric_improves").is_some() {
            text += "; a validation metric still improves (over-confidence)";
        }
        let advice = format!(
            "Keep the checkpoint of step {best_step} (best so far) and stop early, or regularise, augment, or lower the learning rate."
        );
        (text, advice)
    }
}

impl PairDetector for Overfitting {
    fn evaluation(&mut self, at: Evaluation, _: &Surroundings, company: &Company<'_>) -> Verdict {
        let level = self.take(at);
        let sigma = running::sigma_of_median5(running::noise(
            self.values.last(32).split_last().map_or(&[][..], |(_, r)| r),
        ));
        let train = running::median_of(self.trains.values());
        if self.best.is_none_or(|b| level < b.level) {
            self.best = Some(Best { level, step: at.step, next: None, evaluation: self.evaluations, train });
            self.since_best = Trail::default();
        } else {
            self.since_best.push(at.value);
            if let Some(best) = &mut self.best {
                best.next.get_or_insert(at.step);
            }
        }
        let Some(best) = self.best else { return Verdict::Unsure };
        self.verdict(level, sigma, train, best, company)
    }

    fn reset(&mut self) {
        *self = Self { train_name: self.train_name.take(), ..Self::default() };
    }

    fn partner(&mut self, train: Option<&SeriesKey>) {
        self.train_name = train.map(SeriesKey::label);
    }
}

impl Overfitting {
    /// Adds an evaluation and returns the running median of 5.
    fn take(&mut self, at: Evaluation) -> f64 {
        self.evaluations += 1;
        self.lowest = if self.evaluations == 1 { at.value } else { self.lowest.min(at.value) };
        self.values.push(at.value);
        match at.train {
            Some(train) => self.trains.push(train),
            None => self.trains.clear(),
        }
        if self.first.len() < 3 {
            self.first.push(at.value);
        }
        let level = running::median_of(self.values.last(5)).unwrap_or(at.value);
        self.medians.push(level);
        level
    }

    fn verdict(
        &self,
        level: f64,
        sigma: f64,
        train: Option<f64>,
        best: Best,
        company: &Company<'_>,
    ) -> Verdict {
        let start = running::median_of(&self.first).unwrap_or(level);
        let gain = (start - best.level).max(0.0);
        // Ratios to a best at or below zero mean nothing: what was gained is the unit then.
        let unit = if self.lowest > 0.0 { best.level } else { gain.max(f64::MIN_POSITIVE) };
        let rise = level - best.level;
        if rise < RISE_OVER * unit {
            return if rise < RISE[0] * unit { Verdict::Fine } else { Verdict::Unsure };
        }
        let since_best = self.evaluations - best.evaluation;
        let (alone, needed) = match train {
            Some(_) => (1.0, EVALUATIONS[0]),
            None => (RISE_ALONE, EVALUATIONS[1]),
        };
        let ten_ago = self.medians.values().first().copied().unwrap_or(level);
        let falling = level < ten_ago - rise / 4.0;
        let train_rises = match (best.train, train) {
            (Some(then), Some(now)) => now > then,
            _ => false,
        };
        let patient = self.evaluations >= needed && since_best >= SINCE_BEST && !falling && !train_rises;
        if !patient
            || rise < RISE[0] * alone * unit
            || rise < RISE_SIGMA[0] * sigma
            || rise < RISE_OF_GAIN / 2.0 * gain
        {
            return Verdict::Unsure;
        }
        let trend = running::mann_kendall(self.since_best.blocks());
        if trend < TREND_Z[0] {
            return Verdict::Unsure;
        }
        let warn = rise >= RISE[1] * alone * unit
            && rise >= RISE_SIGMA[1] * sigma
            && rise >= RISE_OF_GAIN * gain
            && trend >= TREND_Z[1];
        let lost = rise >= RISE[2] * unit || gain > 0.0 && rise >= RISE_OF_GAIN_CRITICAL * gain;
        let spent = since_best as f64 >= SPENT * self.evaluations as f64;
        let mut severity = match (warn, lost && spent) {
            (true, true) => Severity::Critical,
            (true, false) => Severity::Warn,
            (false, _) => Severity::Info,
        };
        let rise_sigma = if sigma > 0.0 { (rise / sigma).min(1e6) } else { 1e6 };
        let tier = usize::from(severity != Severity::Info);
        let least = (RISE[tier] * alone).max(RISE_OVER);
        let mut evidence = Evidence::new()
            .with("best", best.level)
            .with("best_step", best.step as f64)
            .at_least("now", level, best.level + least * unit)
            .at_least("rise", rise / unit, least)
            .at_least("rise_sigma", rise_sigma, RISE_SIGMA[tier])
            .at_least("evaluations_since_best", since_best as f64, SINCE_BEST as f64)
            .at_least("trend_z", trend, TREND_Z[tier]);
        if gain > 0.0 {
            let share = if tier == 0 { RISE_OF_GAIN / 2.0 } else { RISE_OF_GAIN };
            evidence = evidence.at_least("rise_of_gain", rise / gain, share);
        }
        if let (Some(then), Some(now)) = (best.train, train) {
            evidence = evidence.with("train_at_best", then).at_most("train_now", now, then);
        }
        if company.improved(best.step) {
            evidence = evidence.with("metric_improves", 1.0);
            severity = if severity == Severity::Critical { Severity::Warn } else { Severity::Info };
        }
        // The run overfits since the evaluation after its best.
        let since = Some(best.next.unwrap_or(best.step));
        Verdict::Bad(Finding { severity, since, evidence, sure: false })
    }
}
