//! The folders that were looked into, and one look into a folder.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ignore::gitignore::Gitignore;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{alike::Alike, group::NodeId, select::Ignores, source::Stamp};
use crate::model::WallTime;

/// A folder whose last change is younger than this when it is listed is listed again: clocks of file systems are
/// coarse, and a file that came right after the listing may have left the time as it was.
const FRESH: f64 = 2.0;

/// A folder that holds, or may come to hold, logs.
#[derive(Debug)]
pub struct Folder {
    /// Where.
    pub path: PathBuf,
    /// Path below the watched path.
    pub relative: PathBuf,
    /// Which of the watched paths it is under.
    pub root: usize,
    /// The folder that it was found in; `None` for a watched path.
    pub above: Option<usize>,
    /// Its runs' name.
    pub name: String,
    /// What it is for its files' runs.
    pub node: NodeId,
    /// Device and inode.
    pub identity: (u64, u64),
    /// Last change when it was listed; `None` when it must be listed again.
    pub modified: Option<(i64, u32)>,
    /// When it was listed.
    pub listed: Duration,
    /// How long that took.
    pub cost: Duration,
    /// Entries that are files, at the last listing.
    pub files: u64,
    /// Those that nobody reads.
    pub ignored: u64,
    /// Writers of its event files, for sub-folders that they make; and whether those hold more than a header.
    pub writers: Vec<(Arc<str>, bool)>,
    /// Files of it that are named alike.
    pub alike: Alike,
    /// What its ignore file says.
    pub ignores: Option<Arc<Gitignore>>,
    /// The kernel tells of changes in it.
    pub notified: bool,
    /// Its changes must be looked for.
    pub polled: bool,
}

/// All folders by number and by path.
#[derive(Debug, Default)]
pub struct Folders {
    all: Vec<Option<Folder>>,
    by_path: FxHashMap<PathBuf, usize>,
    identities: FxHashSet<(u64, u64)>,
}

impl Folders {
    /// Takes in a folder; `None` when it is known under another path.
    pub fn add(&mut self, folder: Folder) -> Option<usize> {
        if !self.identities.insert(folder.identity) {
            return None;
        }
        let at = self.all.len();
        self.by_path.insert(folder.path.clone(), at);
        self.all.push(Some(folder));
        Some(at)
    }

    /// Forgets a folder that is gone.
    pub fn remove(&mut self, at: usize) {
        if let Some(folder) = self.all.get_mut(at).and_then(Option::take) {
            self.identities.remove(&folder.identity);
            self.by_path.remove(&folder.path);
        }
    }

    /// The folder of that number.
    pub fn get(&self, at: usize) -> Option<&Folder> {
        self.all.get(at)?.as_ref()
    }

    /// The folder of that number.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut Folder> {
        self.all.get_mut(at)?.as_mut()
    }

    /// The folder at `path`.
    pub fn at(&self, path: &Path) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Numbers below this one may be folders.
    pub fn end(&self) -> usize {
        self.all.len()
    }

    /// The ignore files that speak of what is in a folder, the nearest first.
    pub fn ignores_of(&self, at: usize) -> Ignores {
        let mut found = Vec::new();
        let mut next = Some(at);
        while let Some(folder) = next.and_then(|at| self.get(at)) {
            found.extend(folder.ignores.clone());
            next = folder.above;
        }
        found
    }

    /// From now on the changes in all folders under that root must be looked for.
    pub fn set_polled(&mut self, root: usize) {
        for folder in self.all.iter_mut().flatten().filter(|f| f.root == root) {
            folder.polled = true;
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.by_path.len() as u64
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Folder> {
        self.all.iter().flatten()
    }

    /// The nearest folder above `at` whose event files are by `writer`: its number, whether they hold more than a
    /// header, and the path from there to `at`.
    pub fn same_writer_above(&self, at: usize, writer: &str) -> Option<(usize, bool, String)> {
        let folder = self.get(at)?;
        let mut next = folder.above;
        while let Some(number) = next {
            let above = self.get(number)?;
            if let Some((_, has_data)) = above.writers.iter().find(|(w, _)| **w == *writer) {
                let below = folder.relative.strip_prefix(&above.relative).ok()?;
                let sub = below.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
                return Some((number, *has_data, sub));
            }
            next = above.above;
        }
        None
    }
}

/// One entry of a folder.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// It was reached through a symbolic link.
    pub link: bool,
}

/// What a look into a folder found, sorted by name.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sub-folders.
    pub folders: Vec<Entry>,
    /// Files that passed the filter.
    pub files: Vec<Entry>,
    /// All files, passed or not.
    pub seen: u64,
    /// Links that lead nowhere or in circles: name and reason.
    pub broken: Vec<(OsString, String)>,
}

/// Lists `folder`. Files whose names `passes` refuses are counted and forgotten at once: a million of them take no
/// memory.
pub fn list(folder: &Path, mut passes: impl FnMut(&OsString) -> bool) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let (is_dir, is_file) = if kind.is_symlink() {
            match fs::metadata(entry.path()) {
                Ok(target) => (target.is_dir(), target.is_file()),
                Err(error) => {
                    listing.broken.push((name, error.to_string()));
                    continue;
                }
            }
        } else {
            (kind.is_dir(), kind.is_file())
        };
        if is_dir {
            listing.folders.push(Entry { name, link: kind.is_symlink() });
        } else if is_file {
            listing.seen += 1;
            if passes(&name) {
                listing.files.push(Entry { name, link: kind.is_symlink() });
            }
        }
    }
    listing.folders.sort_by(|a, b| a.name.cmp(&b.name));
    listing.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listing)
}

/// The time of last change to remember of a folder that is listed at `now`; `None` if that cannot be trusted.
pub fn trusted_time(stamp: &Stamp, now: WallTime) -> Option<(i64, u32)> {
    let age = now.since(stamp.modified());
    (age.abs() >= FRESH).then_some((stamp.modified_s, stamp.modified_ns))
}
