//! `poor_initialisation`: how the network looks before it has learnt anything, and what its first losses are.

mod first_loss;
mod network;

use crate::detect::{DetectorSpec, Scope, Severity, Threshold};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "poor_initialisation",
    summary: "the network does not begin as one that was initialised well",
    advice: "Initialise by fan-in (He for ReLU, Xavier for tanh), break symmetry, and begin the last layer small.",
    clears: "the activations of all layers are within a factor of 5, or the loss falls",
    traps: "pre-trained weights, residual streams that grow with depth, regression on targets that are not normalised",
    thresholds: &[
        Threshold::new(
            network::SPREAD,
            "largest over smallest deviation of the activations of like layers, ordered by depth",
        ),
        Threshold::new(network::ORDER, "rank correlation of that with depth"),
        Threshold::new(0.0, "standard deviation of a weight matrix"),
        Threshold::new(
            first_loss::ABOVE,
            "times the median of points 10 to 50 at the first point, falling at once and flat after",
        ),
        Threshold::new(first_loss::GUESSING, "times ln C at the first point, where C is known"),
    ],
    scopes: &[
        Scope::Network { build: network::build },
        Scope::Series { judges: first_loss::judges, build: first_loss::build },
    ],
};

/// The worst that it may say until it has shown on labelled runs that it deserves more.
const EARNED: Severity = Severity::Warn;
