//! A reward that is lost again: the policy collapses.

use crate::model::{Goal, SeriesKey, Step};

use crate::detect::{
    Bin, Evidence, Finding, Hold, Journal, Patience, SeriesDetector, Severity, Speaks, Surroundings, Verdict,
    running,
    tags::{Role, TagClass, Words},
    words,
};

/// Share of the gain that a collapse has lost.
pub(super) const LOST: f64 = 0.5;
/// … and that makes it an alarm, if it lasts for this share of all values.
pub(super) const LOST_ALL: f64 = 0.9;
const LASTING: f64 = 0.25;
/// Values before an alarm: what rises first seldom stays.
const ALARM_VALUES: usize = 120;
/// Values of the level at least.
const VALUES: usize = 5;
/// The drop must stand out of the noise of a value by so many σ.
const DROP_SIGMA: f64 = 5.0;
pub(super) fn judges_reward(class: &TagClass) -> bool {
    class.role == Role::Metric
        && class.goal == Some(Goal::Max)
        && Words::of(&class.stem).any(&[
            "reward",
            "rewards",
            "return",
            "returns",
            "rew",
            "r",
            "coverage",
            "modes",
            "diversity",
        ])
}

pub(super) fn build_reward(_: &SeriesKey, _: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Reward)
}

#[derive(Debug)]
struct Reward;

impl Speaks for Reward {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 10 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, _: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let best_step = words::step(e.number("best_step") as Step);
        let text = format!(
            "{place} fell from {} (step {best_step}) to {} at step {}: {:.0} % of what was gained is lost",
            words::value(e.number("best")),
            words::value(e.number("now")),
            words::step(step),
            100.0 * e.number("lost")
        );
        let advice = format!(
            "Go back to the checkpoint of step {best_step}; lower the learning rate or the clip range, raise the entropy bonus."
        );
        (text, advice)
    }
}

impl SeriesDetector for Reward {
    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, _: &Surroundings) -> Option<Verdict> {
        let values: Vec<f64> = journal.bins().iter().map(Bin::mean).collect();
        let window = VALUES.max(values.len() / 10);
        if values.len() < 3 * window {
            return Some(Verdict::Unsure);
        }
        let level = |upto: usize| running::median_of(&values[upto - window..upto]).unwrap_or(f64::NAN);
        let (start, now) = (level(window), level(values.len()));
        let (best_at, best) = (window..=values.len())
            .step_by((window / 4).max(1))
            .map(|i| (i, level(i)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((window, start));
        let gain = best - start;
        let sigma = running::noise(&values);
        let lost = (best - now) / gain;
        if gain <= 0.0 || lost < LOST / 2.0 {
            return Some(Verdict::Fine);
        }
        if lost < LOST || best - now < DROP_SIGMA * sigma || values.len() - best_at < window / 2 {
            return Some(Verdict::Unsure);
        }
        let best_step = journal.bins()[best_at - 1].last_step;
        let evidence = Evidence::new()
            .with("best", best)
            .with("best_step", best_step as f64)
            .with("start", start)
            .at_most("now", now, best - LOST * gain)
            .at_least("lost", lost, LOST);
        // Rewards of healthy agents fall and come back; an alarm takes nearly all of it, for long.
        let for_long = (values.len() - best_at) as f64 >= LASTING * values.len() as f64;
        let nearly_all = lost >= LOST_ALL && best - now >= 2.0 * DROP_SIGMA * sigma;
        let severity = if for_long && nearly_all && values.len() >= ALARM_VALUES {
            Severity::Warn
        } else {
            Severity::Info
        };
        Some(Verdict::Bad(Finding { severity, since: Some(best_step), evidence, sure: false }))
    }
}
