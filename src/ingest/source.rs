//! What a file looks like from outside, and how its bytes are fetched.
//!
//! **Invariant:** files are read with `pread`, never mapped: a file that is truncated under a memory map kills
//! the process with SIGBUS.

use std::{
    fs::{File, Metadata, OpenOptions},
    hash::{BuildHasher, BuildHasherDefault},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustc_hash::FxHasher;

use super::beside;
use crate::model::WallTime;

/// The facts whose change means that a file has news.
///
/// Seconds alone will not do for the time: two appends within one second would look like one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Stamp {
    /// The file system's number.
    pub device: u64,
    /// The file's number within it.
    pub inode: u64,
    /// Length in bytes.
    pub size: u64,
    /// Whole seconds since 1970 of the last modification.
    pub modified_s: i64,
    /// Nanoseconds after those.
    pub modified_ns: u32,
    /// Stands for the stamps of the files beside it that are read with it; 0 where there are none. The time of the
    /// last modification is then the latest of all.
    pub beside: u64,
    /// Stands for which files those are of companions with a star; 0 where there are none.
    pub parts: u64,
}

impl Stamp {
    /// The stamp in what `stat` said.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified_s: metadata.mtime(),
            modified_ns: u32::try_from(metadata.mtime_nsec()).unwrap_or(0),
            beside: 0,
            parts: 0,
        }
    }

    /// The stamp of the file at `path` and of those beside it that its `companions` mean.
    pub fn look(path: &Path, companions: &[&str]) -> io::Result<Self> {
        let mut stamp = Self::of(&path.metadata()?);
        for (number, ending) in companions.iter().enumerate() {
            // One that cannot be looked at is as good as none; opening it will say why.
            for file in beside::lying(path, ending) {
                let Some(metadata) = file.metadata().ok().filter(Metadata::is_file) else { continue };
                let other = Self::of(&metadata);
                let hasher = BuildHasherDefault::<FxHasher>::default();
                stamp.beside = hasher.hash_one((stamp.beside, number, other)) | 1;
                if ending.contains('*') {
                    stamp.parts = hasher.hash_one((stamp.parts, number, &file, other.identity())) | 1;
                }
                let latest = (stamp.modified_s, stamp.modified_ns).max((other.modified_s, other.modified_ns));
                (stamp.modified_s, stamp.modified_ns) = latest;
            }
        }
        Ok(stamp)
    }

    /// Whether what was copied between two looks, the later of which is `after`, is of one time. The parts of a database
    /// only grow, and one that is replaced is there until those that replace it are whole: as long as they are the same,
    /// nothing is missing.
    pub fn fits(&self, after: &Self) -> bool {
        let main = (self.identity(), self.size) == (after.identity(), after.size);
        self == after || main && self.parts != 0 && self.parts == after.parts
    }

    /// The last modification.
    pub fn modified(&self) -> WallTime {
        WallTime(self.modified_s as f64 + f64::from(self.modified_ns) * 1e-9)
    }

    /// Device and inode: the same for all names of one file.
    pub fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// An open file.
pub trait ReadAt {
    /// How it looks now.
    fn stamp(&self) -> io::Result<Stamp>;

    /// Reads at `offset`; fewer bytes than asked for, or none, at the end.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The files beside it that the companion `ending` means, as far as there are any.
    fn beside(&self, _ending: &str) -> io::Result<Vec<Box<dyn ReadAt>>> {
        Ok(Vec::new())
    }

    /// The bytes on the disk that reading up to `offset` has used: fewer where they are packed.
    fn on_disk(&self, offset: u64) -> u64 {
        offset
    }

    /// Why what was read to its end is not all: packed bytes that are damaged.
    fn problem(&self) -> Option<Arc<str>> {
        None
    }
}

impl ReadAt for File {
    fn stamp(&self) -> io::Result<Stamp> {
        let metadata = self.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file any more"));
        }
        Ok(Stamp::of(&metadata))
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, into, offset)
    }
}

/// Where files come from: the disk, or the demo's memory.
pub trait Source: Send + Sync {
    /// Opens a file for one turn. Files are not kept open: ten thousand of them would exceed the limit of
    /// descriptors, and an open file hides that its path was given to another one.
    ///
    /// `companions`: files beside it that are read with it, as [`beside`] names them.
    fn open(&self, path: &Path, companions: &'static [&'static str]) -> io::Result<Box<dyn ReadAt>>;
}

/// The local file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Source for Disk {
    fn open(&self, path: &Path, companions: &'static [&'static str]) -> io::Result<Box<dyn ReadAt>> {
        let file = open(path)?;
        if companions.is_empty() {
            return Ok(Box::new(file));
        }
        Ok(Box::new(Group { file, path: path.to_path_buf(), companions }))
    }
}

/// A file on disk and those beside it.
struct Group {
    file: File,
    path: PathBuf,
    companions: &'static [&'static str],
}

impl ReadAt for Group {
    /// By its path, like those beside it, so that all are of one time.
    fn stamp(&self) -> io::Result<Stamp> {
        let opened = ReadAt::stamp(&self.file)?;
        let stamp = Stamp::look(&self.path, self.companions)?;
        if stamp.identity() != opened.identity() {
            return Err(io::Error::new(io::ErrorKind::StaleNetworkFileHandle, "replaced a moment ago"));
        }
        Ok(stamp)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(&self.file, into, offset)
    }

    fn beside(&self, ending: &str) -> io::Result<Vec<Box<dyn ReadAt>>> {
        let mut files: Vec<Box<dyn ReadAt>> = Vec::new();
        for path in beside::lying(&self.path, ending) {
            match open(&path) {
                Ok(file) if file.metadata()?.is_file() => files.push(Box::new(file)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }
}

/// `path` with more at the end of its name.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut longer = path.as_os_str().to_owned();
    longer.push(ending);
    longer.into()
}

/// Opens `path` for reading without waiting for a writer, should it be a pipe.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Fills `into` from `offset` as far as the file goes; returns how many bytes that were.
///
/// Bytes beyond `size`, which was the file's size a moment ago, are taken if they come along, but not asked for.
pub fn read_full(file: &dyn ReadAt, into: &mut [u8], offset: u64, size: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = into.get_mut(filled..).filter(|r| !r.is_empty()) {
        match file.read_at(room, offset + filled as u64) {
            Ok(0) => break,
            Ok(n) => {
                filled += n;
                if offset + filled as u64 >= size {
                    break;
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
