//! `epochscope.toml`, `.epochscopeignore` and `doctor --try-pattern` as a user meets them.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::pseudo_terminal::PROGRAM;

const LOG: &str = "\
starting 2 workers\n\
2026-11-23 18:00:00 it 10 of 50 | cost 2,500.5 | took 862ms\n\
2026-11-23 18:00:01 it 20 of 50 | cost 1,250.25 | took 858ms\n\
2026-11-23 18:00:02 it 30 of 50 | cost nan | took 1.2s\n";

const REGEX: &str = r"it (?P<step>\d+) of (?P<steps_total>\d+) \| cost (?P<cost>\S+) \| took (?P<time>\S+)";

pub fn program(here: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(here).stdin(Stdio::null()).env("LANG", "C.UTF-8").env("TZ", "UTC");
    command.env("HOME", here.join("home")).env_remove("XDG_CONFIG_HOME").output().unwrap()
}

fn stdout(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn status(here: &Path, arguments: &[&str]) -> Value {
    let all = [&["status", "--format", "json"], arguments].concat();
    serde_json::from_str(&stdout(&program(here, &all))).unwrap()
}

fn names(status: &Value) -> Vec<&str> {
    status["runs"].as_array().unwrap().iter().map(|r| r["run"].as_str().unwrap()).collect()
}

/// A project with logs in `runs/`.
fn project() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for path in ["runs/a/metrics.csv", "runs/old/metrics.csv", "runs/b/metrics.csv"] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "step,loss\n0,2\n1,1\n").unwrap();
    }
    fs::create_dir_all(dir.path().join("deep/below")).unwrap();
    dir
}

#[test]
fn a_taught_pattern_reads_what_no_reader_would() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("train.log"), LOG).unwrap();
    let config = format!(
        "[[pattern]]\nname = 'ours'\nfiles = ['*.log']\nregex = '{REGEX}'\nrename = {{ cost = 'loss/total' }}\n\
         scale = {{ cost = 0.001 }}\nunit = {{ time = 's' }}\n"
    );
    fs::write(dir.path().join("epochscope.toml"), config).unwrap();
    let read = status(dir.path(), &["train.log"]);
    let series = read["runs"][0]["series"].as_array().unwrap();
    let of = |tag: &str| series.iter().find(|s| s["tag"] == tag).unwrap_or_else(|| panic!("{tag} in {read}"));
    assert_eq!(of("loss/total")["first"], serde_json::json!({"step": 10, "value": 2.5005}));
    assert_eq!(of("loss/total")["last"]["value"], "NaN");
    assert_eq!(of("time")["last"]["value"], 1.2);
    assert_eq!(read["runs"][0]["steps_total"], 50);
    let without = status(dir.path(), &["--no-config", "train.log"]);
    assert!(!without.to_string().contains("loss/total"));
}

#[test]
fn a_pattern_can_be_tried_before_it_is_taught_and_the_proposal_can_be_used_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("train.log"), LOG).unwrap();
    let tried = stdout(&program(dir.path(), &["doctor", "--try-pattern", REGEX, "train.log"]));
    for part in [
        "train.log: reads 3 of 4 lines",
        "line 2: step 10, cost = 2500",
        "steps 10 to 30, never back",
        "leaves 1 lines with numbers",
        "line 1: starting 2 workers",
    ] {
        assert!(tried.contains(part), "{part:?} is not in\n{tried}");
    }
    let (_, proposal) = tried.split_once("[[pattern]]").unwrap();
    fs::write(dir.path().join("epochscope.toml"), format!("[[pattern]]{proposal}")).unwrap();
    let read = status(dir.path(), &["."]);
    assert!(read.to_string().contains("\"tag\":\"cost\""), "{read}");
    let again = stdout(&program(dir.path(), &["doctor", "--try-pattern", "mine"]));
    assert!(again.contains("train.log: reads 3 of 4 lines") && !again.contains("to keep it"), "{again}");
    let doctor = stdout(&program(dir.path(), &["doctor"]));
    assert!(doctor.contains("epochscope.toml\n") && doctor.contains("pattern mine: it "), "{doctor}");
    let wrong = program(dir.path(), &["doctor", "--try-pattern", "(?P<loss>", "train.log"]);
    let error = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!((wrong.status.code(), error.lines().count()), (Some(2), 3), "{error}");
    assert!(error.contains("unclosed group"), "{error}");
}

