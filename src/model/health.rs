//! Where every watched file stands: what was read, what was skipped and why it ended.

use std::{collections::BTreeMap, sync::Arc};

use super::{FileId, RunId, Skip, WallTime};

/// Skips that are kept in detail per file; beyond that only their number and bytes grow.
pub const SKIPS_KEPT: usize = 64;

/// What a file is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileState {
    /// Found, not read yet.
    Waiting,
    /// Bytes remain to be read right now.
    Reading,
    /// Everything there is was read; more may come.
    Following,
    /// A whole-file format, or a file of which the log itself says that nothing follows.
    Ended,
    /// It disappeared; it comes back if the path does.
    Gone,
    /// It cannot be read on, and why. It comes back when the file is replaced.
    Dead(Arc<str>),
}

impl FileState {
    /// The word in JSON and on screen.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Following => "following",
            Self::Ended => "ended",
            Self::Gone => "gone",
            Self::Dead(_) => "dead",
        }
    }
}

/// One file.
#[derive(Clone, PartialEq, Debug)]
pub struct FileHealth {
    /// Which file.
    pub id: FileId,
    /// Path as found, relative to the watched path where there is one.
    pub path: Arc<str>,
    /// The run that it belongs to.
    pub run: RunId,
    /// Name of the format that claimed it.
    pub format: &'static str,
    /// It only says something about its run (configuration, tables): the run is not alive because of it.
    pub side: bool,
    /// Size when last looked at.
    pub bytes: u64,
    /// How far it was read (whole records).
    pub read_bytes: u64,
    /// Records decoded since the last (re)start of the file.
    pub records: u64,
    /// What it is doing.
    pub state: FileState,
    /// The first [`SKIPS_KEPT`] skips.
    pub skips: Vec<Skip>,
    /// Skips in all.
    pub skip_count: u64,
    /// Bytes passed over in all.
    pub skipped_bytes: u64,
    /// Things the decoder kept out of the way, by name (`unknown record type "foo"`), with counts.
    pub oddities: BTreeMap<Arc<str>, u64>,
    /// Times that it was rewritten, truncated or replaced while being watched.
    pub restarts: u32,
    /// Bytes at the end that are no whole record yet.
    pub pending_bytes: u64,
    /// Last modification as the file system says.
    pub modified: WallTime,
    /// When this process last got new records from it.
    pub last_news: WallTime,
    /// News once came just after they were written, so that this machine saw the writer alive. Kept by the engine: what
    /// else is written to the file later (a scheduler's chatter) must not take it away.
    pub live: bool,
}

impl FileHealth {
    /// A file that was just found.
    pub fn found(id: FileId, path: Arc<str>, run: RunId, format: &'static str) -> Self {
        Self {
            id,
            path,
            run,
            format,
            side: false,
            bytes: 0,
            read_bytes: 0,
            records: 0,
            state: FileState::Waiting,
            skips: Vec::new(),
            skip_count: 0,
            skipped_bytes: 0,
            oddities: BTreeMap::new(),
            restarts: 0,
            pending_bytes: 0,
            modified: WallTime::UNKNOWN,
            last_news: WallTime::UNKNOWN,
            live: false,
        }
    }

    /// Counts a skip and keeps it if there is room.
    pub fn skip(&mut self, skip: Skip) {
        self.skip_count += 1;
        self.skipped_bytes = self.skipped_bytes.saturating_add(skip.bytes);
        if self.skips.len() < SKIPS_KEPT {
            self.skips.push(skip);
        }
    }
}

/// How changes of files are noticed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WatchMode {
    /// The kernel tells; a slow look confirms.
    Notified,
    /// Only by looking, and why.
    Polled(Arc<str>),
}

/// Files of one folder that nobody reads, of one ending and for one reason; or a folder that is not entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PassedOver {
    /// The path of the only one, or the folder with a pattern of names: `run/*.pt`.
    pub path: Arc<str>,
    /// How many they are.
    pub count: u64,
    /// Why, one clause.
    pub reason: Arc<str>,
}

/// How far the search for files has come.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ScanReport {
    /// Folders looked into.
    pub folders: u64,
    /// Files seen.
    pub files_seen: u64,
    /// Files that no format claimed.
    pub ignored: u64,
    /// Those, and folders that are not entered, in groups; at most a few thousand groups.
    pub passed_over: Vec<PassedOver>,
    /// Folders or files that could not be read, with the reason.
    pub unreadable: Vec<(Arc<str>, Arc<str>)>,
    /// The first full look is over.
    pub complete: bool,
    /// Each watched path and how it is watched.
    pub watched: Vec<(Arc<str>, WatchMode)>,
}

/// All watched files by id, with those of one run at hand: a screen of 2,000 runs asks for each run's files in
/// every frame.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Files {
    by_id: BTreeMap<FileId, FileHealth>,
    of_run: BTreeMap<RunId, Vec<FileId>>,
}

impl Files {
    /// Takes in what is known of a file now; returns what was known before.
    pub fn insert(&mut self, id: FileId, file: FileHealth) -> Option<FileHealth> {
        let moved = self.by_id.get(&id).filter(|old| old.run != file.run).map(|old| old.run.clone());
        if let Some(ids) = moved.and_then(|run| self.of_run.get_mut(&run)) {
            ids.retain(|known| *known != id);
        }
        let ids = self.of_run.entry(file.run.clone()).or_default();
        if let Err(place) = ids.binary_search(&id) {
            ids.insert(place, id);
        }
        self.by_id.insert(id, file)
    }

    /// One file.
    pub fn get(&self, id: &FileId) -> Option<&FileHealth> {
        self.by_id.get(id)
    }

    /// All files in the order of their ids.
    pub fn values(&self) -> impl Iterator<Item = &FileHealth> {
        self.by_id.values()
    }

    /// All files, to be changed in place. To move one to another run, insert it again.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut FileHealth> {
        self.by_id.values_mut()
    }

    /// The files of one run in the order of their ids.
    pub fn of_run(&self, run: &RunId) -> impl Iterator<Item = &FileHealth> {
        self.of_run.get(run).into_iter().flatten().filter_map(|id| self.by_id.get(id))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// True before the first was found.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// The state of the reading side.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Health {
    /// All files.
    pub files: Files,
    /// The search.
    pub scan: ScanReport,
}

impl Health {
    /// True when the search is over and no file has bytes left to read.
    pub fn caught_up(&self) -> bool {
        self.scan.complete
            && self.files.values().all(|f| !matches!(f.state, FileState::Waiting | FileState::Reading))
    }

    /// Files of one run, in the order of their ids.
    pub fn files_of(&self, run: &RunId) -> impl Iterator<Item = &FileHealth> {
        self.files.of_run(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(run: &str) -> FileHealth {
        FileHealth::found(FileId(7), Arc::from("a"), RunId::from(run), "csv")
    }

    #[test]
    fn a_file_is_found_under_the_run_it_belongs_to_now() {
        let mut health = Health::default();
        for id in [9, 7, 8] {
            health.files.insert(FileId(id), FileHealth { id: FileId(id), ..file("one") });
        }
        let ids = |h: &Health, run: &str| h.files_of(&RunId::from(run)).map(|f| f.id.0).collect::<Vec<_>>();
        assert_eq!(ids(&health, "one"), [7, 8, 9]);
        health.files.insert(FileId(8), FileHealth { id: FileId(8), ..file("two") });
        assert_eq!((ids(&health, "one"), ids(&health, "two")), (vec![7, 9], vec![8]));
        assert_eq!(health.files.len(), 3);
    }
}
