//! The thread that finds files and notices their changes.
//!
//! First it walks everything. Then it waits for hints, and at every heartbeat looks at the stamp of each known file
//! and folder, whatever the hints said. What it finds goes to the pool; it never reads more than a file's start.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::AtomicBool,
        mpsc::{Receiver, SyncSender},
    },
    time::Duration,
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Machinery, Options,
    folders::Folders,
    group::{self, Tree},
    outlet::{Outlet, Stop},
    passed::Passed,
    placing::Unplaced,
    pool::Pool,
    select::Selection,
    source::Stamp,
    survey::Lead,
    vigil::Rounds,
    watch::{Hint, Watcher},
};
use crate::{
    formats::{Format, Taught},
    model::{Clock, FileHealth, FileId, News, ScanReport, WallTime, WatchMode},
};

/// Where changes must be looked for and no interval was given.
const POLL: Duration = Duration::from_secs(1);

/// The search is reported this often while it goes on, and at most this often when it changes later.
pub const TELL_EVERY: Duration = Duration::from_millis(250);

/// The channel of hints, from both sides.
pub struct Ears {
    /// For the watcher.
    pub hints: SyncSender<Hint>,
    /// For the scout.
    pub receiver: Receiver<Hint>,
    /// A hint found no room: everything must be looked at.
    pub overflow: Arc<AtomicBool>,
}

/// A watched path.
pub struct Root {
    /// The folder; for a file the one that it is in.
    pub path: PathBuf,
    /// For a file its name: nothing else in the folder is looked at.
    pub only: Option<OsString>,
    /// What its runs are listed under when there are several watched paths.
    pub label: String,
    /// As the user gave it.
    pub shown: Arc<str>,
    /// Everything below must be looked at, as the kernel will not tell.
    pub polled: bool,
    /// How it is watched, for the report.
    pub mode: WatchMode,
}

/// A file that is read, or of which too little is written to tell who reads it.
pub struct Known {
    /// Which.
    pub id: FileId,
    /// Where.
    pub path: Arc<Path>,
    /// Its folder.
    pub folder: usize,
    /// Endings of the names of files beside it that are read with it.
    pub companions: &'static [&'static str],
    /// What was said of it and how it looked, while nobody reads it.
    pub waiting: Option<(Box<FileHealth>, Stamp)>,
    /// When it is looked at again.
    pub next_look: Duration,
    /// It will be asked for in a moment.
    pub delayed: bool,
    /// When the last wish to be called later is due.
    pub later: Duration,
}

impl Known {
    /// A file that was just found.
    pub fn new(id: FileId, path: PathBuf, folder: usize, waiting: Option<(Box<FileHealth>, Stamp)>) -> Self {
        Self {
            id,
            path: Arc::from(path),
            folder,
            companions: &[],
            waiting,
            next_look: Duration::ZERO,
            delayed: false,
            later: Duration::ZERO,
        }
    }
}

/// The scout's whole knowledge. Walking and asking is in `survey`, looking again in `vigil`.
pub struct Scout {
    pub(super) formats: &'static [&'static dyn Format],
    pub(super) selection: Selection,
    pub(super) taught: Taught,
    pub(super) since: Option<WallTime>,
    pub(super) roots: Vec<Root>,
    pub(super) folders: Folders,
    pub(super) tree: Tree,
    pub(super) unplaced: FxHashMap<FileId, Unplaced>,
    pub(super) settle_due: Duration,
    pub(super) known: Vec<Known>,
    pub(super) by_path: FxHashMap<Arc<Path>, FileId>,
    pub(super) identities: FxHashMap<(u64, u64), FileId>,
    pub(super) rejected: FxHashMap<u64, Stamp>,
    /// Logs that have older parts.
    pub(super) rotated: FxHashSet<PathBuf>,
    pub(super) mounts: FxHashMap<u64, Option<&'static str>>,
    pub(super) report: ScanReport,
    pub(super) passed: Passed,
    pub(super) untold: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pool: Arc<Pool>,
    pub(super) outlet: Outlet,
    pub(super) poll: Duration,
    pub(super) heartbeat: Duration,
    pub(super) watcher: Option<Watcher>,
    pub(super) rounds: Rounds,
    pub(super) delayed: BinaryHeap<Reverse<(Duration, FileId)>>,
    pub(super) follow: bool,
    pub(super) notifications: bool,
    pub(super) told: Duration,
    pub(super) stop: Arc<Stop>,
    pub(super) ears: Ears,
}

impl Scout {
    /// A scout that knows nothing yet.
    #[expect(clippy::too_many_arguments, reason = "called once, with what `start` made")]
    pub fn new(
        options: Options,
        machinery: Machinery,
        selection: Selection,
        clock: Arc<dyn Clock>,
        pool: Arc<Pool>,
        outlet: Outlet,
        stop: Arc<Stop>,
        ears: Ears,
    ) -> Self {
        let labels = group::labels(&options.roots);
        let polled = options.poll.is_some() || !machinery.notifications;
        let roots: Vec<Root> = options
            .roots
            .into_iter()
            .zip(labels)
            .map(|(path, label)| root(path, label, options.poll))
            .collect();
        Self {
            formats: machinery.formats,
            selection,
            taught: options.taught,
            since: options.modified_since,
            roots,
            folders: Folders::default(),
            tree: Tree::default(),
            unplaced: FxHashMap::default(),
            settle_due: Duration::ZERO,
            known: Vec::new(),
            by_path: FxHashMap::default(),
            identities: FxHashMap::default(),
            rejected: FxHashMap::default(),
            rotated: FxHashSet::default(),
            mounts: FxHashMap::default(),
            report: ScanReport::default(),
            passed: Passed::default(),
            untold: true,
            told: clock.elapsed(),
            clock,
            pool,
            outlet,
            poll: options.poll.unwrap_or(POLL),
            heartbeat: machinery.heartbeat,
            watcher: None,
            rounds: Rounds::default(),
            delayed: BinaryHeap::new(),
            follow: options.follow,
            notifications: !polled,
            stop,
            ears,
        }
    }

