//! Files that are rewritten as a whole, alone and with others beside them.

use std::{
    cell::Cell,
    fs,
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use super::{Follower, TEST_FORMATS, append, follow_options, once, write};
use epochscope::{
    ingest::{Budget, Machinery, Place, ReadAt, Scratch, Stamp, Tail, Turn},
    model::{Clock, FileHealth, FileId, ManualClock, RunId, Source, WallTime},
};
use tempfile::tempdir;

fn machinery() -> Machinery {
    Machinery { formats: TEST_FORMATS, ..Machinery::default() }
}

/// Without notifications and with a quick heartbeat.
fn deaf() -> Machinery {
    Machinery { notifications: false, heartbeat: Duration::from_millis(50), ..machinery() }
}

fn document(steps: &[i64]) -> String {
    let lines: Vec<String> = steps.iter().map(|step| format!("loss {step} 0.5\n")).collect();
    format!("{{\n{}}}\n", lines.concat())
}

fn save_over(path: &Path, text: &str) {
    let new = path.with_extension("tmp");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}

#[test]
fn a_document_is_replaced_only_when_it_is_whole() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.doc");
    write(&file, "{\nloss 1 0.5\n}\n");
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &[1]);
    follower.until("ended", |h| h.state("a.doc") == "ended");
    fs::write(&file, "{\nloss 1 0.5\nloss 2 0.4\n").unwrap();
    follower.listen(Duration::from_millis(400));
    assert_eq!(follower.heard.steps(".", "loss"), [1], "half a document says nothing");
    append(&file, "}\n");
    follower.until_steps(".", "loss", &[1, 2]);
    assert_eq!(follower.heard.resets, 1);
}

#[test]
fn a_document_is_shown_to_its_decoder_as_a_whole_however_large_it_is() {
    let dir = tempdir().unwrap();
    let steps: Vec<i64> = (0..300_000).collect();
    write(&dir.path().join("a.doc"), &document(&steps));
    let heard = once(follow_options(dir.path()), machinery());
    assert_eq!(heard.steps(".", "loss"), steps);
    assert_eq!((heard.batches.len(), heard.state("a.doc")), (1, "ended"));
}

#[test]
fn a_document_beyond_the_limit_is_named_and_not_read() {
    let dir = tempdir().unwrap();
    let file = fs::File::create(dir.path().join("a.doc")).unwrap();
    file.set_len((256 << 20) + 1).unwrap();
    let heard = once(follow_options(dir.path()), machinery());
    let state = format!("{:?}", heard.file("a.doc").unwrap().state);
    assert!(state.contains("larger than 256 MiB"), "{state}");
}

#[test]
fn a_file_beside_a_document_that_comes_changes_or_goes_is_a_change_of_it() {
    for machinery in [Machinery { heartbeat: Duration::from_hours(1), ..machinery() }, deaf()] {
        let dir = tempdir().unwrap();
        let (file, wal) = (dir.path().join("a.doc"), dir.path().join("a.doc-wal"));
        write(&file, &document(&[1]));
        let mut follower = Follower::with(follow_options(dir.path()), machinery);
        follower.until_steps(".", "loss", &[1]);
        follower.listen(Duration::from_millis(200));
        write(&wal, "loss 2 0.5\n");
        follower.until_steps(".", "loss", &[2, 1]);
        append(&wal, "loss 3 0.5\n");
        follower.until_steps(".", "loss", &[2, 3, 1]);
        fs::remove_file(&wal).unwrap();
        follower.until_steps(".", "loss", &[1]);
        assert_eq!(follower.heard.files.len(), 1, "what lies beside is no log: {:?}", follower.heard.files);
    }
}

#[test]
fn a_file_beside_a_document_is_listed_with_what_it_is() {
    let dir = tempdir().unwrap();
    write(&dir.path().join("a.doc"), &document(&[1]));
    write(&dir.path().join("a.doc-wal"), "loss 2 0.5\n");
    write(&dir.path().join("b.doc-wal"), "");
    let heard = once(follow_options(dir.path()), machinery());
    let of = |name: &str| heard.scan.passed_over.iter().find(|g| &*g.path == name).map(|g| &*g.reason);
    assert_eq!(of("a.doc-wal"), Some("read together with the file that it is named after"));
    assert_eq!(of("b.doc-wal"), Some("no format reads files of this name"));
}

