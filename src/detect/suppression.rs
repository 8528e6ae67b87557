//! One cause, one card: which alert of a run explains which.

use std::cmp::Reverse;

use super::alert::{Alert, Severity};
use crate::model::LayerKind;

/// Root causes first: an alert of the rule on the left explains one of a rule on the right.
const EXPLAINS: &[(&str, &[&str])] = &[
    (
        "learning_rate",
        &[
            "nan",
            "divergence",
            "loss_spike",
            "gradient_surge",
            "exploding_gradient",
            "oscillation",
            "unstable_layer",
            "dead_units",
            "saturated_units",
            "loss_scale",
            "overfitting",
            "not_learning",
            "plateau",
            "generalisation_gap",
            "metric_disagreement",
            "resume",
            "rl_gan",
            "class_collapse",
            "frozen_layer",
            "vanishing_gradient",
        ],
    ),
    (
        "nan",
        &[
            "divergence",
            "overfitting",
            "not_learning",
            "loss_spike",
            "gradient_surge",
            "oscillation",
            "plateau",
            "vanishing_gradient",
            "exploding_gradient",
            "unstable_layer",
            "loss_scale",
            "generalisation_gap",
            "metric_disagreement",
            "frozen_layer",
            "class_collapse",
        ],
    ),
    (
        "dead_units",
        &[
            "frozen_layer",
            "vanishing_gradient",
            "not_learning",
            "plateau",
            "class_collapse",
            "validation",
            "divergence",
            "loss_spike",
            "gradient_surge",
            "exploding_gradient",
        ],
    ),
    ("frozen_layer", &["not_learning", "plateau", "slow_convergence", "class_collapse", "validation"]),
    (
        "poor_initialisation",
        &["saturated_units", "vanishing_gradient", "not_learning", "plateau", "exploding_gradient"],
    ),
    (
        "saturated_units",
        &[
            "frozen_layer",
            "unstable_layer",
            "exploding_gradient",
            "vanishing_gradient",
            "not_learning",
            "plateau",
            "divergence",
            "loss_spike",
            "gradient_surge",
        ],
    ),
    (
        "vanishing_gradient",
        &["frozen_layer", "not_learning", "plateau", "slow_convergence", "class_collapse"],
    ),
    ("unstable_layer", &["divergence", "loss_spike", "gradient_surge", "oscillation", "plateau"]),
    (
        "exploding_gradient",
        &[
            "divergence",
            "loss_spike",
            "gradient_surge",
            "unstable_layer",
            "not_learning",
            "plateau",
            "oscillation",
        ],
    ),
    ("resume", &["divergence", "loss_spike", "gradient_surge", "plateau", "generalisation_gap"]),
    (
        "class_collapse",
        &[
            "class_confusion",
            "class_imbalance",
            "plateau",
            "overfitting",
            "divergence",
            "loss_spike",
            "gradient_surge",
            "metric_disagreement",
        ],
    ),
    (
        "divergence",
        &[
            "overfitting",
            "not_learning",
            "oscillation",
            "loss_spike",
            "gradient_surge",
            "exploding_gradient",
            "unstable_layer",
            "generalisation_gap",
            "metric_disagreement",
            "plateau",
            "resume",
            "class_collapse",
            "dead_units",
            "saturated_units",
        ],
    ),
    ("oscillation", &["loss_spike", "gradient_surge", "plateau", "divergence"]),
    (
        "loss_spike",
        &[
            "gradient_surge",
            "oscillation",
            "plateau",
            "generalisation_gap",
            "dead_units",
            "saturated_units",
            "exploding_gradient",
        ],
    ),
    ("overfitting", &["generalisation_gap", "plateau", "metric_disagreement"]),
    (
        "not_learning",
        &[
            "plateau",
            "slow_convergence",
            "validation",
            "class_collapse",
            "class_confusion",
            "class_imbalance",
        ],
    ),
    ("class_imbalance", &["class_confusion"]),
    ("plateau", &["validation"]),
    ("loss_scale", &["validation", "plateau", "not_learning"]),
    ("stalled", &["throughput_drop"]),
];

/// For each alert of one run the alert that explains it.
///
/// An alert explains another of a lesser rule when its condition began no later than shortly after the other
/// opened (5 % of the way into the run: a loss blows up before it turns NaN), and while the other is not over. What is
/// only worth a look explains no alarm.
/// Several alerts of one rule that overlap (train and validation loss, fifty layers) are one fault: the one
/// whose condition began first explains the others.
pub fn causes(alerts: &[&Alert]) -> Vec<(u64, Option<u64>)> {
    alerts.iter().map(|alert| (alert.id, cause_of(alert, alerts))).collect()
}

