//! Brings numbers of one series to the unit of its first one.

/// What a unit measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dimension {
    /// Seconds.
    Time,
    /// Seconds for one step or iteration.
    TimePerStep,
    /// Bytes.
    Bytes,
    /// A count.
    Count,
}

fn measure(unit: &str) -> Option<(Dimension, f64)> {
    use Dimension::{Bytes, Count, Time, TimePerStep};
    Some(match unit {
        "ns" => (Time, 1e-9),
        "us" | "µs" => (Time, 1e-6),
        "ms" => (Time, 1e-3),
        "s" => (Time, 1.0),
        "min" => (Time, 60.0),
        "h" => (Time, 3600.0),
        "us/step" => (TimePerStep, 1e-6),
        "ms/step" | "ms/it" => (TimePerStep, 1e-3),
        "s/step" | "s/it" | "s/iter" => (TimePerStep, 1.0),
        "KiB" => (Bytes, 1024.0),
        "MiB" => (Bytes, 1_048_576.0),
        "GiB" => (Bytes, 1_073_741_824.0),
        "TiB" => (Bytes, 1_099_511_627_776.0),
        "KB" => (Bytes, 1e3),
        "MB" => (Bytes, 1e6),
        "GB" => (Bytes, 1e9),
        "TB" => (Bytes, 1e12),
        "" => (Count, 1.0),
        "k" | "K" => (Count, 1e3),
        "M" => (Count, 1e6),
        "G" | "B" => (Count, 1e9),
        "T" => (Count, 1e12),
        _ => return None,
    })
}

/// `value`, printed in the unit `from`, as a number of the unit `to`; unchanged where the two cannot be compared.
pub(in crate::formats) fn converted(value: f64, from: &str, to: &str) -> f64 {
    // most numbers have none, and comparing nothing with nothing is slow: see `series::same`
    if from.len() == to.len() && (from.is_empty() || from == to) {
        return value;
    }
    match (measure(from), measure(to)) {
        (Some((a, factor)), Some((b, base))) if a == b => value * factor / base,
        _ => value,
    }
}

/// Whether a unit can be converted to others.
pub(in crate::formats) fn is_known(unit: &str) -> bool {
    unit == "%" || (measure(unit).is_some() && !unit.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_unit_is_brought_to_the_first() {
        assert!((converted(4.6, "s", "ms") - 4600.0).abs() < 1e-9);
        assert!((converted(512.0, "MiB", "GiB") - 0.5).abs() < 1e-12);
        assert!((converted(1.5, "K", "") - 1500.0).abs() < 1e-9);
        assert!((converted(50.0, "%", "s") - 50.0).abs() < 1e-12, "nothing in common");
        assert!(converted(f64::NAN, "s", "ms").is_nan());
    }
}
