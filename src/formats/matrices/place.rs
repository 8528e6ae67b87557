//! What a file's name says of the matrix in it: `val_confusion_epoch-3.csv`.

use crate::model::Step;

const SPLITS: &[&str] =
    &["train", "training", "val", "valid", "validation", "test", "dev", "eval", "evaluation", "holdout"];

/// The split whose word is in the name, as it is written there; empty if none is.
pub(super) fn split_of(stem: &str) -> &str {
    let mut words = stem.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(|word| SPLITS.iter().any(|split| split.eq_ignore_ascii_case(word))).unwrap_or_default()
}

/// The number behind `step`, `iter` or `epoch` in the name; the second is the epoch.
pub(super) fn step_of(stem: &str) -> (Option<Step>, Option<f64>) {
    let lower = stem.to_ascii_lowercase();
    for (word, is_epoch) in [("step", false), ("iteration", false), ("iter", false), ("epoch", true)] {
        let Some(at) = lower.find(word) else { continue };
        let rest = lower.get(at + word.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches(['_', '-', '=', ' ']);
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(18).collect();
        if let Ok(step) = digits.parse::<Step>() {
            return (Some(step), is_epoch.then_some(step as f64));
        }
    }
    (None, None)
}
