//! The one-shot commands as scripts meet them: exit codes, JSON, pipes.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::pseudo_terminal::PROGRAM;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs")
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(samples()).stdin(Stdio::null());
    for name in ["NO_COLOR", "COLORTERM", "LC_ALL", "LC_CTYPE", "COLUMNS"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env("TZ", "UTC");
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {} {}", stdout(&output), String::from_utf8_lossy(&output.stderr)))
}

fn assert_three_lines(output: &Output, what: &str) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("epochscope: ") && lines[0].contains(what), "{text}");
    assert!(lines[1].starts_with("  why: ") && lines[2].starts_with("  do: "), "{text}");
    assert!(output.stdout.is_empty());
}

/// Long after the samples were made, so that nothing is running or stalled.
const LATER: [&str; 2] = ["--now", "2030-01-01T00:00:00Z"];

#[test]
fn status_as_json_has_the_shape_of_the_contract() {
    let status = json(&["status", "--format", "json", LATER[0], LATER[1], "."]);
    assert_eq!(status["version"], 1);
    let runs = status["runs"].as_array().unwrap();
    let healthy = runs.iter().find(|r| r["run"] == "torch-tensorboard/healthy").unwrap();
    let keys: Vec<&str> = healthy.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "run",
            "formats",
            "state",
            "step",
            "steps_total",
            "epoch",
            "eta_s",
            "questions",
            "forecast",
            "first_time",
            "last_time",
            "hyperparameters",
            "series",
            "layers",
            "confusions",
            "other",
            "files"
        ]
    );
    assert_eq!(healthy["formats"], serde_json::json!(["tfevents"]));
    assert_eq!(healthy["state"], "unknown");
    let loss = healthy["series"].as_array().unwrap().iter().find(|s| s["tag"] == "train/loss").unwrap();
    assert_eq!(
        (&loss["role"], &loss["split"], &loss["goal"]),
        (&"loss".into(), &"train".into(), &"min".into())
    );
    assert_eq!((loss["points"].as_u64(), loss["non_finite"].as_u64()), (Some(384), Some(0)));
    assert_eq!(loss["first"]["step"], 0);
    assert_eq!(loss["last"]["step"], 383);
    for end in ["first", "last", "min", "max"] {
        assert!(loss[end]["value"].is_f64(), "{end}");
    }
    let file = &healthy["files"][0];
    assert_eq!(file["bytes"], file["read_bytes"]);
    assert_eq!(file["skipped"], serde_json::json!([]));
    for name in ["images", "text", "graphs", "embeddings", "tables"] {
        assert!(healthy["other"][name].is_u64(), "{name}");
    }
    assert!(!healthy["layers"].as_array().unwrap().is_empty());
}

#[test]
fn a_nan_is_a_string_in_json() {
    let status = json(&["status", "--format", "json", "torch-tensorboard/nan"]);
    let series = status["runs"][0]["series"].as_array().unwrap();
    let loss = series.iter().find(|s| s["tag"] == "train/loss").unwrap();
    assert_eq!(loss["last"]["value"], "NaN");
    assert!(loss["non_finite"].as_u64().unwrap() > 0);
    assert!(loss["max"]["value"].is_f64());
}

#[test]
fn every_sample_run_is_listed() {
    let status = json(&["status", "--format", "json", "."]);
    let runs: Vec<&str> =
        status["runs"].as_array().unwrap().iter().filter_map(|r| r["run"].as_str()).collect();
    for part in [
        "healthy",
        "overfit",
        "nan",
        "dead_units",
        "restarted",
        "everything",
        "digits-cnn",
        "version_0",
        "diverging",
    ] {
        assert!(runs.iter().any(|run| run.contains(part)), "{part} is not in {runs:?}");
    }
    let table = stdout(&run(&["status", "."]));
    for run in status["runs"].as_array().unwrap() {
        let names = [&run["name"], &run["run"]].map(|name| name.as_str().unwrap_or("\0"));
        assert!(names.iter().any(|name| table.contains(name)), "{names:?} is not in\n{table}");
    }
}

#[test]
fn runs_out_of_one_file_name_that_file() {
    for (path, runs, format) in [("comet", 1, "comet"), ("sqlite", 5, "sqlite"), ("text/hydra", 4, "text")] {
        let status = json(&["status", "--format", "json", path]);
        let found = status["runs"].as_array().unwrap();
        assert_eq!(found.len(), runs, "{path}");
        for run in found {
            assert_eq!(run["formats"], serde_json::json!([format]), "{path}");
            assert_eq!(run["files"].as_array().unwrap().len(), 1, "{path}");
        }
    }
}

