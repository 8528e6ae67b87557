//! What kind of quantity a tag names. Several-word rules come first: `loss_scale` is no loss.

use super::{
    direction::{DOWN, UP},
    normalise::Words,
};
use crate::model::Role;

const LOSS: &[&str] = &[
    "loss",
    "nll",
    "ce",
    "xent",
    "bce",
    "mse",
    "mae",
    "l1",
    "rmse",
    "rmsle",
    "msle",
    "cost",
    "objective",
    "criterion",
    "elbo",
    "logloss",
    "mlogloss",
    "crossentropy",
    "multiclass",
    "hinge",
    "huber",
    "poisson",
    "trl",
    "tel",
    "quantile",
];
const TIME: &[&str] = &[
    "time",
    "times",
    "sec",
    "secs",
    "second",
    "seconds",
    "ms",
    "elapsed",
    "duration",
    "runtime",
    "eta",
    "remaining",
    "passed",
    "uptime",
    "wall",
    "latency",
    "walltime",
    "timestamp",
    "took",
    "timing",
];
const CLOCK: &[&str] = &[
    "epoch",
    "epochs",
    "step",
    "steps",
    "iter",
    "iters",
    "iteration",
    "iterations",
    "timesteps",
    "updates",
    "samples",
    "tokens",
    "episodes",
    "examples",
    "batches",
    "progress",
    "percentage",
    "flos",
    "consumed",
    "restore",
    "synced",
];

/// The role of a tag and the reason for it.
pub fn role(words: &Words) -> (Role, &'static str) {
    if words.whole().is_empty() {
        return (Role::Unknown, "the tag has no words");
    }
    multi_word(words).or_else(|| machine(words)).or_else(|| objective(words)).unwrap_or_else(|| other(words))
}

/// Names whose parts would mislead.
fn multi_word(w: &Words) -> Option<(Role, &'static str)> {
    if matches!(w.first(), "config" | "hparams" | "args") {
        return Some((Role::Unknown, "a setting, not a measurement"));
    }
    if w.phrase(&["loss_scale", "lossscale", "grad_scale", "grad_scaler", "amp_scale", "scaler_scale"]) {
        return Some((Role::LossScale, "named as a mixed-precision loss scale"));
    }
    let grad_norm = [
        "grad_norm",
        "gnorm",
        "gradnorm",
        "gradient_norm",
        "gradients_norm",
        "l2_norm_grad",
        "norm_grad",
        "total_norm",
        "grad_2_norm",
        "grad_2_0_norm",
        "grad_inf_norm",
        "grad_l2",
        "norm_gradient",
        "global_norm",
        "grad_gnorm",
        "var_gnorm",
        "norm_avg_grad_norm",
    ];
    if w.phrase(&grad_norm) {
        return Some((Role::GradientNorm, "named as a norm of the gradient"));
    }
    if w.phrase(&["learning_rate", "learningrate", "lr"])
        || w.whole()
            .iter()
            .any(|p| p.len() > 2 && p.starts_with("pg") && p[2..].bytes().all(|b| b.is_ascii_digit()))
    {
        return Some((Role::LearningRate, "named as a learning rate"));
    }
    if w.phrase(&[
        "batch_size",
        "world_size",
        "seq_len",
        "seq_length",
        "sequence_length",
        "kl_weight",
        "clip_range",
    ]) || w.any(&[
        "bsz",
        "gbs",
        "batchsize",
        "seqlen",
        "seqlength",
        "kl_coef",
        "beta",
        "gamma",
        "ema_beta",
        "dropout",
    ]) || w.phrase(&[
        "exploration_rate",
        "ent_coef",
        "kl_coef",
        "momentum",
        "weight_decay",
        "epsilon",
        "temperature",
    ]) && !has_loss(w)
    {
        return Some((Role::Schedule, "named as a setting that follows a plan"));
    }
    if has_statistic(w) {
        return Some((Role::Optimiser, "named as an inner number of the update"));
    }
    None
}

fn has_statistic(w: &Words) -> bool {
    w.phrase(&[
        "num_zeros",
        "params_norm",
        "param_norm",
        "parameter_norm",
        "weight_norm",
        "l2_norm",
        "max_norm",
        "update_norm",
        "clip_fraction",
        "clipfrac",
        "clip_ratio",
        "clip_frac",
        "approx_kl",
        "old_approx_kl",
        "noise_scale",
        "nan_iterations",
        "skipped_iterations",
        "step_skipped",
        "skipped_train_samples",
        "max_attention_logit",
        "spikescore",
        "spike_score",
        "grad_clip",
        "policy_kl",
    ]) || w.any(&["logps", "logits", "zeros", "spikescore", "clipfrac", "eigenvalues"])
        || w.first() == "spike"
        || w.phrase(&["gbs", "clip"]) && !has_loss(w)
}

fn has_loss(w: &Words) -> bool {
    w.any(LOSS)
}

