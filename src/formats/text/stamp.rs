//! Time stamps and levels at the start of a text.

/// The time stamp that a text begins with: its length, and seconds since 1970 where it has a full date. Without a zone
/// it is taken for UTC.
pub(in crate::formats) fn stamp(text: &str) -> Option<(usize, Option<f64>)> {
    let bytes = text.as_bytes();
    if !bytes.first()?.is_ascii_digit() {
        return None;
    }
    let (length, date) = date(bytes).unwrap_or((0, None));
    let mut at = length;
    if length > 0 {
        if !matches!(bytes.get(at), Some(b' ' | b'T' | b'_')) {
            return None;
        }
        at += 1;
    }
    let seconds = clock(bytes, &mut at)?;
    let zone = zone(bytes, &mut at);
    Some((at, date.map(|days| days as f64 * 86_400.0 + seconds - zone)))
}

/// `2026-11-23`, `2026/11/23`, `11/23/2026`, and without a year `11/23`, `11-23`: length and days since 1970.
fn date(bytes: &[u8]) -> Option<(usize, Option<i64>)> {
    let separator = |at: usize| bytes.get(at).copied().filter(|b| matches!(b, b'-' | b'/'));
    if let (Some(year), Some(first)) = (digits(bytes, 0, 4), separator(4)) {
        let (month, day) = (digits(bytes, 5, 2)?, digits(bytes, 8, 2)?);
        return (separator(7) == Some(first)).then(|| (10, days(year, month, day)));
    }
    let (month, first, day) = (digits(bytes, 0, 2)?, separator(2)?, digits(bytes, 3, 2)?);
    if separator(5) == Some(first)
        && let Some(year) = digits(bytes, 6, 4)
    {
        return Some((10, days(year, month, day)));
    }
    Some((5, None))
}

/// `18:30:12`, with a fraction behind a comma or point: seconds since midnight.
fn clock(bytes: &[u8], at: &mut usize) -> Option<f64> {
    let start = *at;
    let colons = bytes.get(start + 2) == Some(&b':') && bytes.get(start + 5) == Some(&b':');
    let (hour, minute, second) =
        (digits(bytes, start, 2)?, digits(bytes, start + 3, 2)?, digits(bytes, start + 6, 2)?);
    if !colons || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    *at = start + 8;
    let mut seconds = (hour * 3600 + minute * 60 + second) as f64;
    if matches!(bytes.get(*at), Some(b',' | b'.')) && bytes.get(*at + 1).is_some_and(u8::is_ascii_digit) {
        *at += 1;
        let (mut fraction, mut scale) = (0.0, 1.0);
        while let Some(digit) = bytes.get(*at).filter(|b| b.is_ascii_digit()) {
            scale *= 10.0;
            fraction = fraction * 10.0 + f64::from(digit - b'0');
            *at += 1;
        }
        seconds += fraction / scale;
    }
    Some(seconds)
}

/// `Z`, `+02:00`, `-0730`: seconds east of Greenwich.
fn zone(bytes: &[u8], at: &mut usize) -> f64 {
    let sign = match bytes.get(*at) {
        Some(b'Z') => {
            *at += 1;
            return 0.0;
        }
        Some(b'+') => 1.0,
        Some(b'-') => -1.0,
        _ => return 0.0,
    };
    let colon = usize::from(bytes.get(*at + 3) == Some(&b':'));
    let (Some(hours), Some(minutes)) = (digits(bytes, *at + 1, 2), digits(bytes, *at + 3 + colon, 2)) else {
        return 0.0;
    };
    *at += 5 + colon;
    sign * (hours * 3600 + minutes * 60) as f64
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<i64> {
    let text = bytes.get(from..from + count)?;
    text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// Days since 1970 of a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..=2200).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Length of the level that a text begins with: `INFO`, `WARNING`.
pub(super) fn level(text: &str) -> Option<usize> {
    const LEVELS: &[&str] =
        &["INFO", "WARNING", "WARN", "ERROR", "DEBUG", "CRITICAL", "FATAL", "TRACE", "SUCCESS", "NOTICE"];
    let found = LEVELS.iter().find(|l| text.starts_with(**l))?.len();
    (!text.get(found..)?.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(found)
}
