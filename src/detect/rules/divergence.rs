//! `divergence`: a loss that runs away from its best and does not come back.
//!
//! Soft: the median of the last three bins stands far above the best, beyond the noise, and rises. Hard: one
//! value beyond everything seen (Megatron-LM's factor of 10 over the first 100). Stuck high: half of a window
//! lies above the first window's maximum (llm-foundry). Bins are those of the [`Journal`].

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    DetectorSpec, Evidence, Finding, Hold, Patience, Scope, SeriesDetector, Severity, Speaks, Surroundings,
    Threshold, Verdict,
    journal::{FIRST_WINDOW, Journal},
    running,
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "divergence",
    summary: "the loss runs away from its best value",
    advice: "Divide the learning rate by 2 to 10 and go back to a checkpoint before the rise; check warm-up and clipping.",
    clears: "the loss comes within 12.5 % of its best for 6 bins",
    traps: "a planned change that the log does not tell: annealed loss weights, longer sequences, mixup off",
    thresholds: &[
        Threshold::new(RISE[0].1, "rise over the best as a share of it, 6 bins in a row: critical"),
        Threshold::new(RISE[1].1, "rise over the best as a share of it, 8 bins in a row: warn"),
        Threshold::new(RISE_SIGMA, "σ of a bin that the rise must be beyond"),
        Threshold::new(HARD_FACTOR, "times the maximum of the first 100 points: critical at once"),
    ],
    scopes: &[Scope::Series { judges: |class| class.role == Role::Loss, build }],
};

/// Points of training before the soft forms speak.
const TRAINING_POINTS: u64 = 64;
/// Evaluations before the soft forms speak.
const VALIDATION_POINTS: u64 = 8;
/// Rise over the best, as a share of it, for critical and warn.
const RISE: [(Severity, f64); 2] = [(Severity::Critical, 0.5), (Severity::Warn, 0.25)];
/// Bins in a row for critical: a spike that recovers at once is no divergence.
const CRITICAL_HELD: u32 = 6;
/// Points of training from which a rise by [`EARLY_RISE`] is said already.
const EARLY_POINTS: u64 = 24;
/// Rise over the best, as a share of it, before [`TRAINING_POINTS`].
const EARLY_RISE: f64 = 1.0;
/// Rise below which the alert may end: half of the milder threshold.
const RISE_OVER: f64 = 0.125;
/// Rise in units of the noise of a bin.
const RISE_SIGMA: f64 = 10.0;
/// Least rise as a share of what had been gained: keeps near-zero losses quiet, whose ratios mean nothing.
const RISE_OF_GAIN: f64 = 0.02;
/// Bins after a change of the plan (and its grace) before a loss that jumped with it counts as not recovering.
const UNRECOVERED_BINS: usize = 15;
/// … if it stands this far above the best, as a share of it,
const UNRECOVERED_RISE: f64 = 1.0;
/// … and has not won back this share of the rise. Warm restarts win back most of it in that time.
const RECOVERY: f64 = 0.25;
/// One value this many times beyond the first window's maximum is divergence at once.
const HARD_FACTOR: f64 = 10.0;
/// … if it is also this many times the best.
const HARD_BEST: f64 = 1e3;
/// Margin of a stuck-high window over the first window's maximum.
const STUCK_MARGIN: f64 = 0.02;

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    let validation = matches!(class.split, Split::Val | Split::Test);
    Box::new(Divergence {
        validation,
        part: !tags::is_whole(&class.stem),
        best_raw: f64::INFINITY,
        first_max: f64::NEG_INFINITY,
        early_max: f64::NEG_INFINITY,
        seen: 0,
        hard_at: None,
    })
}

#[derive(Debug)]
struct Divergence {
    /// Validation alone may rise by overfitting: it must be clearly worse than at its start to count.
    validation: bool,
    /// A part of the objective may rise while the whole falls.
    part: bool,
    best_raw: f64,
    /// Maximum of the first [`FIRST_WINDOW`] points.
    first_max: f64,
    /// The same while they come, without those that more than double it.
    early_max: f64,
    seen: u64,
    hard_at: Option<Step>,
}

