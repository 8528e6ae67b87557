//! `oscillation`: a training loss that goes up and down in a rhythm.
//!
//! Noise alternates too, so neither sign changes nor amplitude say much. A rhythm does: the autocorrelation of the last
//! 64 points, without their trend, falls far below zero and comes back. White noise of 64 points stays within ±0.35.

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, Patience, Scope, SeriesDetector, Severity, Speaks, Surroundings,
    Threshold, Verdict,
    running::{self, Window},
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "oscillation",
    summary: "the training loss goes up and down in a rhythm",
    advice: "Shuffle the data anew each epoch, lower the learning rate or the momentum, or enlarge the batch.",
    clears: "64 points without a rhythm",
    traps: "cyclic learning rates, losses that are averaged since the start of each epoch, two losses that take turns",
    thresholds: &[
        Threshold::new(TROUGH, "autocorrelation at its lowest (lags 1 to 8), at most"),
        Threshold::new(PEAK, "autocorrelation where it comes back (lags up to 16), at least"),
        Threshold::new(AMPLITUDE, "amplitude (p90 − p10) as a share of the level"),
    ],
    scopes: &[Scope::Series { judges, build }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Train | Split::Unknown)
}

/// Points that are looked at.
const POINTS: usize = 64;
/// … each time after so many new ones.
const STRIDE: u64 = 8;
/// Looks in a row.
const HELD: u32 = 3;
/// Lags in which the lowest autocorrelation is looked for, and up to which it has to come back.
const TROUGH_LAGS: usize = 8;
const PEAK_LAGS: usize = 16;
/// What it has to fall to, and to come back to.
const TROUGH: f64 = -0.5;
const PEAK: f64 = 0.5;
/// Amplitude as a share of the level, and of the level at the start.
const AMPLITUDE: f64 = 0.15;
const OF_START: f64 = 0.03;

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Oscillation { part: !tags::is_whole(&class.stem), ..Oscillation::default() })
}

#[derive(Debug, Default)]
struct Oscillation {
    part: bool,
    values: Window<POINTS>,
    steps: Window<POINTS>,
    seen: u64,
    start: f64,
    lowest: f64,
    held: u32,
    since: Option<Step>,
}

impl Speaks for Oscillation {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 8 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "{place} goes up and down by {} around {} every {} points up to step {} (autocorrelation {:.2}, then {:.2})",
            words::value(e.number("amplitude")),
            words::value(e.number("level")),
            e.number("period_points"),
            words::step(step),
            e.number("trough"),
            e.number("peak")
        );
        let rate = around.schedule.rate_at(step).map(|r| format!(" (now {})", words::value(r)));
        let advice = format!(
            "Shuffle the data anew each epoch, lower the learning rate{} or the momentum, or enlarge the batch.",
            rate.unwrap_or_default()
        );
        (text, advice)
    }
}

impl SeriesDetector for Oscillation {
    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() {
            return None;
        }
        self.lowest = if self.seen == 0 { point.value } else { self.lowest.min(point.value) };
        self.seen += 1;
        self.values.push(point.value);
        self.steps.push(point.step as f64);
        if self.seen == STRIDE {
            self.start = running::median_of(self.values.values()).unwrap_or(point.value);
        }
        if self.values.values().len() < POINTS || !self.seen.is_multiple_of(STRIDE) {
            return None;
        }
        if around.moving_target || self.part && around.whole_loss || around.schedule.warming_up(point.step) {
            return None;
        }
        Some((point.step, self.verdict(around, point.step)))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self { part: self.part, ..Self::default() };
    }
}

impl Oscillation {
    fn verdict(&mut self, around: &Surroundings, step: Step) -> Verdict {
        let values = self.values.values();
        let residuals = without_trend(values);
        let first = self.steps.values()[0] as Step;
        let rhythm = rhythm(&residuals);
        let planned = around.schedule.last_change(step).is_some_and(|s| s >= first);
        let strong = rhythm.is_some_and(|r| r.trough <= TROUGH && r.peak >= PEAK);
        let (Some(level), Some(high), Some(low)) = (
            running::median_of(values),
            running::quantile(&residuals, 0.9),
            running::quantile(&residuals, 0.1),
        ) else {
            return Verdict::Unsure;
        };
        let amplitude = high - low;
        let unit = if self.lowest > 0.0 { level } else { self.start.abs() };
        let least = (AMPLITUDE * unit).max(OF_START * self.start.abs());
        let Some(rhythm) = rhythm.filter(|_| strong && !planned && amplitude >= least) else {
            self.held = 0;
            self.since = None;
            let mild = rhythm.is_some_and(|r| r.trough <= TROUGH / 2.0 && r.peak >= PEAK / 2.0);
            return if mild { Verdict::Unsure } else { Verdict::Fine };
        };
        self.held += 1;
        let since = *self.since.get_or_insert(first);
        if self.held < HELD {
            return Verdict::Unsure;
        }
        let evidence = Evidence::new()
            .with("level", level)
            .at_least("amplitude", amplitude, least)
            .at_most("trough", rhythm.trough, TROUGH)
            .at_least("peak", rhythm.peak, PEAK)
            .with("period_points", rhythm.period as f64);
        Verdict::Bad(Finding { severity: Severity::Warn, since: Some(since), evidence, sure: true })
    }
}

/// What is left beside a straight line (least squares).
fn without_trend(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / n;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (i, v) in values.iter().enumerate() {
        let x = i as f64 - middle;
        xy += x * (v - mean);
        xx += x * x;
    }
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    values.iter().enumerate().map(|(i, v)| v - mean - slope * (i as f64 - middle)).collect()
}

#[derive(Clone, Copy, Debug)]
struct Rhythm {
    trough: f64,
    peak: f64,
    period: usize,
}

/// The lowest autocorrelation, and the highest after it. `None` for a constant.
fn rhythm(residuals: &[f64]) -> Option<Rhythm> {
    let power: f64 = residuals.iter().map(|r| r * r).sum();
    if power <= 0.0 {
        return None;
    }
    // Divided by the share of pairs, so that long lags are not pulled to zero.
    let n = residuals.len() as f64;
    let at = |lag: usize| {
        let sum: f64 = residuals.iter().zip(&residuals[lag..]).map(|(a, b)| a * b).sum();
        sum / power * n / (n - lag as f64)
    };
    let (lag, trough) = (1..=TROUGH_LAGS).map(|lag| (lag, at(lag))).min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (period, peak) =
        (lag + 1..=PEAK_LAGS).map(|lag| (lag, at(lag))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Rhythm { trough, peak, period })
}
