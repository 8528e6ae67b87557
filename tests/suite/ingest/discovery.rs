//! Finding files: new folders, lost hints, links, globs, folders full of other things.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use super::{Follower, TEST_FORMATS, append, follow_options, lines, once, write};
use epochscope::{
    ingest::{Machinery, Options},
    model::WatchMode,
};
use tempfile::tempdir;

fn machinery() -> Machinery {
    Machinery { formats: TEST_FORMATS, ..Machinery::default() }
}

#[test]
fn files_made_at_once_in_new_nested_folders_are_all_found() {
    let dir = tempdir().unwrap();
    let mut follower = Follower::new(dir.path());
    follower.until("the first look is over", |h| h.scan.complete);
    for n in 0..50 {
        write(&dir.path().join(format!("r{n}/a/b/c/x.tl")), &lines(n..n + 1));
    }
    follower.until("all fifty", |h| h.runs().len() == 50);
    for n in 0..50 {
        assert_eq!(follower.heard.steps(&format!("r{n}/a/b/c"), "loss"), [n]);
    }
    assert!(matches!(follower.heard.scan.watched.as_slice(), [(_, WatchMode::Notified)]));
}

#[test]
fn without_any_hint_everything_arrives_by_the_heartbeat() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("old/a.tl");
    write(&file, &lines(0..2));
    let deaf =
        Machinery { notifications: false, heartbeat: Duration::from_millis(100), formats: TEST_FORMATS };
    let mut follower = Follower::with(follow_options(dir.path()), deaf);
    follower.until_steps("old", "loss", &[0, 1]);
    append(&file, &lines(2..3));
    follower.until_steps("old", "loss", &[0, 1, 2]);
    write(&dir.path().join("new/deep/b.tl"), &lines(5..7));
    follower.until_steps("new/deep", "loss", &[5, 6]);
    fs::remove_dir_all(dir.path().join("new")).unwrap();
    follower.until("gone", |h| h.state("new/deep/b.tl") == "gone");
    write(&dir.path().join("new/deep/b.tl"), &lines(8..9));
    follower.until_steps("new/deep", "loss", &[8]);
}

#[test]
fn reading_causes_no_further_reading() {
    let dir = tempdir().unwrap();
    for n in 0..20 {
        write(&dir.path().join(format!("r{n}/x.tl")), &lines(0..50));
    }
    let machinery = Machinery { heartbeat: Duration::from_millis(100), ..machinery() };
    let mut follower = Follower::with(follow_options(dir.path()), machinery);
    follower.until("all twenty", |h| h.runs().len() == 20 && h.caught_up());
    follower.listen(Duration::from_millis(300));
    let (turns, news) = (follower.ingest.turns(), follower.heard.file_news);
    follower.listen(Duration::from_millis(700)); // seven heartbeats
    assert_eq!(follower.ingest.turns(), turns, "an idle folder costs no turns");
    assert_eq!(follower.heard.file_news, news, "and brings no news");
}

#[test]
fn an_empty_file_waits_and_is_read_when_it_grows() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("run/x.tl");
    write(&file, "");
    let mut follower = Follower::new(dir.path());
    follower.until("waiting", |h| h.state("run/x.tl") == "following" && h.scan.complete);
    append(&file, &lines(1..3));
    follower.until_steps("run", "loss", &[1, 2]);
    assert_eq!(follower.heard.files.len(), 1);
}

#[test]
fn links_in_circles_and_second_names_are_followed_once() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("real/x.tl"), &lines(1..3));
    symlink(dir.path(), dir.path().join("real/up")).unwrap();
    symlink(dir.path().join("real"), dir.path().join("again")).unwrap();
    symlink(dir.path().join("real/x.tl"), dir.path().join("latest.tl")).unwrap();
    symlink(dir.path().join("itself"), dir.path().join("itself")).unwrap();
    let elsewhere = tempdir().unwrap();
    write(&elsewhere.path().join("y.tl"), &lines(4..5));
    symlink(elsewhere.path(), dir.path().join("mounted")).unwrap();
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.steps("mounted", "loss"), [4], "links are followed");
    let (real, latest) = (heard.steps("real", "loss"), heard.steps(".", "loss"));
    assert_eq!(real.len() + latest.len(), 2, "one file is read once: {:?}", heard.points);
    assert_eq!(heard.files.len(), 2, "{:?}", heard.files);
    let unreadable = format!("{:?}", heard.scan.unreadable);
    assert!(unreadable.contains("itself"), "{unreadable}");
}

#[test]
fn what_is_excluded_is_not_read_and_listed() {
    let dir = tempdir().unwrap();
    for path in ["keep/x.tl", "old/x.tl", "keep/skip.tl", ".git/x.tl", "venv/lib/site-packages/x.tl"] {
        write(&dir.path().join(path), &lines(0..1));
    }
    let options = Options { exclude: vec!["old".into(), "skip.*".into()], ..follow_options(dir.path()) };
    let heard = once(options, machinery());
    assert_eq!(heard.runs(), ["keep"]);
    let listed = format!("{:?}", heard.scan.passed_over);
    for name in ["old", "skip.tl", ".git", "site-packages"] {
        assert!(listed.contains(name), "{name} in {listed}");
    }
    let options = Options { include: vec!["old/**".into()], ..follow_options(dir.path()) };
    assert_eq!(once(options, machinery()).runs(), ["old"]);
}

