//! What part of a network a tensor is, by its name: a bias says nothing about depth, an unused expert is not dead.

/// Which part of a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// A matrix, a convolution, a block; whatever is none of the others.
    Matrix,
    /// A bias, or the scale and shift of a normalisation.
    Vector,
    /// Rows of which only some are used in a batch.
    Embedding,
    /// Not trained by the optimiser: running means, averages of weights.
    Buffer,
    /// A low-rank adapter, zero at the start by design.
    Adapter,
    /// An expert or a router: idle by design at times.
    Expert,
    /// Attention, softmax, gates of recurrent cells: their numbers lie at the ends of their range by design.
    Gate,
}

const VECTORS: &[&str] = &[
    "bias",
    "beta",
    "gamma",
    "norm",
    "bn",
    "batchnorm",
    "ln",
    "layernorm",
    "rmsnorm",
    "groupnorm",
    "scale",
    "layerscale",
    "ls",
    "gain",
    "logit_scale",
];
const BUFFERS: &[&str] = &["running", "num_batches", "ema", "swa", "moving", "buffer"];
const EMBEDDINGS: &[&str] = &["embed", "embedding", "embeddings", "embedder", "emb", "wte", "wpe", "lookup"];
const ADAPTERS: &[&str] = &["lora", "adapter", "adapters", "dora", "ia3"];
const EXPERTS: &[&str] = &["expert", "experts", "moe", "router"];
const GATES: &[&str] =
    &["attn", "attention", "softmax", "prob", "probs", "gate", "gates", "lstm", "gru", "mask", "dropout"];

impl Part {
    /// Reads a layer's name.
    pub fn of(name: &str) -> Self {
        let words = words(name);
        let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        if any(BUFFERS) {
            Self::Buffer
        } else if any(ADAPTERS) {
            Self::Adapter
        } else if any(VECTORS) {
            Self::Vector
        } else if any(EMBEDDINGS) {
            Self::Embedding
        } else if any(EXPERTS) {
            Self::Expert
        } else if any(GATES) {
            Self::Gate
        } else {
            Self::Matrix
        }
    }

    /// A tensor of the depth profile.
    pub fn has_depth(self) -> bool {
        matches!(self, Self::Matrix | Self::Gate)
    }
}

/// The words of a name in lower case, without the digits at their ends: `layer3.bn1.weight` has `layer`, `bn`, `weight`.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && small {
            words.push(String::new());
        }
        small = c.is_ascii_lowercase();
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
    }
    let bare = |word: &String| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    words.iter().map(bare).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_real_layers_are_parts() {
        for (name, part) in [
            ("fc1.weight", Part::Matrix),
            ("conv1", Part::Matrix),
            ("layers.3.mlp.down_proj.weight", Part::Matrix),
            ("fc1.bias", Part::Vector),
            ("layer1.0.bn1.weight", Part::Vector),
            ("model.layers.0.input_layernorm.weight", Part::Vector),
            ("blocks.0.LayerNorm.weight", Part::Vector),
            ("ln_f.weight", Part::Vector),
            ("dense/kernel", Part::Matrix),
            ("transformer.wte.weight", Part::Embedding),
            ("q_proj.lora_B.weight", Part::Adapter),
            ("bn1.running_mean", Part::Buffer),
            ("mlp.experts.3.w1", Part::Expert),
            ("blocks.2.attn.probs", Part::Gate),
        ] {
            assert_eq!(Part::of(name), part, "{name}");
        }
    }
}
