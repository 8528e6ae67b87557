//! A file that is being written: appended to, cut, rewritten, replaced, deleted.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{Follower, TEST_FORMATS, append, follow_options, lines, write};
use epochscope::{formats::FORMATS, ingest::Machinery, model::Batch};
use tempfile::tempdir;

fn steps(range: std::ops::Range<i64>) -> Vec<i64> {
    range.collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about time")]
fn an_appended_point_arrives_at_once() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("run/a.tl");
    write(&file, &lines(0..10));
    let mut follower = Follower::new(dir.path());
    follower.until_steps("run", "loss", &steps(0..10));
    follower.until_caught_up();
    follower.listen(Duration::from_millis(200));
    let mut quickest = Duration::MAX;
    for step in 10..20 {
        let before = Instant::now();
        append(&file, &lines(step..step + 1));
        follower.until_steps("run", "loss", &steps(0..step + 1));
        quickest = quickest.min(before.elapsed());
        follower.listen(Duration::from_millis(30));
    }
    // The heartbeat is at 5 s. The quickest of ten, because the machine may be busy with other tests.
    assert!(quickest < Duration::from_millis(250), "{quickest:?}");
}

#[test]
fn a_relative_path_is_told_of_changes_as_well() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("run/a.tl");
    write(&file, &lines(0..10));
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.ancestors().skip(1).map(|_| "..").collect();
    let relative = up.join(dir.path().canonicalize().unwrap().strip_prefix("/").unwrap());
    // No heartbeat comes within the test's deadline: only a hint of the kernel can bring the point.
    let machinery = Machinery { heartbeat: Duration::from_hours(1), ..Machinery::default() };
    let machinery = Machinery { formats: TEST_FORMATS, ..machinery };
    let mut follower = Follower::with(follow_options(&relative), machinery);
    follower.until_steps("run", "loss", &steps(0..10));
    follower.until_caught_up();
    follower.listen(Duration::from_millis(200));
    append(&file, &lines(10..11));
    follower.until_steps("run", "loss", &steps(0..11));
}

#[test]
fn a_half_written_record_waits_for_its_end() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, "loss 1 0.5\nloss 2 0.");
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &[1]);
    follower.until("its rest is pending", |h| h.file("a.tl").is_some_and(|f| f.pending_bytes == 9));
    append(&file, "25\nloss 3 0.5\n");
    follower.until_steps(".", "loss", &[1, 2, 3]);
    follower.until("nothing is pending", |h| h.file("a.tl").is_some_and(|f| f.pending_bytes == 0));
    let points: Vec<_> = follower.heard.points.values().flatten().copied().collect();
    assert_eq!(points, [(1, 0.5), (2, 0.25), (3, 0.5)]);
    assert_eq!(follower.heard.resets, 0);
}

#[test]
fn appends_within_one_second_are_all_seen() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..1));
    let options = epochscope::ingest::Options {
        poll: Some(Duration::from_millis(30)), // modification times of whole seconds would hide what follows
        ..follow_options(dir.path())
    };
    let mut follower = Follower::with(options, Machinery { formats: TEST_FORMATS, ..Machinery::default() });
    for step in 1..15 {
        append(&file, &lines(step..step + 1));
        follower.until_steps(".", "loss", &steps(0..step + 1));
    }
    assert!(format!("{:?}", follower.heard.scan.watched).contains("Polled"), "{:?}", follower.heard.scan);
}

#[test]
fn a_truncated_and_rewritten_file_is_read_anew() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..50));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..50));
    fs::write(&file, lines(100..103)).unwrap();
    follower.until_steps(".", "loss", &[100, 101, 102]);
    follower.until("a restart is counted", |h| h.file("a.tl").is_some_and(|f| f.restarts == 1));
    assert_eq!(follower.heard.resets, 1);
    append(&file, &lines(103..104));
    follower.until_steps(".", "loss", &[100, 101, 102, 103]);
}

#[test]
fn a_file_rewritten_longer_is_read_anew() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..5));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..5));
    fs::write(&file, lines(70..90)).unwrap();
    follower.until_steps(".", "loss", &steps(70..90));
    assert_eq!(follower.heard.resets, 1);
}

#[test]
fn a_file_rewritten_with_the_same_start_neither_counts_twice_nor_flashes() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..3));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..3));
    for epoch in 4..12 {
        fs::write(&file, lines(0..epoch)).unwrap();
        follower.until_steps(".", "loss", &steps(0..epoch));
    }
    assert_eq!(follower.heard.resets, 0, "the same start means that it went on");
}

