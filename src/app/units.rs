//! Values of flags as people write them: `2d`, `512MiB`, `120x40`, a moment in time.

use crate::{
    detect::RuleLimit,
    model::{Told, WallTime},
};

/// Seconds in `text`: a number with a unit (`ms`, `s`, `m`, `h`, `d`, `w`), or several (`1h30m`); without a unit,
/// seconds.
pub fn seconds(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no duration; write one like 90s, 30m, 2h, 2d or 1w");
    let mut rest = text.trim();
    if let Ok(plain) = rest.parse::<f64>() {
        return if plain.is_finite() && plain >= 0.0 { Ok(plain) } else { Err(wrong()) };
    }
    let mut total = 0.0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let each = match unit {
            "ms" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => 604_800.0,
            _ => return Err(wrong()),
        };
        total += number.parse::<f64>().map_err(|_| wrong())? * each;
        rest = after.trim_start();
    }
    Ok(total)
}

/// Bytes in `text`: a number with `k`, `M`, `G` or `T` (powers of 1024, with or without `iB`), or of 1000 with `B`.
pub fn bytes(text: &str) -> Result<usize, String> {
    let wrong = || format!("`{text}` is no size; write one like 512MiB or 2G");
    let text_lower = text.trim().to_ascii_lowercase();
    let digits = text_lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text_lower.len());
    let (number, unit) = text_lower.split_at(digits);
    let (k, power) = match unit.trim() {
        "" | "b" => (1.0_f64, 0),
        "k" | "kib" => (1024.0, 1),
        "m" | "mib" => (1024.0, 2),
        "g" | "gib" => (1024.0, 3),
        "t" | "tib" => (1024.0, 4),
        "kb" => (1000.0, 1),
        "mb" => (1000.0, 2),
        "gb" => (1000.0, 3),
        "tb" => (1000.0, 4),
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let total = number * k.powi(power);
    if total < 1.0 || total > usize::MAX as f64 { Err(wrong()) } else { Ok(total as usize) }
}

/// A moment: seconds since 1970, a time stamp of RFC 3339 (`2026-11-23T20:00:00Z`), or a date (midnight UTC).
pub fn moment(text: &str) -> Result<WallTime, String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return if seconds.is_finite() {
            Ok(WallTime(seconds))
        } else {
            Err(format!("`{text}` is no moment in time"))
        };
    }
    let stamp = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| format!("{text}T00:00:00Z").parse::<jiff::Timestamp>())
        .map_err(|_| {
            format!("`{text}` is no moment; write seconds since 1970 or a stamp like 2026-11-23T20:00:00Z")
        })?;
    Ok(WallTime(stamp.as_duration().as_secs_f64()))
}

/// Either a duration that counts back from now (`2d`) or a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Since {
    /// So many seconds before now.
    Ago(f64),
    /// Then.
    At(WallTime),
}

impl Since {
    /// As a moment, seen from `now`.
    pub fn moment(self, now: WallTime) -> WallTime {
        match self {
            Self::Ago(seconds) => WallTime(now.0 - seconds),
            Self::At(moment) => moment,
        }
    }
}

/// `2d` or a moment.
pub fn since(text: &str) -> Result<Since, String> {
    let bare_number = text.trim().parse::<f64>().is_ok();
    if !bare_number && let Ok(ago) = seconds(text) {
        return Ok(Since::Ago(ago));
    }
    moment(text)
        .map(Since::At)
        .map_err(|_| format!("`{text}` is neither a duration like 2d nor a moment like 2026-11-23T20:00:00Z"))
}

/// Columns and rows: `120x40`.
pub fn size(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{text}` is no size; write columns x rows, like 120x40");
    let (columns, rows) = text.split_once(['x', 'X', '×']).ok_or_else(wrong)?;
    let one = |part: &str| part.trim().parse::<u16>().ok().filter(|n| (1..=1000).contains(n));
    Ok((one(columns).ok_or_else(wrong)?, one(rows).ok_or_else(wrong)?))
}

/// A format and the files that are to be read with it: `jsonl=*.log`.
pub fn format_hint(text: &str) -> Result<(String, String), String> {
    let known = || crate::formats::FORMATS.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ");
    let (name, glob) =
        text.split_once('=').ok_or_else(|| format!("`{text}` is no hint; write one like jsonl=*.log"))?;
    if crate::formats::by_name(name).is_none() {
        return Err(format!("there is no format `{name}`; there are {}", known()));
    }
    Ok((name.to_owned(), glob.to_owned()))
}

/// `TAG=loss,min`: what the user says of series. The last `=` counts, because tags have them and what is said has none.
pub fn role(text: &str) -> Result<(String, Told), String> {
    let (tag, words) =
        text.rsplit_once('=').ok_or_else(|| format!("`{text}` says nothing; write it like cost=loss,min"))?;
    if tag.is_empty() {
        return Err("no tag is named before the =".to_owned());
    }
    Ok((tag.to_owned(), Told::parse(words)?))
}

/// `RULE=off`, or `RULE=info@RUNS`.
pub fn rule(text: &str) -> Result<RuleLimit, String> {
    let (rule, words) =
        text.split_once('=').ok_or_else(|| format!("`{text}` says nothing; write it like plateau=off"))?;
    RuleLimit::parse(rule, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(seconds("2d"), Ok(172_800.0));
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert_eq!(seconds("250ms"), Ok(0.25));
        for bad in ["", "d", "2x", "-1", "nan", "1h30", "2 d 3"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_know_binary_and_decimal_units() {
        assert_eq!(bytes("512MiB"), Ok(512 << 20));
        assert_eq!(bytes("2G"), Ok(2 << 30));
        assert_eq!(bytes("1.5kb"), Ok(1500));
        for bad in ["", "MiB", "0", "3 apples", "1e99"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_are_numbers_stamps_or_dates() {
        assert_eq!(moment("1750000300.5"), Ok(WallTime(1_750_000_300.5)));
        assert_eq!(moment("1970-01-02T00:00:00Z"), Ok(WallTime(86_400.0)));
        assert_eq!(moment("1970-01-02"), Ok(WallTime(86_400.0)));
        assert!(moment("yesterday").is_err());
        assert_eq!(since("2d").map(|s| s.moment(WallTime(172_801.0))), Ok(WallTime(1.0)));
        assert_eq!(since("1970-01-02"), Ok(Since::At(WallTime(86_400.0))));
        assert_eq!(since("100"), Ok(Since::At(WallTime(100.0))));
    }

    #[test]
    fn frame_sizes_are_columns_by_rows() {
        assert_eq!(size("120x40"), Ok((120, 40)));
        for bad in ["", "120", "0x4", "4x0", "ax4", "5000x4"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
