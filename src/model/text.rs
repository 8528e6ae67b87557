//! Text from logs, made harmless.

use std::borrow::Cow;

/// Replaces every character that could move a cursor, change a colour or reorder a line by a visible stand-in.
///
/// C0 and C1 controls become their Unicode control pictures (`ESC` → `␛`) or `�`; bidirectional overrides,
/// zero-width characters and other format characters become `�`; line breaks and tabs become `␊` and `␉`.
/// Borrowed when nothing had to change, which is almost always.
pub fn sanitise(text: &str) -> Cow<'_, str> {
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| match c {
                c if harmless(c) => c,
                '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
                '\x7f' => '\u{2421}',
                _ => '\u{fffd}',
            })
            .collect(),
    )
}

fn harmless(c: char) -> bool {
    // C0 and C1 controls; soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width and bidirectional
    // controls, line and paragraph separators, invisible operators, variation selectors, BOM, interlinear
    // annotations, tags.
    !matches!(
        c,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_become_visible_and_plain_text_is_borrowed() {
        assert!(matches!(sanitise("train/loss ä 損失"), Cow::Borrowed(_)));
        assert_eq!(sanitise("a\x1b[2Jb\nc\x7f\u{9b}31m\u{202e}x"), "a␛[2Jb␊c␡\u{fffd}31m\u{fffd}x");
    }
}