impl Speaks for Divergence {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(8), Hold::in_a_row(8), Hold::in_a_row(CRITICAL_HELD)], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let get = |name| finding.evidence.get(name);
        let (now, best) = (get("now").unwrap_or(f64::NAN), get("best").unwrap_or(f64::NAN));
        let at = get("best_step").map_or(step, |s| s as Step);
        let text = if let Some(limit) = get("first_max") {
            format!(
                "{place} is {} at step {}, above everything in its first {FIRST_WINDOW} points (maximum {}); best {} at step {}",
                words::value(now),
                words::step(step),
                words::value(limit),
                words::value(best),
                words::step(at)
            )
        } else {
            format!(
                "{place} rose from {} at step {} to {} at step {} ({}, {} σ) and {}",
                words::value(best),
                words::step(at),
                words::value(now),
                words::step(step),
                words::percent((now - best) / best.abs()),
                words::sigma(get("rise_sigma").unwrap_or(f64::NAN)),
                if get("recovered").is_some() { "does not come back" } else { "still rises" }
            )
        };
        let advice = format!(
            "Divide the learning rate by 2 to 10 and go back to a checkpoint at or before step {}; check warm-up and gradient clipping.",
            words::step(at)
        );
        (text, advice)
    }
}

impl SeriesDetector for Divergence {
    fn point(&mut self, point: &Point, around: &Surroundings) -> Option<(Step, Verdict)> {
        if !point.value.is_finite() {
            return None;
        }
        let hard = self.hard(point, around);
        self.seen += 1;
        self.best_raw = self.best_raw.min(point.value);
        if self.seen <= FIRST_WINDOW && self.hard_at.is_none() {
            self.first_max = self.first_max.max(point.value);
            // While the first window fills, what explodes in it must not become its own yardstick.
            if self.seen <= 3 || point.value <= self.early_max + self.early_max.abs() {
                self.early_max = self.early_max.max(point.value);
            }
        }
        hard.map(|verdict| (point.step, verdict))
    }

    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        Some(self.verdict(journal, around))
    }

    fn rewind(&mut self, step: Step) {
        if self.hard_at.is_some_and(|at| at >= step) {
            self.hard_at = None;
        }
    }
}

impl Divergence {
    fn hard(&mut self, point: &Point, around: &Surroundings) -> Option<Verdict> {
        if self.seen < 3 || around.moving_target || self.hard_at.is_some() {
            return None;
        }
        let limit = if self.seen < FIRST_WINDOW { self.early_max } else { self.first_max };
        let floor = self.best_raw;
        // Losses that are or become negative have no ratios: the span of the start is their unit.
        let unit = if floor > 0.0 { limit } else { (limit - floor).max(limit.abs()) };
        let beyond_start = point.value >= limit.max(0.0) + (HARD_FACTOR - 1.0) * unit && unit > 0.0;
        let beyond_best = floor <= 0.0 || point.value >= HARD_BEST * floor;
        if !(beyond_start && beyond_best) {
            return None;
        }
        self.hard_at = Some(point.step);
        let level = limit.max(0.0) + (HARD_FACTOR - 1.0) * unit;
        let evidence = Evidence::new()
            .at_least("now", point.value, level)
            .with("best", floor)
            .with("first_max", limit)
            .with("factor", point.value / unit);
        Some(Verdict::Bad(Finding {
            severity: Severity::Critical,
            since: Some(point.step),
            evidence,
            sure: true,
        }))
    }

    fn verdict(&self, journal: &Journal, around: &Surroundings) -> Verdict {
        let Some(step) = journal.bins().last().map(|b| b.last_step) else { return Verdict::Unsure };
        let enough = if self.validation { VALIDATION_POINTS } else { EARLY_POINTS };
        if self.validation && around.training_loss || self.part && around.whole_loss {
            return Verdict::Unsure;
        }
        if around.moving_target || journal.points() < enough || around.schedule.warming_up(step) {
            return Verdict::Unsure;
        }
        let since = settled_after(journal, around, step);
        let means = journal.means_since(since);
        if means.len() < 4 {
            return Verdict::Unsure;
        }
        if let Some(lost) = self.unrecovered(journal, &means, step) {
            return lost;
        }
        if let Some(stuck) = self.stuck_high(journal) {
            return stuck;
        }
        self.soft(journal, &means, step)
    }

