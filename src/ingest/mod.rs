//! Growing files in, [`News`] out: finds log files, groups them into runs, follows each of them.
//!
//! **Invariants:** notifications of the kernel are hints, losing all of them costs at most a heartbeat; the file is
//! the queue (a full channel stops reading, the bytes stay on disk); nothing is ever written below a watched path.

mod board;
mod directory;
mod group;
pub mod replay;
mod tail;
mod watch;
mod worker;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, mpsc::SyncSender},
    thread::JoinHandle,
    time::Duration,
};

use crate::model::{Clock, News, WallTime};

/// What to read and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Log files, run folders, or trees of them.
    pub roots: Vec<PathBuf>,
    /// Only files whose path below the root fits one of these globs; empty: all.
    pub include: Vec<String>,
    /// No file or folder whose path below the root fits one of these globs.
    pub exclude: Vec<String>,
    /// `(format, glob)`: files that fit are of that format, whatever they look like.
    pub format_hints: Vec<(String, String)>,
    /// Only files modified since.
    pub modified_since: Option<WallTime>,
    /// No notifications; look this often.
    pub poll: Option<Duration>,
    /// Go on following; otherwise read to the end once.
    pub follow: bool,
    /// Threads that read and decode; at least one is used.
    pub workers: usize,
}

/// Why watching could not start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartError {
    /// Which path, glob or format name.
    pub path: PathBuf,
    /// One clause.
    pub reason: String,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for StartError {}

/// Running threads; dropping it stops and joins them.
pub struct Ingest {
    board: Arc<board::Board>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.board.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has already said so through the hook.
            let _ = thread.join();
        }
    }
}

/// Starts reading. With `follow` off, `out` is dropped when everything was read.
pub fn start(options: Options, clock: Arc<dyn Clock>, out: SyncSender<News>) -> Result<Ingest, StartError> {
    let scout = directory::Scout::new(&options)?;
    let board = Arc::new(board::Board::new(options.follow));
    let mut threads = Vec::new();
    for n in 0..options.workers.max(1) {
        let (board, clock, out) = (Arc::clone(&board), Arc::clone(&clock), out.clone());
        threads.push(named(&format!("reader-{n}"), move || worker::work(&board, &*clock, &out))?);
    }
    let shared = Arc::clone(&board);
    threads.push(named("scout", move || watch::watch(scout, &options, &shared, &*clock, &out))?);
    Ok(Ingest { board, threads })
}

fn named(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|e| StartError { path: name.into(), reason: format!("cannot start a thread: {e}") })
}
