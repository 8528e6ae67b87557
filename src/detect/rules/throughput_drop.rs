//! `throughput_drop`: the run does its work more slowly than it did.
//!
//! In healthy modern runs a step takes up to 2.6 times as long at the end as at the start, by plan (batch size, sequence
//! length), so a slower step is worth a line only. What a machine does per second (MFU, TFLOPs) does not depend on the
//! plan: there 3 % count, as in BLOOM-176B, which lost 5 % to one slow GPU.

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, Patience, Scope, SeriesDetector, Severity, Speaks, Surroundings,
    Threshold, Verdict,
    running::{self, Window},
    tags::{self, Role, Split, TagClass, Words},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "throughput_drop",
    summary: "the run works more slowly than it did",
    advice: "Look for a slow GPU or node, the data loader, the file system and other jobs on the machine.",
    clears: "16 values within 10 % of the rate before",
    traps: "a batch size or sequence length that changes by plan without being logged; evaluation and checkpoints; compilation at the start",
    thresholds: &[
        Threshold::new(DROP, "median of 8 over the median of 32 before, 12 values in a row"),
        Threshold::new(
            FINE_DROP,
            "share lost, 3 values in a row, where the rate is that of the machine (MFU, TFLOPs) and steady to 1 %",
        ),
    ],
    scopes: &[
        Scope::Series { judges: judges_rate, build },
        Scope::Series { judges: judges_loss, build: build_wall },
    ],
};

fn judges_rate(class: &TagClass) -> bool {
    matches!(class.role, Role::Throughput | Role::Time)
}

/// The step of a series that also tells when it was written stands in where nothing else tells the pace.
fn judges_loss(class: &TagClass) -> bool {
    class.role == Role::Loss
        && matches!(class.split, Split::Train | Split::Unknown)
        && tags::is_whole(&class.stem)
}

fn times_a_step(words: &Words) -> bool {
    let per = words.any(&["step", "iter", "iteration", "batch"]);
    let data =
        words.any(&["data", "eval", "val", "total", "avg", "average", "elapsed_total", "remaining", "eta"]);
    per && !data && words.any(&["time", "ms", "seconds", "sec", "s", "elapsed", "duration"])
}

/// Rate now over the rate before.
const DROP: f64 = 0.8;
/// The same for times between records, which also hold the writer's own pauses.
const WALL_DROP: f64 = 0.75;
/// Records a second above which these times are mostly the writer's.
const WALL_RATE: f64 = 20.0;
/// Values of the rate before, of the rate now, and between the two.
const BEFORE: usize = 32;
const NOW: usize = 8;
const BETWEEN: usize = 4;
/// First values that are passed over: compilation, caches.
const WARM_UP: u64 = 12;
/// Values in a row that are needed.
const HELD: u32 = 12;
/// Share that a steady machine rate must have lost.
const FINE_DROP: f64 = 0.03;
/// … so many values in a row, of which the last two by that share.
const FINE_HELD: usize = 3;
/// Spread of a steady rate: MAD over median.
const STEADY: f64 = 0.01;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tells {
    /// Work per time of the machine itself.
    MachineRate,
    /// Work per time that depends on the plan.
    Rate,
    /// Seconds of a step.
    Duration,
    /// The time between records.
    Wall,
    /// A duration of something else.
    Nothing,
}

fn build(key: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    let words = Words::of(key.tag.as_str());
    let tells = match class.role {
        Role::Throughput if words.any(&["mfu", "tflops", "flops", "hfu"]) => Tells::MachineRate,
        Role::Throughput => Tells::Rate,
        _ if times_a_step(&words) => Tells::Duration,
        _ => Tells::Nothing,
    };
    Box::new(ThroughputDrop::new(tells))
}

fn build_wall(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(ThroughputDrop::new(Tells::Wall))
}

#[derive(Debug)]
struct ThroughputDrop {
    tells: Tells,
    seen: u64,
    last: Option<Point>,
    rates: Window<{ BEFORE + BETWEEN + NOW }>,
    steps: Window<{ BEFORE + BETWEEN + NOW }>,
    bad: u32,
    since: Option<Step>,
    /// The rate that the drop is measured against; held while it lasts, so that slow does not become usual.
    before: Option<f64>,
}

impl ThroughputDrop {
    fn new(tells: Tells) -> Self {
        Self {
            tells,
            seen: 0,
            last: None,
            rates: Window::default(),
            steps: Window::default(),
            bad: 0,
            since: None,
            before: None,
        }
    }
}

impl Speaks for ThroughputDrop {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 16 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let since = words::step(finding.since.unwrap_or(step));
        let (before, now) = (e.number("before"), e.number("now"));
        let text = match self.tells {
            Tells::Wall => format!(
                "a step takes {} s since step {since}, {} s before ({}), by the times in {place}",
                words::value(1.0 / now),
                words::value(1.0 / before),
                words::percent(before / now - 1.0)
            ),
            Tells::Duration | Tells::Nothing => format!(
                "{place} is {} since step {since}, {} before ({})",
                words::value(1.0 / now),
                words::value(1.0 / before),
                words::percent(before / now - 1.0)
            ),
            Tells::Rate | Tells::MachineRate => format!(
                "{place} fell from {} to {} at step {since} ({})",
                words::value(before),
                words::value(now),
                words::percent(now / before - 1.0)
            ),
        };
        let advice = match self.tells {
            Tells::MachineRate => {
                "Look for a slow or throttled GPU or node, the network, the data loader and the file system."
            }
            _ => {
                "If the plan did not change (batch size, sequence length), look for a slow GPU or node, the data loader and the file system."
            }
        };
        (text, advice.to_owned())
    }
}

