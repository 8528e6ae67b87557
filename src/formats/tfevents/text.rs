//! Texts of logs, cut at a limit.

use std::{borrow::Cow, sync::Arc};

use super::tensor::{Dtype, Tensor};

/// Bytes of a text that are kept.
pub(super) const LIMIT: usize = 64 << 10;

/// `bytes` as text, cut at [`LIMIT`] but not within a character; what is no UTF-8 becomes `�`.
pub(super) fn of(bytes: &[u8]) -> Arc<str> {
    Arc::from(cut(bytes))
}

fn cut(bytes: &[u8]) -> Cow<'_, str> {
    let Some((head, _)) = bytes.split_at_checked(LIMIT).filter(|(_, tail)| !tail.is_empty()) else {
        return String::from_utf8_lossy(bytes);
    };
    // A character that the cut divides is left out; it has at most four bytes.
    let whole = match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => head.get(..error.valid_up_to()).unwrap_or(head),
        _ => head,
    };
    String::from_utf8_lossy(whole)
}

/// The text of a string tensor: lines of a list, rows of a table with ` | ` between cells.
pub(super) fn of_tensor(tensor: &Tensor<'_>) -> Option<Arc<str>> {
    if tensor.dtype != Dtype::String {
        return None;
    }
    let columns = match *tensor.shape() {
        [] | [_] => 1,
        [_, columns] => usize::try_from(columns).ok()?.max(1),
        _ => return None,
    };
    let mut strings = tensor.strings();
    let first = strings.next().unwrap_or_default();
    let mut text = cut(first);
    for (at, cell) in (1_usize..).zip(strings) {
        if text.len() >= LIMIT {
            break;
        }
        let text = text.to_mut();
        text.push_str(if at.is_multiple_of(columns) { "\n" } else { " | " });
        text.push_str(&cut(cell));
    }
    Some(of(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "a".repeat(LIMIT - 1) + "ü and more";
        assert_eq!(&*of(long.as_bytes()), "a".repeat(LIMIT - 1));
        assert_eq!(of("ü".as_bytes()).len(), 2);
        assert_eq!(&*of(b"ab\xffc"), "ab\u{fffd}c");
        assert_eq!(of("x".repeat(LIMIT).as_bytes()).len(), LIMIT);
    }
}
