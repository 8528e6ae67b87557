//! Words that the general reader knows. All are found in one table: every word of every line is looked up.

use std::sync::LazyLock;

use crate::formats::wire::words::Words;

/// What the name of a counter counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counter {
    /// Steps; a smaller rank is better where a line has several.
    Step(u8),
    /// Something that begins anew in every epoch where the line has one.
    Batch,
    /// Epochs.
    Epoch,
}

/// What is known of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Word {
    /// What it counts.
    pub counter: Option<Counter>,
    /// The split that it names, in the spelling of a context.
    pub split: Option<&'static str>,
    /// It may stand before the last word of a name: `learning rate`, `Avg Loss`, `top 1 acc`.
    pub qualifies: bool,
    /// Its numbers say nothing of training.
    pub idle: bool,
}

/// What is known of `word`. Capitals do not matter.
#[inline]
pub(super) fn look_up(word: &str) -> Word {
    TABLE.get_any_case(word).copied().unwrap_or_default()
}

static TABLE: LazyLock<Words<Word>> = LazyLock::new(|| {
    let mut table = Words::<Word>::default();
    for (name, rank) in STEPS {
        table.entry(name).counter = Some(Counter::Step(*rank));
    }
    for name in EPOCHS {
        table.entry(name).counter = Some(Counter::Epoch);
    }
    for name in BATCHES {
        table.entry(name).counter = Some(Counter::Batch);
    }
    for name in SPLITS {
        let word = table.entry(name);
        (word.split, word.qualifies) = (Some(*name), true);
    }
    for name in QUALIFIERS {
        table.entry(name).qualifies = true;
    }
    for name in IDLE {
        table.entry(name).idle = true;
    }
    table
});

const EPOCHS: &[&str] = &["epoch", "ep"];
const BATCHES: &[&str] = &["batch", "minibatch", "batch_idx"];
const STEPS: &[(&str, u8)] = &[
    ("global_step", 0),
    ("global-step", 0),
    ("globalstep", 0),
    ("num_updates", 1),
    ("step", 2),
    ("train_step", 2),
    ("iteration", 3),
    ("iter", 3),
    ("itr", 3),
    ("it", 3),
    ("update", 4),
    ("episode", 5),
    ("round", 5),
    ("timestep", 5),
    ("timesteps", 5),
    ("total_timesteps", 5),
];
const SPLITS: &[&str] = &[
    "train",
    "training",
    "val",
    "valid",
    "validation",
    "validating",
    "eval",
    "evaluation",
    "test",
    "testing",
    "dev",
];
const QUALIFIERS: &[&str] = &[
    "avg",
    "average",
    "mean",
    "best",
    "running",
    "total",
    "learning",
    "grad",
    "gradient",
    "lm",
    "cls",
    "reg",
    "box",
    "policy",
    "value",
    "actor",
    "critic",
    "kl",
    "weight",
    "smoothed",
    "generator",
    "discriminator",
    "gen",
    "disc",
    "g",
    "d",
    "mask",
    "aux",
    "word",
    "token",
    "balanced",
    "top1",
    "top5",
    "classification",
    "regression",
    "loss",
    "acc",
    "accuracy",
    "f1",
    "macro",
    "micro",
    "mlm",
    "nsp",
    "ema",
    "moving",
    "final",
    "current",
    "batch",
    "test",
    "entropy",
    "cross",
    "per",
    "samples",
    "tokens",
    "images",
    "sec",
    "second",
];
const IDLE: &[&str] = &[
    "pid",
    "ppid",
    "v_num",
    "rank",
    "local_rank",
    "world_size",
    "seed",
    "port",
    "line",
    "version",
    "eta",
    "gpu",
    "node",
    "http",
    "https",
    "job",
    "id",
    "job_id",
    "device",
    "cuda",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_fits_into_the_table_and_capitals_do_not_matter() {
        let steps = STEPS.iter().map(|(name, _)| name);
        for word in steps.chain([EPOCHS, BATCHES, SPLITS, QUALIFIERS, IDLE].into_iter().flatten()) {
            assert_ne!(look_up(word), Word::default(), "{word}");
        }
        assert_eq!(look_up("Total_Timesteps").counter, Some(Counter::Step(5)));
        assert_eq!(look_up("EPOCH").counter, Some(Counter::Epoch));
        assert_eq!(look_up("Val").split, Some("val"));
        assert!(look_up("batch").qualifies && look_up("val").qualifies && look_up("v_num").idle);
        assert_eq!(look_up("a word that nobody knows"), Word::default());
    }
}
