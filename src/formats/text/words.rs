//! Words that the general reader knows.

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

/// What `word` counts. Capitals do not matter.
pub(super) fn counter(word: &str) -> Option<Counter> {
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
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("epoch") || is("ep") {
        Some(Counter::Epoch)
    } else if is("batch") || is("minibatch") || is("batch_idx") {
        Some(Counter::Batch)
    } else {
        STEPS.iter().find(|(name, _)| is(name)).map(|(_, rank)| Counter::Step(*rank))
    }
}

/// The split that `word` names, in the spelling of a context.
pub(super) fn split(word: &str) -> Option<&'static str> {
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
    SPLITS.iter().find(|s| s.eq_ignore_ascii_case(word)).copied()
}

/// Whether `word` may stand before the last word of a name: `learning rate`, `Avg Loss`, `top 1 acc`.
pub(super) fn qualifies(word: &str) -> bool {
    const WORDS: &[&str] = &[
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
    split(word).is_some() || WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Names whose numbers say nothing of training.
pub(super) fn is_idle(word: &str) -> bool {
    const WORDS: &[&str] = &[
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
    WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}
