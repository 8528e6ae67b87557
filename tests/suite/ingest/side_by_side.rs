//! All sample logs as one tree, whatever samples there are: the runs that a person would count, under names of their
//! own, and nothing that is only a part of a run.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

/// Folders that only parts of runs lie in.
const PARTS: &[&str] = &[
    "vis_data", ".hydra", "console", "files", "media", "debug", "plots", "metrics", "params", "tags",
    "events",
];

/// Path, name as it is shown, and number of series of each run below `folder`.
fn runs(folder: &Path) -> Vec<(String, String, usize)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epochscope"));
    let out = command.args(["status", "--format", "json"]).arg(folder).output().unwrap();
    let status: Value = serde_json::from_slice(&out.stdout).unwrap();
    let text = |run: &Value, key: &str| run[key].as_str().map(str::to_owned);
    let run = |run: &Value| {
        let path = text(run, "run").unwrap();
        let name = text(run, "name").unwrap_or_else(|| path.clone());
        (path, name, run["series"].as_array().unwrap().len())
    };
    status["runs"].as_array().unwrap().iter().map(run).collect()
}

#[test]
fn every_sample_is_part_of_a_run_with_numbers_and_none_is_a_run_by_mistake() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs");
    let runs = runs(&samples);
    assert!(runs.len() > 30, "{runs:#?}");
    let paths: BTreeSet<&str> = runs.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(paths.len(), runs.len(), "no run twice");
    for (path, _, series) in &runs {
        let part = path.split('/').find(|p| PARTS.contains(p) || p.starts_with("checkpoint-"));
        assert_eq!(part, None, "{path} is part of a run");
        // MLflow's database tells of a run in which others are nested, whether it holds numbers or not
        assert!(*series > 0 || path.starts_with("sqlite/"), "{path} has no numbers");
    }
    for folder in fs::read_dir(&samples).unwrap().map(|entry| entry.unwrap()) {
        let name = folder.file_name().into_string().unwrap();
        let is_sample = folder.path().is_dir() && name != "make" && name != "licences";
        let found = || paths.iter().any(|path| Path::new(path).starts_with(&name));
        assert!(!is_sample || found(), "no run below {name}: {paths:#?}");
    }
}
