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

    /// The content of a member.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, Unreadable> {
        let limit = MEMBER_LIMIT.min(self.left);
        let member = match self.zip.by_name(name) {
            Ok(member) => member,
            Err(ZipError::FileNotFound) => return Err(Unreadable::Missing),
            Err(_) => return Err(Unreadable::Damaged),
        };
        if member.size() > limit {
            return Err(Unreadable::TooLarge);
        }
        // what is declared is not believed: at most one byte more than the limit is unpacked
        let mut content = Vec::new();
        member.take(limit + 1).read_to_end(&mut content).map_err(|_| Unreadable::Damaged)?;
        let length = content.len() as u64;
        self.left = self.left.saturating_sub(length);
        if length <= limit { Ok(content) } else { Err(Unreadable::TooLarge) }
    }
}

/// Why a member cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unreadable {
    /// There is none of that name.
    Missing,
    /// It unpacks to more than is read.
    TooLarge,
    /// It cannot be unpacked.
    Damaged,
}

impl Unreadable {
    /// As the reason of a document that is not read; `missing` where the member is not there.
    pub fn reason(self, missing: &'static str) -> &'static str {
        match self {
            Self::Missing => missing,
            Self::TooLarge => "its log unpacks to more than 64 MiB: unpack it and watch the folder",
            Self::Damaged => "its log cannot be unpacked",
        }
    }
}

/// A ZIP archive begins so.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    #[test]
    fn why_a_member_is_not_read_is_said() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        writer.start_file("small", options).unwrap();
        writer.write_all(b"text").unwrap();
        writer.start_file("large", options).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..=(MEMBER_LIMIT >> 20) {
            writer.write_all(&zeros).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        let mut archive = Archive::open(&bytes).unwrap();
        assert_eq!(archive.read("small").as_deref(), Ok(&b"text"[..]));
        assert_eq!(archive.read("large"), Err(Unreadable::TooLarge));
        assert_eq!(archive.read("none"), Err(Unreadable::Missing));
    }
}
