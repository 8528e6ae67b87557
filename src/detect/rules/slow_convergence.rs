//! `slow_convergence`: a run that is far behind its siblings at the same step.
//!
//! Siblings are the runs of one folder that log the same main loss. The comparison is between runs, so it is made when
//! all is read and whenever time has passed, not point by point.

use crate::{model::Step, store::Series};

use crate::detect::{DetectorSpec, Evidence, Finding, Scope, Severity, Threshold, running, words};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "slow_convergence",
    summary: "the run is far behind its siblings at the same step",
    advice: "Compare its settings with the others'; stop it if the sweep only looks for the best.",
    clears: "it is no longer behind in all six places",
    traps: "runs that warm up longer, larger batches at equal steps, another loss under the same name",
    thresholds: &[
        Threshold::new(SIBLINGS as f64, "siblings that have come as far, at least"),
        Threshold::new(
            AHEAD,
            "share of them that are ahead, at each of 6 places in the second half of what it has done",
        ),
        Threshold::new(BEHIND, "share of its siblings' gain that it has made, at most"),
    ],
    scopes: &[Scope::Siblings { compare, say }],
};

/// Siblings that have come as far.
const SIBLINGS: usize = 4;
/// Share of them that are ahead.
const AHEAD: f64 = 0.9;
/// What it has gained since its start, as a share of the median of its siblings.
const BEHIND: f64 = 0.5;
/// Places at which they are compared: evaluations, or equal parts of the second half of a training loss.
const PLACES: usize = 6;
/// A place is a median over such a part of the steps so far.
const PARTS: Step = 12;

/// What the main loss of a run is behind in, beside those of the others.
fn compare(series: &Series, others: &[&Series]) -> Option<(Step, Finding)> {
    let buckets = series.buckets(None);
    // As far as both it and enough of its siblings have come.
    let mut reached: Vec<Step> = others.iter().filter_map(|o| o.summary().last.map(|p| p.step)).collect();
    reached.sort_unstable_by(|a, b| b.cmp(a));
    let own = buckets.last()?.last.step;
    let last = own.min(*reached.get(SIBLINGS - 1)?);
    let buckets: Vec<_> = buckets.into_iter().filter(|b| b.last.step <= last).collect();
    if buckets.len() < 2 * PLACES || 2 * last < own {
        return None;
    }
    // The places in the second half of what it has done.
    let half = &buckets[buckets.len() / 2..];
    let places: Vec<Step> = (0..PLACES).map(|i| half[(i + 1) * half.len() / PLACES - 1].last.step).collect();
    let others: Vec<&Series> =
        others.iter().copied().filter(|o| o.summary().last.is_some_and(|p| p.step >= last)).collect();
    if others.len() < SIBLINGS {
        return None;
    }
    // One place is a median of what lies before it: a single lucky batch is no lead.
    let level = |s: &Series, at: Step| {
        let from = at.saturating_sub((last / PARTS).max(1));
        let values: Vec<f64> =
            s.buckets_between(from, at, 16).iter().filter_map(crate::store::Bucket::mean).collect();
        running::median_of(&values).or_else(|| s.value_at(at)?.mean())
    };
    let (mut least_ahead, mut behind) = (1.0_f64, 0.0_f64);
    for at in &places {
        let mine = level(series, *at)?;
        let theirs: Vec<f64> = others.iter().filter_map(|s| level(s, *at)).collect();
        let ahead = theirs.iter().filter(|v| **v < mine).count() as f64 / theirs.len().max(1) as f64;
        let start = series.summary().first?.value;
        let gain = start - running::median_of(&theirs)?;
        if gain <= 0.0 {
            return None;
        }
        least_ahead = least_ahead.min(ahead);
        behind = behind.max((start - mine) / gain);
    }
    if least_ahead < AHEAD || behind > BEHIND {
        return None;
    }
    let now = level(series, last)?;
    let theirs: Vec<f64> = others.iter().filter_map(|s| level(s, last)).collect();
    let evidence = Evidence::new()
        .with("now", now)
        .with("siblings_median", running::median_of(&theirs)?)
        .at_least("siblings", others.len() as f64, SIBLINGS as f64)
        .at_least("ahead", least_ahead, AHEAD)
        .at_most("gain", behind, BEHIND);
    let finding = Finding { severity: Severity::Info, since: Some(places[0]), evidence, sure: true };
    Some((last, finding))
}

/// Message and advice.
fn say(place: &str, step: Step, finding: &Finding) -> (String, String) {
    let e = &finding.evidence;
    let text = format!(
        "{place} is {} at step {}, where the median of {} sibling runs is {}: it has gained {:.0} % of what they have",
        words::value(e.number("now")),
        words::step(step),
        e.number("siblings"),
        words::value(e.number("siblings_median")),
        100.0 * e.number("gain").max(0.0)
    );
    let advice = "Compare its settings with its siblings' (learning rate first); stop it if the sweep only looks for the best.";
    (text, advice.to_owned())
}
