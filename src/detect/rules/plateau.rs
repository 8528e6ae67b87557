//! `plateau`: a validation series that has found nothing better for long.
//!
//! Worth a line, not an alarm: before the learning rate is lowered a plateau is normal, and at the end of a training it
//! is what one hopes for. It costs something only where much of the run is spent on it and the plan has no more to give.

use std::fmt::Write as _;

use crate::model::{Goal, Point, SeriesKey, Step};

use crate::detect::{
    Bin, DetectorSpec, Evidence, Finding, Hold, Journal, Patience, Scope, SeriesDetector, Severity, Speaks,
    Surroundings, Threshold, Verdict, running,
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
    scopes: &[Scope::Series { judges, build }],
};

fn judges(class: &TagClass) -> bool {
    match class.role {
        Role::Loss => true,
        Role::Metric => class.goal.is_some() && matches!(class.split, Split::Val | Split::Test),
        _ => false,
    }
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

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Plateau {
        goal: class.goal.unwrap_or(Goal::Min),
        of_training: !matches!(class.split, Split::Val | Split::Test),
        part: class.role == Role::Loss && !tags::is_whole(&class.stem),
        wall: f64::NAN,
        best_wall: None,
    })
}

#[derive(Debug)]
struct Plateau {
    goal: Goal,
    of_training: bool,
    part: bool,
    wall: f64,
    /// Step of the best and when it was written.
    best_wall: Option<(Step, f64)>,
}

impl Speaks for Plateau {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 1 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
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
        if e.has("solved") {
            return (
                text + "; it can hardly get better",
                "Stop here: there is nothing left to gain.".to_owned(),
            );
        }
        let advice = format!(
            "Keep the checkpoint of step {}; stop, lower the learning rate, or unfreeze more of the network.",
            words::step(best_step)
        );
        (text, advice)
    }
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
        let stands_aside = self.of_training && around.validation || self.part && around.whole_loss;
        if around.moving_target || stands_aside || around.schedule.warming_up(step) {
            return Verdict::Unsure;
        }
        let sign = if self.goal == Goal::Min { 1.0 } else { -1.0 };
        let values: Vec<f64> = journal.bins().iter().map(|b| sign * Bin::mean(b)).collect();
        if values.len() < NEEDED {
            return Verdict::Unsure;
        }
        let sigma = running::noise(&values[values.len().saturating_sub(31)..]);
        let medians: Vec<f64> =
            (0..values.len()).filter_map(|i| running::median_of(&values[i.saturating_sub(2)..=i])).collect();
        let lowest = medians.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = medians.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let level = if lowest > 0.0 || highest < 0.0 { lowest.abs() } else { highest - lowest };
        let better = (0.5 * sigma.min(f64::MAX)).max(GAIN / 10.0 * level);
        let mut best = (0, medians[0]);
        for (i, m) in medians.iter().enumerate() {
            if *m < best.1 - better {
                best = (i, *m);
            }
        }
        let best_step = journal.bins()[best.0].last_step;
        if self.best_wall.is_none_or(|(s, _)| s != best_step) {
            self.best_wall = Some((best_step, if best.0 + 1 == values.len() { self.wall } else { f64::NAN }));
        }
        let window = WINDOW.max((WINDOW_SHARE * values.len() as f64) as usize);
        let since = values.len() - 1 - best.0;
        if since == 0 {
            return Verdict::Fine;
        }
        // What never got better has not reached a plateau: it has not begun, or cannot change.
        if best.0 < 3 || self.of_training && journal.points() < TRAINING_POINTS {
            return Verdict::Unsure;
        }
        let gained = medians[medians.len() - 1 - window.min(medians.len() - 1)] - medians[medians.len() - 1];
        if since < window || gained > GAIN * level {
            return Verdict::Unsure;
        }
        self.finding(step, sign * best.1, best_step, since, window, gained / level, around)
    }

    #[expect(clippy::too_many_arguments, reason = "the numbers of one sentence")]
    fn finding(
        &self,
        step: Step,
        best: f64,
        best_step: Step,
        since: usize,
        window: usize,
        gained: f64,
        around: &Surroundings,
    ) -> Verdict {
        let mut evidence = Evidence::new()
            .with("best", best)
            .with("best_step", best_step as f64)
            .at_least("evaluations_since_best", since as f64, window as f64)
            .at_most("improvement", gained, GAIN);
        let share =
            around.steps_total.filter(|t| *t > 0).map(|t| step.saturating_sub(best_step) as f64 / t as f64);
        let seconds = self.best_wall.map(|(_, wall)| self.wall - wall).filter(|s| s.is_finite());
        let much = match share {
            Some(share) => share >= SPENT,
            None => seconds.is_some_and(|s| s >= SPENT_S),
        };
        let rate_spent = around.schedule.known()
            && (around.schedule.share_of_peak(step).is_some_and(|s| s < SPENT_RATE)
                || around.schedule.last_rate_change(step).is_some_and(|s| s < best_step));
        evidence = evidence.maybe("run_since_best", share).maybe("seconds_since_best", seconds);
        if self.goal == Goal::Max && (0.999..=1.0).contains(&best) {
            evidence = evidence.with("solved", 1.0);
        }
        let severity = if much && rate_spent { Severity::Warn } else { Severity::Info };
        Verdict::Bad(Finding { severity, since: Some(best_step), evidence, sure: false })
    }
}
