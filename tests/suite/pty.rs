//! The monitor as a user meets it: in a terminal, on real files that grow.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use portable_pty::CommandBuilder;
use rustix::process::Signal;

use crate::pseudo_terminal::{PseudoTerminal, wait_for_condition};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs")
}

fn healthy() -> Vec<u8> {
    let folder = samples().join("torch-tensorboard/healthy");
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    fs::read(file).unwrap()
}

/// A folder with one JSON-lines run `a` of `steps` steps.
fn folder_with_run(steps: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    let log = folder.path().join("a/metrics.jsonl");
    let mut text = String::new();
    for step in 0..steps {
        text.push_str(&line(step));
    }
    fs::write(&log, text).unwrap();
    (folder, log)
}

fn line(step: u32) -> String {
    format!("{{\"step\": {step}, \"train/loss\": {}}}\n", 2.0 / f64::from(step + 1))
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn the_screen_shows_a_run_and_keys_switch_views_and_q_leaves_it_clean() {
    let samples = samples();
    let mut terminal = PseudoTerminal::start(["torch-tensorboard"], &samples, 80, 24);
    terminal.wait_for("healthy");
    assert!(terminal.is_taken());
    for (key, content) in
        [("2", "loss"), ("3", "weight"), ("7", "train/loss"), ("8", "tfevents"), ("1", "healthy")]
    {
        terminal.keys(key);
        terminal.wait_for(content);
    }
    terminal.keys("?");
    terminal.wait_for("next view");
    terminal.keys("\x1b");
    terminal.wait_without("next view");
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_clean();
}

#[test]
fn a_resize_draws_the_new_size_at_once() {
    let (folder, _log) = folder_with_run(10);
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    for (columns, rows) in [(40, 12), (200, 50), (20, 5), (80, 24)] {
        terminal.resize(columns, rows);
        terminal.wait_until("a frame of the new size", |screen| {
            let text = screen.contents();
            let last = text.lines().count();
            // Below 30 × 8 there is only a notice; else the status line is in the last row.
            if columns < 30 {
                !text.trim().is_empty() && !text.contains("Runs")
            } else {
                last == usize::from(rows)
            }
        });
    }
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_clean();
}

#[test]
fn suspend_gives_the_terminal_back_and_continue_takes_it_again() {
    let (folder, log) = folder_with_run(10);
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    for by_key in [true, false] {
        if by_key {
            terminal.keys("\x1a");
        } else {
            terminal.signal(Signal::TSTP);
        }
        terminal.wait_stopped();
        terminal.assert_clean();
        append(&log, line(100 + u32::from(by_key)).as_bytes());
        terminal.signal(Signal::CONT);
        terminal.wait_until("the other screen", vt100::Screen::alternate_screen);
        terminal.wait_for("Runs");
        wait_for_condition("raw mode", || terminal.is_taken());
    }
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_clean();
}

#[test]
fn a_stop_from_outside_does_not_leave_a_broken_screen_behind() {
    let (folder, _log) = folder_with_run(10);
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    terminal.signal(Signal::STOP);
    terminal.wait_stopped();
    terminal.signal(Signal::CONT);
    let count = |bytes: &[u8]| bytes.windows(8).filter(|w| *w == b"\x1b[?1049h").count();
    wait_for_condition("the screen to be taken again", || count(&terminal.bytes()) == 2);
    terminal.wait_for("Runs");
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_clean();
}

#[test]
fn signals_end_it_with_their_code_and_a_clean_terminal() {
    let (folder, _log) = folder_with_run(10);
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
        terminal.wait_for("Runs");
        terminal.signal(signal);
        assert_eq!(terminal.wait_end(), code);
        terminal.assert_clean();
    }
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    terminal.keys("\x03");
    assert_eq!(terminal.wait_end(), 130);
    terminal.assert_clean();
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    let (folder, _log) = folder_with_run(10);
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    terminal.hang_up();
    terminal.signal(Signal::HUP);
    terminal.wait_end();
}

/// Not a test by itself: the program of [`a_panic_leaves_the_terminal_clean_and_says_where`].
#[test]
#[ignore = "started by another test, in a pseudo-terminal"]
fn takes_the_terminal_and_panics() {
    use epochscope::{
        app::{journal::Journal, terminal},
        model::{ManualClock, WallTime},
    };
    let clock = std::sync::Arc::new(ManualClock::new(WallTime(0.0)));
    terminal::install_panic_hook(Journal::new(clock, None, false, true).unwrap());
    let _tty = terminal::Tty::take(true).unwrap();
    // A worker's panic, caught or not, must leave the screen alone.
    assert!(std::thread::spawn(|| panic!("only a worker")).join().is_err());
    let mut seen = terminal::take_last_panic().unwrap();
    seen.push_str(" was noticed");
    panic!("{seen}; and now all of it");
}

