//! Which names of tables speak for their folder.

use std::path::Path;

use crate::formats::{RunPart, Standing, split_of};

/// Names that a writer uses once per run: Lightning, Ultralytics, Ray and SB3, Keras' documentation, timm, fastai,
/// `CatBoost`.
const OF_A_RUN: &[&str] = &[
    "metrics.csv",
    "results.csv",
    "progress.csv",
    "training.csv",
    "training_log.csv",
    "summary.csv",
    "history.csv",
    "monitor.csv",
    "time_left.tsv",
];

/// `CatBoost` keeps a split per file.
const OF_A_SPLIT: &[(&str, &str)] = &[("learn_error.tsv", "learn"), ("test_error.tsv", "test")];

/// `DeepSpeed`'s csv monitor keeps a metric per file: what its engine calls `Train/Samples/train_loss` is
/// `<job>/Train_Samples_train_loss.csv`.
const OF_A_METRIC: &[&str] = &["Train_Samples_", "Train_Eigenvalues_"];

/// How the table at `path` stands to its run.
pub fn standing(path: &Path) -> Standing {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    if let Some(standing) = of_dvclive(path) {
        return standing;
    }
    if OF_A_RUN.contains(&&*name) || OF_A_METRIC.iter().any(|start| name.starts_with(start)) {
        return Standing::folder(0);
    }
    if let Some((_, split)) = OF_A_SPLIT.iter().find(|(known, _)| *known == name) {
        return Standing::folder(0).within(*split);
    }
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    match split_of(stem) {
        Some(split) => Standing::folder(0).within(split),
        None => Standing { part: RunPart::Log, ..Standing::default() },
    }
}

/// `DVCLive` writes the metric `train/loss` as `dvclive/plots/metrics/train/loss.tsv`, before version 1 as
/// `dvclive/train/loss.tsv`; the decoder names it by its path.
fn of_dvclive(path: &Path) -> Option<Standing> {
    if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("tsv")) {
        return None;
    }
    let above: Vec<_> = path.parent()?.iter().rev().map(|part| part.to_string_lossy()).take(8).collect();
    let plots = above.windows(2).position(|pair| pair == ["metrics", "plots"]).map(|metrics| metrics + 2);
    let up = plots.or_else(|| above.iter().position(|part| part == "dvclive"))?;
    Some(Standing::folder(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_writers_use_once_per_run_speak_for_the_folder() {
        for (path, up, part, context) in [
            ("v0/metrics.csv", 0, RunPart::Folder, ""),
            ("runs/losses.csv", 0, RunPart::Log, ""),
            ("csv_monitor/job/Train_Samples_lr.csv", 0, RunPart::Folder, ""),
            ("a/Train.csv", 0, RunPart::Folder, "train"),
            ("catboost_info/test_error.tsv", 0, RunPart::Folder, "test"),
            ("dvclive/plots/metrics/train/loss.tsv", 3, RunPart::Folder, ""),
            ("dvclive/plots/metrics/loss.tsv", 2, RunPart::Folder, ""),
            ("dvclive/val/acc.tsv", 1, RunPart::Folder, ""),
            ("metrics/loss.csv", 0, RunPart::Log, ""),
        ] {
            let found = standing(Path::new(path));
            assert_eq!((found.up, found.part, &*found.context), (up, part, context), "{path}");
        }
    }
}
