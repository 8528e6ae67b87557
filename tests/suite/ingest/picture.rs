//! What a tree of files looks like in the end: runs, their series, their names; read once, and written bit by bit in
//! one order and in the other. All three must be the same.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::{Duration, Instant},
};

use epochscope::{
    engine::{Engine, Session},
    formats::{self, Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing},
    ingest::{Ingest, Machinery, Options, start_with},
    model::{Clock, Point, Record, RunInfo, SeriesKey},
    store::Limits,
};
use tempfile::tempdir;

use super::bench::TestClock;

/// Anything that takes longer than this is lost.
const DEADLINE: Duration = Duration::from_secs(20);

/// Series of a run: label, then steps and values.
pub type SeriesOf = BTreeMap<String, Vec<(i64, f64)>>;

/// Runs by path, then what they are called and their series.
pub type Picture = BTreeMap<String, (String, SeriesOf)>;

/// `trainer_state.json`: a document of lines `tag step value` between braces; in `checkpoint-N` it speaks for the folder
/// above.
pub struct State;

/// `*.cfg`: one line, the run's name; in a folder that begins with a dot it speaks for the folder above.
pub struct Config;

/// `*.multi`: lines `run tag step value`.
pub struct Several;

pub static FORMATS: &[&dyn Format] = &[&formats::TfEvents, &State, &Several, &Jsonl, &Table, &Wandb, &Config];

/// The program's own format of that name.
fn real(name: &str) -> &'static dyn Format {
    formats::by_name(name).unwrap()
}

/// Passes everything on to a format of the program, which can only be asked for at run time.
macro_rules! pass_on {
    ($type:ident, $name:literal) => {
        pub struct $type;
        impl Format for $type {
            fn name(&self) -> &'static str {
                $name
            }
            fn summary(&self) -> &'static str {
                ""
            }
            fn patterns(&self) -> &'static [&'static str] {
                &[]
            }
            fn recognises(&self, file: &Candidate<'_>) -> Claim {
                real($name).recognises(file)
            }
            fn standing(&self, path: &Path) -> Standing {
                real($name).standing(path)
            }
            fn continues(&self, path: &Path) -> bool {
                real($name).continues(path)
            }
            fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
                real($name).decoder(opening)
            }
        }
    };
}

pass_on!(Jsonl, "jsonl");
pass_on!(Table, "csv");
pass_on!(Wandb, "wandb");

fn claim(yes: bool) -> Claim {
    if yes { Claim::Yes } else { Claim::No("") }
}

impl Format for State {
    fn name(&self) -> &'static str {
        "state"
    }
    fn summary(&self) -> &'static str {
        ""
    }
    fn patterns(&self) -> &'static [&'static str] {
        &[]
    }
    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim(file.name == "trainer_state.json")
    }
    fn standing(&self, path: &Path) -> Standing {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        Standing::folder(usize::from(folder.starts_with("checkpoint-")))
    }
    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(Words { document: true, several: false })
    }
}

impl Format for Several {
    fn name(&self) -> &'static str {
        "several"
    }
    fn summary(&self) -> &'static str {
        ""
    }
    fn patterns(&self) -> &'static [&'static str] {
        &[]
    }
    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim(file.path.extension().is_some_and(|e| e == "multi"))
    }
    fn standing(&self, _path: &Path) -> Standing {
        Standing::several()
    }
    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(Words { document: false, several: true })
    }
}

impl Format for Config {
    fn name(&self) -> &'static str {
        "config"
    }
    fn summary(&self) -> &'static str {
        ""
    }
    fn patterns(&self) -> &'static [&'static str] {
        &[]
    }
    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        claim(file.path.extension().is_some_and(|e| e == "cfg"))
    }
    fn standing(&self, path: &Path) -> Standing {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        Standing::side(usize::from(folder.starts_with('.')))
    }
    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(Name)
    }
}

struct Words {
    document: bool,
    several: bool,
}

impl Decoder for Words {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        if self.document && !available.ends_with(b"}\n") {
            return Ok(Consumed::default());
        }
        let whole = available.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        for line in String::from_utf8_lossy(&available[..whole]).lines() {
            let mut words: Vec<&str> = line.split(' ').collect();
            if self.several && words.len() == 4 {
                out.in_run(words.remove(0));
            }
            if let [tag, step, value] = words.as_slice() {
                let (step, value) = (step.parse().unwrap(), value.parse().unwrap());
                out.point(&SeriesKey::plain(*tag), Point { step, wall: f64::NAN, value });
            }
        }
        Ok(Consumed::all(whole))
    }
    fn whole_document(&self) -> bool {
        self.document
    }
}

struct Name;

