//! Rotated logs: older parts are read first, and a log that is rotated while it is read goes on.

use std::{fs, io::Write as _, path::Path, time::Duration};

use super::{Follower, TEST_FORMATS, append, follow_options, lines, once, write};
use epochscope::ingest::Machinery;
use flate2::{Compression, write::GzEncoder};
use tempfile::tempdir;

fn machinery() -> Machinery {
    Machinery { formats: TEST_FORMATS, ..Machinery::default() }
}

fn gzip(path: &Path, text: &str) {
    let mut encoder = GzEncoder::new(fs::File::create(path).unwrap(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
}

fn steps(range: std::ops::Range<i64>) -> Vec<i64> {
    range.collect()
}

#[test]
fn older_parts_are_read_before_the_log_as_one_file() {
    let dir = tempdir().unwrap();
    let log = dir.path().join("a.tl");
    write(&log, &lines(40..50));
    write(&dir.path().join("a.tl.1"), &lines(30..40));
    gzip(&dir.path().join("a.tl.2.gz"), &lines(20..30));
    gzip(&dir.path().join("a.tl.10.gz"), &lines(10..20));
    write(&dir.path().join("a.tl-20260131"), &lines(0..10));
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.steps(".", "loss"), steps(0..50));
    assert_eq!((heard.files.len(), heard.resets), (1, 0));
    let health = heard.file("a.tl").unwrap();
    let size: u64 = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert_eq!((health.bytes, health.read_bytes, health.skip_count), (size, size, 0), "{health:?}");
    let older = heard.scan.passed_over.iter().filter(|g| g.reason.contains("an older part of the log"));
    assert_eq!(older.map(|g| g.count).sum::<u64>(), 4, "{:?}", heard.scan.passed_over);
}

#[test]
fn a_number_behind_the_name_of_no_log_means_nothing() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("a.tl.1"), &lines(0..3));
    write(&dir.path().join("b.tl"), &lines(0..3));
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.files.len(), 1, "{:?}", heard.files);
}

#[test]
fn a_damaged_older_part_is_listed_and_costs_nothing_else() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("a.tl"), &lines(5..7));
    write(&dir.path().join("a.tl.1"), &lines(3..5));
    write(&dir.path().join("a.tl.2"), "loss 0 0.5\ndie\n");
    write(&dir.path().join("a.tl.3.gz"), "no gzip");
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.steps(".", "loss"), [0, 3, 4, 5, 6]);
    let reasons: Vec<_> = heard.file("a.tl").unwrap().skips.iter().map(|s| s.reason.to_string()).collect();
    assert!(reasons[0].contains("a.tl.3.gz") && reasons[1].contains("a.tl.2"), "{reasons:?}");
}

#[test]
fn a_log_that_is_renamed_and_made_anew_goes_on() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write(&path("a.tl"), &lines(0..50));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..50));
    for (turn, from) in [(1, 50), (2, 60), (3, 70)] {
        // What is written right before the renaming must not be lost.
        append(&path("a.tl"), &lines(from..from + 5));
        for number in (1..turn).rev() {
            fs::rename(path(&format!("a.tl.{number}")), path(&format!("a.tl.{}", number + 1))).unwrap();
        }
        fs::rename(path("a.tl"), path("a.tl.1")).unwrap();
        write(&path("a.tl"), &lines(from + 5..from + 10));
        follower.until_steps(".", "loss", &steps(0..from + 10));
    }
    assert_eq!((follower.heard.resets, follower.heard.files.len()), (0, 1));
    assert_eq!(follower.heard.file("a.tl").unwrap().restarts, 0);
    append(&path("a.tl"), &lines(80..81));
    follower.until_steps(".", "loss", &steps(0..81));
}

#[test]
fn a_log_that_is_copied_and_cut_goes_on() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write(&path("a.tl"), &lines(0..50));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..50));
    append(&path("a.tl"), &lines(50..55));
    fs::copy(path("a.tl"), path("a.tl.1")).unwrap();
    fs::write(path("a.tl"), "").unwrap();
    follower.until_steps(".", "loss", &steps(0..55));
    append(&path("a.tl"), &lines(55..60));
    follower.until_steps(".", "loss", &steps(0..60));
    follower.listen(Duration::from_millis(300));
    assert_eq!((follower.heard.resets, follower.heard.files.len()), (0, 1));
}

#[test]
fn rotations_that_happen_while_nobody_looks_are_read_in_their_order() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write(&path("a.tl"), &lines(0..50));
    // Nothing tells of changes, and the heartbeat is slow enough for all of it to happen in between.
    let deaf = Machinery { notifications: false, heartbeat: Duration::from_secs(2), formats: TEST_FORMATS };
    let options =
        epochscope::ingest::Options { poll: Some(Duration::from_secs(2)), ..follow_options(dir.path()) };
    let mut follower = Follower::with(options, deaf);
    follower.until_steps(".", "loss", &steps(0..50));
    gzip(&path("a.tl.2.gz"), &lines(0..55));
    write(&path("a.tl.1"), &lines(55..60));
    write(&path("a.tl.new"), &lines(60..62));
    fs::rename(path("a.tl.new"), path("a.tl")).unwrap();
    follower.until_steps(".", "loss", &steps(0..62));
    assert_eq!(follower.heard.resets, 0);
}

#[test]
fn a_log_that_begins_anew_is_read_with_its_older_parts_again() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("a.tl.1"), &lines(0..5));
    write(&dir.path().join("a.tl"), &lines(5..9));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &steps(0..9));
    fs::write(dir.path().join("a.tl"), lines(100..102)).unwrap();
    let wanted = [steps(0..5), steps(100..102)].concat();
    follower.until_steps(".", "loss", &wanted);
    assert_eq!(follower.heard.resets, 1);
}