/// Time, speed and hardware, and counters.
fn machine(w: &Words) -> Option<(Role, &'static str)> {
    let speed = [
        "per_second",
        "per_sec",
        "per_s",
        "sps",
        "fps",
        "throughput",
        "tps",
        "wps",
        "ups",
        "mfu",
        "tflops",
        "tokens_per_second",
        "samples_per_second",
        "it_s",
        "steps_per_sec",
        "tokens_s",
        "tgs",
        "img_s",
        "qps",
    ];
    if w.phrase(&["data_loading"]) {
        return Some((Role::Time, "named as the share or time of loading data"));
    }
    // What passes over a disk or a network is no pace of the training.
    if w.first() == "system" && w.any(&["disk", "network"]) {
        return Some((Role::Hardware, "named as a reading of the machine"));
    }
    if w.phrase(&speed) || w.joined().contains("per_sec") || w.any(&["tflops", "throughput", "mfu"]) {
        return Some((Role::Throughput, "named as work per time"));
    }
    if w.any(&["memory", "mem", "vram", "rss", "gib", "mib", "allocated", "ooms", "swap"])
        || w.phrase(&["gb_free"])
    {
        return Some((Role::Memory, "named as memory"));
    }
    if has_loss(w) || w.any(&["acc", "accuracy"]) {
        return None;
    }
    if w.any(&["util", "utilization", "power", "temp", "energy", "cpu", "gpu", "fan", "disk", "network"]) {
        return Some((Role::Hardware, "named as a reading of the machine"));
    }
    let counts = w.any(&["num"]) && w.any(&["bg", "fg", "pos", "neg"]);
    let clock_word = CLOCK.contains(&w.last()) || w.last() == "total" && w.whole().len() <= 2;
    if clock_word && !w.phrase(&["time_this_iter", "time_since"]) && !counts && !w.any(&["ms", "sec"]) {
        return Some((Role::Clock, "named as a counter"));
    }
    let timers = [
        "forward_compute",
        "backward_compute",
        "forward_recv",
        "backward_send",
        "all_reduce",
        "batch_generator",
    ];
    if w.phrase(&timers) {
        return Some((Role::Time, "named as one of Megatron-LM's timers"));
    }
    if w.any(TIME) || w.phrase(&["step_avg"]) || matches!(w.joined(), "t" | "s_it") {
        return Some((Role::Time, "named as a duration or a moment"));
    }
    let counter = [
        "timesteps_total",
        "episodes_total",
        "timesteps_this_iter",
        "episodes_this_iter",
        "iterations_since_restore",
        "timesteps_since_restore",
        "num_steps_trained",
        "num_steps_sampled",
        "num_steps_replayed",
        "num_weight_syncs",
        "num_env_steps_sampled_lifetime",
        "env_steps",
        "total_steps",
        "max_steps",
        "num_tokens",
        "consumed_samples",
    ];
    w.phrase(&counter).then_some((Role::Clock, "named as a counter"))
}

/// Losses and metrics.
fn objective(w: &Words) -> Option<(Role, &'static str)> {
    let cross = w.phrase(&["cross_entropy", "crossentropy"]) || w.joined().contains("crossentropy");
    if !cross && w.any(&["entropy"]) {
        return Some((Role::Entropy, "named as an entropy"));
    }
    if has_loss(w) || cross {
        if w.phrase(&[
            "load_balancing",
            "z_loss",
            "zloss",
            "aux_loss",
            "aux",
            "lb_loss",
            "router",
            "reg_loss",
            "kl_loss",
        ]) || w.any(&["router", "commitment", "regularization", "regularizer", "kld", "balance"])
        {
            return Some((Role::AuxiliaryLoss, "named as a side objective"));
        }
        let moving = [
            "value",
            "policy",
            "pg",
            "actor",
            "critic",
            "td",
            "alpha",
            "vf",
            "qf",
            "qf1",
            "qf2",
            "q1",
            "q2",
            "gan",
            "gen",
            "generator",
            "disc",
            "discriminator",
            "adversarial",
            "adv",
            "ppo",
            "surrogate",
            "g",
            "d",
            "dis",
            "q",
        ];
        if w.any_exact(&moving) {
            return Some((Role::UnstableLoss, "a loss against a moving target (GAN, actor-critic)"));
        }
        if w.any(DOWN) && !w.any(&["error", "err"]) {
            return Some((Role::Metric, "named as a metric of a loss"));
        }
        return Some((Role::Loss, "named as a loss"));
    }
    if w.first() == "losses" && !w.any(&["values", "kl", "variance", "frac"]) {
        return Some((Role::Loss, "in a folder of losses"));
    }
    if matches!(w.joined(), "errd" | "errg" | "d_x" | "d_g_z") {
        return Some((Role::UnstableLoss, "named as in the DCGAN example"));
    }
    if w.any(&["kl"]) {
        return Some((Role::AuxiliaryLoss, "named as a divergence between distributions"));
    }
    if w.joined() == "r"
        || w.any(UP)
        || w.any(DOWN)
        || w.phrase(&["explained_variance", "vf_explained_var", "exact_match"])
    {
        return Some((Role::Metric, "named as a measure of quality"));
    }
    None
}

fn other(w: &Words) -> (Role, &'static str) {
    if w.last() == "metric" {
        return (Role::Metric, "called a metric, its direction is not known");
    }
    if w.any(&["norm", "update", "updates"]) {
        return (Role::Optimiser, "named as an inner number of the update");
    }
    (Role::Unknown, "no word of the name is known")
}
