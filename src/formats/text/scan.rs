//! Pieces of lines that several grammars read: numbers with units, names, progress bars.

use crate::formats::wire::numbers::plain_number;

/// Longest text of a number; longer runs of digits are identifiers.
const NUMBER_LENGTH: usize = 40;

/// Units that may follow a number. Longer ones first where one begins with another.
const UNITS: &[&str] = &[
    "samples/s",
    "tokens/s",
    "ms/step",
    "us/step",
    "s/step",
    "ms/it",
    "s/iter",
    "s/it",
    "it/s",
    "GiB",
    "MiB",
    "KiB",
    "TiB",
    "GB",
    "MB",
    "KB",
    "TB",
    "ms",
    "us",
    "µs",
    "ns",
    "min",
    "s",
    "%",
    "K",
    "k",
    "M",
    "G",
    "T",
    "B",
    "b",
    "h",
    "m",
    "f",
];

/// A number at the start of a text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::formats) struct Quantity<'a> {
    /// The number as it is printed: `1,234` is 1234, `nan` and `-inf` are what they say.
    pub value: f64,
    /// The unit behind it, or empty.
    pub unit: &'static str,
    /// What follows both.
    pub rest: &'a str,
}

/// The number at the start of `text`, with its unit. `None` where the text begins otherwise, or where the number is
/// the beginning of something else: `3rd`, `1.2.3`, `12:30`, `0x1f`, `2026-11-23`.
pub(in crate::formats) fn quantity(text: &str) -> Option<Quantity<'_>> {
    let length = number_length(text)?;
    let (number, rest) = text.split_at_checked(length)?;
    let value = value_of(number)?;
    let (unit, rest) = match (unit_of(rest), rest.strip_prefix(' ')) {
        (Some(unit), _) => (unit, rest.get(unit.len()..)?),
        (None, Some(after)) => match spaced_unit(after) {
            Some(unit) => (unit, after.get(unit.len()..)?),
            None => ("", rest),
        },
        (None, None) => ("", rest),
    };
    ends_well(rest).then_some(Quantity { value, unit, rest })
}

/// The whole of `text` as a number without unit: `1,234`, `1e-5`, `NaN`.
pub(in crate::formats) fn value_of(text: &str) -> Option<f64> {
    if text.len() > NUMBER_LENGTH {
        return None;
    }
    let digits = text.trim_start_matches(['+', '-']);
    match digits.as_bytes().first()? {
        b'0'..=b'9' | b'.' if text.contains(',') => {
            let mut plain = [0; NUMBER_LENGTH];
            let mut length = 0;
            for byte in text.bytes().filter(|b| *b != b',') {
                *plain.get_mut(length)? = byte;
                length += 1;
            }
            plain_number(plain.get(..length)?)
        }
        b'0'..=b'9' | b'.' => plain_number(text.as_bytes()),
        _ => crate::formats::wire::numbers::number(text.as_bytes()),
    }
}

/// Length of the number that a text begins with.
fn number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = bytes.get(sign..)?;
    let length = match digits.first()? {
        b'0'..=b'9' | b'.' => digits_length(digits)?,
        b'n' | b'N' | b'i' | b'I' => word_length(digits)?,
        _ => return None,
    };
    (sign + length <= NUMBER_LENGTH).then_some(sign + length)
}

/// `nan`, `inf`, `infinity`, in any capitals.
fn word_length(bytes: &[u8]) -> Option<usize> {
    let is = |word: &[u8]| bytes.get(..word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word));
    [&b"infinity"[..], b"nan", b"inf"].into_iter().find(|word| is(word)).map(<[u8]>::len)
}

fn digits_length(bytes: &[u8]) -> Option<usize> {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let run = |mut at: usize| {
        while digit(at) {
            at += 1;
        }
        at
    };
    let mut at = run(0);
    let mut any = at > 0;
    // thousands: groups of exactly three
    if (1..=3).contains(&at) {
        while bytes.get(at) == Some(&b',') && run(at + 1) == at + 4 {
            at += 4;
        }
    }
    if bytes.get(at) == Some(&b'.') {
        let end = run(at + 1);
        any |= end > at + 1;
        at = end;
    }
    if !any {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = run(at + 1 + sign);
        if end > at + 1 + sign {
            at = end;
        }
    }
    Some(at)
}

fn unit_of(rest: &str) -> Option<&'static str> {
    let first = rest.bytes().next().filter(|b| b.is_ascii_alphabetic() || *b == b'%' || *b >= 0x80)?;
    UNITS.iter().filter(|unit| unit.bytes().next() == Some(first)).find_map(|unit| {
        let (found, after) = rest.split_at_checked(unit.len())?;
        (found == *unit && ends_well(after)).then_some(*unit)
    })
}

/// A unit behind a blank: only those that cannot be the next word.
fn spaced_unit(rest: &str) -> Option<&'static str> {
    let found = unit_of(rest)?;
    (found.len() > 1 && found != "min" || found == "%").then_some(found)
}

/// Whether a number may end before `rest`.
fn ends_well(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    match bytes.next() {
        None => true,
        Some(b':') => !bytes.next().is_some_and(|b| b.is_ascii_digit()),
        Some(b'.' | b'-') => !bytes.next().is_some_and(|b| b.is_ascii_alphanumeric()),
        Some(byte) => !(byte.is_ascii_alphanumeric() || byte == b'_'),
    }
}

