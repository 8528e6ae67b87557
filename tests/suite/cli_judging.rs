//! `--role` and `--rule`, on the command line and in `epochscope.toml`.

use std::{fmt::Write as _, fs, path::Path, process::Output};

use serde_json::Value;

use crate::{cli_config::program, pseudo_terminal::PROGRAM};

/// A run in which a number that is called `verdict` begins to explode, and `q/x` does not.
fn logs() -> tempfile::TempDir {
    assert!(Path::new(PROGRAM).exists());
    let dir = tempfile::tempdir().unwrap();
    let mut text = "step,verdict,q/x\n".to_owned();
    for step in 0..600 {
        let wobble = 0.01 * f64::from(step * 37 % 11);
        let falling = 2.0 * (-0.01 * f64::from(step)).exp() + 0.2 + wobble;
        let value = if step < 400 { falling } else { falling * 1.03_f64.powi(step - 400) };
        let _ = writeln!(text, "{step},{value},{wobble}");
    }
    for run in ["a", "sweep/b"] {
        fs::create_dir_all(dir.path().join("runs").join(run)).unwrap();
        fs::write(dir.path().join("runs").join(run).join("metrics.csv"), &text).unwrap();
    }
    dir
}

fn alerts(here: &Path, flags: &[&str]) -> Vec<(String, String, String)> {
    let arguments = [&["check", "--format", "json", "--now", "2030-01-01T00:00:00Z", "runs"], flags].concat();
    let output = program(here, &arguments);
    let read: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let mut all = Vec::new();
    for run in read["runs"].as_array().unwrap() {
        for alert in run["alerts"].as_array().unwrap() {
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            all.push((word(&run["run"]), word(&alert["rule"]), word(&alert["severity"])));
        }
    }
    all
}

fn error(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(2), 3), "{text}");
    text
}

#[test]
fn a_series_is_judged_by_what_the_user_says_that_it_is() {
    let dir = logs();
    let here = dir.path();
    let diverges = |flags: &[&str]| alerts(here, flags).iter().any(|(_, rule, _)| rule == "divergence");
    assert!(!diverges(&[]), "nothing is known of `verdict`");
    assert!(diverges(&["--role", "verd*=min,loss"]));
    assert!(!diverges(&["--role", "verdict=loss", "--role", "*=ignore"]), "the last word counts");
    fs::write(
        here.join("epochscope.toml"),
        "[roles]\n\"q/*\" = [\"metric\", \"max\", \"val\"]\nverdict = \"loss\"\n",
    )
    .unwrap();
    assert!(diverges(&[]), "the file says the same");
    let status = program(here, &["status", "--format", "json", "runs"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let series = status["runs"][0]["series"].as_array().unwrap();
    let of = |tag: &str| series.iter().find(|s| s["tag"] == tag).unwrap();
    assert_eq!(
        (&of("q/x")["role"], &of("q/x")["goal"], &of("q/x")["split"]),
        (&"metric".into(), &"max".into(), &"val".into())
    );
    assert_eq!((&of("verdict")["role"], &of("verdict")["goal"]), (&"loss".into(), &"min".into()));
}

#[test]
fn a_rule_is_as_loud_as_the_user_lets_it_be() {
    let dir = logs();
    let here = dir.path();
    fs::write(here.join("epochscope.toml"), "roles = { verdict = 'loss' }\n").unwrap();
    let of = |flags: &[&str]| {
        let all = alerts(here, flags).into_iter().filter(|(_, rule, _)| rule == "divergence");
        all.map(|(run, _, severity)| format!("{run} {severity}")).collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), ["a critical", "sweep/b critical"]);
    assert_eq!(of(&["--rule", "divergence=warn"]), ["a warn", "sweep/b warn"]);
    assert_eq!(of(&["--rule", "divergence=off@sweep/*"]), ["a critical"]);
    let quiet = [
        "check",
        "--now",
        "2030-01-01T00:00:00Z",
        "--rule",
        "divergence=info",
        "--fail-on",
        "critical",
        "runs",
    ];
    assert_eq!(program(here, &quiet).status.code(), Some(0), "and the exit code follows");
    let config =
        "roles = { verdict = 'loss' }\n[rules]\ndivergence = ['warn', { severity = 'off', runs = 'a' }]\n";
    fs::write(here.join("epochscope.toml"), config).unwrap();
    assert_eq!(of(&[]), ["sweep/b warn"]);
    assert_eq!(of(&["--rule", "divergence=info"]), ["a info", "sweep/b info"], "what is typed wins");
}

#[test]
fn what_is_wrong_with_roles_and_rules_is_said_in_one_line() {
    let dir = logs();
    for (flags, word) in [
        (["--role", "loss"], "write it like cost=loss,min"),
        (["--role", "x=lost"], "`lost` is not known"),
        (["--role", "x=min,max"], "contradicts"),
        (["--rule", "overfiting=off"], "did you mean `overfitting`?"),
        (["--rule", "nan=loud"], "`loud` is not off, info, warn or critical"),
    ] {
        let text = error(&program(dir.path(), &[&["status", "runs"], &flags[..]].concat()));
        assert!(text.contains(word), "{text}");
    }
    for (config, line, word) in [
        ("[rules]\nplateau = 'off'\noverfiting = 'off'\n", 3, "did you mean `overfitting`?"),
        ("[rules]\nplateau = { runs = 'x' }\n", 2, "has no `severity`"),
        ("[roles]\nx = 'lost'\n", 2, "`lost` is not known"),
        ("roles = 3\n", 1, "`roles` is no table"),
    ] {
        fs::write(dir.path().join("epochscope.toml"), config).unwrap();
        let text = error(&program(dir.path(), &["status", "runs"]));
        assert!(text.contains(word) && text.contains(&format!("line {line}")), "{text}");
    }
}
