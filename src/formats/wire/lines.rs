//! Cuts growing bytes into lines without ever holding more than one limit's worth of them.

use memchr::{memchr, memrchr};

/// What stands between two line feeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line<'a> {
    /// A line.
    Text {
        /// Where it begins in the file.
        offset: u64,
        /// Its length with the line feed.
        bytes: u64,
        /// Its content, without line feed and carriage return.
        text: &'a [u8],
    },
    /// A line longer than the limit; it ended just now.
    TooLong {
        /// Where it began in the file.
        offset: u64,
        /// Its length with the line feed.
        bytes: u64,
    },
}

/// Where a reader of lines stands.
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    offset: u64,
    seen: usize,
    too_long_since: Option<u64>,
}

impl Lines {
    /// A reader at the start of a file, which passes over lines longer than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, offset: 0, seen: 0, too_long_since: None }
    }

    /// Bytes of the file that were consumed.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line of `available`, whose first `*at` bytes are used; moves `at` behind it.
    ///
    /// `None`: no line ends in the rest. Call again with the rest and what follows it. The beginning of a line
    /// that is too long already is consumed without being kept.
    pub fn next<'a>(&mut self, available: &'a [u8], at: &mut usize) -> Option<Line<'a>> {
        let rest = available.get(*at..).unwrap_or_default();
        let from = self.seen.min(rest.len());
        if let Some(end) = memchr(b'\n', rest.get(from..).unwrap_or_default()) {
            let length = from + end;
            let offset = self.offset;
            self.consume(length + 1, at);
            if let Some(start) = self.too_long_since.take() {
                return Some(Line::TooLong { offset: start, bytes: self.offset - start });
            }
            let bytes = length as u64 + 1;
            if length > self.limit {
                return Some(Line::TooLong { offset, bytes });
            }
            return Some(Line::Text { offset, bytes, text: without_return(rest.get(..length)?) });
        }
        if self.too_long_since.is_some() || rest.len() > self.limit {
            self.too_long_since.get_or_insert(self.offset);
            self.consume(rest.len(), at);
        } else {
            self.seen = rest.len();
        }
        None
    }

    /// The file's end: `rest` as a last line without line feed, however it ends.
    pub fn last<'a>(&mut self, rest: &'a [u8]) -> Option<Line<'a>> {
        let offset = self.offset;
        let mut at = 0;
        if let Some(start) = self.too_long_since.take() {
            self.consume(rest.len(), &mut at);
            return Some(Line::TooLong { offset: start, bytes: self.offset - start });
        }
        if rest.is_empty() {
            return None;
        }
        self.consume(rest.len(), &mut at);
        Some(Line::Text { offset, bytes: rest.len() as u64, text: without_return(rest) })
    }

    fn consume(&mut self, bytes: usize, at: &mut usize) {
        *at += bytes;
        self.offset += bytes as u64;
        self.seen = 0;
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a file's name ends so; capitals do not matter.
pub fn named(name: &str, ending: &str) -> bool {
    let from = name.len().checked_sub(ending.len());
    from.and_then(|from| name.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// `bytes` without a UTF-8 byte order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// `bytes` without spaces, tabs and carriage returns at both ends.
pub fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// The lines of a file's start that are certainly whole: up to the last line feed, or all of it if the file
/// ends there.
pub fn whole_lines(head: &[u8], whole: bool) -> &[u8] {
    match memrchr(b'\n', head) {
        _ if whole => head,
        Some(end) => head.get(..=end).unwrap_or_default(),
        None => &[],
    }
}

/// Whether the bytes at a file's start are text, in whatever encoding: few controls, and mostly ASCII where they are no UTF-8.
pub fn is_text(head: &[u8]) -> bool {
    let odd = |b: &&u8| **b < 0x20 && !matches!(**b, b'\t' | b'\n' | b'\r' | 0x1b | 0x08 | 0x0c | 0);
    let controls = head.iter().filter(odd).count();
    let zeros = head.iter().filter(|b| **b == 0).count();
    if controls * 50 > head.len() || zeros * 2 > head.len() {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => zeros == 0 || controls == 0,
        Err(error) if error.error_len().is_none() && head.len() >= crate::formats::HEAD_BYTES => true,
        Err(_) => head.iter().filter(|b| **b >= 0x80).count() * 20 < head.len() && zeros == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], chunk: usize, limit: usize) -> Vec<(u64, u64, Option<Vec<u8>>)> {
        let mut lines = Lines::new(limit);
        let mut found = Vec::new();
        let (mut start, mut end) = (0, 0);
        while end < bytes.len() {
            end = (end + chunk).min(bytes.len());
            let mut at = 0;
            while let Some(line) = lines.next(&bytes[start..end], &mut at) {
                found.push(match line {
                    Line::Text { offset, bytes, text } => (offset, bytes, Some(text.to_vec())),
                    Line::TooLong { offset, bytes } => (offset, bytes, None),
                });
            }
            start += at;
        }
        found
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_arrive() {
        let text = b"a\r\n\nlonger than the limit\nbc\nrest";
        let whole = all(text, text.len(), 10);
        assert_eq!(
            whole,
            vec![
                (0, 3, Some(b"a".to_vec())),
                (3, 1, Some(Vec::new())),
                (4, 22, None),
                (26, 3, Some(b"bc".to_vec())),
            ]
        );
        for chunk in 1..text.len() {
            assert_eq!(all(text, chunk, 10), whole, "in pieces of {chunk}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept_while_it_arrives() {
        let mut lines = Lines::new(8);
        let mut at = 0;
        assert_eq!(lines.next(&[b'x'; 100], &mut at), None);
        assert_eq!(at, 100, "all of it may be forgotten");
        at = 0;
        assert_eq!(lines.next(b"xx\n", &mut at), Some(Line::TooLong { offset: 0, bytes: 103 }));
        assert_eq!(lines.last(b""), None);
    }
}
