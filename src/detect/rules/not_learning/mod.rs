//! `not_learning`: a training loss that has not moved since the run began.
//!
//! Flat means: no significant downward trend (Mann–Kendall over 32 blocks) and no drop beyond the noise. Flat
//! alone is only worth a look (fine-tuning often starts near its floor). It is a fault when the loss also sits
//! at the level of guessing, ln C, or does not change in a single bit.

mod unmoved;

use std::fmt::Write as _;

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Bin, DetectorSpec, Evidence, Finding, Hold, Patience, Scope, SeriesDetector, Severity, Speaks,
    Surroundings, Threshold, Verdict,
    journal::Journal,
    running,
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "not_learning",
    summary: "the training loss has not moved since the start",
    advice: "Check the learning rate, that the optimiser got the parameters, frozen layers, and that labels fit the inputs.",
    clears: "the loss falls by 1.5 times what counts as a drop",
    traps: "fine-tuning near its floor, a long warm-up that the log does not tell, contrastive losses near ln(batch)",
    thresholds: &[
        Threshold::new(POINTS as f64, "points before it speaks"),
        Threshold::new(DROP, "share of the start, and 2 σ, that counts as a drop"),
        Threshold::new(TREND_Z, "z of a downward trend that counts as one"),
        Threshold::new(CHANCE, "relative distance to ln C that counts as guessing"),
        Threshold::new(LATE[0], "share of the planned run at that level (or 600 points): warn"),
        Threshold::new(LATE[1], "share of the planned run at that level (or 3,000 points): critical"),
    ],
    scopes: &[
        Scope::Series { judges, build },
        Scope::Series { judges: unmoved::judges, build: unmoved::build },
    ],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Train | Split::Unknown)
}

/// Points before it speaks.
const POINTS: u64 = 300;
/// The same of a run that is [`FEW_SHARE`] done.
const FEW_POINTS: u64 = 20;
const FEW_SHARE: f64 = 0.6;
/// Shares of a planned run at the level of guessing: warn, and critical.
const LATE: [f64; 2] = [0.6, 0.8];
/// Drop from the start at which a loss still counts as guessing, as a share.
const GUESSING_DROP: f64 = 0.03;
/// Points of which none differs from the first in a single bit.
const IDENTICAL_POINTS: u64 = 20;
/// Least share of the initial loss that counts as a drop.
const DROP: f64 = 0.01;
/// z of a downward trend at 5 %, one-sided.
const TREND_Z: f64 = -1.64;
/// Distance to ln C, relative.
const CHANCE: f64 = 0.03;
/// Class counts whose ln C is recognised without being told: 2, 10, 100, 1000, and usual vocabularies.
const USUAL_CLASSES: &[f64] = &[2.0, 10.0, 100.0, 1000.0, 32_000.0, 50_257.0, 50_304.0];

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(NotLearning { part: !tags::is_whole(&class.stem), first: None, identical: 0, differed: false })
}

#[derive(Debug)]
struct NotLearning {
    /// A part of the objective may stay while the whole falls.
    part: bool,
    first: Option<f64>,
    identical: u64,
    differed: bool,
}

impl Speaks for NotLearning {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 3 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name);
        let now = get("now").unwrap_or(f64::NAN);
        let points = get("points").unwrap_or(0.0);
        let mut text = if get("identical").is_some() {
            format!(
                "{place} is exactly {} in all {points} points up to step {}",
                words::value(now),
                words::step(step)
            )
        } else {
            format!(
                "{place} has not moved in {} points up to step {}: {} ± {}",
                words::step(points as Step),
                words::step(step),
                words::value(now),
                words::value(get("noise").unwrap_or(0.0))
            )
        };
        if let Some(classes) = get("classes") {
            let _ = write!(text, " = ln({classes}): predictions are uniform");
        }
        let rate =
            around.schedule.rate_at(step).map(|r| format!(" (now {})", words::value(r))).unwrap_or_default();
        let advice = format!(
            "Check the learning rate{rate}, that the optimiser got the parameters, frozen or detached layers, labels shuffled against inputs, and a doubled softmax."
        );
        (text, advice)
    }
}

impl SeriesDetector for NotLearning {
    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if point.value.is_finite() {
            let first = *self.first.get_or_insert(point.value);
            self.differed |= first.to_bits() != point.value.to_bits();
            self.identical += 1;
        }
        None
    }

    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        Some(self.verdict(journal, around))
    }
}

