//! ZIP archives that trackers leave behind: read from memory, each member up to a limit.

use std::io::{Cursor, Read};

use zip::{ZipArchive, result::ZipError};

use super::document::Unread;

/// A member that unpacks to more than this is not read.
const MEMBER_LIMIT: u64 = 64 << 20;

/// All that is unpacked of one archive.
const ARCHIVE_LIMIT: u64 = 256 << 20;

/// An archive in memory.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory, which stands at the archive's end: without it the archive is being written.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Unread> {
        match ZipArchive::new(Cursor::new(bytes)) {
            Ok(zip) => Ok(Self { zip, left: ARCHIVE_LIMIT }),
            Err(ZipError::InvalidArchive(_) | ZipError::Io(_)) => Err(Unread::NotWhole),
            Err(_) => Err(Unread::Broken("a ZIP archive of a kind that cannot be read")),
        }
    }

    /// The content of a member; `None` if there is none of that name, it is damaged, or too large.
    pub fn read(&mut self, name: &str) -> Option<Vec<u8>> {
        let limit = MEMBER_LIMIT.min(self.left);
        let member = self.zip.by_name(name).ok()?;
        if member.size() > limit {
            return None;
        }
        // what is declared is not believed: at most one byte more than the limit is unpacked
        let mut content = Vec::new();
        member.take(limit + 1).read_to_end(&mut content).ok()?;
        let length = content.len() as u64;
        self.left = self.left.saturating_sub(length);
        (length <= limit).then_some(content)
    }
}

/// A ZIP archive begins so.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}
