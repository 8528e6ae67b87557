//! `memory`: memory that grows towards its end, and allocations that had to be tried again.

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Bin, DetectorSpec, Evidence, Finding, Hold, Journal, Patience, Scope, SeriesDetector, Severity, Speaks,
    Surroundings, Threshold, Verdict, running,
    tags::{Role, TagClass, Words},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "memory",
    summary: "memory grows towards its end, or allocations had to be tried again",
    advice: "Look for tensors that are kept (losses without .item(), lists of outputs), and lower the batch size.",
    clears: "the growth ends",
    traps: "caching allocators, the first epoch, sequences that grow by plan",
    thresholds: &[
        Threshold::new(TREND_Z, "z of the Mann–Kendall trend over the last half of the run, as 32 values"),
        Threshold::new(GROWTH, "share by which it grew over them: info"),
        Threshold::new(SOON_S, "seconds to 100 % at this pace, or before the planned end: warn"),
    ],
    scopes: &[Scope::Series { judges: |class: &TagClass| class.role == Role::Memory, build }],
};

/// Blocks that the trend is taken over.
const VALUES: usize = 32;
/// z of the trend.
const TREND_Z: f64 = 3.0;
/// Growth over these values.
const GROWTH: f64 = 0.1;
/// Spearman's correlation with time: growth, not a step.
const STEADY: f64 = 0.9;
/// Seconds in which it would be full.
const SOON_S: f64 = 7200.0;
/// First values that are passed over: caches fill.
const WARM_UP: usize = 5;
/// Growth of the second half as a share of that of the first.
const LASTS: f64 = 0.7;
/// Bins that a trend takes at least.
const LEAST: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tells {
    /// Percent of what there is.
    Percent,
    /// Bytes of an unknown whole.
    Amount,
    /// What is left.
    Free,
    /// How often an allocation failed.
    Failures,
}

fn build(key: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    let tag = key.tag.as_str();
    let words = Words::of(tag);
    let percent =
        words.any(&["percent", "pct", "util"]) || tag.contains('%') || tag.ends_with("memoryAllocated");
    let tells = if words.any(&["ooms", "oom", "retries"]) {
        Tells::Failures
    } else if words.any(&["free", "available"]) {
        Tells::Free
    } else if percent {
        Tells::Percent
    } else {
        Tells::Amount
    };
    Box::new(Memory::new(tells))
}

#[derive(Debug)]
struct Memory {
    tells: Tells,
    last: Option<f64>,
    /// The first and the newest point, for the pace.
    ends: Option<(Point, Point)>,
}

impl Memory {
    fn new(tells: Tells) -> Self {
        Self { tells, last: None, ends: None }
    }
}

impl Speaks for Memory {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(5), Hold::in_a_row(3), Hold::in_a_row(1)], clear: 10 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let number = |name| words::value(e.number(name));
        if self.tells == Tells::Failures {
            let text = format!(
                "{place} rose to {} at step {}: memory was full and an allocation had to be tried again",
                number("now"),
                words::step(step)
            );
            return (text, "Lower the batch size or the sequence length, or free cached memory.".to_owned());
        }
        let mut text = format!(
            "{place} grew from {} to {} since step {} up to step {}",
            number("before"),
            number("now"),
            words::step(finding.since.unwrap_or(step)),
            words::step(step)
        );
        if let Some(left) = e.get("seconds_left") {
            text.push_str(&format!("; at this pace it is full in {}", words::duration(left)));
        }
        let advice = "Look for tensors that are kept (losses without .item(), lists of outputs) and for caches, before it runs out.";
        (text, advice.to_owned())
    }
}

impl SeriesDetector for Memory {
    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() {
            return None;
        }
        let last = self.last.replace(point.value);
        if self.tells == Tells::Failures {
            let rose = last.map_or(0.0, |last| point.value - last);
            let verdict = if rose > 0.0 {
                let evidence = Evidence::new().with("now", point.value).at_least("rose_by", rose, 1.0);
                Verdict::Bad(Finding { severity: Severity::Warn, since: None, evidence, sure: true })
            } else {
                Verdict::Fine
            };
            return Some((point.step, verdict));
        }
        let first = self.ends.map_or(*point, |(first, _)| first);
        self.ends = Some((first, *point));
        None
    }

    fn reads_journal(&self) -> bool {
        self.tells != Tells::Failures
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        let bins = journal.bins();
        // The last half, so that a slow leak of a long run shows as well as a fast one.
        let half = &bins[(bins.len() / 2).max(WARM_UP.min(bins.len()))..];
        (half.len() >= LEAST).then(|| self.verdict(half, around))
    }

    fn rewind(&mut self, _: Step) {
        self.ends = None;
    }

    fn continued(&mut self) {
        *self = Self::new(self.tells);
    }
}

impl Memory {
    fn verdict(&self, bins: &[Bin], around: &Surroundings) -> Verdict {
        // What is left shrinks when what is used grows.
        let sign = if self.tells == Tells::Free { -1.0 } else { 1.0 };
        let means: Vec<f64> = bins.iter().map(|b| sign * b.mean()).collect();
        let values = running::thinned(&means, VALUES);
        let edge = (values.len() / 6).max(3);
        let (Some(before), Some(now)) =
            (running::median_of(&values[..edge]), running::median_of(&values[values.len() - edge..]))
        else {
            return Verdict::Unsure;
        };
        let growth = (now - before) / before.abs().max(f64::MIN_POSITIVE);
        if growth < GROWTH / 2.0 {
            return Verdict::Fine;
        }
        let trend = running::mann_kendall(&values);
        let places: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
        let steady = running::spearman(&places, &values);
        if growth < GROWTH || trend < TREND_Z || steady < STEADY {
            return Verdict::Unsure;
        }
        let evidence = Evidence::new()
            .with("before", sign * before)
            .with("now", sign * now)
            .at_least("growth", growth, GROWTH)
            .at_least("trend_z", trend, TREND_Z)
            .at_least("steady", steady, STEADY);
        let first = bins[0].last_step;
        let since = Some(first);
        let slope = running::theil_sen(&values).unwrap_or(0.0);
        let last = sign * values[values.len() - 1];
        let left = match self.tells {
            Tells::Percent if slope > 0.0 => (100.0 - last) / slope,
            Tells::Free if slope > 0.0 => last / slope,
            _ => return Verdict::Bad(Finding { severity: Severity::Info, since, evidence, sure: false }),
        };
        let newest = bins[bins.len() - 1].last_step;
        let steps = left * newest.saturating_sub(first) as f64 / (values.len() - 1) as f64;
        let pace = self
            .ends
            .map_or(f64::NAN, |(a, b)| (b.wall - a.wall) / b.step.saturating_sub(a.step).max(1) as f64);
        let seconds = steps * pace;
        let end = newest as f64 + steps;
        let before_end = around.steps_total.is_some_and(|total| end < total as f64);
        // A cache that fills grows ever more slowly; a leak does not.
        let middle = running::median_of(&values[values.len() / 2 - edge / 2..=values.len() / 2 + edge / 2]);
        let lasts = middle.is_some_and(|middle| now - middle >= LASTS * (middle - before));
        if !lasts || !(seconds <= SOON_S || before_end) {
            return Verdict::Bad(Finding { severity: Severity::Info, since, evidence, sure: false });
        }
        let evidence = if seconds <= SOON_S {
            evidence.at_most("seconds_left", seconds, SOON_S)
        } else {
            evidence.maybe("seconds_left", seconds.is_finite().then_some(seconds))
        };
        Verdict::Bad(Finding { severity: Severity::Warn, since, evidence, sure: false })
    }
}
