//! Bytes of a segment as text that a terminal would have left standing: no colours, no NUL bytes, backspaces applied.

use std::borrow::Cow;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';

/// The text of one segment. Borrowed when nothing had to change, which is almost always; else it lies in `scratch`.
///
/// Bytes that are no UTF-8 become `�`. NUL bytes, which a crashed node leaves, vanish like all other controls but tabs.
pub(super) fn clean<'a>(bytes: &'a [u8], scratch: &'a mut String) -> &'a str {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !has_controls(bytes) => return text,
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    scratch.clear();
    strip(&text, scratch);
    scratch
}

/// Without a branch in the loop, so that it runs over many bytes at once.
fn has_controls(bytes: &[u8]) -> bool {
    let is_control = |b: &u8| u8::from((*b < 0x20 && *b != b'\t') || *b == 0x7f);
    bytes.iter().fold(0, |any, b| any | is_control(b)) != 0
}

fn strip(text: &str, into: &mut String) {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ESCAPE => pass_escape(&mut rest),
            '\u{8}' => {
                into.pop();
            }
            '\t' => into.push(c),
            c if c.is_control() => {}
            c => into.push(c),
        }
    }
}

/// Moves behind an escape sequence: CSI up to its final letter, OSC up to BEL or ST, others by their length.
fn pass_escape(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => {
            rest.by_ref().find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']' | 'P' | '^' | '_') => {
            let mut escaped = false;
            rest.by_ref().find(|c| {
                let ends = *c == BELL || (escaped && *c == '\\');
                escaped = *c == ESCAPE;
                ends
            });
        }
        Some('(' | ')' | '*' | '+' | '#' | '%') => {
            rest.next();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(bytes: &[u8]) -> String {
        clean(bytes, &mut String::new()).to_owned()
    }

    #[test]
    fn what_a_terminal_would_not_show_is_gone() {
        for (bytes, text) in [
            (&b"plain \t text"[..], "plain \t text"),
            (b"\x1b[34m\x1b[1mtrain:\x1b[0m loss", "train: loss"),
            (b"\x1b]0;title\x07after \x1b]8;;http://x\x1b\\link", "after link"),
            (b"\x1b(Bx", "x"),
            (b"12/22\x08\x08\x08\x08\x0813/22", "13/22"),
            (b"\x08\x08x", "x"),
            (b"\0\0\0step 1", "step 1"),
            (b"caf\xe9", "caf\u{fffd}"),
            (b"open \x1b[31", "open "),
        ] {
            assert_eq!(cleaned(bytes), text);
        }
    }

    #[test]
    fn plain_text_is_not_copied() {
        let bytes = "损失 0.5".as_bytes();
        let mut scratch = String::new();
        assert!(std::ptr::eq(clean(bytes, &mut scratch).as_ptr(), bytes.as_ptr()));
    }
}