#[test]
fn a_document_saved_again_with_the_same_content_brings_nothing() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.doc");
    write(&file, &document(&[1, 2]));
    let mut follower = Follower::with(follow_options(dir.path()), deaf());
    follower.until_steps(".", "loss", &[1, 2]);
    let batches = follower.heard.batches.len();
    for _ in 0..3 {
        save_over(&file, &document(&[1, 2]));
        follower.listen(Duration::from_millis(300));
    }
    assert_eq!((follower.heard.batches.len(), follower.heard.resets), (batches, 0));
    assert_eq!(follower.heard.state("a.doc"), "ended");
    save_over(&file, &document(&[1, 2, 3]));
    follower.until_steps(".", "loss", &[1, 2, 3]);
    assert_eq!(follower.heard.file("a.doc").unwrap().restarts, 0, "rewriting is how it is written");
}

#[test]
fn a_document_that_is_whole_and_empty_takes_back_what_it_said() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.doc");
    write(&file, &document(&[1]));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &[1]);
    save_over(&file, &document(&[]));
    follower.until_steps(".", "loss", &[]);
}

#[test]
fn a_document_whose_decoder_fails_keeps_its_last_words_and_lives_again() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.doc");
    write(&file, &document(&[1]));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &[1]);
    for word in ["die", "boom"] {
        save_over(&file, &format!("{{\nloss 7 0.5\n{word}\n}}\n"));
        follower.until("dead", |h| h.state("a.doc") == "dead");
        assert_eq!(follower.heard.steps(".", "loss"), [1]);
        save_over(&file, &document(&[1]));
        follower.until("alive", |h| h.state("a.doc") == "ended");
    }
    save_over(&file, &document(&[1, 2]));
    follower.until_steps(".", "loss", &[1, 2]);
}

#[test]
fn a_document_that_changes_all_the_time_is_read_rarely_and_at_last() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.doc");
    write(&file, &document(&[0]));
    let mut follower = Follower::new(dir.path());
    follower.until_steps(".", "loss", &[0]);
    let last = 250;
    for step in 1..=last {
        let mut open = fs::OpenOptions::new().write(true).truncate(true).open(&file).unwrap();
        open.write_all(document(&[step]).as_bytes()).unwrap();
        drop(open);
        follower.listen(Duration::from_millis(8));
    }
    follower.until_steps(".", "loss", &[last]);
    // two seconds and more of changes, each of which postpones reading by up to a second
    assert!(follower.heard.resets <= 20, "{} times", follower.heard.resets);
}

#[test]
fn nothing_in_the_watched_folder_is_made_or_changed() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("a.doc");
    write(&file, &document(&[1]));
    write(&dir.path().join("a.doc-wal"), "");
    let look = || {
        let entries = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap());
        let mut all: Vec<_> =
            entries.map(|e| (e.file_name(), e.metadata().unwrap().modified().unwrap())).collect();
        all.sort();
        (all, fs::metadata(dir.path()).unwrap().modified().unwrap())
    };
    let before = look();
    assert_eq!(once(follow_options(dir.path()), machinery()).steps(".", "loss"), [1]);
    assert_eq!(look(), before);
}

/// A document that another process changes during each of the next few copies.
struct Restless {
    changes: Cell<u32>,
    changed: Cell<u32>,
}

impl ReadAt for Restless {
    fn stamp(&self) -> io::Result<Stamp> {
        Ok(Stamp { inode: 1, size: 20, modified_ns: self.changed.get(), ..Stamp::default() })
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.changes.get() > 0 {
            self.changes.set(self.changes.get() - 1);
            self.changed.set(self.changed.get() + 1);
        }
        let text = document(&[i64::from(self.changed.get())]);
        let rest = text.as_bytes().get(offset as usize..).unwrap_or_default();
        into[..rest.len()].copy_from_slice(rest);
        Ok(rest.len())
    }
}

#[test]
fn a_copy_during_which_the_document_changed_is_made_again_and_never_shown() {
    let clock = ManualClock::new(WallTime(1e9));
    let file = Restless { changes: Cell::new(9), changed: Cell::new(0) };
    let place =
        Place { run: RunId::from("r"), context: "".into(), order: "a.doc".into(), source: Source::default() };
    let format = TEST_FORMATS[1];
    let health = FileHealth::found(FileId(0), "a.doc".into(), RunId::from("r"), format.name());
    let mut tail = Tail::new("a.doc".into(), place, format, health);
    let mut heard = super::bench::Heard::default();
    let budget = Budget { bytes: u64::MAX, time: Duration::MAX, at_end: false };
    let mut turns = 0;
    loop {
        let mut out = |news| {
            heard.apply(news);
            true
        };
        match tail.turn(&file, budget, &mut Scratch::default(), &clock, &mut out) {
            Turn::Later(wait) => clock.advance(wait),
            turn => break assert_eq!(turn, Turn::Done),
        }
        assert!(heard.batches.is_empty());
        turns += 1;
        assert!(turns < 50 && clock.elapsed() < Duration::from_secs(30), "bounded");
    }
    assert_eq!(heard.steps("r", "loss"), [9]);
}
