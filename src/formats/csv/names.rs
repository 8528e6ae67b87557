//! What the columns of a table are called: names of their own, names that the file's path completes, and the runs
//! that an export puts side by side.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::rows::unquoted;
use crate::{formats::wire::axes::Axis, model::SeriesKey};

/// A column's series, and the run of the file that it belongs to (empty for the only one).
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// As the header has it, made unique.
    pub header: String,
    /// What its values are a series of; the tag is empty for columns that are none.
    pub key: SeriesKey,
    /// The run within the file.
    pub run: Arc<str>,
}

/// Names the columns of a header for a file of that path.
pub fn name(header: &[&[u8]], path: &Path) -> Vec<Named> {
    let names = unique(header.iter().map(|name| unquoted(name)));
    if let Some(exported) = weights_and_biases(&names) {
        return exported;
    }
    let (tag, run) = match from_path(&names, path) {
        Some((at, tag, run)) => (Some((at, tag)), run),
        None => (None, String::new()),
    };
    let run: Arc<str> = run.into();
    let named = |(at, header): (usize, String)| {
        let key = match &tag {
            Some((of, tag)) if *of == at => SeriesKey::plain(tag.as_str()),
            _ if is_index(&header) => SeriesKey::plain(""),
            _ => SeriesKey::plain(header.as_str()),
        };
        Named { header, key, run: run.clone() }
    };
    names.into_iter().enumerate().map(named).collect()
}

