//! A policy that stops to explore, and updates that are too large for it.

use crate::model::{Point, SeriesKey, Step};

use crate::detect::{
    Evidence, Finding, Hold, Journal, Patience, SeriesDetector, Severity, Speaks, Surroundings, Verdict,
    running::{self, Window},
    tags::{TagClass, Words},
    words,
};

/// Entropy as a share of its start …
pub(super) const ENTROPY: f64 = 0.05;
/// … in this share of the planned run.
const ENTROPY_EARLY: f64 = 0.3;
/// KL of an update.
pub(super) const KL: f64 = 0.1;
/// … and in units of its median.
const KL_BEYOND: f64 = 10.0;
pub(super) fn build_entropy(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Entropy)
}

#[derive(Debug)]
struct Entropy;

impl Speaks for Entropy {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(5); 3], clear: 5 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "{place} fell from {} to {} at step {}: the policy has stopped to explore",
            words::value(e.number("start")),
            words::value(e.number("now")),
            words::step(step)
        );
        (text, "Raise the entropy bonus, lower the learning rate, or scale the reward.".to_owned())
    }
}

impl SeriesDetector for Entropy {
    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        let step = journal.last_step()?;
        // Some writers log the negative entropy as a loss.
        let start = journal.start()?.abs();
        let last: Vec<f64> = journal.bins().iter().rev().take(5).map(|b| b.mean().abs()).collect();
        let now = running::median_of(&last)?;
        if journal.bins().len() < 10 || start == 0.0 {
            return Some(Verdict::Unsure);
        }
        if now > 2.0 * ENTROPY * start {
            return Some(Verdict::Fine);
        }
        let early = around.share_done(step).map(|share| share <= ENTROPY_EARLY);
        // At the end of a training a policy may be sure of itself. Without a plan nothing says where the end is, but a fall
        // within a tenth of the run so far is no learning.
        let values: Vec<f64> = journal.bins().iter().map(|b| b.mean().abs()).collect();
        let low = values.iter().position(|v| *v <= ENTROPY * start).unwrap_or(values.len());
        let high = values[..low].iter().rposition(|v| *v >= 0.5 * start).unwrap_or(0);
        let sudden = low - high <= (values.len() / 10).max(3) && values.len() >= 20;
        if now > ENTROPY * start || early == Some(false) || early.is_none() && !sudden {
            return Some(Verdict::Unsure);
        }
        let evidence = Evidence::new().with("start", start).at_most("now", now, ENTROPY * start);
        let severity = if early == Some(true) { Severity::Warn } else { Severity::Info };
        Some(Verdict::Bad(Finding::new(severity, evidence)))
    }
}

pub(super) fn build_update(key: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    let words = Words::of(key.tag.as_str());
    Box::new(Update {
        kl: words.phrase(&["approx_kl", "policy_kl"]),
        values: Window::default(),
        high: 0,
        since: None,
    })
}

/// The size of policy updates.
#[derive(Debug)]
struct Update {
    kl: bool,
    values: Window<64>,
    high: u32,
    since: Option<Step>,
}

impl Speaks for Update {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(1); 3], clear: 10 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let text = format!(
            "{place} is {} at step {}, {} updates in a row far above its usual {}",
            words::value(e.number("now")),
            words::step(step),
            e.number("updates"),
            words::value(e.number("usual"))
        );
        (text, "Lower the learning rate or the number of epochs per update, or stop updates early at a target KL.".to_owned())
    }
}

impl SeriesDetector for Update {
    fn indifferent(&self, _: &[Point]) -> bool {
        !self.kl
    }

    fn point(&mut self, point: &Point, _: &Surroundings) -> Option<(Step, Verdict)> {
        if !self.kl || !point.value.is_finite() {
            return None;
        }
        let usual = running::median_of(self.values.values()).filter(|_| self.values.values().len() >= 10);
        let Some(usual) = usual else {
            self.values.push(point.value);
            return None;
        };
        let limit = KL.max(KL_BEYOND * usual);
        if point.value < limit {
            self.values.push(point.value);
            self.high = 0;
            let fine = point.value < limit / 2.0;
            return Some((point.step, if fine { Verdict::Fine } else { Verdict::Unsure }));
        }
        if self.high == 0 {
            self.since = Some(point.step);
        }
        self.high += 1;
        if self.high < 10 {
            return Some((point.step, Verdict::Unsure));
        }
        let evidence = Evidence::new().at_least("now", point.value, limit).with("usual", usual).at_least(
            "updates",
            f64::from(self.high),
            10.0,
        );
        let finding = Finding { severity: Severity::Warn, since: self.since, evidence, sure: true };
        Some((point.step, Verdict::Bad(finding)))
    }

    fn rewind(&mut self, _: Step) {
        *self = Self { kl: self.kl, values: Window::default(), high: 0, since: None };
    }
}