    fn soft(&self, journal: &Journal, means: &[f64], step: Step) -> Verdict {
        let bins = journal.bins();
        let offset = bins.len() - means.len();
        let medians = running::medians_of_3(means);
        let Some((at, best)) = medians.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) else {
            return Verdict::Unsure;
        };
        let now = medians[medians.len() - 1];
        let rise = now - best;
        let start = journal.start().unwrap_or(best);
        let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
        let gain = (start - best).max(0.0);
        // Ratios to a best at or below zero mean nothing: the range so far is the unit then.
        let unit = if lowest > 0.0 { best } else { gain.max(f64::MIN_POSITIVE) };
        let recent = &means[means.len().saturating_sub(31)..means.len() - 1];
        let sigma = running::noise(recent);
        if rise < RISE_OVER * unit || rise < RISE_OF_GAIN / 2.0 * gain {
            return Verdict::Fine;
        }
        let beyond_noise = rise >= RISE_SIGMA * sigma && rise >= RISE_OF_GAIN * gain;
        let worse_than_start = !self.validation || rise >= 1.25 * gain && now >= start;
        let rising = running::theil_sen(&means[at..]).is_some_and(|slope| slope > 0.0);
        let early = !self.validation && journal.points() < TRAINING_POINTS;
        let tier =
            RISE.iter().find(|(_, share)| rise >= share * unit && (!early || rise >= EARLY_RISE * unit));
        let Some((severity, share)) = tier.filter(|_| beyond_noise && worse_than_start && rising) else {
            return Verdict::Unsure;
        };
        let rise_sigma = if sigma > 0.0 { rise / sigma } else { f64::INFINITY };
        let evidence = Evidence::new()
            .with("best", best)
            .with("best_step", bins[offset + at].last_step as f64)
            .at_least("now", now, best + share * unit)
            .at_least("rise", rise / unit, *share)
            .at_least("rise_sigma", rise_sigma.min(1e6), RISE_SIGMA)
            .with("step", step as f64);
        Verdict::Bad(Finding::new(*severity, evidence))
    }

    /// A loss that jumped when the plan changed (a learning rate set too high) and stays there. `after` are the
    /// bins since the change and its grace; the best is looked for in all of them.
    fn unrecovered(&self, journal: &Journal, after: &[f64], step: Step) -> Option<Verdict> {
        let means = journal.means_since(Step::MIN);
        if self.validation || after.len() < UNRECOVERED_BINS || after.len() >= means.len() {
            return None;
        }
        let before = &means[..means.len() - after.len()];
        let (at, best) = running::medians_of_3(before)
            .into_iter()
            .enumerate()
            .skip(1)
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        let now = running::median_of(&after[after.len() - 3..])?;
        let jumped = running::median_of(&after[..3])?;
        let rise = now - best;
        let sigma = running::noise(&after[..after.len() - 1]);
        let lost = best > 0.0
            && rise >= UNRECOVERED_RISE * best
            && rise >= RISE_SIGMA * sigma
            && jumped - now < RECOVERY * rise;
        let rise_sigma = if sigma > 0.0 { rise / sigma } else { f64::INFINITY };
        lost.then(|| {
            let evidence = Evidence::new()
                .with("best", best)
                .with("best_step", journal.bins()[at].last_step as f64)
                .at_least("now", now, (1.0 + UNRECOVERED_RISE) * best)
                .at_least("rise", rise / best, UNRECOVERED_RISE)
                .at_least("rise_sigma", rise_sigma.min(1e6), RISE_SIGMA)
                .with("step", step as f64)
                .at_most("recovered", (jumped - now) / rise, RECOVERY);
            Verdict::Bad(Finding::new(Severity::Critical, evidence))
        })
    }

    /// Half of the last window of max(100 points, 5 % of all) lies above the first window's maximum.
    fn stuck_high(&self, journal: &Journal) -> Option<Verdict> {
        if journal.points() < 3 * FIRST_WINDOW || self.validation {
            return None;
        }
        let window = FIRST_WINDOW.max(journal.points() / 20);
        let (mut points, mut above, mut level) = (0_u64, 0_u64, Vec::new());
        for bin in journal.bins().iter().rev() {
            if points >= window {
                break;
            }
            points += u64::from(bin.points);
            above += u64::from(bin.above);
            level.push(bin.mean());
        }
        let limit = journal.first_max();
        let sigma = running::noise(&level);
        let now = running::median_of(&level)?;
        let margin = (STUCK_MARGIN * limit.abs()).max(5.0 * sigma.min(f64::MAX));
        if 2 * above < points || now < limit + margin {
            return None;
        }
        let best = journal.bins().iter().min_by(|a, b| a.mean().total_cmp(&b.mean()))?;
        let evidence = Evidence::new()
            .at_least("now", now, limit + margin)
            .with("best", best.mean())
            .with("best_step", best.last_step as f64)
            .with("first_max", limit)
            .at_least("share_above", above as f64 / points as f64, 0.5);
        Some(Verdict::Bad(Finding::new(Severity::Critical, evidence)))
    }
}

/// The step from which bins count: after a change of the plan and its grace of 5 bins or 2 % of the points.
fn settled_after(journal: &Journal, around: &Surroundings, step: Step) -> Step {
    let Some(change) = around.schedule.last_change(step) else { return Step::MIN };
    let grace = (journal.bins().len() / 50).max(5);
    let after: Vec<Step> = journal.bins().iter().map(|b| b.last_step).filter(|s| *s > change).collect();
    after.get(grace).copied().unwrap_or(Step::MAX)
}
