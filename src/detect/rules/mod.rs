//! The rules, one file each.

mod class_collapse;
mod class_confusion;
mod class_imbalance;
mod dead_units;
mod divergence;
mod exploding_gradient;
mod exploding_norm;
mod frozen_layer;
mod generalisation_gap;
mod gradient_surge;
mod learning_rate;
mod loss_scale;
mod loss_spike;
mod memory;
mod metric_disagreement;
mod nan;
mod not_learning;
mod oscillation;
mod overfitting;
mod plateau;
mod poor_initialisation;
mod resume;
mod rl_gan;
mod saturated_units;
mod slow_convergence;
mod stalled;
mod subgroup_gap;
mod throughput_drop;
mod unstable_layer;
mod validation;
mod vanishing_gradient;

use super::DetectorSpec;

/// Everything that is detected, in the order of the rule table in docs/DETECTION.md.
pub static DETECTORS: &[&DetectorSpec] = &[
    &nan::SPEC,
    &divergence::SPEC,
    &loss_spike::SPEC,
    &gradient_surge::SPEC,
    &exploding_gradient::SPEC,
    &learning_rate::SPEC,
    &overfitting::SPEC,
    &generalisation_gap::SPEC,
    &metric_disagreement::SPEC,
    &not_learning::SPEC,
    &plateau::SPEC,
    &slow_convergence::SPEC,
    &oscillation::SPEC,
    &poor_initialisation::SPEC,
    &vanishing_gradient::SPEC,
    &dead_units::SPEC,
    &saturated_units::SPEC,
    &frozen_layer::SPEC,
    &unstable_layer::SPEC,
    &class_collapse::SPEC,
    &class_confusion::SPEC,
    &class_imbalance::SPEC,
    &subgroup_gap::SPEC,
    &stalled::SPEC,
    &throughput_drop::SPEC,
    &memory::SPEC,
    &loss_scale::SPEC,
    &validation::SPEC,
    &resume::SPEC,
    &rl_gan::SPEC,
];
