//! The rules, one file each.

mod divergence;
mod nan;
mod not_learning;
mod overfitting;
mod stalled;

use super::DetectorSpec;

/// Everything that is detected, in the order of the rule table in docs/DETECTION.md.
pub static DETECTORS: &[&DetectorSpec] =
    &[&nan::SPEC, &divergence::SPEC, &overfitting::SPEC, &not_learning::SPEC, &stalled::SPEC];
