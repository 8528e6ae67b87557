//! The rules, one file each.

mod divergence;
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
mod resume;
mod rl_gan;
mod stalled;
mod throughput_drop;
mod validation;

use super::DetectorSpec;

/// Everything that is detected, in the order of the rule table in docs/DETECTION.md.
pub static DETECTORS: &[&DetectorSpec] = &[
    &nan::SPEC,
    &divergence::SPEC,
    &loss_spike::SPEC,
    &gradient_surge::SPEC,
    &overfitting::SPEC,
    &generalisation_gap::SPEC,
    &metric_disagreement::SPEC,
    &not_learning::SPEC,
    &plateau::SPEC,
    &oscillation::SPEC,
    &learning_rate::SPEC,
    &stalled::SPEC,
    &throughput_drop::SPEC,
    &memory::SPEC,
    &loss_scale::SPEC,
    &validation::SPEC,
    &resume::SPEC,
    &rl_gan::SPEC,
];
