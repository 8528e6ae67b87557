//! What the tests of reading share: a small format, a follower that keeps what it was told, files.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::{Duration, Instant},
};

use epochscope::{
    formats::{Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening},
    ingest::{Ingest, Machinery, Options, StartError, start_with},
    model::{Batch, Clock, FileHealth, FileId, News, Point, ScanReport, SeriesKey, WallTime},
};

/// Anything that takes longer than this is lost.
const DEADLINE: Duration = Duration::from_secs(20);

/// Lines `tag step value` in files `*.tl`. `boom` panics, `die` is fatal; a first line that begins with `#` is a
/// header whose change means that the file was rewritten.
pub struct TestLines;

/// As [`TestLines`] in files `*.doc`: `{`, lines, `}`, rewritten as a whole. Lines in a file beside it whose name ends
/// in `-wal` count as its own.
pub struct TestDocument;

pub static TEST_FORMATS: &[&dyn Format] = &[&TestLines, &TestDocument];

impl Format for TestLines {
    fn name(&self) -> &'static str {
        "testlines"
    }
    fn summary(&self) -> &'static str {
        "lines for tests"
    }
    fn patterns(&self) -> &'static [&'static str] {
        &["*.tl"]
    }
    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        match (ends_in(file, "tl"), file.head) {
            (false, _) => Claim::No(""),
            (true, []) => Claim::NotYet,
            (true, [b'!', ..]) => Claim::No("it begins with an exclamation mark"),
            (true, _) => Claim::Yes,
        }
    }
    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(LineDecoder { offset: 0, header: 0, document: false, beside: String::new() })
    }
}

impl Format for TestDocument {
    fn name(&self) -> &'static str {
        "testdoc"
    }
    fn summary(&self) -> &'static str {
        "documents for tests"
    }
    fn patterns(&self) -> &'static [&'static str] {
        &["*.doc"]
    }
    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if ends_in(file, "doc") { Claim::Yes } else { Claim::No("") }
    }
    fn companions(&self) -> &'static [&'static str] {
        &["-wal"]
    }
    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(LineDecoder { offset: 0, header: 0, document: true, beside: String::new() })
    }
}

fn ends_in(file: &Candidate<'_>, extension: &str) -> bool {
    file.path.extension().is_some_and(|e| e == extension)
}

struct LineDecoder {
    offset: u64,
    header: usize,
    document: bool,
    beside: String,
}

impl LineDecoder {
    fn line(&mut self, line: &str, out: &mut Decoded) -> Result<(), Fatal> {
        match line {
            "boom" => panic!("the test wanted it"),
            "die" => {
                return Err(Fatal::LostFraming { offset: self.offset, reason: "the test wanted it".into() });
            }
            "{" | "}" | "" => return Ok(()),
            _ => {}
        }
        if line.starts_with('#') {
            self.header = line.len() + 1;
            return Ok(());
        }
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap_or("");
        let (tag, step, value) = (next(), next(), next());
        match (step.parse(), value.parse()) {
            (Ok(step), Ok(value)) => {
                out.point(&SeriesKey::plain(tag), Point { step, wall: f64::NAN, value });
                out.count_records(1);
            }
            _ => out.skip(self.offset, line.len() as u64 + 1, "not a line of three words"),
        }
        Ok(())
    }
}

impl Decoder for LineDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let whole = match self.document {
            true if available.ends_with(b"}\n") => available.len(),
            true => 0,
            false => available.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1),
        };
        if whole > 0 {
            let beside = std::mem::take(&mut self.beside);
            beside.lines().try_for_each(|line| self.line(line, out))?;
        }
        for line in available[..whole].split_inclusive(|b| *b == b'\n') {
            self.line(std::str::from_utf8(line).unwrap_or("?").trim_end_matches('\n'), out)?;
            self.offset += line.len() as u64;
        }
        Ok(Consumed::all(whole))
    }
    fn decode_rest(&mut self, rest: &[u8], out: &mut Decoded) -> usize {
        if self.document {
            return 0;
        }
        let before = out.points();
        let _ = self.line(std::str::from_utf8(rest).unwrap_or("?"), out);
        if out.points() > before { rest.len() } else { 0 }
    }
    fn fingerprint_bytes(&self) -> usize {
        self.header
    }
    fn whole_document(&self) -> bool {
        self.document
    }
    fn beside(&mut self, ending: &'static str, content: &[u8]) {
        assert_eq!(ending, "-wal");
        self.beside = String::from_utf8_lossy(content).into_owned();
    }
}

