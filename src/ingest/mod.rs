//! Growing files in, news out: finds the files, notices their changes, reads them in turns.
//!
//! ```text
//!  kernel ── hints ──▶ scout ── runs with news ──▶ workers ── batches ──▶ out (bounded)
//!                        │ finds files, looks at their stamps
//! ```
//!
//! **Invariants:** the truth is what `stat` says; a hint that is lost costs time, never data. No queue is unbounded:
//! when `out` is full the workers wait and the file keeps the data. A file that cannot be read is never given up for
//! good.

mod alike;
mod beside;
mod claim;
mod document;
mod folders;
mod group;
mod inquiry;
mod listen;
mod mount;
mod outlet;
mod packed;
mod packed_turn;
mod passed;
mod placing;
mod pool;
mod reader;
pub mod replay;
mod report;
mod resumed;
mod revival;
mod rotated;
mod rotation_turn;
mod scout;
mod select;
mod source;
mod survey;
mod tail;
mod vigil;
mod watch;
mod worker;

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::AtomicBool,
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

pub use group::Place;
pub use mount::file_system;
pub use reader::Scratch;
pub use source::{ReadAt, Stamp};
pub use tail::{Budget, Tail, Turn};

use self::{
    outlet::{Outlet, Stop},
    pool::Pool,
    scout::Scout,
    select::Selection,
    source::Disk,
    watch::Hint,
    worker::Workshop,
};
use crate::{
    formats::{FORMATS, Format, Taught},
    model::{Clock, News, WallTime},
};

/// What to read, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folders and files to watch.
    pub roots: Vec<PathBuf>,
    /// If not empty, only files that one of these globs matches.
    pub include: Vec<String>,
    /// Files and folders that are passed over.
    pub exclude: Vec<String>,
    /// `(format, glob)`: files that are of a format whatever they look like.
    pub format_hints: Vec<(String, String)>,
    /// Patterns of lines of text logs that the user teaches.
    pub taught: Taught,
    /// Files that were last changed before are passed over until they change.
    pub modified_since: Option<WallTime>,
    /// Look for changes at this interval instead of being told of them.
    pub poll: Option<Duration>,
    /// Go on after the present end of the files. Without it everything is read once.
    pub follow: bool,
    /// Threads that read, at least one.
    pub workers: usize,
}

/// What [`start`] takes for granted, for those who embed this with other formats or pace.
#[derive(Clone, Copy)]
pub struct Machinery {
    /// The formats that are tried, in order.
    pub formats: &'static [&'static dyn Format],
    /// How often everything is looked at although nobody said that something changed.
    pub heartbeat: Duration,
    /// Let the kernel tell of changes where it can. Without it, only the heartbeat notices them.
    pub notifications: bool,
}

impl Default for Machinery {
    fn default() -> Self {
        Self { formats: FORMATS, heartbeat: Duration::from_secs(5), notifications: true }
    }
}

/// Why reading cannot start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartError {
    /// The path, glob or format that is wrong.
    pub path: PathBuf,
    /// What is wrong with it, one clause.
    pub reason: String,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for StartError {}

/// The threads that read. Dropping it stops and joins them.
pub struct Ingest {
    stop: Arc<Stop>,
    pool: Option<Arc<Pool>>,
    wake: Option<SyncSender<Hint>>,
    threads: Vec<JoinHandle<()>>,
}

impl Ingest {
    /// Turns taken at files so far. It stands still while no file changes.
    pub fn turns(&self) -> u64 {
        self.pool.as_ref().map_or(0, |pool| pool.turns())
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(pool) = &self.pool {
            pool.stop();
        }
        if let Some(wake) = &self.wake {
            // If there is no room, what is in the way wakes the scout.
            let _ = wake.try_send(Hint::Wake);
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing to hand over; the panic hook told of it.
            let _ = thread.join();
        }
    }
}

/// Starts reading with the formats and the pace of the program.
pub fn start(options: Options, clock: Arc<dyn Clock>, out: SyncSender<News>) -> Result<Ingest, StartError> {
    start_with(options, Machinery::default(), clock, out)
}

/// Starts reading: a thread that finds files and `options.workers` threads that read them.
///
/// Without `follow` the threads end, and the sender is dropped, when everything was read to its end.
pub fn start_with(
    options: Options,
    machinery: Machinery,
    clock: Arc<dyn Clock>,
    out: SyncSender<News>,
) -> Result<Ingest, StartError> {
    let failed = |(path, reason): (String, String)| StartError { path: PathBuf::from(path), reason };
    let selection =
        Selection::new(&options.include, &options.exclude, &options.format_hints, machinery.formats)
            .map_err(failed)?;
    for root in &options.roots {
        root.metadata().map_err(|e| StartError { path: root.clone(), reason: e.to_string() })?;
    }
    let stop = Arc::new(Stop::default());
    let pool = Arc::new(Pool::default());
    let (hints, hint_receiver) = sync_channel(watch::HINTS);
    let overflow = Arc::new(AtomicBool::new(false));
    let outlet = Outlet::new(out, Arc::clone(&stop));
    let workshop = Arc::new(Workshop {
        pool: Arc::clone(&pool),
        source: Arc::new(Disk),
        clock: Arc::clone(&clock),
        outlet: outlet.clone(),
        hints: hints.clone(),
        overflow: Arc::clone(&overflow),
        follow: options.follow,
    });
    let mut ingest = Ingest {
        stop: Arc::clone(&stop),
        pool: Some(Arc::clone(&pool)),
        wake: Some(hints.clone()),
        threads: Vec::new(),
    };
    for n in 0..options.workers.max(1) {
        let workshop = Arc::clone(&workshop);
        ingest.threads.push(spawn(&format!("reader {n}"), move || workshop.work())?);
    }
    drop(workshop);
    let ears = scout::Ears { hints, receiver: hint_receiver, overflow };
    let scout = Scout::new(options, machinery, selection, clock, pool, outlet, stop, ears);
    ingest.threads.push(spawn("scout", move || scout.run())?);
    Ok(ingest)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|e| StartError { path: PathBuf::from(name), reason: format!("cannot start a thread: {e}") })
}
