//! Which layer a histogram's tag speaks of, and when two names are those of one layer.

use std::borrow::Cow;

use super::LayerKind;
use crate::model::{LayerName, Tag};

/// What wrappers put into the names of parameters: `torch.compile`, FSDP, activation checkpointing.
const WRAPPERS: &[&str] = &["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."];

/// The spelling under which names of one layer are found again: `.` between parts whatever the writer used, without
/// what `DistributedDataParallel` (`module.` at the start), `torch.compile`, FSDP and TensorFlow (`:0`) add.
///
/// `conv1` and `conv1.weight` stay apart: a module is not one of its parameters.
pub fn same_layer(name: &str) -> Cow<'_, str> {
    let plain = !name.contains(['/', ':']) && !name.starts_with("module.") && !name.contains("_mod");
    if plain {
        return Cow::Borrowed(name);
    }
    let mut text = name.replace('/', ".");
    for wrapper in WRAPPERS {
        text = text.replace(wrapper, "");
    }
    let bare = text.strip_suffix(":0").unwrap_or(&text);
    let bare = bare.strip_prefix("module.").unwrap_or(bare);
    Cow::Owned(if bare.is_empty() { name.to_owned() } else { bare.to_owned() })
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

pub(super) fn kind_word(word: &str) -> Option<LayerKind> {
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
    fn one_layer_is_found_under_all_its_spellings() {
        for name in [
            "layers.3.weight",
            "layers/3/weight",
            "module.layers.3.weight",
            "_orig_mod.layers.3.weight",
            "module._orig_mod.layers.3.weight",
            "layers.3._fsdp_wrapped_module.weight",
            "layers/3/weight:0",
        ] {
            assert_eq!(same_layer(name), "layers.3.weight", "{name}");
        }
        assert_ne!(same_layer("conv1"), same_layer("conv1.weight"));
        assert_eq!(same_layer("module."), "module.");
        assert_eq!(same_layer("my_module.fc"), "my_module.fc");
    }

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
