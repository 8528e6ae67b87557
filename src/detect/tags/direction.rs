//! Whether less or more of something is better. What is not known is not guessed.

use crate::model::{Goal, Role};

use super::normalise::Words;

/// Words of metrics of which more is better (Keras' `_direction`, `MMEngine`'s rule keys, and the tables of
/// Ultralytics, Detectron2, TRL and Stable-Baselines3).
pub const UP: &[&str] = &[
    "acc",
    "accuracy",
    "accuracies",
    "top1",
    "top5",
    "top",
    "topk",
    "f1",
    "fscore",
    "fbeta",
    "precision",
    "recall",
    "auc",
    "auroc",
    "auprc",
    "ap",
    "ap50",
    "ap75",
    "aps",
    "apm",
    "apl",
    "map",
    "map50",
    "map95",
    "ar",
    "iou",
    "miou",
    "mdice",
    "macc",
    "aacc",
    "dice",
    "bleu",
    "sacrebleu",
    "rouge",
    "rougel",
    "rouge1",
    "rouge2",
    "meteor",
    "chrf",
    "bertscore",
    "r2",
    "psnr",
    "ssim",
    "ndcg",
    "mrr",
    "hit",
    "hits",
    "kappa",
    "mcc",
    "matthews",
    "spearman",
    "pearson",
    "em",
    "reward",
    "rewards",
    "rew",
    "return",
    "returns",
    "score",
    "win",
    "winrate",
    "success",
    "coverage",
    "sensitivity",
    "specificity",
    "jaccard",
    "cider",
    "comet",
    "correct",
    "similarity",
    "correlation",
    "fg_cls_accuracy",
];

/// Words of metrics of which less is better, apart from losses.
pub const DOWN: &[&str] = &[
    "ppl",
    "perplexity",
    "bpb",
    "bpc",
    "bits",
    "wer",
    "cer",
    "err",
    "error",
    "errors",
    "merror",
    "mape",
    "smape",
    "fid",
    "kid",
    "lpips",
    "eer",
    "regret",
    "brier",
    "ece",
    "negative",
    "positive",
    "misclassification",
];

/// The goal of a series, if its name says it.
pub fn direction(words: &Words, role: Role) -> Option<Goal> {
    match role {
        Role::AuxiliaryLoss if !words.any(&["loss"]) => None,
        Role::Loss | Role::AuxiliaryLoss | Role::UnstableLoss => Some(Goal::Min),
        Role::Metric => metric(words),
        Role::Throughput => Some(Goal::Max),
        _ => None,
    }
}

fn metric(words: &Words) -> Option<Goal> {
    // Nobody wants the reward of rejected answers to rise, nor its spread.
    if words.any(&["rejected", "std", "variance"]) && !words.phrase(&["explained_variance", "success"]) {
        return None;
    }
    if words.phrase(&["explained_variance", "vf_explained_var", "exact_match", "r"])
        || words.joined() == "pass"
    {
        return Some(Goal::Max);
    }
    let down = words.any(DOWN);
    let up = words.any(UP);
    match (up, down) {
        (true, false) => Some(Goal::Max),
        // `error_top5`, `false_positive_accuracy`: the error word wins, it inverts the other one.
        (_, true) => Some(Goal::Min),
        (false, false) => None,
    }
}
