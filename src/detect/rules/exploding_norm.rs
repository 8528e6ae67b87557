//! The part of `exploding_gradient` that looks at the norm of the whole gradient.

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Evidence, Finding, Hold, Patience, SeriesDetector, Severity, Speaks, Surroundings, Verdict,
    running::{self, Window},
    tags::TagClass,
    words,
};

/// Values above so many times the level …
pub(super) const HIGH: f64 = 10.0;
/// … of the last 5 so many,
const HIGH_OF_5: u32 = 4;
/// … one of them by this factor,
const FAR: f64 = 20.0;
/// or so many values in a row that each double.
pub(super) const DOUBLINGS: u32 = 5;
/// First values that tell the level at the start, and the share of it that a norm must reach to matter.
const START: usize = 16;
const OF_START: f64 = 0.1;
/// Values of the level.
const REFERENCE: usize = 64;

/// Makes the detector of a norm.
pub(super) fn build(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(ExplodingNorm::default())
}

#[derive(Debug, Default)]
struct ExplodingNorm {
    reference: Window<REFERENCE>,
    high: u32,
    /// The highest factor since the norm was last usual.
    highest: f64,
    doublings: u32,
    last: Option<f64>,
    start: f64,
    onset: Option<Step>,
}

impl Speaks for ExplodingNorm {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 16 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let since = finding.since.unwrap_or(step);
        let text = format!(
            "{place} exploded: {} at step {}, {} times its level of {} before step {}",
            words::value(e.number("now")),
            words::step(step),
            words::value(e.number("factor")),
            words::value(e.number("level")),
            words::step(since)
        );
        let advice = format!(
            "Clip gradients, lower the learning rate and go back to a checkpoint before step {}; look for layers without normalisation.",
            words::step(since)
        );
        (text, advice)
    }
}

impl SeriesDetector for ExplodingNorm {
    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() || point.value < 0.0 {
            return None;
        }
        let value = point.value;
        let doubles = self.last.is_some_and(|last| last > 0.0 && value >= 2.0 * last);
        self.doublings = if doubles { self.doublings + 1 } else { 0 };
        self.last = Some(value);
        if self.reference.values().len() < START {
            self.start = running::median_of(self.reference.values()).unwrap_or(value);
        }
        let Some(level) = running::median_of(self.reference.values()).filter(|l| *l > 0.0) else {
            self.reference.push(value);
            return None;
        };
        let factor = value / level;
        let is_high = factor >= HIGH;
        self.high = (self.high << 1 | u32::from(is_high)) & 0x1f;
        if !is_high {
            self.reference.push(value);
        }
        self.highest = if self.high == 0 { 0.0 } else { self.highest.max(factor) };
        if (is_high || self.doublings == 1) && self.onset.is_none() {
            self.onset = Some(point.step);
        } else if self.high == 0 && self.doublings == 0 {
            self.onset = None;
        }
        if around.moving_target || around.schedule.warming_up(point.step) {
            return None;
        }
        let count = self.high.count_ones();
        let full = self.reference.values().len() == REFERENCE;
        let evidence = Evidence::new().with("now", value).with("level", level);
        // Below that a network has converged, and ratios of nothing say nothing.
        let matters = value >= OF_START * self.start;
        let evidence = if !matters {
            return Some((point.step, Verdict::Unsure));
        } else if full && count >= HIGH_OF_5 && is_high && self.highest >= FAR {
            evidence.at_least("factor", factor, HIGH).at_least(
                "high_of_5",
                f64::from(count),
                f64::from(HIGH_OF_5),
            )
        } else if self.doublings >= DOUBLINGS && factor >= HIGH {
            evidence.at_least("factor", factor, HIGH).at_least(
                "doublings",
                f64::from(self.doublings),
                f64::from(DOUBLINGS),
            )
        } else {
            let fine = factor < HIGH / 2.0;
            return Some((point.step, if fine { Verdict::Fine } else { Verdict::Unsure }));
        };
        let finding = Finding { severity: Severity::Warn, since: self.onset, evidence, sure: true };
        Some((point.step, Verdict::Bad(finding)))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::default();
    }
}
