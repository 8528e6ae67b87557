//! What a file of MLflow's file store is, from its path alone: `mlruns/<experiment>/<run>/metrics/train/loss`.

use std::path::Path;

/// Letters of a run's identifier.
const RUN_ID: usize = 32;

/// What a file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Points of the metric of that name; nested names are nested folders.
    Metric(String),
    /// One parameter.
    Parameter(String),
    /// One tag.
    Tag(String),
    /// Name, times and status.
    Meta,
    /// Below `.trash`: its experiment was deleted.
    Deleted,
}

/// A file of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// What it holds.
    pub content: Content,
    /// How many folders above its own the run's folder is.
    pub up: usize,
    /// The run's identifier, the name of its folder.
    pub run: String,
}

impl Place {
    /// The place of the file at `path`; `None` for files that are no part of a run's record: artifacts, models,
    /// traces, descriptions of experiments.
    pub fn of(path: &Path) -> Option<Self> {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let at = parts.windows(2).position(|pair| is_run(pair[0]) && is_part(pair[1]))?;
        let (before, rest) = parts.split_at_checked(at)?;
        let (run, rest) = rest.split_first()?;
        let content = match rest {
            _ if before.contains(&".trash") => Content::Deleted,
            ["meta.yaml"] => Content::Meta,
            ["metrics", name @ ..] if !name.is_empty() => Content::Metric(name.join("/")),
            ["params", name @ ..] if !name.is_empty() => Content::Parameter(name.join("/")),
            ["tags", name @ ..] if !name.is_empty() => Content::Tag(name.join("/")),
            _ => return None,
        };
        Some(Self { content, up: rest.len() - 1, run: (*run).to_owned() })
    }
}

fn is_run(name: &str) -> bool {
    name.len() == RUN_ID && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_part(name: &str) -> bool {
    matches!(name, "metrics" | "params" | "tags" | "meta.yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "6210c162245c4fe583af4aa92ad5e10e";

    fn of(path: &str) -> Option<(Content, usize)> {
        Place::of(Path::new(&path.replace("RUN", RUN))).map(|p| (p.content, p.up))
    }

    #[test]
    fn what_a_file_is_shows_in_its_path() {
        let metric = |name: &str| Content::Metric(name.to_owned());
        assert_eq!(of("/x/mlruns/0/RUN/metrics/loss"), Some((metric("loss"), 1)));
        assert_eq!(of("mlruns/0/RUN/metrics/train/loss"), Some((metric("train/loss"), 2)));
        assert_eq!(of("RUN/metrics/loss"), Some((metric("loss"), 1)), "the run's folder alone is watched");
        assert_eq!(of("/x/0/RUN/params/model/lr"), Some((Content::Parameter("model/lr".to_owned()), 2)));
        assert_eq!(of("/x/0/RUN/tags/mlflow.runName"), Some((Content::Tag("mlflow.runName".to_owned()), 1)));
        assert_eq!(of("/x/0/RUN/meta.yaml"), Some((Content::Meta, 0)));
        assert_eq!(of("/x/.trash/17/RUN/metrics/loss").unwrap().0, Content::Deleted);
    }

    #[test]
    fn other_files_of_the_store_are_no_part_of_a_run() {
        for path in [
            "/x/0/meta.yaml",
            "/x/0/RUN/artifacts/metrics.csv",
            "/x/0/models/m-6210c162245c4fe583af4aa92ad5e10e/metrics/loss",
            "/x/0/traces/tr-6210c162245c4fe583af4aa92ad5e10e/tags/a",
            "/x/0/RUN/metrics",
            "/x/0/6210C162245C4FE583AF4AA92AD5E10E/metrics/loss",
            "",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
