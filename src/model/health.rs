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
}

impl FileHealth {
    /// A file that was just found.
    pub fn found(id: FileId, path: Arc<str>, run: RunId, format: &'static str) -> Self {
        Self {
            id,
            path,
            run,
            format,
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

/// How far the search for files has come.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ScanReport {
    /// Folders looked into.
    pub folders: u64,
    /// Files seen.
    pub files_seen: u64,
    /// Files that no format claimed.
    pub ignored: u64,
    /// Examples of those with the reason, at most a few hundred: `(path, reason)`.
    pub ignored_examples: Vec<(Arc<str>, Arc<str>)>,
    /// Folders or files that could not be read, with the reason.
    pub unreadable: Vec<(Arc<str>, Arc<str>)>,
    /// The first full look is over.
    pub complete: bool,
    /// Each watched path and how it is watched.
    pub watched: Vec<(Arc<str>, WatchMode)>,
}

/// The state of the reading side.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Health {
    /// All files by id.
    pub files: BTreeMap<FileId, FileHealth>,
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
    pub fn files_of<'a>(&'a self, run: &'a RunId) -> impl Iterator<Item = &'a FileHealth> {
        self.files.values().filter(move |f| &f.run == run)
    }
}
