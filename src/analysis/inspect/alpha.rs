//! What `WeightWatcher` says of a layer's power-law exponent α.

/// Its word for a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alpha {
    /// α < 2.
    OverTrained,
    /// 2 … 6.
    Fine,
    /// α > 6.
    UnderTrained,
    /// No finite number.
    Unknown,
}

impl Alpha {
    /// The word on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::OverTrained => "over-trained",
            Self::Fine => "well trained",
            Self::UnderTrained => "under-trained",
            Self::Unknown => "unknown",
        }
    }
}

/// Judges α with the limits of `WeightWatcher`, whose documentation calls the reading experimental.
pub fn alpha(value: f64) -> Alpha {
    if !value.is_finite() {
        Alpha::Unknown
    } else if value < 2.0 {
        Alpha::OverTrained
    } else if value > 6.0 {
        Alpha::UnderTrained
    } else {
        Alpha::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_has_two_limits() {
        assert_eq!(
            [1.8, 2.0, 3.0, 6.0, 7.0, f64::NAN].map(alpha),
            [Alpha::OverTrained, Alpha::Fine, Alpha::Fine, Alpha::Fine, Alpha::UnderTrained, Alpha::Unknown]
        );
    }
}