impl Decoder for Name {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        if available.is_empty() {
            return Ok(Consumed::default());
        }
        let name = String::from_utf8_lossy(available).trim().to_owned();
        out.record(Record::Info(Box::new(RunInfo { name: Some(name.into()), ..RunInfo::default() })));
        Ok(Consumed::all(available.len()))
    }
    fn whole_document(&self) -> bool {
        true
    }
}

/// Threads that read, and the session that comes of it.
pub struct Watch {
    pub session: Session,
    engine: Engine,
    clock: Arc<dyn Clock>,
    news: Receiver<epochscope::model::News>,
    _ingest: Ingest,
}

impl Watch {
    pub fn of(root: &Path, follow: bool) -> Self {
        let options = Options { roots: vec![root.to_path_buf()], follow, workers: 2, ..Options::default() };
        let machinery = Machinery { formats: FORMATS, ..Machinery::default() };
        let (out, news) = sync_channel(64);
        let clock = TestClock::start();
        let ingest = start_with(options, machinery, Arc::clone(&clock), out).unwrap();
        let engine = Engine::new(Limits::default(), true);
        Self { session: engine.session(), engine, clock, news, _ingest: ingest }
    }

    /// Listens until `enough`, or until nothing more can come; says whether it was enough.
    #[expect(clippy::disallowed_methods, reason = "a deadline of a test")]
    pub fn until(&mut self, enough: impl Fn(&Session) -> bool) -> bool {
        let end = Instant::now() + DEADLINE;
        while !enough(&self.session) {
            match self.news.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(news) => self.engine.apply(&mut self.session, news, self.clock.now()),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return enough(&self.session);
                }
            }
        }
        true
    }

    pub fn finish(&mut self) {
        self.engine.heartbeat(&mut self.session, self.clock.now());
        self.engine.finish(&mut self.session, self.clock.now());
    }

    pub fn picture(&self) -> Picture {
        picture(&self.session)
    }
}

fn picture(session: &Session) -> Picture {
    let mut picture = Picture::new();
    for run in session.store.runs() {
        let mut all = SeriesOf::new();
        for series in run.series() {
            let points = series.buckets(None).into_iter().map(|b| (b.first.step, b.first.value));
            all.insert(series.key().label(), points.collect());
        }
        picture.insert(run.id().to_string(), (run.title().to_owned(), all));
    }
    picture
}

/// A file of a tree.
#[derive(Clone, Debug)]
pub struct Written {
    pub path: &'static str,
    pub bytes: Vec<u8>,
}

pub fn file(path: &'static str, bytes: impl AsRef<[u8]>) -> Written {
    Written { path, bytes: bytes.as_ref().to_vec() }
}

/// Points of one series as `file`s of the test formats have them.
#[expect(clippy::type_complexity, reason = "a picture written out in a test")]
pub fn says(runs: &[(&str, &str, &[(&str, &[(i64, f64)])])]) -> Picture {
    runs.iter()
        .map(|(run, title, series)| {
            let series = series.iter().map(|(label, points)| ((*label).to_owned(), points.to_vec()));
            ((*run).to_owned(), ((*title).to_owned(), series.collect()))
        })
        .collect()
}

/// Reads the tree once; then lets it grow file by file, in the given order and in the other, while it is watched. Each
/// time the picture must end as `expected`.
#[track_caller]
pub fn check(files: &[Written], expected: &Picture) {
    let dir = tempdir().unwrap();
    for file in files {
        put(dir.path(), file);
    }
    let mut once = Watch::of(dir.path(), false);
    once.until(|_| false);
    once.finish();
    assert_eq!(&once.picture(), expected, "read once; {:#?}", once.session.health.files);
    let forward: Vec<&Written> = files.iter().collect();
    let backward: Vec<&Written> = files.iter().rev().collect();
    for order in [forward, backward] {
        let dir = tempdir().unwrap();
        let mut live = Watch::of(dir.path(), true);
        assert!(live.until(|s| s.health.scan.complete));
        for file in &order {
            put(dir.path(), file);
            let known = live.until(|s| s.health.files.values().any(|f| &*f.path == file.path));
            assert!(known, "{} is not found", file.path);
        }
        let same = live.until(|s| &picture(s) == expected);
        let paths: Vec<&str> = order.iter().map(|f| f.path).collect();
        assert!(same, "written as {paths:?}:\n{:#?}\n{:#?}", live.picture(), live.session.health.files);
    }
}

fn put(root: &Path, file: &Written) {
    let path = root.join(file.path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Whole at once, as the formats here do not wait for the rest of a word. The draft lies outside
    // the watched folder: beside the file, its name would be that of an event file too.
    let aside = tempdir().unwrap();
    let draft = aside.path().join("draft");
    fs::write(&draft, &file.bytes).unwrap();
    fs::rename(&draft, &path).unwrap();
}
