//! `learning_rate`: trouble that began right after the learning rate was raised, or when it reached its peak.
//!
//! Never from the value alone: 0.1 is usual for SGD and 1.0 for Adafactor.

use crate::model::{SeriesKey, Step};

use crate::detect::{
    Alert, Bin, Derived, DetectorSpec, Evidence, Finding, Hold, Journal, Patience, Scope, SeriesDetector,
    Severity, Speaks, Surroundings, Threshold, Verdict, running,
    tags::{self, Role, Split, TagClass},
    words,
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "learning_rate",
    summary: "the trouble began when the learning rate was raised or reached its peak",
    advice: "Divide the learning rate by 3 to 10 and go back to a checkpoint before it was raised.",
    clears: "what followed from it ends",
    traps: "a batch size or data mixture that was changed at the same time",
    thresholds: &[
        Threshold::new(NEAR, "share of the run between the raise and the trouble"),
        Threshold::new(1.5, "times every rate before that counts as a raise"),
        Threshold::new(
            SUFFERS,
            "share of the level, and 5 σ of a bin, by which the training loss is higher after a raise",
        ),
    ],
    scopes: &[Scope::Alerts { derive }, Scope::Series { judges, build }],
};

/// Alerts that a learning rate may cause.
const EFFECTS: &[&str] = &[
    "divergence",
    "loss_spike",
    "oscillation",
    "exploding_gradient",
    "gradient_surge",
    "nan",
    "unstable_layer",
    "dead_units",
    "rl_gan",
];

/// Share of the run, up to where the trouble began, within which it counts as following.
const NEAR: f64 = 0.05;
/// Steps that always count as near.
const NEAR_STEPS: Step = 50;

/// What the training loss must have lost after a raise, as a share of its level.
const SUFFERS: f64 = 0.1;
/// … and in σ of a bin.
const SUFFERS_SIGMA: f64 = 5.0;
/// Bins before the raise, and after it before it speaks; bins after which it is history.
const BEFORE: usize = 8;
const AFTER: usize = 6;
const HISTORY: usize = 64;

fn derive(alerts: &[&Alert], around: &Surroundings) -> Vec<Derived> {
    let mut found: Vec<Derived> = Vec::new();
    let mut effects: Vec<&&Alert> = alerts
        .iter()
        .filter(|a| a.severity >= Severity::Warn && EFFECTS.contains(&a.rule) && a.step.is_some())
        .collect();
    effects.sort_by_key(|a| (a.since_step, a.step, a.rule, a.id));
    for effect in effects {
        let Some(one) = follows(effect, around) else { continue };
        match found.iter_mut().find(|d| d.key == one.key) {
            Some(known) => {
                known.open |= one.open;
                known.severity = known.severity.max(one.severity);
            }
            None => found.push(one),
        }
    }
    found
}

fn follows(effect: &Alert, around: &Surroundings) -> Option<Derived> {
    let opened = effect.step?;
    let since = effect.since_step.unwrap_or(opened);
    let near = |from: Step| NEAR_STEPS.max((NEAR * since.max(0) as f64) as Step).saturating_add(from);
    let (key, from, to, peak) = if let Some(raise) = around.schedule.last_raise(opened)
        && since.saturating_add(NEAR_STEPS) >= raise.step
        && since <= near(raise.step)
    {
        (raise.step, raise.from, raise.to, false)
    } else {
        let (step, rate) = around.schedule.peak(opened)?;
        let first = around.schedule.first_rate()?;
        // A warm-up that went too far; a constant rate has no peak to blame.
        let warmed = around.schedule.warmed_up() && rate >= 2.0 * first;
        if !warmed || since < step || since > near(step) {
            return None;
        }
        (step, first, rate, true)
    };
    let what = format!("{} at step {}", effect.rule.replace('_', " "), words::step(since));
    let message = if peak {
        format!(
            "the learning rate looks too high: {what}, right after it reached its peak of {} at step {}",
            words::value(to),
            words::step(key)
        )
    } else {
        format!(
            "the learning rate looks too high: {what}, after it was raised from {} to {} at step {}",
            words::value(from),
            words::value(to),
            words::step(key)
        )
    };
    let advice = format!(
        "Divide the learning rate by 3 to 10 (to about {}) and go back to a checkpoint before step {}.",
        words::value(to / 3.0),
        words::step(key)
    );
    let limit = near(key).saturating_sub(key);
    let evidence = Evidence::new()
        .with("rate_before", from)
        .with("rate", to)
        .with("raised_at_step", key as f64)
        .at_most("steps_to_trouble", since.saturating_sub(key).max(0) as f64, limit as f64);
    Some(Derived {
        key,
        severity: effect.severity,
        series: effect.series.clone(),
        step: opened,
        since: key,
        time: effect.time,
        open: effect.is_open(),
        message,
        advice,
        evidence,
    })
}

