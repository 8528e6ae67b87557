//! Statistics and histograms of layers, and how tags of histograms and scalars name a layer.

mod scalar;
mod subject;

use std::{fmt, sync::Arc};

pub use scalar::{LayerScalar, Statistic};
pub use subject::{LayerSubject, same_layer};

use super::{LayerName, Step, WallTime};

/// Which of a layer's tensors a number speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum LayerKind {
    /// Parameters.
    Weights,
    /// Gradients of the loss with respect to the parameters.
    Gradients,
    /// Outputs.
    Activations,
    /// The change of the parameters in a step.
    Updates,
    /// Optimiser state.
    Moments,
    /// A histogram whose tag names no kind.
    Other,
}

impl LayerKind {
    /// The plural noun used in JSON and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Gradients => "gradients",
            Self::Activations => "activations",
            Self::Updates => "updates",
            Self::Moments => "moments",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Statistics over the elements of one tensor. Every field is optional: logs differ in what they write.
///
/// Statistics are over the finite elements; `nan` and `inf` count the others.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct LayerStats {
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation.
    pub std: Option<f64>,
    /// Smallest element.
    pub min: Option<f64>,
    /// Largest element.
    pub max: Option<f64>,
    /// Mean of the absolute values.
    pub absmean: Option<f64>,
    /// Euclidean norm.
    pub norm: Option<f64>,
    /// How many elements.
    pub numel: Option<f64>,
    /// Share of elements that are exactly zero, 0…1.
    pub zero: Option<f64>,
    /// How many elements are NaN.
    pub nan: Option<f64>,
    /// How many elements are ±infinite.
    pub inf: Option<f64>,
    /// Euclidean norm of the last update.
    pub update_norm: Option<f64>,
    /// Euclidean distance from the initial values.
    pub dist_init: Option<f64>,
    /// Share of units never active in the window, 0…1.
    pub dead: Option<f64>,
    /// Share of saturated units, 0…1.
    pub saturated: Option<f64>,
    /// Share of units active for (nearly) every input of the window, 0…1.
    pub always_on: Option<f64>,
    /// Share of units that respond as another unit of the layer does, 0…1.
    pub duplicate: Option<f64>,
    /// Mean share of active units, 0…1.
    pub density: Option<f64>,
    /// `WeightWatcher`'s power-law exponent.
    pub alpha: Option<f64>,
    /// Stable rank.
    pub stable_rank: Option<f64>,
    /// Generalised discrimination value.
    pub gdv: Option<f64>,
    /// Mean over the units of η², the share of a unit's variance that classes explain, 0…1.
    pub eta2: Option<f64>,
    /// The trainer says that this layer is not being trained.
    pub frozen: Option<bool>,
}

impl LayerStats {
    /// These numbers, and those of `other` where they say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            mean: self.mean.or(other.mean),
            std: self.std.or(other.std),
            min: self.min.or(other.min),
            max: self.max.or(other.max),
            absmean: self.absmean.or(other.absmean),
            norm: self.norm.or(other.norm),
            numel: self.numel.or(other.numel),
            zero: self.zero.or(other.zero),
            nan: self.nan.or(other.nan),
            inf: self.inf.or(other.inf),
            update_norm: self.update_norm.or(other.update_norm),
            dist_init: self.dist_init.or(other.dist_init),
            dead: self.dead.or(other.dead),
            saturated: self.saturated.or(other.saturated),
            always_on: self.always_on.or(other.always_on),
            duplicate: self.duplicate.or(other.duplicate),
            density: self.density.or(other.density),
            alpha: self.alpha.or(other.alpha),
            stable_rank: self.stable_rank.or(other.stable_rank),
            gdv: self.gdv.or(other.gdv),
            eta2: self.eta2.or(other.eta2),
            frozen: self.frozen.or(other.frozen),
        }
    }
}

/// Statistics of one tensor of one layer at one step.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerRecord {
    /// The layer.
    pub layer: LayerName,
    /// Which of its tensors.
    pub kind: LayerKind,
    /// The trainer's counter.
    pub step: Step,
    /// When.
    pub wall: WallTime,
    /// On which data activations were looked at (`val`); empty where the log does not say, as for parameters.
    pub split: Arc<str>,
    /// The numbers.
    pub stats: LayerStats,
}

impl LayerRecord {
    /// Whether it speaks of other data than what the network is trained on.
    pub fn is_of_other_data(&self) -> bool {
        !matches!(&*self.split, "" | "train")
    }
}

/// A histogram at one step. `edges` has one more element than `counts`; edges do not decrease.
///
/// A histogram of constant data has equal edges. An empty one has no counts or only zeros.
#[derive(Clone, PartialEq, Debug)]
pub struct HistogramRecord {
    /// The layer.
    pub layer: LayerName,
    /// Which of its tensors.
    pub kind: LayerKind,
    /// The trainer's counter.
    pub step: Step,
    /// When.
    pub wall: WallTime,
    /// Bucket bounds, finite, ascending.
    pub edges: Arc<[f64]>,
    /// Elements in each bucket, finite, not negative.
    pub counts: Arc<[f64]>,
    /// What is known of the whole: exact where the writer says it, from the buckets otherwise.
    pub stats: LayerStats,
}