#[test]
fn the_nearest_configuration_counts_the_users_own_comes_before_and_flags_come_last() {
    let dir = project();
    let here = dir.path();
    fs::write(here.join("epochscope.toml"), "exclude = ['old']\n").unwrap();
    assert_eq!(names(&status(here, &["runs"])), ["a", "b"]);
    assert_eq!(names(&status(&here.join("deep/below"), &["../../runs"])), ["a", "b"], "found from below");
    fs::create_dir_all(here.join("home/.config/epochscope")).unwrap();
    fs::write(here.join("home/.config/epochscope/config.toml"), "exclude = ['b']\n").unwrap();
    assert_eq!(names(&status(here, &["runs"])), ["a"], "lists are added to");
    assert_eq!(names(&status(here, &["--exclude", "!b", "runs"])), ["a", "b"], "the last word is typed");
    assert_eq!(names(&status(here, &["--no-config", "runs"])), ["a", "b", "old"]);
    fs::write(here.join("other.toml"), "include = ['a/**']\n").unwrap();
    assert_eq!(names(&status(here, &["--config", "other.toml", "runs"])), ["a"], "instead of the others");
}

#[test]
fn a_configuration_in_the_watched_folder_is_not_obeyed() {
    let dir = project();
    fs::write(dir.path().join("runs/epochscope.toml"), "exclude = ['*']\n").unwrap();
    assert_eq!(names(&status(dir.path(), &["runs"])).len(), 3);
}

#[test]
fn a_wrong_configuration_is_one_clear_error() {
    let dir = project();
    for (text, line, word) in [
        ("fps = 'fast'\n", 1, "fast"),
        ("\nexlude = ['x']\n", 2, "exlude"),
        ("exclude = ['a{']\n", 0, "a{"),
        ("[format-hint]\nnonsense = '*.x'\n", 0, "nonsense"),
    ] {
        fs::write(dir.path().join("epochscope.toml"), text).unwrap();
        let output = program(dir.path(), &["status", "runs"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 3), "{text}: {error}");
        assert!(error.contains(word), "{error}");
        assert!(line == 0 || error.contains(&format!("epochscope.toml, line {line}")), "{error}");
    }
    let missing = program(dir.path(), &["status", "--config", "none.toml", "runs"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn an_ignore_file_in_the_watched_tree_hides_what_it_names_and_doctor_says_so() {
    let dir = project();
    fs::write(dir.path().join("runs/.epochscopeignore"), "# old ones\nold/\n").unwrap();
    fs::write(dir.path().join("runs/.gitignore"), "*\n").unwrap();
    assert_eq!(names(&status(dir.path(), &["runs"])), ["a", "b"], "and a .gitignore hides nothing");
    let doctor = stdout(&program(dir.path(), &["doctor", "runs"]));
    assert!(doctor.contains("passed over old: excluded by .epochscopeignore"), "{doctor}");
}

#[test]
fn doctor_explains_every_file() {
    let dir = project();
    let runs = dir.path().join("runs");
    for n in 0..300 {
        fs::write(runs.join(format!("a/checkpoint-{n}.pt")), "").unwrap();
        fs::write(runs.join(format!("a/shard.{n}")), "").unwrap();
    }
    fs::write(runs.join("b/README.md"), "x").unwrap();
    fs::write(runs.join("b/data.csv"), "colour,size\nred,2\n").unwrap();
    let doctor = stdout(&program(dir.path(), &["doctor", "runs"]));
    for part in [
        "passed over a/*.pt (300 of them): no format reads files of this name",
        "passed over a/*.<number> (300 of them): no format reads files of this name",
        "passed over b/README.md: no format reads files of this name",
        "passed over b/data.csv: csv: no column named like a step or a metric: a data set, not a log",
    ] {
        assert!(doctor.contains(part), "{part:?} is not in\n{doctor}");
    }
    assert!(!doctor.contains(" more in other folders"), "{doctor}");
}