impl NotLearning {
    fn verdict(&self, journal: &Journal, around: &Surroundings) -> Verdict {
        let Some(step) = journal.last_step() else { return Verdict::Unsure };
        if around.moving_target || self.part && around.whole_loss || around.schedule.warming_up(step) {
            return Verdict::Unsure;
        }
        let Some(start) = journal.start() else { return Verdict::Unsure };
        if !self.differed && self.identical >= IDENTICAL_POINTS && start != 0.0 {
            let evidence = Evidence::new()
                .with("now", start)
                .at_least("points", self.identical as f64, IDENTICAL_POINTS as f64)
                .with("identical", 1.0)
                .at_most("drop", 0.0, 0.0);
            return Verdict::Bad(Finding {
                severity: Severity::Critical,
                since: None,
                evidence,
                sure: false,
            });
        }
        let share = around.share_done(step);
        // A log of epochs has few points; far into a planned run they suffice.
        let few = journal.points() >= FEW_POINTS && share.is_some_and(|s| s >= FEW_SHARE);
        if !few && journal.points() < POINTS || share.is_some_and(|s| s < 0.05) {
            return Verdict::Unsure;
        }
        let means: Vec<f64> = journal.bins().iter().map(Bin::mean).collect();
        let blocks = running::thinned(&means, 32);
        let edge = (means.len() / 20).max(3).min(means.len());
        let (Some(first), Some(last)) =
            (running::median_of(&means[..edge]), running::median_of(&means[means.len() - edge..]))
        else {
            return Verdict::Unsure;
        };
        let noise = running::noise(&means);
        let moved = (2.0 * noise).max(DROP * start.abs());
        let drop = (first - last).abs();
        let fallen = first - last;
        if fallen >= (1.5 * moved).max(1.5 * GUESSING_DROP * start.abs()) {
            return Verdict::Fine;
        }
        let z = running::mann_kendall(&blocks);
        let chance = chance_level(last, start, around);
        // At the level of guessing a small drop is that of the prior, not of learning.
        let guessing = matches!(chance, Chance::At(_)) && drop < GUESSING_DROP * start.abs();
        if !guessing && (drop >= moved || z <= TREND_Z) {
            return Verdict::Unsure;
        }
        if chance == Chance::AlreadyGood {
            return Verdict::Fine;
        }
        let mut evidence = Evidence::new()
            .with("now", last)
            .with("start", first)
            .at_least("points", journal.points() as f64, if few { FEW_POINTS } else { POINTS } as f64)
            .at_most("drop", drop, if guessing { moved.max(GUESSING_DROP * start.abs()) } else { moved })
            .with("limit", moved)
            .with("noise", noise);
        evidence =
            if guessing { evidence.with("trend_z", z) } else { evidence.at_least("trend_z", z, TREND_Z) };
        let severity = match chance {
            Chance::At(classes) => {
                evidence = evidence.with("classes", classes).with("chance", classes.ln());
                // Healthy runs may sit at the level of guessing for a third of their time before they take off.
                match share {
                    Some(share) if share >= LATE[1] => Severity::Critical,
                    Some(share) if share >= LATE[0] => Severity::Warn,
                    None if journal.points() >= 10 * POINTS => Severity::Critical,
                    None if journal.points() >= 2 * POINTS => Severity::Warn,
                    _ => Severity::Info,
                }
            }
            Chance::Unknown | Chance::AlreadyGood => Severity::Info,
        };
        Verdict::Bad(Finding::new(severity, evidence))
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Chance {
    /// The loss is that of guessing among so many classes.
    At(f64),
    /// The run began far below guessing: it is not at its beginning.
    AlreadyGood,
    Unknown,
}

fn chance_level(now: f64, start: f64, around: &Surroundings) -> Chance {
    let near = |classes: f64| (now - classes.ln()).abs() < CHANCE * classes.ln();
    if let Some(classes) = around.classes.filter(|c| *c >= 2) {
        let classes = classes as f64;
        return if start < 0.5 * classes.ln() {
            Chance::AlreadyGood
        } else if near(classes) {
            Chance::At(classes)
        } else {
            Chance::Unknown
        };
    }
    USUAL_CLASSES
        .iter()
        .copied()
        .find(|c| (now - c.ln()).abs() < CHANCE / 6.0 * c.ln())
        .map_or(Chance::Unknown, Chance::At)
}