/// The column that pandas and polars write for the numbers of rows.
pub fn is_index(name: &str) -> bool {
    name.is_empty()
        || name == "__index_level_0__"
        || name == "row_nr"
        || name.strip_prefix("Unnamed: ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Equal names are kept apart as pandas does it: `loss`, `loss.1`.
fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut unique = Vec::new();
    for name in names {
        let mut own = name.clone();
        let mut n = 0_usize;
        while !own.is_empty() && !seen.insert(own.clone()) {
            n += 1;
            own = format!("{name}.{n}");
        }
        unique.push(own);
    }
    unique
}

/// Charts exported from Weights & Biases: `"Step","run - loss","run - loss__MIN","run - loss__MAX"`, one group for
/// each run. `__MIN` and `__MAX` bound what the export averaged; for unsampled charts they repeat the value.
fn weights_and_biases(names: &[String]) -> Option<Vec<Named>> {
    let (first, rest) = names.split_first()?;
    let base = |name: &str| -> Option<String> {
        name.strip_suffix("__MIN").or_else(|| name.strip_suffix("__MAX")).map(str::to_owned)
    };
    let bounds = rest.iter().filter_map(|name| base(name)).filter(|name| name.contains(" - "));
    if !matches!(Axis::of(first), Axis::Step(_) | Axis::Time(_)) || bounds.count() == 0 {
        return None;
    }
    let named = |header: &String| {
        let is_bound = base(header).is_some_and(|base| names.contains(&base));
        let (run, tag) = match header.rsplit_once(" - ") {
            Some((run, tag)) if !is_bound => (run.trim(), tag.trim()),
            Some(_) => ("", ""),
            None => ("", header.as_str()),
        };
        Named { header: header.clone(), key: SeriesKey::plain(tag), run: run.into() }
    };
    Some(names.iter().map(named).collect())
}

/// Writers that give each metric a file of its own and keep part of its name in the path: the column, its tag, and
/// the run if the path says it.
fn from_path(names: &[String], path: &Path) -> Option<(usize, String, String)> {
    let stem = path.file_stem()?.to_str()?;
    let mut values = names.iter().enumerate().filter(|(_, name)| Axis::of(name) == Axis::None);
    let (at, value) = values.next().filter(|_| names.len() <= 3)?;
    if values.next().is_some() || names.len() < 2 {
        return None;
    }
    if value.eq_ignore_ascii_case("value") && names.iter().any(|n| n.eq_ignore_ascii_case("wall time")) {
        return Some(tensorboard(stem, at));
    }
    if let Some(tag) = dvclive(path, value) {
        return Some((at, tag, String::new()));
    }
    // DeepSpeed's `csv_monitor`: `Train_Samples_lr.csv` holds `step,lr` of the tag `Train/Samples/lr`
    let section = stem.strip_suffix(value.as_str())?.strip_suffix('_').filter(|s| !s.is_empty())?;
    Some((at, format!("{}/{value}", section.replace('_', "/")), String::new()))
}

/// A curve exported from TensorBoard, `Wall time,Step,Value`: the name of the file is the curve's,
/// `run-<run>-tag-<tag>.csv` unless it was renamed.
fn tensorboard(stem: &str, at: usize) -> (usize, String, String) {
    let parts = stem.split_once("-tag-").or_else(|| stem.split_once("_tag-"));
    match parts {
        Some((run, tag)) if !tag.is_empty() => {
            let run = run.strip_prefix("run-").or_else(|| run.strip_prefix("run_")).unwrap_or(run);
            (at, tag.to_owned(), if run == "." { String::new() } else { run.to_owned() })
        }
        _ => (at, stem.to_owned(), String::new()),
    }
}

/// DVCLive: `…/plots/metrics/train/loss.tsv`, before version 1 `dvclive/train/loss.tsv`. The last part of the tag
/// is the column's name.
fn dvclive(path: &Path, value: &str) -> Option<String> {
    let tsv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
    let parts: Vec<&str> = path.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let (_, folders) = parts.split_last()?;
    let below = folders
        .windows(2)
        .rposition(|pair| pair == ["plots", "metrics"])
        .map(|at| at + 2)
        .or_else(|| folders.iter().rposition(|f| *f == "dvclive").map(|at| at + 1))?;
    let stem = path.file_stem()?.to_str()?;
    if !tsv || stem != value {
        return None;
    }
    let mut tag = folders.get(below..)?.join("/");
    if !tag.is_empty() {
        tag.push('/');
    }
    Some(tag + stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(header: &[&str], path: &str) -> Vec<(String, String)> {
        let header: Vec<&[u8]> = header.iter().map(|name| name.as_bytes()).collect();
        let named = name(&header, Path::new(path));
        named.iter().map(|n| (n.run.to_string(), n.key.tag.to_string())).collect()
    }

    fn tag(header: &[&str], path: &str) -> (String, String) {
        tags(header, path).pop().unwrap()
    }

    #[test]
    fn the_path_completes_the_name_of_a_metric_with_a_file_of_its_own() {
        let of = |tag: &str| (String::new(), tag.to_owned());
        for (header, path, expected) in [
            (&["step", "loss"][..], "/x/dvclive/plots/metrics/train/loss.tsv", "train/loss"),
            (&["timestamp", "step", "loss"], "dvclive/train/loss.tsv", "train/loss"),
            (&["timestamp", "step", "acc"], "dvclive/acc.tsv", "acc"),
            (&["step", "lr"], "job/Train_Samples_lr.csv", "Train/Samples/lr"),
            (&["step", "train_loss"], "job/Train_Samples_train_loss.csv", "Train/Samples/train_loss"),
            (&["step", "loss"], "job/loss.csv", "loss"),
            (&["step", "loss"], "results.csv", "loss"),
            (&["Wall time", "Step", "Value"], "accuracy.csv", "accuracy"),
            (&["Wall time", "Step", "Value"], "run-.-tag-loss_val.csv", "loss_val"),
        ] {
            assert_eq!(tag(header, path), of(expected), "{path}");
        }
        assert_eq!(
            tag(&["Wall time", "Step", "Value"], "run-lr_0.1-tag-epoch_loss.csv"),
            ("lr_0.1".to_owned(), "epoch_loss".to_owned())
        );
    }

    #[test]
    fn equal_names_are_kept_apart_and_the_index_is_no_series() {
        let found = tags(&["", "loss", "loss", "loss.1", "Unnamed: 0"], "a.csv");
        let found: Vec<&str> = found.iter().map(|(_, tag)| tag.as_str()).collect();
        assert_eq!(found, ["", "loss", "loss.1", "loss.1.1", ""]);
    }

    #[test]
    fn runs_of_a_weights_and_biases_export_are_kept_apart() {
        let header =
            ["Step", "a-1 - train/loss", "a-1 - train/loss__MIN", "a-1 - train/loss__MAX", "b - train/loss"];
        let found = tags(&header, "wandb_export.csv");
        let of = |run: &str, tag: &str| (run.to_owned(), tag.to_owned());
        let bound = of("", "");
        assert_eq!(
            found,
            [of("", "Step"), of("a-1", "train/loss"), bound.clone(), bound, of("b", "train/loss")]
        );
        assert_eq!(tags(&["Step", "a - b"], "x.csv")[1], of("", "a - b"), "not an export");
    }
}
