//! Cuts growing bytes into rows and cells, after RFC 4180: quotes open at a cell's start, cells may span lines.
//!
//! Rows must be found before the file is whole, at exact offsets, and a quote that never closes must cost one
//! line and not the rest of the file. That is why it is written out here.

use memchr::{memchr, memchr_iter, memchr2};

/// A row that has not ended after so many bytes is given up, together with its line.
pub const ROW_LIMIT: usize = 4 << 20;

/// One row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Row<'a> {
    /// Its bytes without the line end.
    Text {
        /// Where it begins in the file.
        offset: u64,
        /// Its length with the line end.
        bytes: u64,
        /// What stands in it.
        text: &'a [u8],
    },
    /// A line that could not be used.
    Bad {
        /// Where it begins in the file.
        offset: u64,
        /// Its length.
        bytes: u64,
        /// One clause.
        reason: &'static str,
    },
}

const NO_QUOTE_END: &str = "a quoted cell does not end";
const TOO_LONG: &str = "row longer than 4 MiB";

/// Where a reader of rows stands.
#[derive(Debug)]
pub struct Rows {
    delimiter: u8,
    limit: usize,
    offset: u64,
    seen: usize,
    giving_up: Option<(u64, &'static str)>,
}

impl Rows {
    /// At the start of a file.
    pub fn new(limit: usize) -> Self {
        Self { delimiter: b',', limit, offset: 0, seen: 0, giving_up: None }
    }

    /// What separates cells from now on.
    pub fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// Bytes of the file that were consumed.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Passes a row of that many bytes, whose end somebody else has found. False: nothing of the kind can stand here.
    pub fn pass(&mut self, bytes: usize, at: &mut usize) -> bool {
        if self.giving_up.is_some() || bytes > self.limit {
            return false;
        }
        self.consume(bytes, at);
        true
    }

    /// The next row of `available`, whose first `*at` bytes are used; moves `at` behind it. `None`: no row ends
    /// in the rest.
    pub fn next<'a>(&mut self, available: &'a [u8], at: &mut usize) -> Option<Row<'a>> {
        let rest = available.get(*at..).unwrap_or_default();
        let from = self.seen.min(rest.len());
        let line_end = memchr(b'\n', rest.get(from..).unwrap_or_default()).map(|end| from + end);
        if self.giving_up.is_some() {
            return self.give_up(rest, line_end, at);
        }
        let Some(line_end) = line_end else {
            if rest.len() > self.limit {
                let reason = reason(rest.get(..self.limit).unwrap_or_default());
                self.giving_up = Some((self.offset, reason));
                self.consume(rest.len(), at);
            } else {
                self.seen = rest.len();
            }
            return None;
        };
        let window = rest.get(..rest.len().min(self.limit + 1)).unwrap_or_default();
        let end = match rest.get(..line_end) {
            Some(line) if memchr(b'"', line).is_none() => (line_end <= self.limit).then_some(line_end),
            _ => self.quoted_end(window),
        };
        match end {
            Some(end) => Some(self.row(rest, end, at)),
            None if rest.len() > self.limit => {
                let reason = reason(window.get(..self.limit).unwrap_or_default());
                self.giving_up = Some((self.offset, reason));
                self.give_up(rest, Some(line_end), at)
            }
            // within an open quote: wait for its end
            None => None,
        }
    }

    /// The file's end: the next row of `rest`, the last of which may lack its line end.
    pub fn last<'a>(&mut self, rest: &'a [u8], at: &mut usize) -> Option<Row<'a>> {
        if let Some(row) = self.next(rest, at) {
            return Some(row);
        }
        let left = rest.get(*at..).unwrap_or_default();
        if left.is_empty() || self.giving_up.is_some() {
            return None;
        }
        let line_end = memchr(b'\n', left);
        if line_end.is_none() && (memchr(b'"', left).is_none() || self.closed(left)) {
            let (offset, bytes) = (self.offset, left.len() as u64);
            self.consume(left.len(), at);
            return Some(Row::Text { offset, bytes, text: without_return(left) });
        }
        self.giving_up = Some((self.offset, NO_QUOTE_END));
        let row = self.give_up(left, line_end, at);
        self.giving_up = None;
        row
    }

    fn row<'a>(&mut self, rest: &'a [u8], end: usize, at: &mut usize) -> Row<'a> {
        let (offset, bytes) = (self.offset, end as u64 + 1);
        self.consume(end + 1, at);
        Row::Text { offset, bytes, text: without_return(rest.get(..end).unwrap_or_default()) }
    }

    fn give_up<'a>(&mut self, rest: &[u8], line_end: Option<usize>, at: &mut usize) -> Option<Row<'a>> {
        let Some(line_end) = line_end else {
            self.consume(rest.len(), at);
            return None;
        };
        self.consume(line_end + 1, at);
        let (offset, reason) = self.giving_up.take()?;
        Some(Row::Bad { offset, bytes: self.offset - offset, reason })
    }

    fn consume(&mut self, bytes: usize, at: &mut usize) {
        *at += bytes;
        self.offset += bytes as u64;
        self.seen = 0;
    }

    /// Where a row with quotes ends: its line feed.
    fn quoted_end(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            at = after_cell(text, at, self.delimiter)?;
            match text.get(at)? {
                b'\n' => return Some(at),
                _ => at += 1,
            }
        }
    }

    /// Whether the quotes of a last line are all closed.
    fn closed(&self, text: &[u8]) -> bool {
        let mut at = 0;
        while at < text.len() {
            let mut with_end = after_cell(text, at, self.delimiter);
            if with_end.is_none() && !open_at_end(text, at) {
                with_end = Some(text.len());
            }
            match with_end {
                Some(end) => at = end + 1,
                None => return false,
            }
        }
        true
    }
}