#[test]
fn the_monitor_without_a_terminal_is_status() {
    let (monitor, status) = (
        run(&[LATER[0], LATER[1], "torch-tensorboard"]),
        run(&["status", LATER[0], LATER[1], "torch-tensorboard"]),
    );
    assert_eq!(monitor.status.code(), Some(0));
    assert_eq!(stdout(&monitor), stdout(&status));
    assert!(!stdout(&monitor).contains('\x1b'), "no escape sequences into a pipe");
}

#[test]
fn check_fails_on_what_it_is_told_to_fail_on() {
    let code = |arguments: &[&str]| run(arguments).status.code();
    let nan = ["check", LATER[0], LATER[1], "torch-tensorboard/nan", "--fail-on"];
    let with = |severity: &'static str| [&nan[..], &[severity]].concat();
    assert_eq!(code(&nan[..4]), Some(1));
    assert_eq!(code(&with("critical")), Some(1));
    assert_eq!(code(&with("never")), Some(0));
    assert_eq!(code(&["check", LATER[0], LATER[1], "torch-tensorboard/healthy"]), Some(0));
}

/// Every sample, the rule of its worst root cause, and when it is looked at.
const DIAGNOSES: &[(&str, Option<&str>, &str)] = &[
    ("jsonl/diverging", Some("learning_rate"), LATER[1]),
    ("jsonl/killed", None, LATER[1]),
    // An hour after its last record, which is half a line: it was cut off.
    ("jsonl/killed", Some("stalled"), "2026-11-18T12:10:00Z"),
    ("lightning", None, LATER[1]),
    ("scope/digits-cnn", None, LATER[1]),
    ("torch-tensorboard/dead_units", Some("dead_units"), LATER[1]),
    ("torch-tensorboard/everything", None, LATER[1]),
    ("torch-tensorboard/healthy", None, LATER[1]),
    ("torch-tensorboard/nan", Some("learning_rate"), LATER[1]),
    ("torch-tensorboard/overfit", Some("overfitting"), LATER[1]),
    ("torch-tensorboard/restarted", None, LATER[1]),
];

#[test]
fn each_sample_is_diagnosed_with_its_fault_and_nothing_else() {
    for (path, rule, now) in DIAGNOSES {
        let arguments = ["check", "--format", "json", "--now", now, path];
        assert_eq!(run(&arguments).status.code(), Some(i32::from(rule.is_some())), "{path} at {now}");
        let check = json(&arguments);
        let alerts: Vec<&Value> =
            check["runs"].as_array().unwrap().iter().flat_map(|r| r["alerts"].as_array().unwrap()).collect();
        let causes: Vec<&str> = alerts
            .iter()
            .filter(|a| a["caused_by"].is_null() && a["severity"] != "info")
            .map(|a| a["rule"].as_str().unwrap())
            .collect();
        assert_eq!(causes, Vec::from_iter(*rule), "{path} at {now}");
    }
}

#[test]
fn check_as_json_has_the_shape_of_the_contract() {
    let check = json(&["check", "--format", "json", LATER[0], LATER[1], "torch-tensorboard"]);
    assert_eq!(check["version"], 1);
    let runs = check["runs"].as_array().unwrap();
    let of = |name: &str| {
        runs.iter().find(|r| r["run"].as_str().unwrap().ends_with(name)).unwrap()["alerts"]
            .as_array()
            .unwrap()
    };
    assert!(of("healthy").is_empty());
    let alert = of("nan").iter().find(|a| a["rule"] == "nan").unwrap();
    let keys: Vec<&str> = alert.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "rule",
            "severity",
            "state",
            "series",
            "layer",
            "step",
            "since_step",
            "time",
            "message",
            "advice",
            "evidence",
            "caused_by"
        ]
    );
    assert_eq!(alert["severity"], "critical");
    assert!(alert["step"].is_i64() && alert["evidence"].is_object());
}

#[test]
fn errors_are_three_lines_and_exit_2() {
    assert_three_lines(&run(&["status", "no/such/folder"]), "no/such/folder");
    assert_three_lines(&run(&["no/such/folder"]), "no/such/folder");
    assert_three_lines(&run(&["status", "--frobnicate"]), "command line");
    assert_three_lines(&run(&["check", "--fail-on", "sometimes", "."]), "command line");
    assert_three_lines(&run(&["frame", "--view", "nothing", "."]), "nothing");
    assert_three_lines(&run(&["frame", "--format", "png", "."]), "PNG");
    assert_three_lines(&run(&["frame", "--run", "nobody", "."]), "nobody");
    assert_three_lines(&run(&["demo"]), "demo");
    let misspelt = String::from_utf8(run(&["staus"]).stderr).unwrap();
    assert!(misspelt.contains("epochscope status"), "{misspelt}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for arguments in [&["status", "--format", "json", "."][..], &["doctor", "."], &["man"]] {
        let mut child = program(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}: {stderr}");
        assert_eq!(stderr, "", "{arguments:?}");
    }
}

