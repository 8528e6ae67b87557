//! What the line knew the last time, in the user's cache folder; and whether the logs still look as they did then.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::glance::{Glance, VERSION};
use crate::app::xdg;

/// Files and folders that are looked at to see whether something changed; where there are more, everything is read.
const LOOKED_AT: usize = 50_000;

/// A glance that is larger is not ours.
const LIMIT: u64 = 4 << 20;

/// One tree's place in the cache.
#[derive(Clone, Debug)]
pub struct Cache {
    file: PathBuf,
}

impl Cache {
    /// The place of `key`, which names the paths and all that decides what is read of them. `None` where nothing can
    /// be kept: no home, or a home that is itself being watched.
    pub fn of(key: &str, roots: &[PathBuf]) -> Option<Self> {
        let folder = xdg::cache_folder()?;
        if xdg::is_below(&folder, roots) {
            return None;
        }
        fs::create_dir_all(&folder).ok()?;
        let mut hash = Fnv::default();
        hash.feed(key.as_bytes());
        Some(Self { file: folder.join(format!("line-{:016x}.json", hash.0)) })
    }

    /// What was known; nothing if it is damaged or of another version.
    pub fn load(&self) -> Option<Glance> {
        if fs::metadata(&self.file).ok()?.len() > LIMIT {
            return None;
        }
        let glance: Glance = serde_json::from_slice(&fs::read(&self.file).ok()?).ok()?;
        (glance.version == (VERSION, env!("CARGO_PKG_VERSION").to_owned())).then_some(glance)
    }

    /// Keeps what is known.
    pub fn save(&self, glance: &Glance) -> io::Result<()> {
        xdg::write_atomically(&self.file, &serde_json::to_vec(glance).map_err(io::Error::from)?)
    }

    /// The right to read anew, given to one at a time; held until it is dropped.
    pub fn lock(&self) -> Option<File> {
        let lock = File::options().create(true).append(true).open(self.file.with_extension("lock")).ok()?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(lock)
    }
}

/// FNV-1a: the same in every version of the program.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// A hash of names, sizes and times of all files and folders below `roots`. `None` if there are too many.
pub fn fingerprint(roots: &[PathBuf]) -> Option<u64> {
    let mut hash = Fnv::default();
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<PathBuf> = roots.iter().rev().cloned().collect();
    let mut count = 0;
    while let Some(path) = waiting.pop() {
        count += 1;
        if count > LOOKED_AT {
            return None;
        }
        hash.feed(path.as_os_str().as_encoded_bytes());
        let Ok(metadata) = fs::metadata(&path) else { continue };
        for number in [metadata.size(), metadata.mtime() as u64, metadata.mtime_nsec() as u64, metadata.ino()]
        {
            hash.feed(&number.to_le_bytes());
        }
        // A link may lead back to where we came from.
        if metadata.is_dir() && seen.insert((metadata.dev(), metadata.ino())) {
            waiting.extend(children(&path));
        }
    }
    Some(hash.0)
}

/// In an order that does not depend on the file system's mood.
fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<PathBuf> = listing.filter_map(|entry| Some(entry.ok()?.path())).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_sees_growth_and_new_files_and_survives_circles() {
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().to_path_buf()];
        fs::create_dir(dir.path().join("a")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/back")).unwrap();
        fs::write(dir.path().join("a/x"), "1").unwrap();
        let first = fingerprint(&roots);
        assert_eq!(fingerprint(&roots), first);
        fs::write(dir.path().join("a/x"), "12").unwrap();
        let second = fingerprint(&roots);
        fs::write(dir.path().join("a/y"), "").unwrap();
        let third = fingerprint(&roots);
        assert!(first.is_some() && first != second && second != third);
    }
}