impl SeriesDetector for ThroughputDrop {
    fn indifferent(&self, _: &[Point]) -> bool {
        self.tells == Tells::Nothing
    }

    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        let rate = self.rate(point)?;
        if !rate.is_finite() || rate <= 0.0 || self.tells == Tells::Wall && around.throughput {
            return None;
        }
        self.seen += 1;
        if self.seen <= WARM_UP {
            return None;
        }
        if self.bad == 0 || self.bad > 4 * HELD {
            self.before = None;
        }
        self.rates.push(rate);
        self.steps.push(point.step as f64);
        Some((point.step, self.verdict(point.step, around)))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self::new(self.tells);
    }

    fn continued(&mut self) {
        *self = Self::new(self.tells);
    }
}

impl ThroughputDrop {
    fn rate(&mut self, point: &Point) -> Option<f64> {
        match self.tells {
            Tells::Rate | Tells::MachineRate => Some(point.value),
            Tells::Duration => Some(1.0 / point.value),
            Tells::Nothing => None,
            Tells::Wall => {
                let last = self.last.replace(*point)?;
                let (steps, seconds) = (point.step.saturating_sub(last.step) as f64, point.wall - last.wall);
                (steps > 0.0 && seconds > 0.0).then(|| steps / seconds)
            }
        }
    }

    fn verdict(&mut self, step: Step, around: &Surroundings) -> Verdict {
        let rates = self.rates.values();
        if self.tells == Tells::MachineRate
            && let Some(bad) = self.steady_machine(step, around)
        {
            return bad;
        }
        if rates.len() < BEFORE + BETWEEN + NOW {
            return Verdict::Unsure;
        }
        let (Some(before), Some(now)) = (
            self.before.or_else(|| running::median_of(&rates[..BEFORE])),
            running::median_of(&rates[rates.len() - NOW..]),
        ) else {
            return Verdict::Unsure;
        };
        // Three σ of a median of 8: a noisy rate has to fall further.
        let spread = running::mad(&rates[..BEFORE], before).unwrap_or(0.0);
        let noise = 3.0 * 1.2533 * 1.4826 * spread / (NOW as f64).sqrt();
        let drop = if self.tells == Tells::Wall { WALL_DROP } else { DROP };
        if now >= drop * before
            || self.bad == 0 && before - now < noise
            || self.tells == Tells::Wall && before > WALL_RATE
        {
            self.bad = 0;
            self.since = None;
            return if now >= f64::midpoint(1.0, drop) * before { Verdict::Fine } else { Verdict::Unsure };
        }
        let steps = self.steps.values();
        if self.bad == 0 {
            // The median follows the drop by half of its length.
            self.since = Some(steps[steps.len() - NOW / 2] as Step);
            self.before = Some(before);
        }
        self.bad += 1;
        let since = self.since.unwrap_or(step);
        let planned = around.schedule.setting_changed(steps[BEFORE / 2] as Step, step);
        if self.bad < HELD || planned {
            return Verdict::Unsure;
        }
        let evidence = Evidence::new().with("before", before).at_most("now", now, drop * before).at_least(
            "values_in_a_row",
            f64::from(self.bad),
            f64::from(HELD),
        );
        let severity = if self.tells == Tells::MachineRate { Severity::Warn } else { Severity::Info };
        Verdict::Bad(Finding { severity, since: Some(since), evidence, sure: true })
    }

    /// A small loss of a steady machine rate.
    fn steady_machine(&self, step: Step, around: &Surroundings) -> Option<Verdict> {
        let rates = self.rates.values();
        let cut = rates.len().checked_sub(FINE_HELD).filter(|cut| *cut >= 16)?;
        let reference = &rates[cut.saturating_sub(BEFORE)..cut];
        let before = running::median_of(reference)?;
        let spread = running::mad(reference, before)? / before;
        let last = &rates[cut..];
        let falls = last.iter().all(|r| *r < before * (1.0 - 3.0 * spread))
            && last[1..].iter().all(|r| *r <= (1.0 - FINE_DROP) * before);
        let from = self.steps.values()[cut] as Step;
        if spread > STEADY || !falls || around.schedule.setting_changed(from.saturating_sub(1), step) {
            return None;
        }
        let now = running::median_of(&last[1..])?;
        let evidence = Evidence::new().with("before", before).with("spread", spread).at_most(
            "now",
            now,
            (1.0 - FINE_DROP) * before,
        );
        Some(Verdict::Bad(Finding { severity: Severity::Info, since: Some(from), evidence, sure: true }))
    }
}