fn reason(text: &[u8]) -> &'static str {
    if memchr(b'"', text).is_some() { NO_QUOTE_END } else { TOO_LONG }
}

fn without_return(row: &[u8]) -> &[u8] {
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// The end of the quoted part of a cell that begins with a quote at `at`: behind the closing quote.
fn after_quotes(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr(b'"', text.get(at..)?)? + 1;
        if text.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// The delimiter or line feed behind the cell that begins at `at`.
fn after_cell(text: &[u8], at: usize, delimiter: u8) -> Option<usize> {
    let from = if text.get(at) == Some(&b'"') { after_quotes(text, at)? } else { at };
    Some(from + memchr2(delimiter, b'\n', text.get(from..)?)?)
}

fn open_at_end(text: &[u8], at: usize) -> bool {
    text.get(at) == Some(&b'"') && after_quotes(text, at).is_none()
}

/// The cells of a row, as slices of it without blanks around and without their quotes. `""` within quotes is
/// left as it is: see [`unquoted`].
pub fn cells<'a>(row: &'a [u8], delimiter: u8, into: &mut Vec<&'a [u8]>) {
    into.clear();
    if memchr(b'"', row).is_none() {
        let mut from = 0;
        for at in memchr_iter(delimiter, row) {
            into.push(row.get(from..at).unwrap_or_default().trim_ascii());
            from = at + 1;
        }
        into.push(row.get(from..).unwrap_or_default().trim_ascii());
        return;
    }
    let mut at = 0;
    loop {
        // line feeds within a row stand in quotes or behind them; they separate nothing
        let from = if row.get(at) == Some(&b'"') { after_quotes(row, at).unwrap_or(row.len()) } else { at };
        let end = memchr(delimiter, row.get(from..).unwrap_or_default()).map_or(row.len(), |end| from + end);
        into.push(without_quotes(row.get(at..end).unwrap_or_default().trim_ascii()));
        if end >= row.len() {
            return;
        }
        at = end + 1;
    }
}

fn without_quotes(cell: &[u8]) -> &[u8] {
    cell.strip_prefix(b"\"").and_then(|c| c.strip_suffix(b"\"")).map_or(cell, <[u8]>::trim_ascii)
}

/// A cell as text, doubled quotes made single.
pub fn unquoted(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).replace("\"\"", "\"")
}