/// A frame of a progress bar as `tqdm` draws it, wherever it stands in a line:
/// `Epoch 3:  45%|████ | 10/22 [00:01<00:01, 8.9it/s, v_num=0, train_loss=2.27]`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::formats) struct Progress<'a> {
    /// What stands before the percentage, without colon and blanks.
    pub title: &'a str,
    /// Done so far; a `k` or `M` behind it is multiplied out.
    pub done: f64,
    /// Of so many.
    pub total: f64,
    /// What the trainer added behind the rate: `v_num=0, train_loss=2.27`; or empty.
    pub postfix: &'a str,
    /// What follows the frame in the same line, without blanks.
    pub rest: &'a str,
}

/// The last frame of a progress bar in `line`.
pub(in crate::formats) fn progress(line: &str) -> Option<Progress<'_>> {
    memchr::memchr(b'%', line.as_bytes())?;
    let bar = memchr::memmem::rfind(line.as_bytes(), b"%|")?;
    let (before, after) = (line.get(..bar)?, line.get(bar + 2..)?);
    let title = before.trim_end_matches(|c: char| c.is_ascii_digit());
    if title.len() == before.len() {
        return None;
    }
    let counts = after.get(after.find('|')? + 1..)?;
    let open = counts.find('[')?;
    let (done, total) = counts.get(..open)?.split_once('/')?;
    let inside = counts.get(open + 1..)?;
    let close = closing(inside)?;
    let (inside, rest) = (inside.get(..close)?, inside.get(close + 1..)?);
    let (times, after) = inside.split_once(',').unwrap_or((inside, ""));
    if !times.contains('<') {
        return None;
    }
    // a trainer's own bar may leave the rate out: `[06:19<07:13, loss=11.5]`
    let postfix = match after.split_once(',') {
        Some((rate, rest)) if !rate.contains('=') => rest,
        None if !after.contains('=') => "",
        _ => after,
    };
    Some(Progress {
        title: title.trim().trim_end_matches(':').trim_end(),
        done: multiplied(done)?,
        total: multiplied(total)?,
        postfix: postfix.trim(),
        rest: rest.trim(),
    })
}

/// Place of the bracket that closes one opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' if depth == 0 => return Some(at),
            b']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `12.3k` as 12300.
fn multiplied(text: &str) -> Option<f64> {
    let quantity = quantity(text.trim())?;
    let factor = match quantity.unit {
        "" => 1.0,
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        _ => return None,
    };
    quantity.rest.is_empty().then_some(quantity.value * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(f64, &str, &str)> {
        quantity(text).map(|q| (q.value, q.unit, q.rest))
    }

    #[test]
    fn numbers_are_read_with_their_units() {
        for (text, value, unit, rest) in [
            ("2.5", 2.5, "", ""),
            ("-1.25e-3, x", -0.001_25, "", ", x"),
            ("1,234 ", 1234.0, "", " "),
            ("1, 2", 1.0, "", ", 2"),
            ("157.45ms", 157.45, "ms", ""),
            ("40.1GiB(50.4%)", 40.1, "GiB", "(50.4%)"),
            ("30.3%", 30.3, "%", ""),
            ("9000M", 9000.0, "M", ""),
            ("8.90it/s]", 8.9, "it/s", "]"),
            ("5.5 ms | x", 5.5, "ms", " | x"),
            ("8.5f", 8.5, "f", ""),
            ("3 steps", 3.0, "", " steps"),
            ("3. Then", 3.0, "", " Then"),
            ("inf,", f64::INFINITY, "", ","),
            ("1.244238E+01 |", 12.44238, "", " |"),
        ] {
            assert_eq!(read(text), Some((value, unit, rest)), "{text}");
        }
        assert!(read("nanms").is_some_and(|(value, unit, _)| value.is_nan() && unit == "ms"));
        for text in ["", "x", "-", ".", "3rd", "1.2.3", "12:30", "0x1f", "2026-11-23", "name", "info", "1e5x"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_progress_bar_is_found_wherever_it_stands() {
        let line = "Epoch 3:  45%|████ | 10/22 [00:01<00:01, 8.9it/s, v_num=0, train_loss=2.27]  {'loss': 1}";
        let found = progress(line).unwrap();
        assert_eq!((found.title, found.done, found.total), ("Epoch 3", 10.0, 22.0));
        assert_eq!((found.postfix, found.rest), ("v_num=0, train_loss=2.27", "{'loss': 1}"));
        let found = progress("100%|██████████| 1.2k/1.2k [00:05<00:00, 240it/s]").unwrap();
        assert_eq!((found.title, found.done, found.postfix), ("", 1200.0, ""));
        let found = progress("Epoch 0: :  47%|████▋     | 7/15 [06:19<07:13, loss=11.50, lr=0.1]").unwrap();
        assert_eq!((found.done, found.postfix), (7.0, "loss=11.50, lr=0.1"), "without a rate");
        assert_eq!(progress("50%| of all | are 1/2 [sic]"), None);
    }
}
