//! How the tag of a scalar names a layer, one of its tensors, and a statistic over its elements.

use super::{LayerKind, LayerStats, subject::kind_word};
use crate::model::{LayerName, LayerSubject, Tag};

/// Which number of [`LayerStats`] a scalar is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Statistic {
    /// Mean.
    Mean,
    /// Standard deviation.
    Std,
    /// Smallest element.
    Min,
    /// Largest element.
    Max,
    /// Mean of the absolute values.
    AbsMean,
    /// Euclidean norm.
    Norm,
    /// Share of zeros.
    Zero,
    /// How many NaN.
    Nan,
    /// How many infinite.
    Inf,
    /// Share of dead units.
    Dead,
    /// Share of saturated units.
    Saturated,
}

impl Statistic {
    /// Statistics in which nothing but this is known.
    pub fn alone(self, value: f64) -> LayerStats {
        let mut stats = LayerStats::default();
        let place = match self {
            Self::Mean => &mut stats.mean,
            Self::Std => &mut stats.std,
            Self::Min => &mut stats.min,
            Self::Max => &mut stats.max,
            Self::AbsMean => &mut stats.absmean,
            Self::Norm => &mut stats.norm,
            Self::Zero => &mut stats.zero,
            Self::Nan => &mut stats.nan,
            Self::Inf => &mut stats.inf,
            Self::Dead => &mut stats.dead,
            Self::Saturated => &mut stats.saturated,
        };
        *place = Some(value);
        stats
    }

    fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "norm" | "norms" | "l2" | "l2_norm" | "l2norm" | "2_norm" | "2.0_norm" => Self::Norm,
            "mean" | "avg" | "average" => Self::Mean,
            "std" | "stddev" => Self::Std,
            "min" => Self::Min,
            "max" => Self::Max,
            "absmean" | "abs_mean" | "mean_abs" => Self::AbsMean,
            "zero" | "zeros" | "zero_frac" | "zero_fraction" | "sparsity" => Self::Zero,
            "nan" | "nans" | "nan_count" | "num_nan" => Self::Nan,
            "inf" | "infs" | "inf_count" | "num_inf" => Self::Inf,
            "dead" | "dead_frac" | "dead_fraction" => Self::Dead,
            "saturated" | "saturation" => Self::Saturated,
            _ => return None,
        })
    }
}

/// Words before the part that matters: sections of a dashboard, and the split that layers are looked at in.
const SECTIONS: &[&str] = &[
    "train",
    "training",
    "trainer",
    "debug",
    "metrics",
    "stats",
    "statistics",
    "diagnostics",
    "monitor",
    "optim",
    "optimizer",
    "opt",
    "model",
    "telemetry",
    "norms",
    "layer_norms",
    "scalars",
    "health",
    "loss",
];

/// What stands in the place of a layer's name and is the whole network, a part of the data, or a moment.
const NO_LAYERS: &[&str] = &[
    "total",
    "global",
    "all",
    "sum",
    "overall",
    "mean",
    "avg",
    "average",
    "max",
    "min",
    "norm",
    "clipped",
    "unclipped",
    "pre_clip",
    "post_clip",
    "before_clip",
    "after_clip",
    "before",
    "after",
    "raw",
    "step",
    "epoch",
    "batch",
    "val",
    "valid",
    "validation",
    "eval",
    "test",
    "full_model",
];

/// Which statistic of which tensor of which layer a scalar is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LayerScalar {
    /// The layer.
    pub layer: LayerName,
    /// Which of its tensors.
    pub kind: LayerKind,
    /// Which number over its elements.
    pub statistic: Statistic,
}

impl LayerSubject {
    /// Splits the tag of a scalar as writers of per-layer statistics make it: `grad_norm/fc1`, `grad_2.0_norm/fc1.weight`
    /// (Lightning), `l2_norm/grad/fc1.weight` (Composer), `gradients/fc1/norm`, `params/norm/fc1`,
    /// `train/grad_norm/layers.3`, `layer.0.weight_norm`, `fc1/grad_norm`, `fc1/weights/std`.
    ///
    /// `None` for everything else, also where the tag does not say which statistic it is. Whether a name is that of a
    /// layer cannot always be told from one tag: the caller waits for a second one.
    pub fn of_scalar(tag: &Tag) -> Option<LayerScalar> {
        // Nearly all tags end here: without one of these words they name no statistic of a tensor.
        let text = tag.as_str();
        if ![
            "norm", "std", "mean", "avg", "average", "min", "max", "zero", "nan", "inf", "dead", "l2",
            "spars", "satur",
        ]
        .iter()
        .any(|word| text.contains(word))
        {
            return None;
        }
        let mut parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        while parts.len() > 1 && parts.first().is_some_and(|part| is_one_of(SECTIONS, part)) {
            parts.remove(0);
        }
        let (layer, kind, statistic) = in_front(&parts).or_else(|| behind(&parts))?;
        let layer = layer.trim_matches(['.', '/']);
        let last = layer.rsplit('/').next().unwrap_or_default();
        let whole_network = layer.starts_with("full_model") || is_one_of(NO_LAYERS, last);
        if layer.is_empty() || whole_network || is_one_of(SECTIONS, layer) {
            return None;
        }
        Some(LayerScalar { layer: LayerName::new(layer), kind, statistic })
    }
}