/// The separator of a header line: the most frequent of comma, tab, semicolon and bar outside of quotes.
/// `None` where there is none of them.
pub fn sniff(header: &[u8]) -> Option<u8> {
    let mut counts = [(b',', 0_usize), (b'\t', 0), (b';', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in header {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| !quoted && delimiter == byte) {
            *count += 1;
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().filter(|most| *most > 0)?;
    counts.iter().find(|(_, count)| *count == most).map(|(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8], chunk: usize, limit: usize) -> Vec<(u64, u64, String)> {
        let mut rows = Rows::new(limit);
        let mut found = Vec::new();
        let mut note = |row: Row<'_>| {
            found.push(match row {
                Row::Text { offset, bytes, text } => (offset, bytes, unquoted(text)),
                Row::Bad { offset, bytes, reason } => (offset, bytes, format!("! {reason}")),
            });
        };
        let (mut start, mut end) = (0, 0);
        while end < bytes.len() {
            end = (end + chunk).min(bytes.len());
            let mut at = 0;
            while let Some(row) = rows.next(&bytes[start..end], &mut at) {
                note(row);
            }
            start += at;
        }
        let mut at = 0;
        while let Some(row) = rows.last(&bytes[start..], &mut at) {
            note(row);
        }
        found
    }

    #[test]
    fn rows_are_the_same_however_the_bytes_arrive() {
        let text = b"a,b\r\n1,\"x\ny, \"\"z\"\"\"\n\n3,4\n5,6";
        let whole = rows(text, text.len(), 1000);
        let lines: Vec<_> = whole.iter().map(|(offset, _, text)| (*offset, text.as_str())).collect();
        assert_eq!(lines, [(0, "a,b"), (5, "1,\"x\ny, \"z\"\""), (20, ""), (21, "3,4"), (25, "5,6")]);
        for chunk in 1..text.len() {
            assert_eq!(rows(text, chunk, 1000), whole, "in pieces of {chunk}");
        }
    }

    #[test]
    fn a_quote_without_end_costs_one_line() {
        let text = b"1,2\n\"3,4\n5,6\n7,8\n9,10\n11,12\n";
        let expected = [
            (0, 4, "1,2".to_owned()),
            (4, 5, "! a quoted cell does not end".to_owned()),
            (9, 4, "5,6".to_owned()),
        ];
        for chunk in 1..=text.len() {
            let read = rows(text, chunk, 12);
            assert_eq!(read[..3], expected, "in pieces of {chunk}");
            assert_eq!(read.len(), 6, "in pieces of {chunk}");
        }
        assert_eq!(rows(text, 5, 1000)[1].2, "! a quoted cell does not end", "also at the end of the file");
    }

    #[test]
    fn a_row_that_is_too_long_is_listed_and_not_kept() {
        let text = b"1,2\n333333333333333333\n5,6\n";
        for chunk in 1..=text.len() {
            let read = rows(text, chunk, 8);
            assert_eq!(read[1], (4, 19, "! row longer than 4 MiB".to_owned()), "in pieces of {chunk}");
            assert_eq!(read.len(), 3);
        }
    }

    #[test]
    fn cells_agree_with_the_csv_crate() {
        for row in [
            "a,b,c",
            "",
            ",",
            "a,,",
            "\"a,b\",c",
            "\"a\nb\",\"c\"\"d\"",
            "\"\",x",
            "\"a\"b,c",
            "a\"b,c\"",
            "\"open,x",
        ] {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .terminator(csv::Terminator::Any(b'\n'))
                .from_reader(row.as_bytes());
            let expected: Vec<String> = reader
                .records()
                .next()
                .map_or(vec![String::new()], |r| r.unwrap().iter().map(str::to_owned).collect());
            let mut found = Vec::new();
            cells(row.as_bytes(), b',', &mut found);
            if row == "\"a\"b,c" || row == "\"open,x" {
                assert_eq!(found.len(), expected.len(), "{row}");
            } else {
                assert_eq!(found.iter().map(|c| unquoted(c)).collect::<Vec<_>>(), expected, "{row}");
            }
        }
    }

    #[test]
    fn the_separator_is_the_most_frequent_one() {
        assert_eq!(sniff(b"step,loss"), Some(b','));
        assert_eq!(sniff(b"step\tloss, smoothed\tacc"), Some(b'\t'));
        assert_eq!(sniff(b"\"a,b,c\";d"), Some(b';'));
        assert_eq!(sniff(b"loss"), None);
    }
}
