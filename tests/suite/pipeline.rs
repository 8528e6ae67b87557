//! From batches, and from growing files, through the engine to the session.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use epochscope::{
    engine::{self, Engine, Session},
    formats::Taught,
    ingest::{self, Ingest},
    model::{
        Batch, Clock, Column, FileHealth, FileId, FileState, ManualClock, News, Origin, Point, RunId,
        ScanReport, SeriesKey, Step, WallTime,
    },
    store::Limits,
};

/// Longer than anything here takes even on a loaded machine: reaching it is a failure.
const DEADLINE: Duration = Duration::from_mins(1);

/// A session with a running engine thread.
struct Live {
    session: Arc<RwLock<Session>>,
    changes: Receiver<u64>,
    thread: JoinHandle<()>,
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(WallTime(1.75e9)))
}

fn live(detect: bool, clock: Arc<dyn Clock>) -> (SyncSender<News>, Live) {
    let (sender, receiver) = sync_channel(64);
    let engine = Engine::new(Limits::default(), detect);
    let session = Arc::new(RwLock::new(engine.session()));
    let (tell, changes) = sync_channel(1024);
    let on_change = Box::new(move |generation| {
        // A full channel already wakes the test.
        let _ = tell.try_send(generation);
    });
    let thread = engine::spawn(receiver, Arc::clone(&session), engine, clock, on_change);
    (sender, Live { session, changes, thread })
}

impl Live {
    fn read<T>(&self, with: impl FnOnce(&Session) -> T) -> T {
        with(&self.session.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for the session to say something; looks again at each new generation.
    fn wait<T>(&self, what: &str, mut look: impl FnMut(&Session) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.read(&mut look) {
                return found;
            }
            if self.changes.recv_timeout(DEADLINE).is_err() {
                let runs = self.read(|s| {
                    let lines = s.store.runs().map(|r| format!("{} {}", r.id(), r.series_count()));
                    (lines.collect::<Vec<_>>(), format!("{:?}", s.health.files))
                });
                panic!("still waiting for: {what}; {runs:?}");
            }
        }
    }

    fn points(&self, run: &str, tag: &str, wanted: u64) -> Vec<(Step, f64)> {
        self.wait(&format!("{wanted} points of {tag}"), |session| {
            let series = session.store.run(&RunId::from(run))?.series_of(&SeriesKey::plain(tag))?;
            (series.summary().points == wanted)
                .then(|| series.buckets(None).iter().map(|b| (b.last.step, b.last.value)).collect())
        })
    }
}

fn batch(run: &str, steps: std::ops::Range<Step>) -> Batch {
    let points = steps.map(|s| Point { step: s, wall: 1.75e9 + s as f64, value: s as f64 }).collect();
    let origin = Origin::new(FileId(7), "a.csv");
    Batch {
        columns: vec![Column { key: SeriesKey::plain("loss"), points }],
        ..Batch::new(RunId::from(run), origin)
    }
}

#[test]
fn batches_reach_the_session_and_each_raises_the_generation() {
    let clock = clock();
    let (sender, live) = live(true, clock);
    sender.send(News::Batch(batch("a", 0..10))).unwrap();
    live.points("a", "loss", 10);
    let before = live.read(|s| s.generation);
    assert_eq!(live.read(|s| s.last_news), WallTime(1.75e9));
    sender.send(News::Batch(batch("a", 10..15))).unwrap();
    assert_eq!(live.points("a", "loss", 15).last(), Some(&(14, 14.0)));
    assert!(live.read(|s| s.generation) > before);
    drop(sender);
    live.thread.join().unwrap();
}

#[test]
fn the_engine_ends_when_all_senders_are_gone_and_has_taken_in_everything() {
    let (sender, live) = live(false, clock());
    for n in 0..200 {
        sender.send(News::Batch(batch("a", n * 10..n * 10 + 10))).unwrap();
    }
    drop(sender);
    live.thread.join().unwrap();
    let session = live.session.read().unwrap();
    assert_eq!(session.store.run(&RunId::from("a")).unwrap().last_step(), Some(1999));
}

#[test]
fn files_and_the_search_reach_the_session_as_they_are_reported() {
    let (sender, receiver) = sync_channel(8);
    let mut health = FileHealth::found(FileId(3), Arc::from("a/x.csv"), RunId::from("a"), "csv");
    health.state = FileState::Dead(Arc::from("why"));
    (health.modified, health.last_news) = (WallTime(1.0), WallTime(2.0));
    sender.send(News::File(Box::new(health.clone()))).unwrap();
    sender.send(News::Scan(ScanReport { files_seen: 5, complete: true, ..ScanReport::default() })).unwrap();
    drop(sender);
    let session = engine::read_all(&receiver, Engine::new(Limits::default(), true), &*clock(), &mut |_| {});
    // Its news came just after it was written: it was seen alive, which the engine remembers.
    health.live = true;
    assert_eq!(session.health.files.get(&FileId(3)), Some(&health));
    assert_eq!(session.health.scan.files_seen, 5);
    assert!(session.health.caught_up());
    assert_eq!(session.last_news.known(), None, "no batch came");
}

#[test]
fn a_poisoned_session_is_written_on() {
    let (sender, live) = live(false, clock());
    sender.send(News::Batch(batch("a", 0..3))).unwrap();
    live.points("a", "loss", 3);
    let session = Arc::clone(&live.session);
    let broken = std::thread::spawn(move || {
        let _held = session.write().unwrap();
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    assert!(broken.join().is_err());
    assert!(live.session.is_poisoned());
    sender.send(News::Batch(batch("a", 3..5))).unwrap();
    assert_eq!(live.points("a", "loss", 5).len(), 5);
}

#[test]
fn a_session_keeps_the_limits_of_the_engine_that_takes_it_over() {
    let (sender, receiver) = sync_channel(8);
    let session = Arc::new(RwLock::new(Session::default()));
    let engine = Engine::new(Limits { bytes: 50_000 }, false);
    let thread = engine::spawn(receiver, Arc::clone(&session), engine, clock(), Box::new(|_| {}));
    for n in 0..100 {
        sender.send(News::Batch(batch("a", n * 1000..(n + 1) * 1000))).unwrap();
    }
    drop(sender);
    thread.join().unwrap();
    let session = session.read().unwrap();
    assert!(session.store.memory_bytes() <= 50_000);
    assert_eq!(session.store.runs().next().unwrap().series().next().unwrap().summary().points, 100_000);
}

/// A folder that is being watched by real reader threads.
struct Watched {
    folder: tempfile::TempDir,
    live: Live,
    ingest: Ingest,
}

impl Watched {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        Self::of(folder)
    }

    fn of(folder: tempfile::TempDir) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(epochscope::app::clock::RealClock::new(None));
        let (sender, live) = live(true, Arc::clone(&clock));
        let options = ingest::Options {
            roots: vec![folder.path().to_path_buf()],
            include: vec![],
            exclude: vec![],
            format_hints: vec![],
            taught: Taught::default(),
            modified_since: None,
            poll: Some(Duration::from_millis(50)),
            follow: true,
            workers: 1,
        };
        let ingest = ingest::start(options, clock, sender).expect("the folder is there");
        Self { folder, live, ingest }
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(&path)).expect("the folder can be made");
        path
    }