/// The clock of the wall. Tests here are about real files and real time.
pub struct TestClock(Instant);

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "a clock for threads that watch real files")]
    pub fn start() -> Arc<dyn Clock> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TestClock {
    #[expect(clippy::disallowed_methods, reason = "a clock for threads that watch real files")]
    fn now(&self) -> WallTime {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        WallTime(now.as_secs_f64())
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Everything that was said so far, as the engine would have it.
#[derive(Default)]
pub struct Heard {
    /// Points by run, series label and file.
    pub points: BTreeMap<(String, String, FileId), Vec<(i64, f64)>>,
    pub files: BTreeMap<FileId, FileHealth>,
    pub scan: ScanReport,
    pub batches: Vec<Batch>,
    pub resets: usize,
    pub file_news: usize,
}

impl Heard {
    pub fn apply(&mut self, news: News) {
        match news {
            News::Batch(batch) => {
                if batch.reset {
                    self.resets += 1;
                    let (run, file) = (batch.run.as_str().to_owned(), batch.origin.file);
                    self.points.retain(|(r, _, f), _| !(*r == run && *f == file));
                }
                for column in &batch.columns {
                    let key = (batch.run.as_str().to_owned(), column.key.label(), batch.origin.file);
                    let points = self.points.entry(key).or_default();
                    points.extend(column.points.iter().map(|p| (p.step, p.value)));
                }
                self.batches.push(batch);
            }
            News::File(health) => {
                self.file_news += 1;
                self.files.insert(health.id, *health);
            }
            News::Scan(report) => self.scan = report,
        }
    }

    /// Steps of a series, of all files that feed it, in the order of those files.
    pub fn steps(&self, run: &str, label: &str) -> Vec<i64> {
        let of = |(r, l, _): &(String, String, FileId)| r == run && l == label;
        self.points.iter().filter(|(key, _)| of(key)).flat_map(|(_, p)| p.iter().map(|(s, _)| *s)).collect()
    }

    pub fn runs(&self) -> Vec<String> {
        let mut runs: Vec<String> = self.points.keys().map(|(run, _, _)| run.clone()).collect();
        runs.dedup();
        runs
    }

    pub fn file(&self, path: &str) -> Option<&FileHealth> {
        self.files.values().find(|f| &*f.path == path)
    }

    pub fn state(&self, path: &str) -> &'static str {
        self.file(path).map_or("unknown", |f| f.state.name())
    }

    pub fn caught_up(&self) -> bool {
        self.scan.complete
            && !self.files.is_empty()
            && self.files.values().all(|f| !matches!(f.state.name(), "waiting" | "reading"))
    }
}

/// Threads that follow a folder, and what they said.
pub struct Follower {
    pub heard: Heard,
    pub ingest: Ingest,
    news: Receiver<News>,
}

impl Follower {
    pub fn new(root: &Path) -> Self {
        Self::with(follow_options(root), Machinery { formats: TEST_FORMATS, ..Machinery::default() })
    }

    pub fn with(options: Options, machinery: Machinery) -> Self {
        Self::try_with(options, machinery).unwrap()
    }

    pub fn try_with(options: Options, machinery: Machinery) -> Result<Self, StartError> {
        let (out, news) = sync_channel(64);
        let ingest = start_with(options, machinery, TestClock::start(), out)?;
        Ok(Self { heard: Heard::default(), ingest, news })
    }

    /// Listens until `enough`; fails loudly at the deadline.
    #[track_caller]
    pub fn until(&mut self, what: &str, enough: impl Fn(&Heard) -> bool) {
        assert!(self.until_within(DEADLINE, enough), "not within {DEADLINE:?}: {what}");
    }

    #[expect(clippy::disallowed_methods, reason = "a deadline of a test")]
    pub fn until_within(&mut self, limit: Duration, enough: impl Fn(&Heard) -> bool) -> bool {
        let end = Instant::now() + limit;
        while !enough(&self.heard) {
            match self.news.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(news) => self.heard.apply(news),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return enough(&self.heard);
                }
            }
        }
        true
    }

    /// Listens for a fixed time: for what must *not* happen.
    pub fn listen(&mut self, time: Duration) {
        self.until_within(time, |_| false);
    }

    #[track_caller]
    pub fn until_steps(&mut self, run: &str, label: &str, steps: &[i64]) {
        let ok = self.until_within(DEADLINE, |heard| heard.steps(run, label) == steps);
        assert!(
            ok,
            "{run} {label}: {:?}, not {steps:?}; {:?}",
            self.heard.steps(run, label),
            self.heard.files
        );
    }

    #[track_caller]
    pub fn until_caught_up(&mut self) {
        self.until("caught up", Heard::caught_up);
    }
}

pub fn follow_options(root: &Path) -> Options {
    Options { roots: vec![root.to_path_buf()], follow: true, workers: 2, ..Options::default() }
}

/// Reads `root` once, to its end.
pub fn once(options: Options, machinery: Machinery) -> Heard {
    let mut follower = Follower::with(Options { follow: false, workers: 2, ..options }, machinery);
    let ended = std::mem::replace(&mut follower.news, sync_channel(1).1);
    let mut heard = Heard::default();
    loop {
        match ended.recv_timeout(DEADLINE) {
            Ok(news) => heard.apply(news),
            Err(RecvTimeoutError::Disconnected) => return heard,
            Err(RecvTimeoutError::Timeout) => panic!("reading once did not end"),
        }
    }
}

pub fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Lines `loss STEP 0.5`.
pub fn lines(steps: std::ops::Range<i64>) -> String {
    use std::fmt::Write as _;
    steps.fold(String::new(), |mut text, step| {
        let _ = writeln!(text, "loss {step} 0.5");
        text
    })
}
