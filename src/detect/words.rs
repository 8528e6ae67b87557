//! Numbers in messages: short enough for a line, exact enough to be found again.

use crate::model::Step;

/// Four significant digits, without an exponent between 1e-4 and 1e7; `NaN`, `∞`, `-∞`.
pub fn value(v: f64) -> String {
    if v.is_nan() {
        return "NaN".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    let size = v.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{v:.2e}");
    }
    let decimals = (3 - size.log10().floor() as i32).clamp(0, 7);
    format!("{v:.*}", usize::try_from(decimals).unwrap_or(0))
}

/// A step with thin groups: 12,340.
pub fn step(step: Step) -> String {
    let digits = step.unsigned_abs().to_string();
    let mut text = String::from(if step < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Where it began, if that is known: `; so since step 12,340`.
pub fn since(since: Option<Step>) -> String {
    since.map(|since| format!("; so since step {}", step(since))).unwrap_or_default()
}

/// A multiple of the noise: whole, `∞` where there is none.
pub fn sigma(multiple: f64) -> String {
    if multiple.is_finite() && multiple < 1e6 { format!("{multiple:.0}") } else { "∞".to_owned() }
}

/// A ratio as a signed percentage: `+13.9 %`.
pub fn percent(ratio: f64) -> String {
    let percent = 100.0 * ratio;
    if percent.abs() >= 1000.0 { format!("{percent:+.0} %") } else { format!("{percent:+.1} %") }
}

/// Seconds in the two largest units.
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min", s / 60),
        3600..86_400 => format!("{} h {} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_plain() {
        assert_eq!(value(2.718_999), "2.719");
        assert_eq!(value(0.012_345_6), "0.01235");
        assert_eq!(value(123_456.7), "123457");
        assert_eq!(value(1e-9), "1.00e-9");
        assert_eq!(value(f64::NEG_INFINITY), "-∞");
        assert_eq!(step(-1_234_567), "-1,234,567");
        assert_eq!(percent(0.1389), "+13.9 %");
        assert_eq!(duration(5400.0), "1 h 30 min");
    }
}
