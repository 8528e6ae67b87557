//! Rotated logs: `train.log.2.gz`, `train.log.1` and `train.log` are one log, in this order.
//!
//! The file with the plain name is the log; the others are its older parts. They are no files of their own to the
//! rest of the program: whoever reads the log reads them first, and when the file is rotated away while it is being
//! read, reads its end where it lies now. So nothing is read twice when names move on, and nothing that was said is
//! taken back.

use std::{cell::RefCell, cmp::Reverse, collections::VecDeque, fs, io, path::Path, path::PathBuf};

use super::{
    packed::{Packing, Unpacked, Unpacker},
    source::{ReadAt, Stamp, open},
};

/// How old a part is, the oldest first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Age {
    /// Named after its day: `-20260131` (logrotate), `.2026-01-31_12` (Python).
    Dated(String),
    /// Its number grows with its age.
    Numbered(Reverse<u32>),
}

/// The name of the log of which a file of that name is an older part.
///
/// Event files end in numbers that mean something else.
pub fn base(name: &str) -> Option<(&str, Age)> {
    if name.contains("tfevents") {
        return None;
    }
    let (_, name) = Packing::of(name);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (base, age) = match name.rsplit_once('.') {
        Some((base, number)) if digits(number) && number.len() <= 4 && !number.starts_with('0') => {
            (base, Age::Numbered(Reverse(number.parse().ok()?)))
        }
        Some((base, date)) if is_date(date) => (base, Age::Dated(date.to_owned())),
        _ => match name.rsplit_once('-') {
            Some((base, date)) if digits(date) && date.len() == 8 && date.starts_with("20") => {
                (base, Age::Dated(date.to_owned()))
            }
            _ => return None,
        },
    };
    (!base.is_empty()).then_some((base, age))
}

/// `2026-01-31`, and perhaps a time after it.
fn is_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        0..10 => byte.is_ascii_digit(),
        _ => byte.is_ascii_digit() || byte == b'-' || byte == b'_',
    };
    text.len() >= 10 && text.starts_with("20") && text.bytes().enumerate().all(shape)
}

/// An older part of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Where.
    pub path: PathBuf,
    /// How it looked when it was found.
    pub stamp: Stamp,
}

impl Part {
    /// Whether its name says that it is packed.
    pub fn packed(&self) -> bool {
        Packing::of_path(&self.path).0.is_some()
    }

    /// Opens it if it still is the file that was found, and hands it to `work`.
    pub fn with<T>(&self, work: impl FnOnce(&dyn ReadAt) -> io::Result<T>) -> io::Result<T> {
        let file = open(&self.path)?;
        if ReadAt::stamp(&file)?.identity() != self.stamp.identity() {
            return Err(io::Error::other("replaced before it was read"));
        }
        match Packing::of_path(&self.path).0 {
            None => work(&file),
            Some(packing) => {
                let unpacker = RefCell::new(Unpacker::new(packing, file.try_clone()?));
                work(&Unpacked { unpacker, file: &file })
            }
        }
    }
}

/// The older parts of the log at `path`, the oldest first.
pub fn parts(path: &Path) -> Vec<Part> {
    let (Some(folder), Some(log)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(Age, bool, Part)> = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some((_, age)) = name.to_str().and_then(base).filter(|(of, _)| *of == log) else { continue };
        let path = entry.path();
        if let Ok(metadata) = path.metadata()
            && metadata.is_file()
        {
            let part = Part { path, stamp: Stamp::of(&metadata) };
            found.push((age, part.packed(), part));
        }
    }
    // While a part is being packed it is there twice: the plain one is whole.
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    found.dedup_by(|later, first| later.0 == first.0);
    found.into_iter().map(|(_, _, part)| part).collect()
}

/// Where the reading of older parts stands.
#[derive(Debug, Default)]
pub struct Rotation {
    /// The log has older parts: when it is read from its start, that is where it starts.
    pub expected: bool,
    /// They must be looked for.
    pub unlisted: bool,
    /// Those that are read before the file itself.
    pub queue: VecDeque<Part>,
    /// The reader stands in the first of them, not before it.
    pub within: bool,
    /// Bytes of all parts that were met.
    pub bytes: u64,
    /// Of those, the ones that are behind.
    pub done: u64,
}

impl Rotation {
    /// The log is read from its start.
    pub fn restart(&mut self) {
        *self = Self { expected: self.expected, unlisted: self.expected, ..Self::default() };
    }

    /// These parts are to be read; the reader stands `within` the first.
    pub fn enqueue(&mut self, parts: impl IntoIterator<Item = Part>, within: bool) {
        self.queue = parts.into_iter().collect();
        self.bytes += self.queue.iter().map(|p| p.stamp.size).sum::<u64>();
        self.within = within;
        self.expected = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_older_parts_are_told_from_others() {
        let of = |name| base(name).map(|(base, _)| base);
        for name in ["t.log.1", "t.log.12.gz", "t.log-20260131", "t.log-20260131.zst", "t.log.2026-01-31_12"]
        {
            assert_eq!(of(name), Some("t.log"), "{name}");
        }
        for name in [
            "t.log",
            "t.log.gz",
            "t.log.0",
            "t.log.01",
            "t.log.12345",
            "t.log-1",
            "run-20261301x",
            "log.txt.rank1",
            ".1",
            "events.out.tfevents.1700000000.host.77.1",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
        let mut ages: Vec<_> =
            ["l.1", "l.10", "l.2", "l-20260201", "l-20260131"].iter().map(|n| base(n).unwrap().1).collect();
        ages.sort();
        let numbers: Vec<_> = ages.iter().map(|age| format!("{age:?}")).collect();
        assert!(numbers[0].contains("20260131") && numbers[2].contains("10") && numbers[4].contains("(1)"));
    }
}