    /// Stops the readers and then the engine, which ends by itself.
    fn end(self) {
        drop(self.ingest);
        self.live.thread.join().expect("the engine ended in peace");
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the log can be opened");
    file.write_all(text.as_bytes()).expect("the log can be written");
}

fn lines(steps: std::ops::Range<Step>) -> String {
    steps.fold(String::new(), |text, s| text + &format!("{{\"step\": {s}, \"loss\": {s}.5}}\n"))
}

#[test]
fn a_growing_file_is_followed_into_the_session() {
    let watched = Watched::new();
    let path = watched.path("exp/metrics.jsonl");
    append(&path, &lines(0..20));
    assert_eq!(watched.live.points("exp", "loss", 20)[19], (19, 19.5));
    append(&path, &lines(20..25));
    assert_eq!(watched.live.points("exp", "loss", 25)[24], (24, 24.5));
    watched.end();
}

#[test]
fn a_half_written_line_is_waited_for_and_read_once() {
    let watched = Watched::new();
    let path = watched.path("exp/metrics.jsonl");
    let whole = lines(0..10);
    let (now, later) = whole.split_at(whole.len() - 9);
    append(&path, now);
    watched.live.points("exp", "loss", 9);
    append(&path, later);
    assert_eq!(watched.live.points("exp", "loss", 10)[9], (9, 9.5));
    watched.end();
}

#[test]
fn a_file_that_is_rewritten_replaces_what_it_said() {
    let watched = Watched::new();
    let path = watched.path("exp/metrics.jsonl");
    append(&path, &lines(0..30));
    watched.live.points("exp", "loss", 30);
    let mut file = File::create(&path).unwrap();
    file.write_all(lines(0..4).as_bytes()).unwrap();
    drop(file);
    assert_eq!(watched.live.points("exp", "loss", 4).len(), 4);
    watched.end();
}

#[test]
fn a_nan_in_a_growing_file_raises_an_alert() {
    let watched = Watched::new();
    let path = watched.path("exp/metrics.jsonl");
    append(&path, &lines(0..40));
    for step in 40..60 {
        append(&path, &format!("{{\"step\": {step}, \"loss\": NaN}}\n"));
    }
    let rule = watched.live.wait("an alert", |s| s.alerts.of_run(&RunId::from("exp")).map(|a| a.rule).next());
    assert_eq!(rule, "nan");
    watched.end();
}
