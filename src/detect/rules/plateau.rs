//! `plateau`: a validation loss that has found nothing better for long, while training has stopped to improve too.
//!
//! Worth a line, not an alarm: before the learning rate is lowered a plateau is normal, and at the end of a training it
//! is what one hopes for. It costs something only where much of the run is spent on it and the plan has no more to give.

use std::fmt::Write as _;

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Bin, Company, DetectorSpec, Evaluation, Evidence, Finding, Hold, Journal, PairDetector, Patience, Scope,
    SeriesDetector, Severity, Speaks, Surroundings, Threshold, Verdict, running,
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "plateau",
    summary: "nothing better was found for long",
    advice: "Stop, lower the learning rate, or unfreeze more of the network.",
    clears: "a new best that is better by more than its noise",
    traps: "the learning rate may still fall (much of the gain comes then); grokking; metrics that cannot get better",
    thresholds: &[
        Threshold::new(WINDOW as f64, "evaluations, and 45 % of all, without a new best: info"),
        Threshold::new(GAIN, "improvement over that stretch, as a share of the level"),
        Threshold::new(
            SPENT,
            "share of a planned run since the best, with a learning rate that has no more to give: warn",
        ),
    ],
    scopes: &[
        Scope::Pair { judges: of_validation, build: |_| Box::new(Validation::default()) },
        Scope::Series { judges: of_training, build },
    ],
};

fn of_validation(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Val | Split::Test)
}

/// A training loss stands in where nothing is validated.
fn of_training(class: &TagClass) -> bool {
    class.role == Role::Loss && !matches!(class.split, Split::Val | Split::Test)
}

/// Bins without a new best: at least, and as a share of all.
const WINDOW: usize = 10;
const WINDOW_SHARE: f64 = 0.45;
/// Bins before it speaks.
const NEEDED: usize = 20;
/// Points of a training loss before it speaks.
const TRAINING_POINTS: u64 = 200;
/// Improvement over the window below which it is flat, as a share of the level.
const GAIN: f64 = 0.005;
/// Share of the planned run since the best.
const SPENT: f64 = 0.5;
/// Seconds since the best that count as much spent where no end is planned: 3 h.
const SPENT_S: f64 = 10_800.0;
/// A learning rate below this share of its peak has no more to give.
const SPENT_RATE: f64 = 0.02;

/// Training may go on to improve by so much, as a share of its level, or within its noise.
const TRAINING_GAIN: f64 = 0.03;
/// Evaluations that are kept: of longer runs every second, fourth, … one.
const KEPT: usize = 192;

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Plateau { part: !tags::is_whole(&class.stem), wall: f64::NAN, best_wall: None })
}

/// A training loss where nothing is validated.
#[derive(Debug)]
struct Plateau {
    part: bool,
    wall: f64,
    /// Step of the best and when it was written.
    best_wall: Option<(Step, f64)>,
}

/// A validation loss beside its training loss.
#[derive(Debug, Default)]
struct Validation {
    /// Step, validation and training.
    values: Vec<(Step, f64, Option<f64>)>,
    stride: usize,
    seen: usize,
}

fn patience() -> Patience {
    Patience { hold: [Hold::in_a_row(3); 3], clear: 1 }
}

impl Speaks for Plateau {
    fn patience(&self) -> Patience {
        patience()
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        say(place, step, finding, around)
    }
}

impl Speaks for Validation {
    fn patience(&self) -> Patience {
        patience()
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        say(place, step, finding, around)
    }
}

fn say(place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
    let e = &finding.evidence;
    let best_step = e.number("best_step") as Step;
    let mut text = format!(
        "{place} has found nothing better than {} (step {}) for {} evaluations up to step {}",
        words::value(e.number("best")),
        words::step(best_step),
        e.number("evaluations_since_best"),
        words::step(step)
    );
    if let Some(share) = e.get("run_since_best") {
        let _ = write!(text, ", {:.0} % of the run", 100.0 * share);
    }
    if let Some(share) = around.schedule.share_of_peak(step) {
        let _ = write!(text, "; the learning rate is {:.1} % of its peak", 100.0 * share);
    }
    let advice = format!(
        "Keep the checkpoint of step {}; stop, lower the learning rate, or unfreeze more of the network.",
        words::step(best_step)
    );
    (text, advice)
}

impl SeriesDetector for Plateau {
    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        self.wall = point.wall;
        None
    }

    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        Some(self.verdict(journal, around))
    }
}

