//! The seven measures of how much a layer changes, and how each is judged.

use super::{pools, scalar_rule};
use crate::model::LayerKind;

/// Which number says whether a layer is stable. In the order in which they are preferred.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Measure {
    /// L1: the perplexity histogram of the filters (`DeepEyes`).
    Perplexity,
    /// L2: the size of the update, relative to that of the weights.
    Update,
    /// L3: 1 − CKA to an earlier state.
    Cka,
    /// L4: 1 − SVCCA or PWCCA to an earlier state.
    Svcca,
    /// L5: Wasserstein-1 of consecutive histograms of such a tensor, relative to their inter-quartile range.
    Histogram(LayerKind),
    /// L6: the relative change of the gradient's norm from one interval to the next (`AutoFreeze`).
    Gradient,
    /// L7: the relative change of `WeightWatcher`'s α.
    Alpha,
}

/// Kinds of tensors whose histograms are looked at, the one that says most first: weights are what is learned;
/// gradients are mostly noise of the batch.
pub const HISTOGRAM_KINDS: [LayerKind; 4] =
    [LayerKind::Weights, LayerKind::Other, LayerKind::Activations, LayerKind::Gradients];

impl Measure {
    /// All of them, the best first.
    pub const ALL: [Self; 10] = [
        Self::Perplexity,
        Self::Update,
        Self::Cka,
        Self::Svcca,
        Self::Histogram(HISTOGRAM_KINDS[0]),
        Self::Histogram(HISTOGRAM_KINDS[1]),
        Self::Histogram(HISTOGRAM_KINDS[2]),
        Self::Histogram(HISTOGRAM_KINDS[3]),
        Self::Gradient,
        Self::Alpha,
    ];

    /// `L1` to `L7`; with the tensor behind it for L5: `L5w`, `L5a`, `L5g`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Perplexity => "L1",
            Self::Update => "L2",
            Self::Cka => "L3",
            Self::Svcca => "L4",
            Self::Histogram(LayerKind::Weights) => "L5w",
            Self::Histogram(LayerKind::Activations) => "L5a",
            Self::Histogram(LayerKind::Gradients) => "L5g",
            Self::Histogram(_) => "L5",
            Self::Gradient => "L6",
            Self::Alpha => "L7",
        }
    }

    /// What it compares, as a clause.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perplexity => "perplexity histograms",
            Self::Update => "update to weight ratio",
            Self::Cka => "CKA drift",
            Self::Svcca => "SVCCA drift",
            Self::Histogram(LayerKind::Weights) => "weight histograms",
            Self::Histogram(LayerKind::Activations) => "activation histograms",
            Self::Histogram(LayerKind::Gradients) => "gradient histograms",
            Self::Histogram(_) => "histograms",
            Self::Gradient => "gradient norm test",
            Self::Alpha => "drift of alpha",
        }
    }

    /// The threshold τ where it is the same for all layers. That of L2 is a layer's own.
    ///
    /// L3, L4: 0.01; L5: 0.02. L6 and L7 have none in the literature: 5 % and 2 % are this program's.
    pub fn tau(self) -> Option<f64> {
        match self {
            Self::Update => None,
            Self::Perplexity => Some(1.0),
            Self::Cka | Self::Svcca => Some(0.01),
            Self::Gradient => Some(0.05),
            Self::Histogram(_) | Self::Alpha => Some(0.02),
        }
    }

    /// In units of τ (for L1: of the noise floor): stable at most at the first, not stable any more above the second.
    pub fn limits(self) -> (f64, f64) {
        match self {
            Self::Perplexity => (pools::ENTER, pools::LEAVE),
            _ => (1.0, scalar_rule::LEAVE),
        }
    }

    /// Records of the log before it can say anything.
    pub fn needs(self) -> usize {
        match self {
            Self::Perplexity => pools::NEEDED,
            Self::Update => scalar_rule::WINDOW,
            Self::Gradient => 2 * GRADIENT_INTERVAL + scalar_rule::WINDOW - 1,
            _ => scalar_rule::WINDOW + 1,
        }
    }
}

/// Records of the gradient's norm that are one interval of L6.
pub const GRADIENT_INTERVAL: usize = 5;
/// The τ of L2 is this share of the median of the layer's own first epoch.
pub const UPDATE_SHARE: f64 = 0.05;
/// Records that stand for the first epoch: at least so many, and at most.
pub const FIRST_EPOCH: (usize, usize) = (scalar_rule::WINDOW, 20);
/// Records that do where the log does not say how long an epoch is.
pub const FIRST_RECORDS: usize = 10;
