//! `loss_spike`: a training loss that jumps out of the course that it was on.
//!
//! One point far out is normal in per-step losses (heavy tails), so it is only worth a line. What counts is
//! persistence: 13 of 16 points above what the 64 before them predict. Points of a spike do not enter the reference,
//! so that it does not become its own yardstick.

use std::fmt::Write as _;

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
    id: "loss_spike",
    summary: "the training loss jumps above its course",
    advice: "If it recovers, nothing; otherwise go back to a checkpoint before it, skip its batches, lower the learning rate or clip gradients.",
    clears: "32 points in a row on the course again",
    traps: "heavy-tailed losses of single batches, the first batches of an epoch, a change of the data mixture",
    thresholds: &[
        Threshold::new(TRANSIENT_MAD, "MAD of the residuals, and 100 % of the level, for one point: info"),
        Threshold::new(
            PERSISTENT_MEDIAN_MAD,
            "MAD, and 2 % of the level, as the median of 16 points, 13 of them high: info",
        ),
        Threshold::new(LOUD_MAD, "MAD, and 5 % of the level, as that median: warn"),
        Threshold::new(NEEDED as f64, "points before it speaks"),
    ],
    scopes: &[Scope::Series { judges, build }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Train | Split::Unknown)
}

/// Points before it speaks.
const NEEDED: usize = 48;
/// Points in which a warm-up may go on that the log does not tell of.
const UNTOLD_WARM_UP: u64 = 400;
/// Points of the reference.
const REFERENCE: usize = 64;
/// … and how few will do at the start.
const LEAST_REFERENCE: usize = 32;
/// One point: residual in MAD …
const TRANSIENT_MAD: f64 = 15.0;
/// … and as a share of the level.
const TRANSIENT_SHARE: f64 = 1.0;
/// Of the last 16 points so many must be high.
const HIGH: u32 = 13;
/// What makes a point high: residual in MAD, and as a share of the level.
const PERSISTENT_MAD: f64 = 0.75;
/// … and the median of the 16.
const PERSISTENT_MEDIAN_MAD: f64 = 2.0;
/// The same that is worth an alarm.
const LOUD_MAD: f64 = 3.5;
const LOUD_SHARE: f64 = 0.05;
/// Short and strong: so many of the last so many points beyond so many MAD and that share of the level.
const SHORT: [(usize, usize, f64, f64); 2] = [(6, 8, 4.0, 0.1), (3, 4, 8.0, 0.3)];
/// Lag-1 autocorrelation from which a loss counts as smoothed, and how much more it then takes.
const SMOOTHED: f64 = 0.6;
const SMOOTH: f64 = 2.0;
/// The least unit for all shares: this part of what the loss has gained so far.
const OF_GAIN: f64 = 0.2;
/// Share of the level for both.
const PERSISTENT_SHARE: f64 = 0.02;
/// High points among the last 16 from which the reference is frozen, and for how many points at most.
const FREEZE: u32 = 8;
const FROZEN: u32 = 64;
/// Points after the plan changed in which nothing is said: at least, and as a share of all.
const GRACE: u64 = 64;

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(LossSpike { part: !tags::is_whole(&class.stem), ..LossSpike::default() })
}

#[derive(Debug, Default)]
struct LossSpike {
    part: bool,
    settled: bool,
    last: Option<f64>,
    points: u64,
    reference: Window<REFERENCE>,
    residuals: Window<REFERENCE>,
    recent: Window<16>,
    /// Bit i: the point i ago was high.
    high: u32,
    frozen: u32,
    /// Change of the plan that was seen last, and points of grace after it.
    change: Option<Step>,
    grace: u64,
    lowest: f64,
    range: (f64, f64),
    onset: Option<(Step, f64)>,
}

