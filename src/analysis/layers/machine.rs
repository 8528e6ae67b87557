//! From "below the threshold" and "falls" to a state, with what was before in mind.

use super::{
    ring::Ring,
    state::State,
    trend::{self, Trend, mann_kendall},
};

/// Moving → settling → stable → regressing.
///
/// *Settling* begins when the measure falls by Mann–Kendall's test over its newest ten values (five are needed; one-sided
/// 5 %) while it is above its threshold, and ends when not even more pairs fall than rise. A layer that left *stable* is
/// *regressing* until it is stable again, or settling.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    recent: Ring<{ trend::WINDOW }>,
    state: State,
    was_stable: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self { recent: Ring::default(), state: State::Warming, was_stable: false }
    }
}

impl Machine {
    /// A value of the measure whose trend is looked at.
    pub fn trend(&mut self, value: f64) {
        self.recent.push(value);
    }

    /// The state after a value: `enters` if the condition of *stable* holds, `leaves` if that of leaving it.
    pub fn judge(&mut self, enters: bool, leaves: bool) -> State {
        self.state = match self.state {
            State::Stable if !leaves => State::Stable,
            _ if enters && !leaves => State::Stable,
            _ => self.unsettled(),
        };
        self.was_stable |= self.state == State::Stable;
        self.state
    }

    fn unsettled(&self) -> State {
        let settles = match mann_kendall(self.recent.as_slice()) {
            Trend::Falls => true,
            Trend::Leans => self.state == State::Settling,
            Trend::None => false,
        };
        match (settles, self.was_stable) {
            (true, _) => State::Settling,
            (false, true) => State::Regressing,
            (false, false) => State::Moving,
        }
    }
}
