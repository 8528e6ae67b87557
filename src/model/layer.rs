//! Statistics and histograms of layers, and how a tag names a layer.

use std::{fmt, sync::Arc};

use super::{LayerName, Step, Tag, WallTime};

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
    /// Mean share of active units, 0…1.
    pub density: Option<f64>,
    /// `WeightWatcher`'s power-law exponent.
    pub alpha: Option<f64>,
    /// Stable rank.
    pub stable_rank: Option<f64>,
    /// Generalised discrimination value.
    pub gdv: Option<f64>,
    /// The trainer says that this layer is not being trained.
    pub frozen: Option<bool>,
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
    /// The numbers.
    pub stats: LayerStats,
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

/// Which layer and tensor a histogram's tag speaks of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LayerSubject {
    /// The layer.
    pub layer: LayerName,
    /// Which of its tensors.
    pub kind: LayerKind,
}

impl LayerSubject {
    /// Splits a tag as frameworks write them: `weights/conv1.weight`, `grads/fc1`, `gradients/fc1`,
    /// `layers.3/weights`, `dense/kernel/histogram` (Keras), `params/a/b` (clu), `conv1.weight.grad`.
    ///
    /// A tag that names no kind is a layer of kind [`LayerKind::Other`].
    pub fn of_tag(tag: &Tag) -> Self {
        let parts: Vec<&str> = tag.as_str().split('/').filter(|p| !p.is_empty()).collect();
        let parts = match parts.as_slice() {
            [rest @ .., last] if !rest.is_empty() && last.eq_ignore_ascii_case("histogram") => rest,
            all => all,
        };
        let named = |kind, rest: &[&str]| Self { layer: LayerName::new(rest.join("/")), kind };
        if let [first, rest @ ..] = parts
            && !rest.is_empty()
            && let Some(kind) = kind_word(first)
        {
            return named(kind, rest);
        }
        if let [rest @ .., last] = parts
            && !rest.is_empty()
            && let Some(kind) = kind_word(last)
        {
            return named(kind, rest);
        }
        let whole = parts.join("/");
        for (suffix, kind) in [
            (".grad", LayerKind::Gradients),
            ("_grad", LayerKind::Gradients),
            (".act", LayerKind::Activations),
        ] {
            if let Some(stem) = whole.strip_suffix(suffix)
                && !stem.is_empty()
            {
                return Self { layer: LayerName::new(stem), kind };
            }
        }
        let leaf = whole.rsplit(['/', '.']).next().unwrap_or_default();
        let kind = match leaf {
            "weight" | "bias" | "kernel" | "gamma" | "beta" | "embeddings" | "scale" => LayerKind::Weights,
            _ => LayerKind::Other,
        };
        Self { layer: LayerName::new(whole), kind }
    }
}

fn kind_word(word: &str) -> Option<LayerKind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "weights" | "params" | "parameters" | "param" | "parameter" => LayerKind::Weights,
        "grads" | "grad" | "gradients" | "gradient" => LayerKind::Gradients,
        "activations" | "activation" | "acts" | "act" | "outputs" => LayerKind::Activations,
        "updates" | "update" => LayerKind::Updates,
        "moments" | "moment" => LayerKind::Moments,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_real_frameworks_name_layer_and_kind() {
        for (tag, layer, kind) in [
            ("weights/conv1.weight", "conv1.weight", LayerKind::Weights),
            ("grads/conv1.weight", "conv1.weight", LayerKind::Gradients),
            ("gradients/layers.0.fc", "layers.0.fc", LayerKind::Gradients),
            ("layers.3/weights", "layers.3", LayerKind::Weights),
            ("layers.3/gradients", "layers.3", LayerKind::Gradients),
            ("dense/kernel/histogram", "dense/kernel", LayerKind::Weights),
            ("params/a/b", "a/b", LayerKind::Weights),
            ("conv1.weight.grad", "conv1.weight", LayerKind::Gradients),
            ("logits", "logits", LayerKind::Other),
            ("weights", "weights", LayerKind::Other),
            ("/", "", LayerKind::Other),
        ] {
            let subject = LayerSubject::of_tag(&Tag::from(tag));
            assert_eq!((subject.layer.as_str(), subject.kind), (layer, kind), "{tag}");
        }
    }
}