#[test]
fn a_panic_leaves_the_terminal_clean_and_says_where() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "pty::takes_the_terminal_and_panics", "--ignored", "--nocapture"]);
    let mut terminal = PseudoTerminal::spawn(command, &samples(), 200, 24);
    terminal.wait_for("this is a bug in epochscope");
    assert_ne!(terminal.wait_end(), 0);
    terminal.assert_clean();
    let screen = terminal.screen();
    assert!(screen.contains(env!("CARGO_PKG_VERSION")), "{screen}");
    assert!(screen.contains("tests/suite/pty.rs:"), "{screen}");
    assert!(screen.contains("only a worker at") && screen.contains("and now all of it"), "{screen}");
    let bytes = terminal.bytes();
    let leaves = bytes.windows(8).position(|w| w == b"\x1b[?1049l").unwrap();
    let says = bytes.windows(13).position(|w| w == b"this is a bug").unwrap();
    assert!(leaves < says, "the screen must be left before the message is written");
}

#[test]
fn an_appended_point_is_on_the_screen_soon() {
    let (folder, log) = folder_with_run(10);
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    for step in [4321, 5432, 6543] {
        append(&log, line(step).as_bytes());
        terminal.wait_for(&step.to_string());
    }
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
}

#[test]
fn a_run_that_appears_later_appears_on_the_screen() {
    let (folder, _log) = folder_with_run(10);
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    let late = folder.path().join("deep/er/latecomer");
    fs::create_dir_all(&late).unwrap();
    append(&late.join("metrics.jsonl"), (line(0) + &line(1)).as_bytes());
    terminal.wait_for("latecomer");
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
}

#[test]
fn half_a_record_waits_for_its_rest() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("events.out.tfevents.1700000000.host.1.0");
    let bytes = healthy();
    // A writer that was killed in the middle of a record…
    let half = bytes.len() / 2 + 7;
    fs::write(&log, &bytes[..half]).unwrap();
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("Runs");
    terminal.keys("8");
    terminal.wait_for("tfevents");
    // … and one that goes on.
    append(&log, &bytes[half..]);
    terminal.keys("1");
    terminal.wait_for("384");
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
}

#[test]
fn a_file_that_is_truncated_and_rewritten_starts_again() {
    let (folder, log) = folder_with_run(7778);
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("7777");
    File::create(&log).unwrap().write_all((line(0) + &line(55)).as_bytes()).unwrap();
    terminal.wait_without("7777");
    terminal.wait_for("55");
    terminal.keys("8");
    terminal.wait_for("metrics.jsonl");
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
}

#[test]
fn names_from_logs_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run\x1b]0;owned\x07\x1b[2J");
    fs::create_dir(&run).unwrap();
    let mut text = String::new();
    for step in 0..50 {
        let _ = writeln!(
            text,
            "{{\"step\": {step}, \"train/loss\\u001b]52;c;b3duZWQ=\\u0007\": 1.5, \"\\u009b31mval/loss\\u202e\": 2.5}}"
        );
    }
    fs::write(run.join("metrics.jsonl"), text).unwrap();
    let mut terminal = PseudoTerminal::start(["."], folder.path(), 80, 24);
    terminal.wait_for("␛]0;owned␇");
    for key in ["2", "3", "4", "5", "6", "7", "8", "?", "?", "1"] {
        terminal.keys(key);
        terminal.wait_for("Runs");
    }
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_clean();
    let bytes = terminal.bytes();
    assert!(!bytes.windows(2).any(|w| w == b"\x1b]"), "an OSC reached the terminal");
    assert!(!bytes.contains(&7), "a bell reached the terminal");
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains('\u{9b}') && !text.contains('\u{202e}'));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it is about real time")]
fn the_demo_shows_live_curves_within_two_seconds_and_quits_on_q() {
    let folder = tempfile::tempdir().unwrap();
    let started = std::time::Instant::now();
    let mut terminal = PseudoTerminal::start(["demo"], folder.path(), 100, 30);
    terminal.wait_for("healthy");
    terminal.keys("2");
    terminal.wait_until("braille dots of a curve", |screen| {
        screen.contents().chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count() > 20
    });
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "it took {took:?}; two seconds are asked for on a quiet machine");
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_clean();
}
