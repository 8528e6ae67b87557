//! The rules, one file each.

mod class_collapse;
mod class_confusion;
mod class_imbalance;
mod dead_units;
mod divergence;
mod exploding_gradient;
mod frozen_layer;
mod nan;
mod not_learning;
mod overfitting;
mod poor_initialisation;
mod saturated_units;
mod stalled;
mod subgroup_gap;
mod unstable_layer;
mod vanishing_gradient;

use super::DetectorSpec;

/// Everything that is detected, in the order of the rule table in docs/DETECTION.md.
pub static DETECTORS: &[&DetectorSpec] = &[
    &nan::SPEC,
    &divergence::SPEC,
    &overfitting::SPEC,
    &not_learning::SPEC,
    &stalled::SPEC,
    &class_collapse::SPEC,
    &class_confusion::SPEC,
    &class_imbalance::SPEC,
    &dead_units::SPEC,
    &exploding_gradient::SPEC,
    &frozen_layer::SPEC,
    &poor_initialisation::SPEC,
    &saturated_units::SPEC,
    &subgroup_gap::SPEC,
    &unstable_layer::SPEC,
    &vanishing_gradient::SPEC,
];