#[test]
fn a_user_may_say_which_format_a_file_has_and_wrong_words_are_refused() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("strange.name"), &lines(0..2));
    let hint = |name: &str| vec![(name.to_owned(), "strange.*".to_owned())];
    let options = Options { format_hints: hint("testlines"), ..follow_options(dir.path()) };
    assert_eq!(once(options, machinery()).steps(".", "loss"), [0, 1]);
    let options = Options { format_hints: hint("nonsense"), ..follow_options(dir.path()) };
    let error = Follower::try_with(options, machinery()).err().unwrap();
    assert!(error.to_string().contains("nonsense: no such format"), "{error}");
    let error = Follower::try_with(follow_options(Path::new("/no/such/folder")), machinery()).err().unwrap();
    assert_eq!(error.path, Path::new("/no/such/folder"));
}

#[test]
fn old_files_are_passed_over_until_they_change() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("x.tl");
    write(&file, &lines(0..1));
    let since = fs::metadata(&file).unwrap().modified().unwrap() + Duration::from_millis(1);
    let since = since.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let options =
        Options { modified_since: Some(epochscope::model::WallTime(since)), ..follow_options(dir.path()) };
    let mut follower = Follower::with(options, machinery());
    follower.until("the first look is over", |h| h.scan.complete);
    assert!(follower.heard.files.is_empty());
    follower.listen(Duration::from_millis(100));
    append(&file, &lines(1..2));
    follower.until_steps(".", "loss", &[0, 1]);
}

#[test]
fn thousands_of_other_files_are_passed_over_by_name() {
    let dir = tempdir().unwrap();
    for n in 0..5000 {
        fs::File::create(dir.path().join(format!("checkpoint-{n}.pt"))).unwrap();
    }
    write(&dir.path().join("x.tl"), &lines(0..1));
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.steps(".", "loss"), [0]);
    assert_eq!((heard.scan.files_seen, heard.scan.ignored), (5001, 5000));
    let told: Vec<(&str, u64)> = heard.scan.passed_over.iter().map(|g| (&*g.path, g.count)).collect();
    assert_eq!(told, [("*.pt", 5000)]);
}

#[test]
fn of_thousands_of_files_named_alike_that_are_no_logs_only_some_are_opened() {
    let dir = tempdir().unwrap();
    for n in 0..1000 {
        write(&dir.path().join(format!("data/{n:04}.tl")), "!a label\n");
    }
    write(&dir.path().join("data/train.tl"), &lines(0..2));
    // beside hundreds of quiet ones, those that are logs are all read
    for n in 0..300 {
        write(
            &dir.path().join(format!("mixed/{n:04}.tl")),
            if n == 100 { "loss 1 0.5\n" } else { "!a label\n" },
        );
    }
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.steps("data", "loss"), [0, 1]);
    assert_eq!(heard.steps("mixed", "loss"), [1]);
    assert_eq!((heard.scan.files_seen, heard.scan.ignored), (1301, 1299));
    let told: u64 = heard.scan.passed_over.iter().map(|g| g.count).sum();
    assert_eq!(told, 1299, "{:?}", heard.scan.passed_over);
    let unopened = heard.scan.passed_over.iter().find(|g| g.reason.starts_with("named like hundreds"));
    assert_eq!(unopened.map(|g| (&*g.path, g.count)), Some(("data/*.tl", 1000 - 256)));
}

#[test]
fn a_file_that_nobody_reads_is_listed_with_the_reason_and_asked_again_when_it_changes() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("x.tl");
    write(&file, "!not this\n");
    let mut follower = Follower::new(dir.path());
    follower.until("listed", |h| {
        h.scan.complete && format!("{:?}", h.scan.passed_over).contains("exclamation mark")
    });
    follower.listen(Duration::from_millis(100));
    fs::write(&file, lines(3..4)).unwrap();
    follower.until_steps(".", "loss", &[3]);
}

#[test]
fn a_single_file_and_several_folders_can_be_watched() {
    let (one, two) = (tempdir().unwrap(), tempdir().unwrap());
    write(&one.path().join("runs/a/x.tl"), &lines(0..1));
    write(&two.path().join("logs/x.tl"), &lines(1..2));
    write(&two.path().join("logs/y.tl"), &lines(2..3));
    let options = Options {
        roots: vec![one.path().join("runs"), two.path().join("logs/y.tl")],
        ..follow_options(one.path())
    };
    let heard = once(options, machinery());
    assert_eq!(heard.steps("runs/a", "loss"), [0]);
    assert_eq!(heard.files.len(), 2, "the file beside the watched one is not read: {:?}", heard.files);
    let alone = Options { roots: vec![two.path().join("logs/y.tl")], ..follow_options(one.path()) };
    assert_eq!(once(alone, machinery()).steps(".", "loss"), [2]);
}

#[test]
fn several_logs_in_one_folder_are_several_runs() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("both/a.tl"), &lines(0..1));
    write(&dir.path().join("both/b.tl"), &lines(0..1));
    write(&dir.path().join("alone/a.tl"), &lines(0..1));
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.runs(), ["alone", "both/a.tl", "both/b.tl"]);
}
