//! The thread that finds files and notices their changes.
//!
//! First it walks everything. Then it waits for hints, and at every heartbeat looks at the stamp of each known file
//! and folder, whatever the hints said. What it finds goes to the pool; it never reads more than a file's start.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Duration,
};

use rustc_hash::FxHashMap;

use super::{
    Machinery, Options,
    folders::{Entry, Folders},
    group,
    outlet::{Outlet, Stop},
    pool::Pool,
    select::Selection,
    source::Stamp,
    survey::Lead,
    vigil::Rounds,
    watch::{Hint, Watcher},
};
use crate::{
    formats::Format,
    model::{Clock, FileHealth, FileId, News, ScanReport, WallTime, WatchMode},
};

/// Where changes must be looked for and no interval was given.
const POLL: Duration = Duration::from_secs(1);

/// The search is reported this often while it goes on, and at most this often when it changes later.
const TELL_EVERY: Duration = Duration::from_millis(250);

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
    /// What was said of it and how it looked, while nobody reads it.
    pub waiting: Option<(Box<FileHealth>, Stamp)>,
    /// When it is looked at again.
    pub next_look: Duration,
    /// It will be asked for in a moment.
    pub delayed: bool,
}

impl Known {
    /// A file that was just found.
    pub fn new(id: FileId, path: PathBuf, folder: usize, waiting: Option<(Box<FileHealth>, Stamp)>) -> Self {
        Self { id, path: Arc::from(path), folder, waiting, next_look: Duration::ZERO, delayed: false }
    }
}

