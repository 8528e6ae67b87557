//! Lines that end in an object and have something before it: `2024-05-01 10:00:05 | INFO | train | {"loss": "2.5"}`.

use crate::formats::wire::{axes::wall_of_text, lines::trim};

/// What stands before an object that reaches to the end of the line, and the object.
pub fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if line.last() != Some(&b'}') {
        return None;
    }
    let at = memchr::memmem::find(line, b"{\"")?;
    line.split_at_checked(at)
}

/// The time of day that a prefix begins with: ISO 8601, with a comma before the milliseconds as `logging` writes it.
/// NaN if it does not.
pub fn wall(prefix: &[u8]) -> f64 {
    let prefix = trim(prefix.strip_prefix(b"[").unwrap_or(prefix));
    let end = prefix
        .iter()
        .take(32)
        .position(|b| !matches!(b, b'0'..=b'9' | b'-' | b':' | b'.' | b',' | b' ' | b'T' | b'Z' | b'+'));
    let stamp = prefix.get(..end.unwrap_or(prefix.len().min(32))).unwrap_or_default();
    let text = String::from_utf8_lossy(stamp).replace(',', ".");
    let text = text.trim_end_matches(['-', ' ', '.']);
    wall_of_text(text).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_at_the_end_and_the_time_at_the_start_are_found() {
        let line = br#"2024-05-01 10:00:05 | INFO | train | {"loss": "2.5"}"#;
        let (prefix, object) = split(line).unwrap();
        assert_eq!(object, br#"{"loss": "2.5"}"#);
        assert_eq!(wall(prefix), 1_714_557_605.0);
        assert_eq!(wall(b"[2024-05-01 10:00:05,500 - root] "), 1_714_557_605.5);
        assert!(wall(b"epoch 3: ").is_nan() && wall(b"").is_nan());
        assert_eq!(split(b"done {1}"), None);
        assert_eq!(split(br#"{"a": 1} trailing"#), None);
    }
}