    /// Finds everything, then watches until it is told to stop.
    pub fn run(mut self) {
        let leads = (0..self.roots.len()).filter_map(|at| self.lead_of(at)).collect();
        if !self.survey(leads) {
            return;
        }
        if !self.follow {
            let waiting: Vec<FileId> =
                self.known.iter().filter(|k| k.waiting.is_some()).map(|k| k.id).collect();
            if !waiting.into_iter().all(|id| self.ask_again(id, true)) {
                return;
            }
        }
        if !self.settle(true) {
            return;
        }
        self.report.complete = true;
        self.untold = true;
        if !self.tell() {
            return;
        }
        if self.follow {
            self.begin_watching();
            self.keep_watch();
        } else {
            self.pool.complete();
        }
    }

    /// Where the survey of a watched path begins.
    pub fn lead_of(&self, root: usize) -> Option<Lead> {
        let path = self.roots.get(root)?.path.clone();
        Some(Lead { path, relative: PathBuf::new(), root, above: None })
    }

    /// The number of the next file.
    pub fn next_id(&self) -> FileId {
        FileId(u32::try_from(self.known.len()).unwrap_or(u32::MAX))
    }

    /// Remembers a file, or that it is read from now on.
    pub fn learn(&mut self, known: Known, identity: (u64, u64)) {
        self.identities.insert(identity, known.id);
        let at = known.id.0 as usize;
        if let Some(slot) = self.known.get_mut(at) {
            *slot = known;
        } else {
            self.by_path.insert(Arc::clone(&known.path), known.id);
            self.known.push(known);
        }
    }

    /// Remembers what was said of a file that waits.
    pub fn set_waiting(&mut self, id: FileId, health: Box<FileHealth>, stamp: Stamp) {
        if let Some(known) = self.known.get_mut(id.0 as usize) {
            known.waiting = Some((health, stamp));
        }
    }

    /// A path as it is shown: below the watched path, behind its label if there are several.
    pub fn shown_path(&self, path: &Path) -> Arc<str> {
        let below = |root: &Root| {
            let relative = path.strip_prefix(&root.path).ok()?;
            let name = group::folder_name(&root.label, relative);
            Some(if root.only.is_some() && !root.label.is_empty() { root.label.clone() } else { name })
        };
        self.roots.iter().find_map(below).unwrap_or_else(|| path.to_string_lossy().into_owned()).into()
    }

    /// Reports the search now and then while it goes on.
    pub fn tell_progress(&mut self) {
        if self.clock.elapsed().saturating_sub(self.told) >= TELL_EVERY {
            self.tell();
        }
    }

    /// Reports the search; false when nobody listens any more.
    pub fn tell(&mut self) -> bool {
        self.untold = false;
        self.told = self.clock.elapsed();
        self.report.folders = self.folders.count();
        self.report.files_seen = self.folders.iter().map(|f| f.files).sum();
        self.report.ignored = self.folders.iter().map(|f| f.ignored).sum();
        for root in &mut self.roots {
            if let (WatchMode::Notified, Some(kind)) =
                (&root.mode, root_kind(&self.folders, &self.mounts, &root.path))
            {
                root.mode = WatchMode::Polled(format!("{kind} does not tell of changes").into());
            }
        }
        self.report.watched = self.roots.iter().map(|r| (Arc::clone(&r.shown), r.mode.clone())).collect();
        self.outlet.send(News::Scan(self.report.clone()))
    }
}

fn root_kind(
    folders: &Folders,
    mounts: &FxHashMap<u64, Option<&'static str>>,
    path: &Path,
) -> Option<&'static str> {
    let folder = folders.get(folders.at(path)?)?;
    *mounts.get(&folder.identity.0)?
}

/// **Invariant:** `Root::path` is absolute. The kernel's watcher names absolute paths, whatever it was given, and a
/// hint that names no known path is lost until the heartbeat.
fn root(path: PathBuf, label: String, poll: Option<Duration>) -> Root {
    let shown = Arc::from(path.to_string_lossy());
    let path = std::path::absolute(&path).unwrap_or(path);
    let mode = match poll {
        Some(every) => WatchMode::Polled(format!("asked for, every {} s", every.as_secs_f64()).into()),
        None => WatchMode::Notified,
    };
    let polled = poll.is_some();
    if path.is_dir() {
        return Root { path, only: None, label, shown, polled, mode };
    }
    let only = path.file_name().map(OsString::from);
    let above = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let label = group::stem(&label).to_owned();
    Root { path: above, only, label, shown, polled, mode }
}