impl Plateau {
    fn verdict(&mut self, journal: &Journal, around: &Surroundings) -> Verdict {
        let Some(step) = journal.last_step() else { return Verdict::Unsure };
        let stands_aside = around.validation || self.part && around.whole_loss;
        let early = journal.points() < TRAINING_POINTS || around.schedule.warming_up(step);
        if around.moving_target || stands_aside || early {
            return Verdict::Unsure;
        }
        let values: Vec<f64> = journal.bins().iter().map(Bin::mean).collect();
        let Some(course) = Course::of(&values) else { return Verdict::Unsure };
        let best_step = journal.bins()[course.best_at].last_step;
        if self.best_wall.is_none_or(|(s, _)| s != best_step) {
            self.best_wall = Some((best_step, if course.since == 0 { self.wall } else { f64::NAN }));
        }
        let seconds = self.best_wall.map(|(_, wall)| self.wall - wall).filter(|s| s.is_finite());
        course.verdict(step, best_step, seconds, around)
    }
}

impl PairDetector for Validation {
    fn evaluation(&mut self, at: Evaluation, around: &Surroundings, _: &Company<'_>) -> Verdict {
        self.stride = self.stride.max(1);
        self.seen += 1;
        if !self.seen.is_multiple_of(self.stride) {
            return Verdict::Unsure;
        }
        self.values.push((at.step, at.value, at.train));
        if self.values.len() >= KEPT {
            self.values = self.values.iter().copied().skip(1).step_by(2).collect();
            self.stride *= 2;
        }
        let values: Vec<f64> = self.values.iter().map(|v| v.1).collect();
        let Some(course) = Course::of(&values) else { return Verdict::Unsure };
        if course.since == 0 {
            return Verdict::Fine;
        }
        // While training goes on to improve it is no plateau: it learns what does not help.
        let train: Vec<f64> = self.values.iter().filter_map(|v| v.2).collect();
        if train.len() == values.len() && Self::improves(&train[course.best_at..]) {
            return Verdict::Unsure;
        }
        course.verdict(at.step, self.values[course.best_at].0, None, around)
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn partner(&mut self, _: Option<&SeriesKey>) {}
}

impl Validation {
    fn improves(train: &[f64]) -> bool {
        let edge = (train.len() / 4).max(3).min(train.len());
        let (Some(then), Some(now)) =
            (running::median_of(&train[..edge]), running::median_of(&train[train.len() - edge..]))
        else {
            return false;
        };
        let noise = running::sigma_of_median5(running::noise(train)).min(then.abs());
        then - now > (TRAINING_GAIN * then.abs()).max(noise)
    }
}

/// A curve of which less is better, and its best.
struct Course {
    best: f64,
    best_at: usize,
    /// Values since the best.
    since: usize,
    window: usize,
    /// Improvement over the window, as a share of the level.
    gained: f64,
}

impl Course {
    /// `None` for too few values, and for what never got better: that has not reached a plateau, it has not begun.
    fn of(values: &[f64]) -> Option<Self> {
        if values.len() < NEEDED {
            return None;
        }
        let sigma = running::noise(&values[values.len().saturating_sub(31)..]);
        let medians = running::medians_of_3(values);
        let lowest = medians.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = medians.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let level = if lowest > 0.0 { lowest } else { highest - lowest };
        let better = (0.5 * sigma.min(f64::MAX)).max(GAIN / 10.0 * level);
        let mut best = (0, medians[0]);
        for (i, m) in medians.iter().enumerate() {
            if *m < best.1 - better {
                best = (i, *m);
            }
        }
        let window = WINDOW.max((WINDOW_SHARE * values.len() as f64) as usize);
        let last = medians.len() - 1;
        let gained = (medians[last - window.min(last)] - medians[last]) / level;
        let since = last - best.0;
        (best.0 >= 3 || since == 0).then_some(Self { best: best.1, best_at: best.0, since, window, gained })
    }

    fn verdict(&self, step: Step, best_step: Step, seconds: Option<f64>, around: &Surroundings) -> Verdict {
        if self.since == 0 {
            return Verdict::Fine;
        }
        if self.since < self.window || self.gained > GAIN || self.gained.is_nan() {
            return Verdict::Unsure;
        }
        let share =
            around.steps_total.filter(|t| *t > 0).map(|t| step.saturating_sub(best_step) as f64 / t as f64);
        let much = match share {
            Some(share) => share >= SPENT,
            None => seconds.is_some_and(|s| s >= SPENT_S),
        };
        let rate_spent = around.schedule.known()
            && (around.schedule.share_of_peak(step).is_some_and(|s| s < SPENT_RATE)
                || around.schedule.last_rate_change(step).is_some_and(|s| s < best_step));
        let evidence = Evidence::new()
            .with("best", self.best)
            .with("best_step", best_step as f64)
            .at_least("evaluations_since_best", self.since as f64, self.window as f64)
            .at_most("improvement", self.gained, GAIN)
            .maybe("run_since_best", share)
            .maybe("seconds_since_best", seconds);
        let severity = if much && rate_spent { Severity::Warn } else { Severity::Info };
        Verdict::Bad(Finding { severity, since: Some(best_step), evidence, sure: false })
    }
}
