//! A JSON reader for logs: strict about structure, lenient about what training programs really write.
//!
//! Python's `json.dumps` writes the bare words `NaN`, `Infinity` and `-Infinity`, which a strict parser refuses
//! together with the whole line: the one line that an alert must not miss. They are numbers here, and `1e999`
//! is infinite. Words inside strings stay text.

use std::{borrow::Cow, fmt};

use memchr::memchr2;

use super::numbers::plain_number;

/// Nesting deeper than this is an error, so that a hostile line cannot exhaust the stack.
pub const DEPTH_LIMIT: usize = 64;

/// Why a text is no JSON value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonError {
    /// The text ends inside of a value.
    Unfinished,
    /// Something stands where it cannot.
    Unexpected,
    /// Brackets are nested deeper than [`DEPTH_LIMIT`].
    TooDeep,
    /// More values than memory is given to.
    TooMany,
    /// Text follows the value.
    Trailing,
}

impl JsonError {
    /// One clause for the list of skips.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unfinished => "broken JSON: the line ends inside of a value",
            Self::Unexpected => "broken JSON: unexpected character",
            Self::TooDeep => "JSON nested too deep",
            Self::TooMany => "JSON with too many values",
            Self::Trailing => "broken JSON: text after the value",
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for JsonError {}

/// What kind of value comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    Text,
    /// A digit, a sign, or one of the words for numbers that are not finite.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

/// A place in a JSON text. Methods move it behind what they read.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes read.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text between two places.
    pub fn between(&self, from: usize, to: usize) -> &'a [u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn byte(&mut self) -> Result<u8, JsonError> {
        self.blanks();
        self.text.get(self.at).copied().ok_or(JsonError::Unfinished)
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if word.starts_with(rest) {
            Err(JsonError::Unfinished)
        } else {
            Err(JsonError::Unexpected)
        }
    }

    /// The kind of the next value.
    pub fn kind(&mut self) -> Result<Kind, JsonError> {
        Ok(match self.byte()? {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::Text,
            b'0'..=b'9' | b'-' | b'N' | b'I' => Kind::Number,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            _ => return Err(JsonError::Unexpected),
        })
    }

    /// Steps into an object or array.
    pub fn open(&mut self) -> Result<(), JsonError> {
        match self.byte()? {
            b'{' | b'[' => {
                self.at += 1;
                Ok(())
            }
            _ => Err(JsonError::Unexpected),
        }
    }

    /// Within an object: the next key as it is written, between its quotes, or `None` at the end.
    /// `first` is true for the first call only.
    #[inline]
    pub fn key(&mut self, first: &mut bool) -> Result<Option<&'a [u8]>, JsonError> {
        if !self.another(b'}', first)? {
            return Ok(None);
        }
        let key = self.raw_text()?;
        if self.byte()? != b':' {
            return Err(JsonError::Unexpected);
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Within an array: whether another element follows. `first` is true for the first call only.
    pub fn element(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.another(b']', first)
    }

    fn another(&mut self, close: u8, first: &mut bool) -> Result<bool, JsonError> {
        let next = self.byte()?;
        if next == close {
            self.at += 1;
            return Ok(false);
        }
        if std::mem::take(first) {
            return Ok(true);
        }
        if next != b',' {
            return Err(JsonError::Unexpected);
        }
        self.at += 1;
        // a comma before the end is forgiven
        if self.byte()? == close {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// The next value, a number.
    #[inline]
    pub fn number(&mut self) -> Result<f64, JsonError> {
        self.blanks();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|b| !matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        match rest.first() {
            Some(b'0'..=b'9') => {}
            Some(b'-') if rest.get(1) != Some(&b'I') => {}
            Some(b'-') => return self.word(b"-Infinity").map(|()| f64::NEG_INFINITY),
            Some(b'N') => return self.word(b"NaN").map(|()| f64::NAN),
            Some(b'I') => return self.word(b"Infinity").map(|()| f64::INFINITY),
            Some(_) => return Err(JsonError::Unexpected),
            None => return Err(JsonError::Unfinished),
        }
        let value = plain_number(rest.get(..end).unwrap_or_default());
        if value.is_none() && end == rest.len() {
            return Err(JsonError::Unfinished);
        }
        self.at += end;
        value.ok_or(JsonError::Unexpected)
    }

    /// The next value, a text, as it is written between its quotes.
    #[inline]
    pub fn raw_text(&mut self) -> Result<&'a [u8], JsonError> {
        if self.byte()? != b'"' {
            return Err(JsonError::Unexpected);
        }
        let start = self.at + 1;
        let mut end = start;
        loop {
            let rest = self.text.get(end..).unwrap_or_default();
            let found = memchr2(b'"', b'\\', rest).ok_or(JsonError::Unfinished)?;
            end += found;
            if self.text.get(end) == Some(&b'"') {
                self.at = end + 1;
                return Ok(self.between(start, end));
            }
            end += 2;
        }
    }

    /// The next value, a bool.
    pub fn bool(&mut self) -> Result<bool, JsonError> {
        if self.byte()? == b't' {
            self.word(b"true").map(|()| true)
        } else {
            self.word(b"false").map(|()| false)
        }
    }

    /// The next value, null.
    pub fn null(&mut self) -> Result<(), JsonError> {
        self.blanks();
        self.word(b"null")
    }

    /// Passes over the next value, checking its structure.
    pub fn skip(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > DEPTH_LIMIT {
            return Err(JsonError::TooDeep);
        }
        let mut first = true;
        match self.kind()? {
            Kind::Object => {
                self.open()?;
                while self.key(&mut first)?.is_some() {
                    self.skip(depth + 1)?;
                }
                Ok(())
            }
            Kind::Array => {
                self.open()?;
                while self.element(&mut first)? {
                    self.skip(depth + 1)?;
                }
                Ok(())
            }
            Kind::Text => self.raw_text().map(|_| ()),
            Kind::Number => self.number().map(|_| ()),
            Kind::Bool => self.bool().map(|_| ()),
            Kind::Null => self.null(),
        }
    }

    /// Nothing but blanks may follow.
    pub fn end(&mut self) -> Result<(), JsonError> {
        self.blanks();
        if self.at >= self.text.len() { Ok(()) } else { Err(JsonError::Trailing) }
    }
}

/// The text that a string's bytes between its quotes stand for. Bytes that are no UTF-8 and lone surrogates
/// become `U+FFFD`; control characters come through.
pub fn unescape(raw: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw);
    }
    let mut text: Vec<u8> = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some((escape, after)) = rest.split_first() else { break };
        rest = after;
        match escape {
            b'n' => text.push(b'\n'),
            b't' => text.push(b'\t'),
            b'r' => text.push(b'\r'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'u' => {
                let character = code_point(&mut rest);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => text.push(*other),
        }
    }
    text.extend_from_slice(rest);
    Cow::Owned(String::from_utf8(text).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

fn code_point(rest: &mut &[u8]) -> char {
    let Some(first) = hex4(rest) else { return char::REPLACEMENT_CHARACTER };
    if (0xd800..0xdc00).contains(&first) {
        let mut ahead = rest.strip_prefix(b"\\u").unwrap_or_default();
        if let Some(second) = hex4(&mut ahead)
            && (0xdc00..0xe000).contains(&second)
        {
            *rest = ahead;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
    }
    char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn hex4(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    *rest = after;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<(), JsonError> {
        let mut cursor = Cursor::new(text.as_bytes());
        cursor.skip(0)?;
        cursor.end()
    }

    #[test]
    fn structure_is_checked_to_the_last_character() {
        for good in
            ["{}", " [1, 2] ", r#"{"a":[{"b":null}],"c":true}"#, "NaN", "[-Infinity,Infinity]", "[1,]"]
        {
            assert_eq!(whole(good), Ok(()), "{good}");
        }
        for bad in
            ["{", "[1", r#"{"a"}"#, r#"{"a":}"#, "tru", "nul", "[1 2]", "1 2", "{a:1}", "", "Nan", "+1", "1e"]
        {
            assert!(whole(bad).is_err(), "{bad}");
        }
        assert_eq!(whole(&"[".repeat(100_000)), Err(JsonError::TooDeep));
    }

    #[test]
    fn numbers_that_are_not_finite_are_numbers() {
        let read = |text: &str| Cursor::new(text.as_bytes()).number();
        assert!(read("NaN").is_ok_and(f64::is_nan));
        assert_eq!(read("-Infinity"), Ok(f64::NEG_INFINITY));
        assert_eq!(read("1e999"), Ok(f64::INFINITY));
        assert_eq!(read("-0.1"), Ok(-0.1));
    }

    #[test]
    fn escapes_become_characters_and_broken_ones_a_stand_in() {
        for (raw, text) in [
            (r"a\/b\n\u00e4", "a/b\nä"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\u12", "\u{fffd}12"),
            ("\u{1b}[2J", "\u{1b}[2J"),
            ("NaN Infinity", "NaN Infinity"),
        ] {
            assert_eq!(unescape(raw.as_bytes()), text, "{raw}");
        }
        assert_eq!(unescape(b"a\xff\\n"), "a\u{fffd}\n");
    }
}