/// `grad_norm/fc1`, `params/norm/fc1`, `l2_norm/grad/fc1`, `gradients/fc1/norm`.
fn in_front(parts: &[&str]) -> Option<(String, LayerKind, Statistic)> {
    let [first, rest @ ..] = parts else { return None };
    if let (Some((kind, statistic)), false) = (joint(first), rest.is_empty()) {
        return Some((rest.join("/"), kind, statistic));
    }
    let [second, layer @ ..] = rest else { return None };
    for (kind, statistic) in [(first, second), (second, first)] {
        if let (Some(kind), Some(statistic), false) = (tensor(kind), word(statistic), layer.is_empty()) {
            return Some((layer.join("/"), kind, statistic));
        }
    }
    let [layer @ .., last] = rest else { return None };
    match (tensor(first), word(last)) {
        (Some(kind), Some(statistic)) if !layer.is_empty() => Some((layer.join("/"), kind, statistic)),
        _ => None,
    }
}

/// `fc1/grad_norm`, `fc1/weights/std`, `layer.0.weight_norm`.
fn behind(parts: &[&str]) -> Option<(String, LayerKind, Statistic)> {
    if let [layer @ .., kind, last] = parts
        && let (Some(kind), Some(statistic), false) = (tensor(kind), word(last), layer.is_empty())
    {
        return Some((layer.join("/"), kind, statistic));
    }
    let [layer @ .., last] = parts else { return None };
    if let (Some((kind, statistic)), false) = (joint(last), layer.is_empty()) {
        return Some((layer.join("/"), kind, statistic));
    }
    let (stem, end) = last.rsplit_once('.')?;
    let (kind, statistic) = joint(end)?;
    let mut name = layer.join("/");
    if !name.is_empty() {
        name.push('/');
    }
    Some((name + stem, kind, statistic))
}

/// Kind and statistic in one word: `grad_norm`, `weight_std`, `grad_2.0_norm`.
fn joint(text: &str) -> Option<(LayerKind, Statistic)> {
    let text = text.to_ascii_lowercase();
    text.match_indices('_').find_map(|(at, _)| {
        let (kind, statistic) = (text.get(..at)?, text.get(at + 1..)?);
        Some((tensor(kind)?, Statistic::of_word(statistic)?))
    })
}

fn tensor(text: &str) -> Option<LayerKind> {
    kind_word(text).or_else(|| text.eq_ignore_ascii_case("weight").then_some(LayerKind::Weights))
}

fn word(text: &str) -> Option<Statistic> {
    Statistic::of_word(&text.to_ascii_lowercase())
}

fn is_one_of(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_real_writers_name_layer_tensor_and_statistic() {
        use LayerKind::{Activations, Gradients, Moments, Updates, Weights};
        use Statistic::{Dead, Max, Mean, Norm, Std, Zero};
        for (tag, layer, kind, statistic) in [
            ("grad_norm/layer", "layer", Gradients, Norm),
            ("grad_norm/blocks.3.attn.weight", "blocks.3.attn.weight", Gradients, Norm),
            ("grad_2.0_norm/fc1.weight", "fc1.weight", Gradients, Norm),
            ("gradients/fc1.weight/norm", "fc1.weight", Gradients, Norm),
            ("l2_norm/grad/model.wte.weight", "model.wte.weight", Gradients, Norm),
            ("l2_norm/param/model.wte.weight", "model.wte.weight", Weights, Norm),
            ("l2_norm/moment/model.wte.weight", "model.wte.weight", Moments, Norm),
            ("l2_norm/update/model.wte.weight", "model.wte.weight", Updates, Norm),
            ("activations/average/conv1_output", "conv1_output", Activations, Mean),
            ("train/grad_norm/layers.3", "layers.3", Gradients, Norm),
            ("weights/dense/kernel/std", "dense/kernel", Weights, Std),
            ("params/norm/fc1", "fc1", Weights, Norm),
            ("layer.0.weight_norm", "layer.0", Weights, Norm),
            ("fc1.weight.grad_norm", "fc1.weight", Gradients, Norm),
            ("fc1/grad_norm", "fc1", Gradients, Norm),
            ("fc1/weights/std", "fc1", Weights, Std),
            ("activations/relu1/zero", "relu1", Activations, Zero),
            ("activations/relu1/dead", "relu1", Activations, Dead),
            ("activations/relu1/max", "relu1", Activations, Max),
            ("debug/weight_std/fc1", "fc1", Weights, Std),
        ] {
            let found = LayerSubject::of_scalar(&Tag::from(tag));
            let found = found.as_ref().map(|f| (f.layer.as_str(), f.kind, f.statistic));
            assert_eq!(found, Some((layer, kind, statistic)), "{tag}");
        }
    }

    #[test]
    fn the_whole_network_and_other_scalars_are_no_layers() {
        for tag in [
            "grad_norm",
            "train/grad_norm",
            "grad_norm/total",
            "l2_norm/grad/global",
            "grad_2.0_norm_total",
            "grad_norm/all",
            "loss/grad_norm",
            "optimizer/grad_norm",
            "loss",
            "train/loss",
            "val/acc_mean",
            "reward/max",
            "grad_inf_norm/fc1",
            "gradients/fc1",
            "gradients/max",
            "norm/fc1",
            "epoch_mean",
            "activations/l2_norm/full_model_input",
            "params-norm",
            "l2_norm/second_moment_sqrt/fc1",
            "",
            "/",
            "eval/weight_norm",
        ] {
            assert_eq!(LayerSubject::of_scalar(&Tag::from(tag)), None, "{tag}");
        }
    }
}
