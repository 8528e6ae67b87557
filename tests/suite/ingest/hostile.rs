//! Damage that must stay where it is.

use std::fs;

use super::{Follower, TEST_FORMATS, append, follow_options, lines, once, write};
use epochscope::{ingest::Machinery, model::FileState};
use tempfile::tempdir;

#[test]
fn a_panic_of_a_decoder_costs_its_file_and_nothing_else() {
    let dir = tempdir().unwrap();
    let bad = dir.path().join("bad/x.tl");
    write(&bad, "loss 1 0.5\nboom\n");
    write(&dir.path().join("good/x.tl"), &lines(0..3));
    let mut follower = Follower::new(dir.path());
    follower.until_steps("good", "loss", &[0, 1, 2]);
    follower.until("dead", |h| h.state("bad/x.tl") == "dead");
    let FileState::Dead(why) = &follower.heard.file("bad/x.tl").unwrap().state else { panic!("not dead") };
    assert!(why.contains("broke down") && why.contains("the test wanted it"), "{why}");
    fs::write(&bad, lines(5..7)).unwrap();
    follower.until_steps("bad", "loss", &[5, 6]);
    append(&dir.path().join("good/x.tl"), &lines(3..4));
    follower.until_steps("good", "loss", &[0, 1, 2, 3]);
}

#[test]
fn a_dead_file_comes_back_when_it_is_replaced_and_stays_dead_when_it_only_grows() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("x.tl");
    write(&file, "loss 1 0.5\ndie\n");
    let mut follower = Follower::new(dir.path());
    follower.until("dead", |h| h.state("x.tl") == "dead");
    append(&file, &lines(2..3));
    follower.until("its growth was noticed", |h| h.file("x.tl").is_some_and(|f| f.bytes == 26));
    assert_eq!(follower.heard.state("x.tl"), "dead");
    let new = dir.path().join("tmp");
    fs::write(&new, lines(4..6)).unwrap();
    fs::rename(&new, &file).unwrap();
    follower.until_steps(".", "loss", &[4, 5]);
    follower.until("followed", |h| h.state("x.tl") == "following");
}

#[test]
fn damage_is_listed_at_its_place() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("x.tl"), "loss 1 0.5\nwhat\nloss 2 0.5\n");
    let heard = once(follow_options(dir.path()), Machinery { formats: TEST_FORMATS, ..Machinery::default() });
    let file = heard.file("x.tl").unwrap();
    assert_eq!((file.skip_count, file.skips[0].offset, file.skips[0].bytes), (1, 11, 5));
    assert_eq!(heard.steps(".", "loss"), [1, 2]);
    assert_eq!((file.records, file.read_bytes, file.pending_bytes), (2, 27, 0));
}

#[test]
fn reading_once_takes_a_last_line_without_its_end() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("x.tl"), "loss 1 0.5\nloss 2 0.5");
    write(&dir.path().join("y/y.tl"), "loss 1 0.5\nloss 2");
    write(&dir.path().join("empty.tl"), "");
    let heard = once(follow_options(dir.path()), Machinery { formats: TEST_FORMATS, ..Machinery::default() });
    assert_eq!(heard.steps(".", "loss"), [1, 2]);
    assert_eq!(heard.steps("y", "loss"), [1]);
    assert_eq!(heard.file("y/y.tl").unwrap().pending_bytes, 6);
    assert_eq!(heard.state("empty.tl"), "following");
    assert!(heard.scan.complete);
}

#[test]
fn a_folder_that_may_not_be_read_is_listed() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempdir().unwrap();
    write(&dir.path().join("secret/x.tl"), &lines(0..1));
    write(&dir.path().join("open/x.tl"), &lines(0..1));
    let secret = dir.path().join("secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let root_may_read_everything = fs::read_dir(&secret).is_ok();
    let heard = once(follow_options(dir.path()), Machinery { formats: TEST_FORMATS, ..Machinery::default() });
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(heard.steps("open", "loss"), [0]);
    let listed = format!("{:?}", heard.scan.unreadable);
    assert!(root_may_read_everything || listed.contains("secret"), "{listed}");
}

#[test]
fn stopping_does_not_wait_for_a_listener_that_does_not_listen() {
    let dir = tempdir().unwrap();
    for n in 0..300 {
        write(&dir.path().join(format!("r{n}/x.tl")), &lines(0..5));
    }
    let mut follower = Follower::new(dir.path());
    follower.until("it began", |h| !h.files.is_empty());
    drop(follower); // the receiver is dropped after the threads were joined
}

#[test]
fn nothing_is_ever_mapped_into_memory() {
    let manifest = include_str!("../../../Cargo.toml");
    assert!(!manifest.contains("memmap"), "a file truncated under a map kills the process with SIGBUS");
}
