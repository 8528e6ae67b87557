//! What a layer is doing.

use std::fmt;

/// Whether a layer has learned what it will.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum State {
    /// Nothing in the log says it.
    #[default]
    NotApplicable,
    /// Too few records yet.
    Warming,
    /// It was stable, and is not any more.
    Regressing,
    /// It changes.
    Moving,
    /// It changes less and less.
    Settling,
    /// It does not change any more, as far as the measure can tell.
    Stable,
    /// No input excites any of its units.
    Silent,
    /// It is not trained: its updates are exactly zero, or the trainer says so.
    Frozen,
}

impl State {
    /// All of them, the least settled first.
    pub const ALL: [Self; 8] = [
        Self::NotApplicable,
        Self::Warming,
        Self::Regressing,
        Self::Moving,
        Self::Settling,
        Self::Stable,
        Self::Silent,
        Self::Frozen,
    ];

    /// The word on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "n/a",
            Self::Warming => "warming",
            Self::Moving => "moving",
            Self::Settling => "settling",
            Self::Stable => "stable",
            Self::Regressing => "regressing",
            Self::Silent => "silent",
            Self::Frozen => "frozen",
        }
    }

    /// Whether it does not change any more.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Stable | Self::Frozen)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
