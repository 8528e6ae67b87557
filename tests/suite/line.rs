//! `line` as a status bar calls it: again and again, on logs that grow.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::pseudo_terminal::{PROGRAM, wait_for_condition};

fn place() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for run in ["a", "b"] {
        fs::create_dir_all(dir.path().join("logs").join(run)).unwrap();
        let line = |n: u32| format!("{{\"step\": {n}, \"train/loss\": {}}}\n", 2.0 / f64::from(n + 1));
        let text: String = (0..40).map(line).collect();
        fs::write(dir.path().join("logs").join(run).join("metrics.jsonl"), text).unwrap();
    }
    dir
}

fn command(dir: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["line", "logs"]).args(arguments).current_dir(dir.path()).stdin(Stdio::null());
    for name in ["NO_COLOR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LC_ALL", "LC_CTYPE"] {
        command.env_remove(name);
    }
    command.env("HOME", dir.path().join("home")).env("LANG", "C.UTF-8").env("TERM", "xterm-256color");
    command
}

fn text(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(dir: &TempDir, arguments: &[&str]) -> Value {
    serde_json::from_str(&text(command(dir, &[&["--format", "json"], arguments].concat()))).unwrap()
}

fn break_down(dir: &TempDir) {
    let path = dir.path().join("logs/b/metrics.jsonl");
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"{\"step\": 50, \"train/loss\": NaN}\n").unwrap();
}

#[test]
fn the_answer_comes_from_the_cache_and_follows_the_logs() {
    let dir = place();
    wait_for_condition("the first reading", || json(&dir, &[])["running"] == 2);
    let cache = dir.path().join("home/.cache/epochscope");
    assert!(fs::read_dir(&cache).unwrap().count() >= 1);
    let first = json(&dir, &["--max-age", "1d"]);
    assert_eq!(first["worst"], Value::Null);
    break_down(&dir);
    assert_eq!(json(&dir, &["--max-age", "1d"])["worst"], Value::Null, "what is known is young enough");
    // Not younger than a moment: it is brought up to date behind our back.
    wait_for_condition("the alert", || json(&dir, &["--max-age", "1ms"])["worst"]["rule"] == "nan");
    assert_eq!(fs::read_dir(dir.path().join("logs")).unwrap().count(), 2, "nothing among the logs");
}

#[test]
fn max_age_0_reads_now_and_tmux_gets_its_colours() {
    let dir = place();
    break_down(&dir);
    // The clock of the file system is too coarse to tell which of the two is the newer one.
    let other = OpenOptions::new().append(true).open(dir.path().join("logs/a/metrics.jsonl")).unwrap();
    let modified = other.metadata().unwrap().modified().unwrap();
    other.set_modified(modified - Duration::from_secs(30)).unwrap();
    let plain = text(command(&dir, &["--max-age", "0"]));
    assert_eq!(plain, "2 running │ critical nan b │ b train/loss NaN ↓\n");
    let ascii = text(command(&dir, &["--max-age", "0", "--ascii"]));
    assert!(ascii.is_ascii() && ascii.starts_with("2 running | critical nan b | "), "{ascii}");
    let tmux = text(command(&dir, &["--max-age", "0", "--format", "tmux"]));
    assert!(tmux.contains("#[fg=red]critical nan#[default] b"), "{tmux}");
    let mut plain_tmux = command(&dir, &["--max-age", "0", "--format", "tmux"]);
    plain_tmux.env("NO_COLOR", "1");
    assert!(!text(plain_tmux).contains("#["));
}

#[test]
fn a_damaged_cache_is_read_anew_and_no_home_is_no_hindrance() {
    let dir = place();
    wait_for_condition("the first reading", || json(&dir, &[])["running"] == 2);
    let cache = dir.path().join("home/.cache/epochscope");
    for entry in fs::read_dir(&cache).unwrap() {
        fs::write(entry.unwrap().path(), "{\"version\"").unwrap();
    }
    wait_for_condition("another reading", || json(&dir, &[])["running"] == 2);
    let mut homeless = command(&dir, &["--format", "json"]);
    homeless.env_remove("HOME");
    assert_eq!(serde_json::from_str::<Value>(&text(homeless)).unwrap()["running"], 2);
    let mut inside = command(&dir, &["--format", "json"]);
    inside.env("HOME", dir.path().join("logs"));
    assert_eq!(serde_json::from_str::<Value>(&text(inside)).unwrap()["running"], 2);
    assert_eq!(fs::read_dir(dir.path().join("logs")).unwrap().count(), 2, "nothing among the logs");
}