impl Speaks for LossSpike {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 32 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let number = |name| words::value(finding.evidence.number(name));
        let mut text = format!(
            "{place} jumped from {} to {} at step {}",
            number("expected"),
            number("now"),
            words::step(step)
        );
        let excess = finding.evidence.number("excess");
        if let (Some(high), Some(of)) =
            (finding.evidence.get("high_points"), finding.evidence.get("of_points"))
        {
            let _ = write!(
                text,
                ": {high} of the last {of} points are high, {} above their course in the median ({} MAD)",
                words::percent(excess),
                words::sigma(finding.evidence.number("mads"))
            );
            return (text, advice(finding.since.unwrap_or(step)));
        }
        if finding.evidence.has("high_of_16") {
            let _ = write!(
                text,
                ": {} of the last 16 points are high, {} above their course in the median ({} MAD)",
                finding.evidence.number("high_of_16"),
                words::percent(excess),
                words::sigma(finding.evidence.number("mads"))
            );
            let advice = advice(finding.since.unwrap_or(step));
            return (text, advice);
        }
        let _ = write!(
            text,
            " ({}, {} MAD) for one point",
            words::percent(excess),
            words::sigma(finding.evidence.number("mads"))
        );
        (text, "Nothing to do if it recovers; look at the batch if it comes back.".to_owned())
    }
}

impl SeriesDetector for LossSpike {
    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        // A value that is only repeated (one an epoch, written at each step) is no further witness.
        if !point.value.is_finite() || self.last == Some(point.value) {
            return None;
        }
        self.last = Some(point.value);
        self.points += 1;
        let y = point.value;
        self.lowest = if self.points == 1 { y } else { self.lowest.min(y) };
        let changed = around.schedule.last_planned_change(point.step);
        if changed.is_some() && changed != self.change {
            self.change = changed;
            self.grace = GRACE.max(self.points / 50);
            // Another level is to be expected: it needs another reference.
            self.reference.clear();
            self.residuals.clear();
            self.recent.clear();
            (self.high, self.frozen) = (0, 0);
        }
        if self.reference.values().len() < LEAST_REFERENCE {
            self.refer(y, 0.0);
            return None;
        }
        let level = running::median_of(self.reference.values())?;
        // No extrapolation of the fall: a loss that falls more slowly than before has not jumped.
        let expected = running::median_of(self.reference.last(REFERENCE / 2))?;
        let residual = y - expected;
        let mad = self.mad();
        self.range = if self.points as usize <= LEAST_REFERENCE + 1 {
            (level, level)
        } else {
            (self.range.0.min(level), self.range.1.max(level))
        };
        // Shares of a level at or below zero mean nothing: the range so far is the unit then.
        let unit = if self.lowest > 0.0 { level.abs() } else { self.range.1 - self.range.0 };
        // Near zero a ratio is quickly large: the jump must also give back some of what was gained.
        let floor = OF_GAIN * (self.range.1 - self.range.0);
        let unit = unit.max(floor);
        let is_high = residual > (PERSISTENT_MAD * mad).max(PERSISTENT_SHARE * unit);
        self.recent.push(residual);
        self.high = (self.high << 1 | u32::from(is_high)) & 0xffff;
        let frozen = self.high.count_ones() >= FREEZE && self.frozen < FROZEN;
        if frozen {
            self.frozen += 1;
        } else {
            self.refer(y, residual);
            if self.high == 0 {
                self.frozen = 0;
            }
        }
        if self.grace > 0 {
            self.grace -= 1;
            return None;
        }
        // Where the log does not tell the learning rate, a bump at the start may be that of the warm-up.
        self.settled = around.schedule.known() || self.points >= UNTOLD_WARM_UP;
        let silent = around.moving_target || self.part && around.whole_loss;
        if silent || (self.points as usize) < NEEDED || around.schedule.warming_up(point.step) {
            return None;
        }
        Some((point.step, self.verdict(point, expected, residual, mad, unit)))
    }

    fn rewind(&mut self, step: Step) {
        let _ = step;
        let (part, change) = (self.part, self.change);
        *self = Self { part, change, ..Self::default() };
    }
}

fn advice(since: Step) -> String {
    format!(
        "If it does not recover, go back to a checkpoint before step {}, skip its batches, lower the learning rate or clip gradients.",
        words::step(since)
    )
}

impl LossSpike {
    fn refer(&mut self, y: f64, residual: f64) {
        self.reference.push(y);
        if self.reference.values().len() > LEAST_REFERENCE {
            self.residuals.push(residual);
        }
    }

