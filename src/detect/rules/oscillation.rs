//! `oscillation`: a curve that swings up and down by far more than its own noise used to be.
//!
//! Two of three neighbouring differences of white noise change their sign, so the alternation alone says nothing; the
//! amplitude has to stand out against the level and against the run's own beginning, or grow.

use crate::model::{SeriesKey, Step};

use crate::detect::{
    Bin, DetectorSpec, Evidence, Finding, Hold, Journal, Patience, Scope, SeriesDetector, Severity, Speaks,
    Surroundings, Threshold, Verdict, running,
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "oscillation",
    summary: "the curve swings far beyond its own noise",
    advice: "Lower the learning rate or the momentum, or enlarge the batch.",
    clears: "10 bins with half the amplitude",
    traps: "cyclic learning rates, the sawtooth of epochs, small validation sets, alternating losses",
    thresholds: &[
        Threshold::new(AMPLITUDE, "amplitude (p90 − p10 around the running median) as a share of the level"),
        Threshold::new(BEYOND_EARLY, "times the largest amplitude in the first half of the run"),
        Threshold::new(ALTERNATING, "share of neighbouring differences that change their sign: info"),
        Threshold::new(PERIOD_2, "the same over 40 bins: warn"),
    ],
    scopes: &[Scope::Series { judges, build }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Train | Split::Unknown)
}

/// Bins that are looked at.
const BINS: usize = 20;
/// Bins before it speaks.
const NEEDED: usize = 80;
/// Share of differences that change their sign. White noise: 2/3.
const ALTERNATING: f64 = 0.6;
/// … and the share in 40 bins that noise does not reach: the curve goes up and down in turns.
const PERIOD_2: f64 = 0.85;
/// Amplitude as a share of the level.
const AMPLITUDE: f64 = 0.3;
/// Amplitude in units of the largest in the first half of the run.
const BEYOND_EARLY: f64 = 3.0;
/// Amplitude as a share of the level at the start: keeps losses near zero quiet.
const OF_START: f64 = 0.05;

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Oscillation { part: !tags::is_whole(&class.stem) })
}

#[derive(Debug)]
struct Oscillation {
    part: bool,
}

impl Speaks for Oscillation {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold { needed: 8, of: 10 }; 3], clear: 10 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "{place} swings by {} around {} up to step {}: {} times as much as in the first half of the run, {:.0} % of the differences change their sign",
            words::value(e.number("amplitude")),
            words::value(e.number("now")),
            words::step(step),
            words::sigma(e.number("beyond_early")),
            100.0 * e.number("alternating")
        );
        let rate = around.schedule.rate_at(step).map(|r| format!(" (now {})", words::value(r)));
        let advice = format!(
            "Lower the learning rate{} or the momentum by a factor of 2 to 3, or enlarge the batch.",
            rate.unwrap_or_default()
        );
        (text, advice)
    }
}

impl SeriesDetector for Oscillation {
    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        Some(self.verdict(journal, around))
    }
}

impl Oscillation {
    fn verdict(&self, journal: &Journal, around: &Surroundings) -> Verdict {
        let Some(step) = journal.last_step() else { return Verdict::Unsure };
        if around.moving_target || self.part && around.whole_loss || journal.bins().len() < NEEDED {
            return Verdict::Unsure;
        }
        let values: Vec<f64> = journal.bins().iter().map(Bin::mean).collect();
        let early = &values[values.len() / 20..values.len() / 2];
        let late = &values[values.len() - BINS..];
        let (Some(level), Some(start)) = (running::median_of(late), journal.start()) else {
            return Verdict::Unsure;
        };
        let before =
            early.chunks(BINS).filter(|part| part.len() >= BINS / 2).filter_map(amplitude).reduce(f64::max);
        let (Some(amplitude), Some(before)) = (amplitude(late), before) else { return Verdict::Unsure };
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let unit = if lowest > 0.0 { level } else { highest - lowest };
        let beyond = if before > 0.0 { (amplitude / before).min(1e6) } else { 1e6 };
        if amplitude < AMPLITUDE / 2.0 * unit || beyond < BEYOND_EARLY / 2.0 {
            return Verdict::Fine;
        }
        let alternating = alternating(&values[values.len() - 2 * BINS..]);
        // A rate that moves up and down makes the loss do so.
        let planned = around
            .schedule
            .last_change(step)
            .is_some_and(|s| s >= journal.bins()[values.len() - BINS].last_step);
        let enough = amplitude >= AMPLITUDE * unit && amplitude >= OF_START * start.abs();
        if planned || !enough || beyond < BEYOND_EARLY || alternating < ALTERNATING {
            return Verdict::Unsure;
        }
        let evidence = Evidence::new()
            .with("now", level)
            .at_least("amplitude", amplitude, AMPLITUDE * unit)
            .at_least("beyond_early", beyond, BEYOND_EARLY)
            .at_least("alternating", alternating, ALTERNATING);
        if alternating >= PERIOD_2 {
            let evidence = evidence.at_least("period_2", alternating, PERIOD_2);
            return Verdict::Bad(Finding::new(Severity::Warn, evidence));
        }
        Verdict::Bad(Finding::new(Severity::Info, evidence))
    }
}

/// p90 − p10 of what is left beside a running median of 5.
fn amplitude(values: &[f64]) -> Option<f64> {
    let residuals: Vec<f64> = (0..values.len())
        .filter_map(|i| {
            let around = &values[i.saturating_sub(2)..(i + 3).min(values.len())];
            Some(values[i] - running::median_of(around)?)
        })
        .collect();
    Some(running::quantile(&residuals, 0.9)? - running::quantile(&residuals, 0.1)?)
}

/// The share of neighbouring differences whose sign changes.
fn alternating(values: &[f64]) -> f64 {
    let differences: Vec<f64> = values.windows(2).map(|w| w[1] - w[0]).collect();
    let changes = differences.windows(2).filter(|d| d[0] * d[1] < 0.0).count();
    changes as f64 / differences.len().saturating_sub(1).max(1) as f64
}
