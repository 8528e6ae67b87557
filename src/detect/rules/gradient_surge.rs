//! `gradient_surge`: the norm of the gradient leaves its level by a factor, often a few steps before the loss does.
//!
//! In the log of BLOOM-176B the norm went 0.24, 0.95, 2.4, 16, 145, 960 while the loss was still where it had been.
//! A single high value is common and says little; several, or one that is ten times the level, announce trouble.

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, Patience, Scope, SeriesDetector, Severity, Speaks, Surroundings,
    Threshold, Verdict,
    running::{self, Window},
    tags::{Role, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "gradient_surge",
    summary: "the norm of the gradient leaves its level, often just before the loss does",
    advice: "Watch the loss; clip gradients, lower the learning rate or skip the batch if it lasts.",
    clears: "16 values in a row below twice the level",
    traps: "recurrent networks and reinforcement learning, where it jumps by nature; a batch size that changes",
    thresholds: &[
        Threshold::new(HIGH, "times the median of the 64 before, 3 of 8: info"),
        Threshold::new(SURGE, "times that median, together with 3 of 8 high: warn"),
        Threshold::new(GROWTH, "times within a few values that each at least double: warn"),
    ],
    scopes: &[Scope::Series { judges: |class: &TagClass| class.role == Role::GradientNorm, build }],
};

/// A value is high above so many times the level.
const HIGH: f64 = 4.0;
/// Of the last 8 so many must be high.
const HIGH_OF_8: u32 = 3;
/// A surge is so many times the level.
const SURGE: f64 = 10.0;
/// A doubling from value to value, this many times in a row …
const DOUBLINGS: u32 = 3;
/// … by so much in all.
const GROWTH: f64 = 20.0;
/// How far beyond the spread of the logarithms a value must lie.
const LOG_MADS: f64 = 6.0;
/// First values that tell the level at the start, and the share of it that a norm must reach: ratios within a
/// converged network say nothing.
const START: usize = 16;
const OF_START: f64 = 0.1;
/// Values of the level.
const REFERENCE: usize = 64;

fn build(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(GradientSurge::default())
}

#[derive(Debug, Default)]
struct GradientSurge {
    /// Natural logarithms of the norms that are not high.
    reference: Window<REFERENCE>,
    /// The level of the first values.
    start: f64,
    high: u32,
    frozen: u32,
    /// Values that each at least doubled the one before, and the one that it began with.
    doublings: u32,
    grew_from: Option<(Step, f64)>,
    last: Option<(Step, f64)>,
    onset: Option<Step>,
}

impl Speaks for GradientSurge {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 16 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let number = |name| words::value(finding.evidence.number(name));
        let text = if finding.evidence.has("doublings") {
            format!(
                "{place} grew from {} to {} at step {}: {} values in a row each at least doubled",
                number("level"),
                number("now"),
                words::step(step),
                finding.evidence.number("doublings")
            )
        } else {
            format!(
                "{place} is {} at step {}, {} times its level of {}; {} of the last 8 values are high",
                number("now"),
                words::step(step),
                words::value(finding.evidence.number("factor")),
                number("level"),
                finding.evidence.number("high_of_8")
            )
        };
        let advice = format!(
            "Watch the loss: instability builds up; clip gradients or lower the learning rate, and keep the checkpoint before step {}.",
            words::step(finding.since.unwrap_or(step))
        );
        (text, advice)
    }
}

impl SeriesDetector for GradientSurge {
    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() || point.value < 0.0 {
            return None;
        }
        let verdict = self.verdict(point, around);
        self.last = Some((point.step, point.value));
        verdict.map(|verdict| (point.step, verdict))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}

impl GradientSurge {
    fn verdict(&mut self, point: &Point, around: &Surroundings) -> Option<Verdict> {
        let value = point.value;
        let grown = self.growth(point);
        let log = value.max(f64::MIN_POSITIVE).ln();
        if self.reference.values().len() < REFERENCE {
            self.reference.push(log);
            if self.reference.values().len() <= START {
                self.start = running::median_of(self.reference.values()).unwrap_or(log);
            }
            return grown.filter(|_| !around.moving_target && !around.schedule.warming_up(point.step));
        }
        let level = running::median_of(self.reference.values())?;
        let spread = running::mad(self.reference.values(), level)?;
        let beyond = log - level;
        let is_high = beyond >= HIGH.ln().max(LOG_MADS * spread) && log >= self.start + OF_START.ln();
        self.high = (self.high << 1 | u32::from(is_high)) & 0xff;
        if is_high && self.frozen < REFERENCE as u32 {
            self.frozen += 1;
        } else {
            self.reference.push(log);
            self.frozen = if is_high { self.frozen } else { 0 };
        }
        if is_high && self.onset.is_none() {
            self.onset = Some(point.step);
        } else if self.high == 0 {
            self.onset = None;
        }
        if around.moving_target || around.schedule.warming_up(point.step) {
            return None;
        }
        if grown.is_some() {
            return grown;
        }
        let count = self.high.count_ones();
        if count < HIGH_OF_8 {
            return Some(if beyond < (HIGH / 2.0).ln() { Verdict::Fine } else { Verdict::Unsure });
        }
        let evidence = Evidence::new()
            .with("now", value)
            .with("level", level.exp())
            .with("factor", beyond.exp())
            .at_least("high_of_8", f64::from(count), f64::from(HIGH_OF_8));
        let surges = beyond >= SURGE.ln();
        let severity = if surges { Severity::Warn } else { Severity::Info };
        let evidence = if surges { evidence.at_least("surge", beyond.exp(), SURGE) } else { evidence };
        Some(Verdict::Bad(Finding { severity, since: self.onset, evidence, sure: true }))
    }

    /// Needs no level: a norm that doubles from value to value.
    fn growth(&mut self, point: &Point) -> Option<Verdict> {
        let (last_step, last) = self.last?;
        if last <= 0.0 || point.value < 2.0 * last {
            self.doublings = 0;
            self.grew_from = None;
            return None;
        }
        let (from_step, from) = *self.grew_from.get_or_insert((last_step, last));
        self.doublings += 1;
        // A level of few values is itself part of the growth.
        let known = self.reference.values().len() >= 16;
        let usual = running::median_of(self.reference.values()).filter(|_| known).map_or(from, f64::exp);
        let factor = point.value / from.max(usual);
        if self.doublings < DOUBLINGS || factor < GROWTH {
            return None;
        }
        let evidence = Evidence::new()
            .with("now", point.value)
            .with("level", from)
            .at_least("factor", factor, GROWTH)
            .at_least("doublings", f64::from(self.doublings), f64::from(DOUBLINGS));
        let since = Some(from_step.saturating_add(1).min(point.step));
        Some(Verdict::Bad(Finding { severity: Severity::Warn, since, evidence, sure: true }))
    }
}
