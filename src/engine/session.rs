//! Everything that the screen borrows for a frame.

use crate::{
    detect::AlertBook,
    model::{Health, WallTime},
    store::{Limits, Store},
};

/// What is known: curves, alerts, and where the files stand.
#[derive(Debug)]
pub struct Session {
    /// Everything read.
    pub store: Store,
    /// Everything judged.
    pub alerts: AlertBook,
    /// Where the files stand.
    pub health: Health,
    /// Rises whenever something changed that a frame could show.
    pub generation: u64,
    /// When the last batch was taken in; unknown before the first.
    pub last_news: WallTime,
}

impl Default for Session {
    /// Nothing is known yet; an engine that takes the session over sets its own limits.
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Session {
    /// Nothing is known yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            store: Store::new(limits),
            alerts: AlertBook::default(),
            health: Health::default(),
            generation: 0,
            last_news: WallTime::UNKNOWN,
        }
    }
}
