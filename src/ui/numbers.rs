//! Values, steps, durations and bytes as short text.

/// A value in at most eight columns, four significant digits: `0.4123`, `12.35`, `1.2e-5`, `NaN`, `-Inf`.
pub fn value(v: f64) -> String {
    if v.is_nan() {
        return "NaN".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    let size = v.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if !(0.001..99_999.5).contains(&size) {
        format!("{v:.2e}")
    } else if size >= 999.95 {
        format!("{v:.0}")
    } else if size >= 99.995 {
        format!("{v:.1}")
    } else if size >= 9.9995 {
        format!("{v:.2}")
    } else if size >= 0.1 {
        format!("{v:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{v:.5}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Like [`value`] with the digits of a fixed place, so that a value that ticks does not move its neighbours.
pub fn value_padded(v: f64, width: usize) -> String {
    format!("{:>width$}", value(v))
}

/// A count in at most five columns: `999`, `12.3k`, `4.5M`.
pub fn count(n: u64) -> String {
    let n_f = n as f64;
    if n < 1_000 {
        return n.to_string();
    }
    for (unit, size) in [("k", 1e3), ("M", 1e6), ("G", 1e9)] {
        let scaled = n_f / size;
        if scaled < 99.95 {
            let text = format!("{scaled:.1}");
            return format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text));
        }
        if scaled < 999.5 {
            return format!("{scaled:.0}{unit}");
        }
    }
    format!("{n_f:.0e}")
}

/// An epoch: whole ones without decimals, fractions with at most two: `14`, `0.7`, `2.25`.
pub fn epoch(epoch: f64) -> String {
    if !epoch.is_finite() || epoch.abs() >= 1e6 {
        return value(epoch);
    }
    let text = format!("{epoch:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A step: digits up to six, then as [`count`].
pub fn step(s: i64) -> String {
    if (-99_999..=999_999).contains(&s) {
        s.to_string()
    } else if s < 0 {
        format!("-{}", count(s.unsigned_abs()))
    } else {
        count(s.unsigned_abs())
    }
}

/// Where a run stands: `1200`, `1200/5000 24%`.
pub fn progress(done: i64, total: Option<i64>) -> String {
    match total {
        Some(total) if total > 0 => {
            format!("{}/{} {}", step(done), step(total), percent(done as f64 / total as f64))
        }
        _ => step(done),
    }
}

/// A share of one as a whole percentage.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0}%", share * 100.0) } else { "–".to_owned() }
}

/// Seconds in two units: `42s`, `3m05s`, `2h10m`, `3d04h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".to_owned();
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let s = seconds.abs().round().min(9e15) as u64;
    let (m, h, d) = (s / 60, s / 3600, s / 86_400);
    let text = match s {
        0..=59 => format!("{s}s"),
        60..=3_599 => format!("{m}m{:02}s", s % 60),
        3_600..=86_399 => format!("{h}h{:02}m", m % 60),
        86_400..=8_639_999 => format!("{d}d{:02}h", h % 24),
        _ => format!("{d}d"),
    };
    format!("{sign}{text}")
}

/// How long ago, coarsely, and after how many seconds the text changes by itself.
///
/// Minutes come in fives: an idle screen must stay silent for as long as possible, and a run that stops is told of
/// by its state, not by its age.
pub fn age(seconds: f64) -> (String, f64) {
    if !seconds.is_finite() {
        return ("?".to_owned(), f64::INFINITY);
    }
    let s = seconds.max(0.0);
    if s < 300.0 {
        return ("<5m".to_owned(), 300.0 - s);
    }
    for (unit, size, grain, below) in
        [("m", 60.0, 300.0, 3_600.0), ("h", 3_600.0, 3_600.0, 172_800.0), ("d", 86_400.0, 86_400.0, f64::MAX)]
    {
        if s < below {
            let floor = (s / grain).floor() * grain;
            return (format!("{:.0}{unit}", floor / size), floor + grain - s);
        }
    }
    ("long".to_owned(), f64::INFINITY)
}

/// Bytes with a binary unit: `812 B`, `1.4 MiB`.
pub fn bytes(n: u64) -> String {
    if n < 1024 {
        return format!("{n} B");
    }
    let mut size = n as f64;
    let mut unit = "";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1023.5 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    if size < 9.95 { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
}

/// Time of day, `14:03:22`, for seconds since 1970 that are already shifted to the wanted zone.
pub fn clock(local_seconds: f64) -> String {
    if !local_seconds.is_finite() || local_seconds.abs() > 1e15 {
        return "?".to_owned();
    }
    let s = (local_seconds.floor() as i64).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// Month and day, `11-23`, of the same (Howard Hinnant's `civil_from_days`).
pub fn date(local_seconds: f64) -> String {
    if !local_seconds.is_finite() || local_seconds.abs() > 1e15 {
        return "?".to_owned();
    }
    let days = (local_seconds / 86_400.0).floor() as i64 + 719_468;
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    format!("{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_short_and_exact_enough() {
        for (v, text) in [
            (0.0, "0"),
            (0.412_345, "0.4123"),
            (0.5, "0.5"),
            (-12.3456, "-12.35"),
            (123.456, "123.5"),
            (1234.5, "1234"),
            (0.000_012_3, "1.23e-5"),
            (0.001, "0.001"),
            (0.012_345, "0.01235"),
            (1e30, "1.00e30"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (9.999_99, "10.00"),
        ] {
            assert_eq!(value(v), text);
        }
        for v in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.099_999_99, 99_999.4] {
            assert!(value(v).len() <= 10, "{}", value(v));
        }
    }

    #[test]
    fn counts_steps_and_bytes_have_units() {
        assert_eq!([count(999), count(1_000), count(12_345), count(999_999)], ["999", "1k", "12.3k", "1M"]);
        assert_eq!([step(123_456), step(12_345_678), step(-5)], ["123456", "12.3M", "-5"]);
        assert_eq!(step(i64::MIN).len(), 5);
        assert_eq!([bytes(812), bytes(1_500_000), bytes(2048)], ["812 B", "1.4 MiB", "2.0 KiB"]);
        assert_eq!(progress(1200, Some(5000)), "1200/5000 24%");
    }

    #[test]
    fn durations_have_two_units_and_ages_one() {
        assert_eq!(
            [duration(42.0), duration(185.0), duration(7_800.0), duration(1e6)],
            ["42s", "3m05s", "2h10m", "11d13h"]
        );
        assert_eq!(duration(f64::NAN), "?");
        assert_eq!(age(10.0), ("<5m".to_owned(), 290.0));
        assert_eq!(age(901.0), ("15m".to_owned(), 299.0));
        assert_eq!(age(7_200.0), ("2h".to_owned(), 3_600.0));
        assert_eq!(age(4.0 * 86_400.0), ("4d".to_owned(), 86_400.0));
    }

    #[test]
    fn clock_and_date_follow_the_calendar() {
        assert_eq!(clock(1_750_000_000.0), "15:06:40");
        assert_eq!(date(1_750_000_000.0), "06-15");
        assert_eq!(date(0.0), "01-01");
        assert_eq!(date(951_782_400.0), "02-29");
        assert_eq!(clock(-1.0), "23:59:59");
    }
}
