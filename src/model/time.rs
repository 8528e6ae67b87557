//! Steps, wall time, and the clock that everybody below `app` is handed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The trainer's own counter, usually optimiser steps. Negative and huge values occur in real logs.
pub type Step = i64;

/// Seconds since 1970, UTC. NaN where a log does not say.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct WallTime(pub f64);

impl WallTime {
    /// For records that carry no time.
    pub const UNKNOWN: Self = Self(f64::NAN);

    /// `None` when the log did not say, or said something that is no time.
    pub fn known(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }

    /// Seconds from `earlier` to `self`; NaN if either is unknown.
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

/// The only source of time. The real one lives in `app`; tests turn a [`ManualClock`] by hand.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> WallTime;
    /// Time since some fixed moment; never goes back. For budgets and deadlines.
    fn elapsed(&self) -> Duration;
}

/// A clock that moves only when told.
#[derive(Debug)]
pub struct ManualClock {
    start: f64,
    elapsed_nanos: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: WallTime) -> Self {
        Self { start: start.0, elapsed_nanos: AtomicU64::new(0) }
    }

    /// Moves both readings forward.
    pub fn advance(&self, by: Duration) {
        self.elapsed_nanos.fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> WallTime {
        WallTime(self.start + self.elapsed().as_secs_f64())
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_nanos.load(Ordering::SeqCst))
    }
}
