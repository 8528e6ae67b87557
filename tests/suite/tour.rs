//! The frames in docs/tour.md are those of the program: each block that begins with `$ epochscope frame` is drawn anew.
//!
//! `UPDATE_DOCS=1 cargo test --test suite tour` writes them into the page.

use std::{env, fs, path::Path, process::Command};

/// Two hours after the last record, so that ages do not depend on the day.
const NOW: &str = "1795008000";
const BEGIN: &str = "```console\n$ epochscope frame ";

/// What the program prints for a command line in which only the value of `--keys` is quoted.
fn frame(command: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for (i, part) in command.split('"').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_epochscope"))
        .arg("frame")
        .args(words)
        .args(["--now", NOW, "--no-config", "--color", "never"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_frames_of_the_tour_are_those_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tour.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut wanted = String::new();
    let mut rest = page.as_str();
    let mut frames = 0;
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at + BEGIN.len());
        let (command, old) = block.split_once('\n').unwrap();
        let end = old.find("```").expect("the block ends");
        wanted += before;
        wanted += command;
        wanted.push('\n');
        wanted += &frame(command);
        rest = &old[end..];
        frames += 1;
    }
    wanted += rest;
    assert!(frames >= 10, "only {frames} frames");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, wanted).unwrap();
        return;
    }
    for (line, (have, want)) in page.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(have, want, "docs/tour.md:{}; `UPDATE_DOCS=1 cargo test --test suite tour`", line + 1);
    }
    assert_eq!(page.lines().count(), wanted.lines().count(), "docs/tour.md lacks lines");
}

#[test]
fn keys_of_a_frame_are_checked() {
    let output = Command::new(env!("CARGO_BIN_EXE_epochscope"))
        .args(["frame", "sample_logs/jsonl", "--keys", "j Foo"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("there is no key Foo") && told.contains("--keys"), "{told}");
}
