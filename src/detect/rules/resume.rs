//! `resume`: a run that goes on after a break, but not where it was.
//!
//! A higher loss after a resume speaks of a lost state (optimiser, sampler); a lower one of data that it has seen
//! already, whose true level comes back later.

use std::fmt::Write as _;

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Bin, DetectorSpec, Evidence, Finding, Hold, Journal, Patience, Scope, SeriesDetector, Severity, Speaks,
    Surroundings, Threshold, Verdict, running,
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "resume",
    summary: "the loss does not go on where it was before the break",
    advice: "Check that the checkpoint holds the optimiser, the scheduler, the sampler and the random state.",
    clears: "the loss is back at its level before the break",
    traps: "another batch size or data mixture that was set on purpose at the restart",
    thresholds: &[
        Threshold::new(
            SIGMA,
            "σ of a bin between the levels (medians of 5 and 8) before and after the break: info",
        ),
        Threshold::new(SHARE, "… and as a share of the level"),
        Threshold::new(LASTING as f64, "bins after which it lasts: warn"),
    ],
    scopes: &[Scope::Series { judges, build }],
};

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Train | Split::Unknown)
}

/// Bins before the break that tell the level.
const BEFORE: usize = 8;
/// Bins after the break before it speaks, and after which the difference lasts.
const AFTER: usize = 5;
const LASTING: usize = 15;
/// Bins after which the break is history.
const HISTORY: usize = 40;
/// The difference in σ of a bin, and as a share of the level.
const SIGMA: f64 = 3.0;
const SHARE: f64 = 0.05;
/// Too good after a resume: below the first share of the level before, where its fall let expect at least the second.
const TOO_GOOD: [f64; 2] = [0.4, 0.6];
/// Share of the level by which five values stand apart from the eight before.
const APART: f64 = 0.25;

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Resume { part: !tags::is_whole(&class.stem), at: None, continued: false })
}

#[derive(Debug)]
struct Resume {
    part: bool,
    /// First step after the break.
    at: Option<Step>,
    continued: bool,
}

impl Speaks for Resume {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(2); 3], clear: 1 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let at = finding.since.unwrap_or(step);
        let (before, now) = (e.number("before"), e.number("now"));
        let mut text = format!(
            "{place} is {} after the run was resumed at step {}, {} before ({}, {} σ)",
            words::value(now),
            words::step(at),
            words::value(before),
            words::percent((now - before) / before.abs()),
            words::sigma(e.number("sigmas"))
        );
        let rates = (around.schedule.rate_at(at.saturating_sub(1)), around.schedule.rate_at(step));
        if let (Some(then), Some(rate)) = rates
            && (rate > 2.0 * then || rate < then / 2.0)
        {
            let _ = write!(
                text,
                "; the learning rate went from {} to {}",
                words::value(then),
                words::value(rate)
            );
        }
        let advice = if now > before {
            "Check that the checkpoint holds the optimiser, the learning-rate schedule and the sampler; resume again from it."
        } else {
            "Check whether the sampler started anew: data that was seen already looks too good, the true level comes back later."
        };
        (text, advice.to_owned())
    }
}

impl SeriesDetector for Resume {
    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if std::mem::take(&mut self.continued) {
            self.at = Some(point.step);
        }
        None
    }

    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        let at = self.at?;
        if around.moving_target || self.part && around.whole_loss {
            return None;
        }
        let bins = journal.bins();
        let cut = bins.partition_point(|b| b.last_step < at);
        let (before, after) = bins.split_at(cut);
        if before.len() < BEFORE || after.len() < AFTER {
            return Some(Verdict::Unsure);
        }
        if after.len() > HISTORY {
            self.at = None;
            return Some(Verdict::Fine);
        }
        Some(verdict(before, after, at))
    }

    fn rewind(&mut self, step: Step) {
        self.at = Some(step);
    }

    fn continued(&mut self) {
        self.continued = true;
    }
}

fn verdict(before: &[Bin], after: &[Bin], at: Step) -> Verdict {
    let means = |bins: &[Bin]| bins.iter().map(Bin::mean).collect::<Vec<f64>>();
    let long = means(&before[before.len().saturating_sub(31)..]);
    let sigma = running::noise(&long);
    let old = means(&before[before.len() - BEFORE..]);
    let new = means(&after[after.len() - AFTER.min(after.len())..]);
    let (Some(then), Some(now)) = (running::median_of(&old), running::median_of(&new)) else {
        return Verdict::Unsure;
    };
    // A loss that falls is expected to go on falling as it did.
    let slope = running::theil_sen(&old).unwrap_or(0.0).min(0.0);
    let expected = then + slope * (BEFORE / 2 + after.len()) as f64;
    let higher = now - then;
    let lower = expected - now;
    let difference = higher.max(lower);
    // It has to jump at the break; what happens later has other reasons.
    let first = running::median_of(&means(&after[..3])).unwrap_or(now);
    let last = running::median_of(&old[BEFORE - 3..]).unwrap_or(then);
    let jump = if higher > lower { first - last } else { last - first };
    // A loss that was rising or falling already goes on to do so.
    let drift = 3.0 * running::theil_sen(&old).unwrap_or(0.0).abs();
    let least = (SHARE * then.abs()).max(SIGMA * sigma);
    let sigmas = if sigma > 0.0 { (difference / sigma).min(1e6) } else { 1e6 };
    // Where the noise is as large as the level, ranks still tell: all values after on one side of all before.
    let after5 = &means(after)[..AFTER];
    let highest = old.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = old.iter().copied().fold(f64::INFINITY, f64::min);
    let apart = after5.iter().all(|v| *v > highest) && first > (1.0 + APART) * then
        || after5.iter().all(|v| *v < lowest) && first < (1.0 - 2.0 * APART) * then && then > 0.0;
    if apart && after.len() <= LASTING {
        let evidence = Evidence::new()
            .with("before", then)
            .with("now", first)
            .at_least("share", (first - then).abs() / then.abs(), APART)
            .with("sigmas", sigmas);
        return Verdict::Bad(Finding { severity: Severity::Info, since: Some(at), evidence, sure: false });
    }
    // What was seen already looks better and better until new data come.
    let soon = after.len() <= LASTING + 1;
    if soon && now < TOO_GOOD[0] * then && expected > TOO_GOOD[1] * then && then > 0.0 {
        let evidence = Evidence::new()
            .with("before", then)
            .at_most("now", now, TOO_GOOD[0] * then)
            .at_least("expected", expected, TOO_GOOD[1] * then)
            .with("sigmas", sigmas);
        return Verdict::Bad(Finding { severity: Severity::Info, since: Some(at), evidence, sure: false });
    }
    if difference < least / 2.0 {
        return Verdict::Fine;
    }
    // Falling is what a loss does: it has to fall to half at once.
    let doubtful =
        lower > higher && (lower < 2.0 * least && lower < 0.5 * then.abs() || lower < 0.3 * then.abs());
    if difference < least || jump - drift < least || doubtful {
        return Verdict::Unsure;
    }
    let evidence = Evidence::new()
        .with("before", then)
        .with("now", now)
        .at_least("difference", difference, least)
        .at_least("sigmas", sigmas, SIGMA);
    let severity = if after.len() >= LASTING { Severity::Warn } else { Severity::Info };
    Verdict::Bad(Finding { severity, since: Some(at), evidence, sure: false })
}
