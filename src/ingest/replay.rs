//! The demo's source: recorded logs, revealed at a pace by the clock, through the same decoders as live ones.

use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};

use super::{Ingest, StartError, board::Board, group, named};
use crate::{
    formats::{self, Candidate, Decoded, Decoder, Recognised},
    model::{Batch, Clock, FileHealth, FileId, FileState, News, Origin, RunId, ScanReport, WatchMode},
};

/// Between two pieces.
const TICK: Duration = Duration::from_millis(100);

/// A recorded log.
#[derive(Clone, Copy, Debug)]
pub struct ReplayFile {
    /// Path as it would be found, `/` between parts.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

/// How quickly it is revealed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pace {
    /// From the first byte to the last, the same for every file. Zero: at once.
    pub duration: Duration,
}

struct Playing {
    file: ReplayFile,
    decoder: Box<dyn Decoder>,
    at: usize,
    health: FileHealth,
    origin: Origin,
    run: RunId,
}

/// Replays `files` side by side; stays at the end until dropped.
pub fn start(
    files: &[ReplayFile],
    pace: Pace,
    clock: Arc<dyn Clock>,
    out: SyncSender<News>,
) -> Result<Ingest, StartError> {
    let mut playing = Vec::new();
    for (n, file) in files.iter().enumerate() {
        playing.push(prepare(n, *file)?);
    }
    let board = Arc::new(Board::new(true));
    let shared = Arc::clone(&board);
    let thread = named("replay", move || play(playing, pace, &*clock, &out, &shared))?;
    Ok(Ingest { board, threads: vec![thread] })
}

fn prepare(n: usize, file: ReplayFile) -> Result<Playing, StartError> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", file.path));
    let head = &file.bytes[..file.bytes.len().min(formats::HEAD_BYTES)];
    let candidate = Candidate { path: file.path.as_ref(), name, head, whole: head.len() == file.bytes.len() };
    let Recognised::As(format) = formats::recognise(&candidate) else {
        return Err(StartError { path: file.path.into(), reason: "no format claims it".to_owned() });
    };
    let id = FileId(u32::try_from(n).unwrap_or(u32::MAX));
    let run = RunId::new(group::join("", folder));
    let mut health = FileHealth::found(id, file.path.into(), run.clone(), format.name());
    health.bytes = 0;
    Ok(Playing {
        file,
        decoder: format.decoder(),
        at: 0,
        health,
        origin: Origin { file: id, order: name.into() },
        run,
    })
}

fn play(mut files: Vec<Playing>, pace: Pace, clock: &dyn Clock, out: &SyncSender<News>, board: &Board) {
    let scan = ScanReport {
        files_seen: files.len() as u64,
        complete: true,
        watched: vec![("demo".into(), WatchMode::Polled("recorded logs, replayed".into()))],
        ..ScanReport::default()
    };
    if out.send(News::Scan(scan)).is_err() {
        return;
    }
    let start = clock.elapsed();
    loop {
        let passed = (clock.elapsed() - start).as_secs_f64();
        let whole = pace.duration.as_secs_f64();
        let share = if whole > 0.0 { (passed / whole).min(1.0) } else { 1.0 };
        for file in &mut files {
            if file.reveal(share, clock, out).is_err() {
                return;
            }
        }
        if board.stopped() || share >= 1.0 {
            break;
        }
        board.wait(TICK);
    }
    while !board.stopped() {
        board.wait(Duration::from_secs(60));
    }
}

impl Playing {
    fn reveal(&mut self, share: f64, clock: &dyn Clock, out: &SyncSender<News>) -> Result<(), Gone> {
        let shown = (self.file.bytes.len() as f64 * share) as usize;
        if shown <= self.at && self.health.state != FileState::Waiting {
            return Ok(());
        }
        let mut decoded = Decoded::new();
        match self.decoder.decode(&self.file.bytes[self.at..shown], &mut decoded) {
            Ok(consumed) => self.at += consumed.bytes + consumed.then_skip as usize,
            Err(e) => self.health.state = FileState::Dead(e.to_string().into()),
        }
        let taken = decoded.take();
        for part in taken.parts {
            let mut batch = Batch::new(self.run.clone(), self.origin.clone());
            batch.reset = taken.void_earlier;
            (batch.columns, batch.records) = (part.columns, part.records);
            out.send(News::Batch(batch)).map_err(|_| Gone)?;
        }
        self.health.bytes = shown as u64;
        self.health.read_bytes = self.at as u64;
        self.health.pending_bytes = (shown - self.at.min(shown)) as u64;
        self.health.records += taken.records;
        self.health.modified = clock.now();
        self.health.last_news = clock.now();
        self.health.state = FileState::Following;
        out.send(News::File(Box::new(self.health.clone()))).map_err(|_| Gone)
    }
}

/// Nobody listens any more.
struct Gone;
