//! What the power law of a layer's spectrum says of its training (`WeightWatcher`, Martin and Mahoney 2021).

/// The range of a layer's exponent α.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spectrum {
    /// Below 2: correlations beyond what the data support.
    OverTrained,
    /// From 2 to 6; the best layers are near 2.
    Trained,
    /// Above 6: hardly more structure than random weights.
    UnderTrained,
}

impl Spectrum {
    /// `None` for what is no exponent: NaN, infinite, not above 1.
    pub fn of(alpha: f64) -> Option<Self> {
        match alpha {
            a if !a.is_finite() || a <= 1.0 => None,
            a if a < 2.0 => Some(Self::OverTrained),
            a if a <= 6.0 => Some(Self::Trained),
            _ => Some(Self::UnderTrained),
        }
    }

    /// The words of the authors.
    pub fn name(self) -> &'static str {
        match self {
            Self::OverTrained => "over-trained",
            Self::Trained => "trained",
            Self::UnderTrained => "under-trained",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_labelled_as_the_authors_do() {
        let said = [1.8, 2.0, 3.0, 6.0, 6.01].map(|a| Spectrum::of(a).map(Spectrum::name));
        let words = ["over-trained", "trained", "trained", "trained", "under-trained"];
        assert_eq!(said, words.map(Some));
        assert_eq!([f64::NAN, f64::INFINITY, 1.0, -3.0].map(Spectrum::of), [None; 4]);
    }
}
