//! What a file looks like from outside, and how its bytes are fetched.
//!
//! **Invariant:** files are read with `pread`, never mapped: a file that is truncated under a memory map kills
//! the process with SIGBUS.

use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use crate::model::WallTime;

/// The facts whose change means that a file has news.
///
/// Seconds alone will not do for the time: two appends within one second would look like one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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
        }
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
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadAt>>;
}

/// The local file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Source for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadAt>> {
        Ok(Box::new(open(path)?))
    }
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