fn judges(class: &TagClass) -> bool {
    class.role == Role::Loss && matches!(class.split, Split::Train | Split::Unknown)
}

fn build(_: &SeriesKey, class: &TagClass) -> Box<dyn SeriesDetector> {
    Box::new(Raised { part: !tags::is_whole(&class.stem) })
}

/// A training loss that stands higher since the learning rate was raised beyond everything before.
#[derive(Debug)]
struct Raised {
    part: bool,
}

impl Speaks for Raised {
    fn patience(&self) -> Patience {
        Patience { hold: [Hold::in_a_row(3); 3], clear: 6 }
    }

    fn words(&self, place: &str, step: Step, finding: &Finding, around: &Surroundings) -> (String, String) {
        let e = &finding.evidence;
        let raised = e.number("raised_at_step") as Step;
        let text = format!(
            "the learning rate looks too high: {place} is {} at step {}, {} before the rate was raised from {} to {} at step {}",
            words::value(e.number("now")),
            words::step(step),
            words::value(e.number("before")),
            words::value(e.number("rate_before")),
            words::value(e.number("rate")),
            words::step(raised)
        );
        let rate = around.schedule.rate_at(step).unwrap_or_else(|| e.number("rate"));
        let advice = format!(
            "Divide the learning rate by 3 to 10 (to about {}) and go back to a checkpoint before step {}.",
            words::value(rate / 3.0),
            words::step(raised)
        );
        (text, advice)
    }
}

impl SeriesDetector for Raised {
    fn reads_journal(&self) -> bool {
        true
    }

    fn bin(&mut self, journal: &Journal, around: &Surroundings) -> Option<Verdict> {
        let raise = around.schedule.last_raise(journal.last_step()?)?;
        if around.moving_target || self.part && around.whole_loss {
            return None;
        }
        let cut = journal.bins().partition_point(|b| b.last_step < raise.step);
        let (before, after) = journal.bins().split_at(cut);
        if before.len() < BEFORE || after.len() < AFTER || after.len() > HISTORY {
            return Some(Verdict::Unsure);
        }
        let means = |bins: &[Bin]| bins.iter().map(Bin::mean).collect::<Vec<f64>>();
        let sigma = running::noise(&means(&before[before.len().saturating_sub(31)..]));
        let then = running::median_of(&means(&before[before.len() - BEFORE..]))?;
        let now = running::median_of(&means(&after[after.len() - AFTER..]))?;
        let least = (SUFFERS * then.abs()).max(SUFFERS_SIGMA * sigma);
        if now - then < least / 2.0 {
            return Some(Verdict::Fine);
        }
        if now - then < least {
            return Some(Verdict::Unsure);
        }
        let evidence = Evidence::new()
            .with("before", then)
            .at_least("now", now, then + least)
            .with("rate_before", raise.from)
            .with("rate", raise.to)
            .with("raised_at_step", raise.step as f64);
        Some(Verdict::Bad(Finding {
            severity: Severity::Warn,
            since: Some(raise.step),
            evidence,
            sure: false,
        }))
    }
}