/// The scout's whole knowledge. Walking and asking is in `survey`, looking again in `vigil`.
pub struct Scout {
    pub(super) formats: &'static [&'static dyn Format],
    pub(super) selection: Selection,
    pub(super) since: Option<WallTime>,
    pub(super) roots: Vec<Root>,
    pub(super) folders: Folders,
    pub(super) known: Vec<Known>,
    pub(super) by_path: FxHashMap<Arc<Path>, FileId>,
    pub(super) identities: FxHashMap<(u64, u64), FileId>,
    pub(super) rejected: FxHashMap<u64, Stamp>,
    pub(super) mounts: FxHashMap<u64, Option<&'static str>>,
    pub(super) report: ScanReport,
    pub(super) untold: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pool: Arc<Pool>,
    pub(super) outlet: Outlet,
    pub(super) poll: Duration,
    pub(super) heartbeat: Duration,
    pub(super) watcher: Option<Watcher>,
    pub(super) rounds: Rounds,
    delayed: BinaryHeap<Reverse<(Duration, FileId)>>,
    follow: bool,
    notifications: bool,
    told: Duration,
    stop: Arc<Stop>,
    ears: Ears,
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
            since: options.modified_since,
            roots,
            folders: Folders::default(),
            known: Vec::new(),
            by_path: FxHashMap::default(),
            identities: FxHashMap::default(),
            rejected: FxHashMap::default(),
            mounts: FxHashMap::default(),
            report: ScanReport::default(),
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

    /// Sets watches on all folders found so far, and looks at everything once more: what happened before its watch
    /// was set went unnoticed.
    fn begin_watching(&mut self) {
        if self.notifications {
            match Watcher::new(self.ears.hints.clone(), Arc::clone(&self.ears.overflow)) {
                Ok(watcher) => self.watcher = Some(watcher),
                Err(why) => (0..self.roots.len()).for_each(|at| self.fall_back(at, &why)),
            }
        }
        (0..self.folders.end()).for_each(|at| self.watch(at));
        self.look_at_all();
    }

    /// Sets a watch on a folder unless changes there must be looked for anyway.
    pub fn watch(&mut self, at: usize) {
        let Some(folder) = self.folders.get(at).filter(|f| !f.polled && !f.notified) else { return };
        let Some(watcher) = &mut self.watcher else { return };
        let root = folder.root;
        match watcher.add(&folder.path) {
            Ok(()) => {
                if let Some(folder) = self.folders.get_mut(at) {
                    folder.notified = true;
                }
            }
            // A folder that is gone again is no reason to distrust the kernel.
            Err(_) if !folder.path.exists() => {}
            Err(why) => self.fall_back(root, &why),
        }
    }

    /// From now on changes under that root are looked for, and the report says why.
    fn fall_back(&mut self, root: usize, why: &str) {
        if let Some(root) = self.roots.get_mut(root).filter(|r| !r.polled) {
            root.polled = true;
            root.mode = WatchMode::Polled(why.into());
            self.untold = true;
        }
        self.folders.set_polled(root);
    }

    fn keep_watch(&mut self) {
        loop {
            let wait = self.next_due().saturating_sub(self.clock.elapsed());
            let hint = match self.ears.receiver.recv_timeout(wait) {
                Ok(hint) => Some(hint),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.stop.stopped() {
                return;
            }
            let mut alive = hint.is_none_or(|hint| self.follow_up(hint));
            // What else has come is looked at in one go, but not for ever: the heartbeat is due, too.
            for _ in 0..256 {
                let Ok(hint) = self.ears.receiver.try_recv() else { break };
                alive = alive && self.follow_up(hint);
            }
            if self.ears.overflow.swap(false, Ordering::AcqRel) {
                alive = alive && self.look_at_all();
            }
            alive = alive && self.look_where_due();
            self.ask_for_delayed();
            if self.untold && self.clock.elapsed().saturating_sub(self.told) >= TELL_EVERY {
                alive = alive && self.tell();
            }
            if !alive {
                return;
            }
        }
    }

    fn next_due(&self) -> Duration {
        let mut due = self.next_round();
        if let Some(Reverse((at, _))) = self.delayed.peek() {
            due = due.min(*at);
        }
        if self.untold {
            due = due.min(self.told + TELL_EVERY);
        }
        due
    }

    fn follow_up(&mut self, hint: Hint) -> bool {
        match hint {
            Hint::Wake => true,
            Hint::Later(file, at) => {
                self.delayed.push(Reverse((at, file)));
                true
            }
            Hint::Path { path, new } => self.look_at_path(&path, new),
        }
    }

    fn look_at_path(&mut self, path: &Path, new: bool) -> bool {
        if let Some(id) = self.by_path.get(path).copied() {
            return self.want(id);
        }
        if let Some(at) = self.folders.at(path) {
            return self.look_at_folder(at, false);
        }
        let Some((above, name)) = path.parent().zip(path.file_name()) else { return true };
        let Some(at) = self.folders.at(above) else {
            // Deeper than what is known: look from the nearest known folder on.
            let nearest = above.ancestors().find_map(|p| self.folders.at(p));
            return nearest.is_none_or(|at| self.look_at_folder(at, true));
        };
        let Some(folder) = self.folders.get(at) else { return true };
        let (root, relative) = (folder.root, folder.relative.join(name));
        let only = self.roots.get(root).and_then(|r| r.only.as_ref());
        if only.is_some_and(|only| only != name) {
            return true;
        }
        if new && path.is_dir() {
            let link = path.is_symlink();
            let (mut next, mut links) = (VecDeque::new(), VecDeque::new());
            if only.is_none() {
                let (folder_path, folder_relative) = (above.to_path_buf(), relative.with_file_name(""));
                let entry = Entry { name: name.to_owned(), link };
                let parent = folder_relative.components().as_path().to_path_buf();
                self.lead(at, &folder_path, &parent, root, entry, &mut next, &mut links);
            }
            next.extend(links);
            return self.survey(next.into());
        }
        if self.refusal(&relative, &name.to_owned()).is_some() {
            return true;
        }
        self.ask(at, vec![Entry { name: name.to_owned(), link: false }])
    }

    /// Asks for a turn at a file, now or as soon as it may have one; asks the formats if nobody reads it yet.
    pub fn want(&mut self, id: FileId) -> bool {
        let Some(known) = self.known.get_mut(id.0 as usize) else { return true };
        if known.waiting.is_some() {
            return self.ask_again(id, false);
        }
        if known.delayed {
            return true;
        }
        let now = self.clock.elapsed();
        if let Some(wait) = self.pool.want(id, now) {
            known.delayed = true;
            self.delayed.push(Reverse((now + wait, id)));
        }
        true
    }

    fn ask_for_delayed(&mut self) {
        let now = self.clock.elapsed();
        while let Some(Reverse((at, id))) = self.delayed.peek().copied() {
            if at > now {
                break;
            }
            self.delayed.pop();
            if let Some(known) = self.known.get_mut(id.0 as usize) {
                known.delayed = false;
                self.want(id);
            }
        }
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
    fn tell(&mut self) -> bool {
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

fn root(path: PathBuf, label: String, poll: Option<Duration>) -> Root {
    let shown = Arc::from(path.to_string_lossy());
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
