//! Which data a series was computed on.

use super::normalise::Words;
use crate::model::Split;

const TRAIN: &[&str] = &[
    "train", "training", "trn", "tr", "trl", "fit", "learn", "learner", "losses", "rollout", "rollouts",
    "runners",
];
const VAL: &[&str] = &[
    "val",
    "valid",
    "validation",
    "eval",
    "evaluation",
    "dev",
    "holdout",
    "heldout",
    "oof",
    "vld",
    "tel",
    "valset",
];
const TEST: &[&str] = &["test", "tst", "testing"];

/// Words that say the split or the cadence, not what is measured; left out of the stem.
const CADENCE: &[&str] =
    &["epoch", "step", "batch", "iter", "iterations", "vs", "samples", "average", "inner"];

/// The split that one word names.
pub fn of_word(word: &str) -> Option<Split> {
    if TRAIN.contains(&word) {
        Some(Split::Train)
    } else if VAL.contains(&word) {
        Some(Split::Val)
    } else if TEST.contains(&word) {
        Some(Split::Test)
    } else {
        None
    }
}

/// The split and the reason. What the record itself says (`context`) decides, then the tag, then the run's
/// folder (Keras writes `train/` and `validation/`); a folder called `train` says nothing about a tag that
/// names its own split (Ultralytics' default folder is `train`).
pub fn split(words: &Words, context: &Words, folder: Option<Split>) -> (Split, &'static str) {
    if let Some(split) = context.whole().iter().rev().find_map(|w| of_word(w)) {
        return (split, "the log says the split");
    }
    // Ultralytics: `metrics/precision(B)` is measured on the validation set.
    let measured = &["precision", "recall", "map50", "map", "accuracy"];
    if words.first() == "metrics" && words.whole().get(1).is_some_and(|w| measured.contains(&w.as_str())) {
        return (Split::Val, "Ultralytics measures metrics/ on the validation set");
    }
    if let Some(split) = words.whole().iter().find_map(|w| of_word(w)) {
        return (split, "a word of the tag names the split");
    }
    if words.any(VAL) {
        return (Split::Val, "a part of a word names the split");
    }
    if words.any(&["train", "training"]) {
        return (Split::Train, "a part of a word names the split");
    }
    if let Some(split) = folder {
        return (split, "the folder of the file names the split");
    }
    match words.first() {
        "learning" | "batch" if !words.phrase(&["learning_rate", "batch_size"]) => {
            (Split::Train, "the prefix is one that trainers use while training")
        }
        "loss" if words.whole().get(1).is_some_and(|w| w == "metrics") => {
            (Split::Train, "torchtitan's loss_metrics are of training")
        }
        _ => (Split::Unknown, "the name does not say the split"),
    }
}

/// Folders that Keras, fairseq, `CatBoost` and `DVCLive` give to a split; only a whole name counts.
pub fn of_folder(folder: &str) -> Option<Split> {
    match folder.rsplit('/').next().unwrap_or_default().to_lowercase().as_str() {
        "train" | "training" | "train_inner" | "learn" => Some(Split::Train),
        "val" | "valid" | "validation" | "eval" | "dev" => Some(Split::Val),
        "test" => Some(Split::Test),
        _ => None,
    }
}

/// What is measured, without the words for split and cadence: `train_loss_epoch`, `val/loss` and `loss` have
/// the stem `loss`.
pub fn stem(words: &Words) -> String {
    let kept: Vec<&str> = words
        .whole()
        .iter()
        .map(|w| if w == "trl" || w == "tel" { "loss" } else { w.as_str() })
        .filter(|w| of_word(w).is_none() && !CADENCE.contains(w))
        .collect();
    let kept: Vec<&str> =
        if kept.first() == Some(&"metrics") && kept.len() > 1 { kept[1..].to_vec() } else { kept };
    if kept.is_empty() { words.joined().to_owned() } else { kept.join("_") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_of_the_same_quantity_are_equal() {
        for tag in [
            "loss",
            "train/loss",
            "val_loss",
            "loss/val",
            "train_loss_epoch",
            "evaluation_loss_vs_iterations",
            "tel",
        ] {
            assert_eq!(stem(&Words::of(tag)), "loss", "{tag}");
        }
        assert_eq!(stem(&Words::of("val/box_loss")), "box_loss");
        assert_eq!(stem(&Words::of("epoch")), "epoch");
    }

    #[test]
    fn a_folder_called_train_does_not_overrule_the_tag() {
        let none = Words::of("");
        assert_eq!(split(&Words::of("val/loss"), &none, of_folder("runs/train")).0, Split::Val);
        assert_eq!(split(&Words::of("metrics/mAP50(B)"), &none, of_folder("runs/train")).0, Split::Val);
        assert_eq!(split(&Words::of("epoch_loss"), &none, of_folder("fit/validation")).0, Split::Val);
        assert_eq!(split(&Words::of("loss"), &Words::of("val"), of_folder("fit/train")).0, Split::Val);
    }
}