#[test]
fn a_file_rewritten_slowly_keeps_what_it_said_until_it_says_something_new() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &format!("# old\n{}", lines(0..30)));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..30));
    fs::write(&file, "").unwrap();
    append(&file, "# new\n");
    append(&file, &lines(0..31));
    follower.until_steps(".", "loss", &steps(0..31));
    let shortest = follower.heard.batches.iter().filter(|b| b.reset).map(Batch::point_count).min();
    assert_eq!(shortest, Some(31), "the reset came with all of the new content");
}

#[test]
fn a_truncated_file_that_stays_empty_is_void_in_the_end() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..5));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..5));
    fs::write(&file, "").unwrap();
    follower.until_steps(".", "loss", &[]);
    append(&file, &lines(7..8));
    follower.until_steps(".", "loss", &[7]);
}

#[test]
fn a_file_replaced_by_rename_is_read_anew_and_followed() {
    let dir = tempdir().unwrap();
    let (file, new) = (dir.path().join("a.tl"), dir.path().join("a.tmp"));
    write(&file, &lines(0..5));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..5));
    fs::write(&new, lines(30..36)).unwrap();
    fs::rename(&new, &file).unwrap();
    follower.until_steps(".", "loss", &steps(30..36));
    append(&file, &lines(36..37));
    follower.until_steps(".", "loss", &steps(30..37));
    // A copying tool (rsync) replaces the file by a longer copy of itself: it went on.
    fs::write(&new, lines(30..40)).unwrap();
    fs::rename(&new, &file).unwrap();
    follower.until_steps(".", "loss", &steps(30..40));
    assert_eq!(follower.heard.resets, 1);
}

#[test]
fn a_deleted_file_is_gone_and_comes_back() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..5));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..5));
    fs::remove_file(&file).unwrap();
    follower.until("gone", |h| h.state("a.tl") == "gone");
    assert_eq!(follower.heard.steps(".", "loss"), steps(0..5), "what it said stays");
    write(&file, &lines(9..12));
    follower.until_steps(".", "loss", &[9, 10, 11]);
    follower.until("followed again", |h| h.state("a.tl") == "following");
    assert_eq!(follower.heard.files.len(), 1, "it is the same file to the user");
}

#[test]
fn a_csv_whose_header_grows_is_read_anew_with_all_columns() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("run/metrics.csv");
    write(&file, "step,loss\n0,0.9\n1,0.8\n");
    let mut follower =
        Follower::with(follow_options(dir.path()), Machinery { formats: FORMATS, ..Machinery::default() });
    follower.until_steps("run", "loss", &[0, 1]);
    fs::write(&file, "acc,loss,step\n,0.9,0\n,0.8,1\n0.5,0.7,2\n").unwrap();
    follower.until_steps("run", "loss", &[0, 1, 2]);
    follower.until_steps("run", "acc", &[2]);
    assert_eq!(follower.heard.resets, 1);
    append(&file, "0.6,nan,3\n");
    follower.until_steps("run", "loss", &[0, 1, 2, 3]);
}

#[test]
fn lines_with_python_s_nan_are_points() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("metrics.jsonl");
    write(&file, "{\"step\": 1, \"loss\": 0.5}\n{\"step\": 2, \"loss\": NaN}\n");
    let mut follower =
        Follower::with(follow_options(dir.path()), Machinery { formats: FORMATS, ..Machinery::default() });
    follower.until_steps(".", "loss", &[1, 2]);
    append(&file, "{\"step\": 3, \"loss\": Infinity}\n{\"step\": 4, \"loss\": -Infinity}\n");
    follower.until_steps(".", "loss", &[1, 2, 3, 4]);
    let values: Vec<f64> = follower.heard.points.values().flatten().map(|(_, v)| *v).collect();
    assert!(values[1].is_nan() && values[2] == f64::INFINITY && values[3] == f64::NEG_INFINITY, "{values:?}");
}

#[test]
fn a_busy_file_costs_few_turns_and_loses_nothing() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.tl");
    write(&file, &lines(0..1));
    let mut follower = Follower::new(dir.path());
    follower.until_caught_up();
    for step in 1..3000 {
        append(&file, &lines(step..step + 1));
    }
    follower.until_steps(".", "loss", &steps(0..3000));
    assert!(follower.ingest.turns() < 1500, "{} turns", follower.ingest.turns());
}
