//! From "below the threshold" and "falls" to a state, with what was before in mind.

use std::collections::VecDeque;

use super::{
    state::State,
    trend::{self, Trend, mann_kendall},
};

/// Moving → settling → stable → regressing.
///
/// *Settling* begins when the measure falls by Mann–Kendall's test over its newest ten values (five are needed; one-sided
/// 5 %) while it is above its threshold, and ends when not even more pairs fall than rise. A layer that left *stable* is
/// *regressing* until it is stable again, or settling.
#[derive(Clone, Debug)]
pub struct Machine {
    recent: VecDeque<f64>,
    state: State,
    was_stable: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self { recent: VecDeque::with_capacity(trend::WINDOW), state: State::Warming, was_stable: false }
    }
}

impl Machine {
    /// A value of the measure whose trend is looked at.
    pub fn trend(&mut self, value: f64) {
        if self.recent.len() == trend::WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(value);
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
        let settles = match mann_kendall(self.recent.iter().copied()) {
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