fn cause_of(alert: &Alert, all: &[&Alert]) -> Option<u64> {
    let greater = all.iter().filter(|a| explains(a, alert) && in_time(a, alert)).min_by_key(|a| rank(a));
    if let Some(cause) = greater {
        return Some(root(cause, all));
    }
    let twin = root_of_twins(alert, all);
    (twin != alert.id).then_some(twin)
}

/// Follows a cause to an alert that is itself not explained by another rule's.
fn root(alert: &Alert, all: &[&Alert]) -> u64 {
    let greater = all.iter().filter(|a| explains(a, alert) && in_time(a, alert)).min_by_key(|a| rank(a));
    greater.map_or_else(|| root_of_twins(alert, all), |cause| root_of_twins(cause, all))
}

fn root_of_twins(alert: &Alert, all: &[&Alert]) -> u64 {
    all.iter()
        .filter(|a| a.rule == alert.rule && a.severity >= Severity::Warn.min(alert.severity))
        .filter(|a| a.id == alert.id || (first_of_twins(a) < first_of_twins(alert) && in_time(a, alert)))
        .min_by_key(|a| first_of_twins(a))
        .map_or(alert.id, |a| a.id)
}

/// How twins are told apart.
type Rank = (Order, Reverse<Severity>, Option<i64>, u64);

/// See [`order`].
type Order = (i64, u8, usize, usize, String);

/// The earliest, of equals the worst.
fn first_of_twins(alert: &Alert) -> Rank {
    (order(alert), Reverse(alert.severity), alert.step, alert.id)
}

fn explains(cause: &Alert, effect: &Alert) -> bool {
    let listed = |cause: &Alert, effect: &Alert| {
        EXPLAINS.iter().any(|(rule, effects)| *rule == cause.rule && effects.contains(&effect.rule))
    };
    if cause.severity < Severity::Warn.min(effect.severity) || !listed(cause, effect) {
        return false;
    }
    if !listed(effect, cause) {
        return true;
    }
    // Where either may cause the other, the one that stands higher in the table did, unless the other began clearly
    // before it.
    let (mine, theirs) = (begun(cause), begun(effect));
    let clearly = slack(mine.max(theirs), cause.layer.is_some() || effect.layer.is_some());
    if place(cause) < place(effect) {
        mine <= theirs.saturating_add(clearly)
    } else {
        mine.saturating_add(clearly) < theirs
    }
}

fn begun(alert: &Alert) -> i64 {
    alert.since_step.or(alert.step).unwrap_or(i64::MIN)
}

fn place(alert: &Alert) -> usize {
    EXPLAINS.iter().position(|(rule, _)| *rule == alert.rule).unwrap_or(EXPLAINS.len())
}

/// Steps by which two beginnings may differ and still be one: 5 % of the way, three times that for layers, which are
/// seldom logged at each step.
fn slack(step: i64, of_layer: bool) -> i64 {
    step.checked_abs().unwrap_or(i64::MAX) / if of_layer { 6 } else { 20 }
}

/// Of several causes the one that stands highest in the table, then the earliest.
fn rank(alert: &Alert) -> (usize, Order) {
    (place(alert), order(alert))
}

/// The cause had begun when the effect opened, give or take, and was not over before it.
fn in_time(cause: &Alert, effect: &Alert) -> bool {
    let (Some(since), Some(opened)) = (cause.since_step.or(cause.step), effect.step) else { return true };
    let slack = slack(opened, cause.layer.is_some());
    let begun = since <= opened.saturating_add(slack);
    let lasted = cause
        .closed_step
        .is_none_or(|closed| closed.saturating_add(slack) >= effect.since_step.unwrap_or(opened));
    let awaited = effect.closed_step.is_none_or(|closed| closed.saturating_add(slack) >= since);
    begun && lasted && awaited
}

/// First by where the condition began, then by [`stage`], layers in the order of the network (NaN runs forward through
/// it within a step), then by name: independent of the order in which files were read.
fn order(alert: &Alert) -> Order {
    let since = alert.since_step.or(alert.step).unwrap_or(i64::MIN);
    let place = alert.place();
    let depth = alert.depth.unwrap_or(usize::MAX);
    (since, stage(alert), plainness(&place), depth, place)
}

/// Whole series before layers, which are many; but within a step a NaN is in the activations before it is in the loss,
/// in the gradients and then in the weights.
fn stage(alert: &Alert) -> u8 {
    match (&alert.layer, alert.kind) {
        (Some(_), Some(LayerKind::Activations)) if alert.rule == "nan" => 0,
        (None, _) => 1,
        _ => 2,
    }
}

/// `loss` and `train/loss` before `grad_norm` before `val/loss` and the rest.
fn plainness(place: &str) -> usize {
    let place = place.to_lowercase();
    let val = place.contains("val") || place.contains("test");
    match (place.contains("loss"), place.contains("grad"), val) {
        (true, _, false) => 0,
        (_, true, _) => 1,
        (true, _, true) => 2,
        _ => 3,
    }
}