#[test]
fn an_empty_folder_is_no_error_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = run(&["status", path]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("no training logs"), "{}", stdout(&output));
    assert!(stdout(&output).contains("doctor"));
    assert_eq!(json(&["status", "--format", "json", path])["runs"], serde_json::json!([]));
    assert_eq!(run(&["check", path]).status.code(), Some(0));
    assert_eq!(run(&["doctor", path]).status.code(), Some(0));
}

#[test]
fn bad_input_lines_are_listed_with_their_place_and_cost_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let good = |step: u32| format!("{{\"step\": {step}, \"loss\": 1.5}}\n");
    let text = format!("{}{}this is no JSON\n{}", good(0), good(1), good(2));
    let offset = good(0).len() + good(1).len();
    fs::write(folder.path().join("metrics.jsonl"), text).unwrap();
    let path = folder.path().to_str().unwrap();
    let status = json(&["status", "--format", "json", path]);
    let run_status = &status["runs"][0];
    assert_eq!(run_status["series"][0]["points"], 3);
    assert_eq!(run_status["files"][0]["skipped"][0]["offset"], offset);
    let doctor = stdout(&run(&["doctor", path]));
    assert!(doctor.contains(&format!("at byte {offset}")), "{doctor}");
    let table = stdout(&run(&["status", path]));
    assert!(table.contains("1 file is damaged"), "{table}");
}

#[test]
fn a_flipped_byte_in_an_event_file_is_reported_by_status_and_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let sample = fs::read_dir(samples().join("torch-tensorboard/healthy")).unwrap().next().unwrap().unwrap();
    let mut bytes = fs::read(sample.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(folder.path().join(sample.file_name()), bytes).unwrap();
    let path = folder.path().to_str().unwrap();
    let status = json(&["status", "--format", "json", path]);
    let skipped = &status["runs"][0]["files"][0]["skipped"];
    assert_eq!(skipped.as_array().unwrap().len(), 1, "{skipped}");
    assert!(stdout(&run(&["doctor", path])).contains("skipped"));
}

#[test]
fn doctor_tells_files_search_watching_and_terminal() {
    let text = stdout(&run(&["doctor", "."]));
    for part in ["files\n", "\nsearch\n", "\nwatching\n", "\nterminal\n", "tfevents", "inotify", "colours"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.contains("projector_config.pbtxt"), "files that no format claims are named:\n{text}");
}

#[test]
fn a_frame_is_the_same_each_time_and_of_the_size_asked_for() {
    let arguments =
        ["frame", "torch-tensorboard", "--view", "runs", "--size", "100x20", "--now", "2026-12-24T00:00:00Z"];
    let (one, two) = (run(&arguments), run(&arguments));
    assert_eq!(one.status.code(), Some(0), "{}", String::from_utf8_lossy(&one.stderr));
    assert_eq!(one.stdout, two.stdout);
    let text = stdout(&one);
    assert_eq!(text.lines().count(), 20);
    assert!(text.contains("healthy") && !text.contains('\x1b'));
    let svg = [&arguments[..], &["--format", "svg"]].concat();
    let (one, two) = (run(&svg), run(&svg));
    assert_eq!(one.stdout, two.stdout);
    assert!(stdout(&one).starts_with("<svg") || stdout(&one).starts_with("<?xml"));
    let ansi = [&arguments[..], &["--format", "ansi"]].concat();
    assert!(stdout(&run(&ansi)).contains("\x1b["));
}

#[test]
fn a_frame_can_be_written_to_a_file_with_the_cursor_at_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("frame.txt");
    let path = file.to_str().unwrap();
    for view in ["runs", "curves", "layers", "classes", "alerts", "files"] {
        let output = run(&[
            "frame",
            "torch-tensorboard",
            "--view",
            view,
            "--run",
            "overfit",
            "--at",
            "100",
            "--size",
            "80x24",
            "-o",
            path,
        ]);
        assert_eq!(output.status.code(), Some(0), "{view}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty());
        assert!(!fs::read_to_string(&file).unwrap().trim().is_empty(), "{view}");
    }
}

#[test]
fn colours_obey_their_flag_where_there_is_no_terminal() {
    assert!(!stdout(&run(&["status", "."])).contains('\x1b'));
    assert!(stdout(&run(&["status", "--color", "always", "."])).contains("\x1b["));
    let ascii = stdout(&run(&["check", "--ascii", "torch-tensorboard/nan"]));
    assert!(ascii.contains("-> "), "{ascii}");
}

#[test]
fn completions_and_the_manual_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&run(&["completions", shell]));
        for command in ["demo", "status", "check", "frame", "doctor"] {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
    }
    let page = stdout(&run(&["man"]));
    assert!(page.contains(".TH epochscope") && page.contains("stale\\-after"), "{page}");
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["status", "--help"], &["--version"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}