    /// MAD of the residuals of the reference; of the reference itself while there are few.
    fn mad(&self) -> f64 {
        let values = if self.residuals.values().len() >= 32 {
            self.residuals.values()
        } else {
            self.reference.values()
        };
        let centre = running::median_of(values).unwrap_or(0.0);
        running::mad(values, centre).unwrap_or(f64::INFINITY)
    }

    fn verdict(&mut self, point: &Point, expected: f64, residual: f64, mad: f64, unit: f64) -> Verdict {
        if self.high & 1 == 1 && self.onset.is_none() {
            self.onset = Some((point.step, residual));
        } else if self.high.trailing_zeros() >= 4 {
            self.onset = None;
        }
        let count = self.high.count_ones();
        // The median: two far outliers among usual points are no jump.
        let excess = running::median_of(self.recent.values()).unwrap_or(0.0);
        let least = (PERSISTENT_MEDIAN_MAD * mad).max(PERSISTENT_SHARE * unit);
        let ratio = |x: f64| if mad > 0.0 { (x / mad).min(1e6) } else { 1e6 };
        // Neighbours of a smoothed loss are no independent witnesses.
        let smooth = if smoothed(self.residuals.values()) { SMOOTH } else { 1.0 };
        if count >= HIGH && excess > smooth * least && unit > 0.0 {
            let loud = self.settled && excess >= smooth * (LOUD_MAD * mad).max(LOUD_SHARE * unit);
            let (severity, share, mads) = if loud {
                (Severity::Warn, LOUD_SHARE, LOUD_MAD)
            } else {
                (Severity::Info, PERSISTENT_SHARE, PERSISTENT_MEDIAN_MAD)
            };
            let evidence = Evidence::new()
                .at_least("now", point.value, expected)
                .with("expected", expected)
                .at_least("high_of_16", f64::from(count), f64::from(HIGH))
                .at_least("excess", excess / unit, share)
                .at_least("mads", ratio(excess), mads);
            let since = self.onset.map(|(step, _)| step);
            return Verdict::Bad(Finding { severity, since, evidence, sure: true });
        }
        for (high, of, mads, share) in SHORT.map(|(high, of, m, s)| (high, of, smooth * m, smooth * s)) {
            let last = self.recent.last(of);
            let least = (mads * mad).max(share * unit);
            let count = last.iter().filter(|r| **r > least).count();
            if last.len() == of && count >= high && unit > 0.0 {
                let median = running::median_of(last).unwrap_or(residual).max(least);
                let evidence = Evidence::new()
                    .at_least("now", point.value, expected)
                    .with("expected", expected)
                    .at_least("high_points", count as f64, high as f64)
                    .with("of_points", of as f64)
                    .at_least("excess", median / unit, share)
                    .at_least("mads", ratio(median), mads);
                let severity = if self.settled { Severity::Warn } else { Severity::Info };
                let since = self.onset.map(|(step, _)| step);
                return Verdict::Bad(Finding { severity, since, evidence, sure: true });
            }
        }
        if residual >= (TRANSIENT_MAD * mad).max(TRANSIENT_SHARE * unit) && unit > 0.0 {
            let evidence = Evidence::new()
                .at_least("now", point.value, expected)
                .with("expected", expected)
                .at_least("excess", residual / unit, TRANSIENT_SHARE)
                .at_least("mads", ratio(residual), TRANSIENT_MAD);
            return Verdict::Bad(Finding { severity: Severity::Info, since: None, evidence, sure: true });
        }
        if residual < least / 2.0 { Verdict::Fine } else { Verdict::Unsure }
    }
}

/// True when neighbouring residuals are alike: a running mean, an exponential average.
fn smoothed(residuals: &[f64]) -> bool {
    let n = residuals.len();
    if n < 24 {
        return false;
    }
    let mean = residuals.iter().sum::<f64>() / n as f64;
    let power: f64 = residuals.iter().map(|r| (r - mean).powi(2)).sum();
    let beside: f64 = residuals.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum();
    power > 0.0 && beside / power >= SMOOTHED
}
