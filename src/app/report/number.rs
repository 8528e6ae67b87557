//! Numbers in JSON: non-finite ones are the strings `"NaN"`, `"Infinity"`, `"-Infinity"`.

use serde::{Serialize, Serializer};

use crate::model::{HyperValue, WallTime};

/// A number that may be anything an f64 may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            v if v.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            v => serializer.serialize_f64(v),
        }
    }
}

/// A time; unknown ones are null.
pub fn time(time: WallTime) -> Option<f64> {
    time.known()
}

/// A hyper-parameter as the JSON value of its kind.
#[derive(Debug)]
pub struct Hyper<'a>(pub &'a HyperValue);

impl Serialize for Hyper<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            // A whole number stays one: `64`, not `64.0`. 2^53 is where not every whole number exists any more.
            HyperValue::Number(v) if v.fract() == 0.0 && v.abs() < 9_007_199_254_740_992.0 => {
                serializer.serialize_i64(*v as i64)
            }
            HyperValue::Number(v) => Number(*v).serialize(serializer),
            HyperValue::Bool(b) => serializer.serialize_bool(*b),
            HyperValue::Text(t) => serializer.serialize_str(t),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_a_string_and_a_double_comes_back_the_same() {
        let text = |v: f64| serde_json::to_string(&Number(v)).unwrap();
        assert_eq!(text(f64::NAN), "\"NaN\"");
        assert_eq!(text(f64::INFINITY), "\"Infinity\"");
        assert_eq!(text(f64::NEG_INFINITY), "\"-Infinity\"");
        for v in [0.1, 1e-300, 123_456_789.123_456_79, -0.0, 1e22] {
            assert_eq!(serde_json::from_str::<f64>(&text(v)).unwrap().to_bits(), v.to_bits());
        }
    }

    #[test]
    fn hyper_parameters_keep_their_kind() {
        let text = |v: HyperValue| serde_json::to_string(&Hyper(&v)).unwrap();
        assert_eq!(text(HyperValue::Number(64.0)), "64");
        assert_eq!(text(HyperValue::Number(1e-3)), "0.001");
        assert_eq!(text(HyperValue::Bool(true)), "true");
        assert_eq!(text(HyperValue::Text("adam".into())), "\"adam\"");
    }
}
