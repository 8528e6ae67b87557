//! Judges and alerts. The real ones are built on another branch; these names are what `engine` calls.

use crate::{
    model::{Batch, Health, WallTime},
    store::{Change, Run, Store},
};

/// Open and past alerts.
#[derive(Debug, Default)]
pub struct AlertBook {}

/// All judges of all runs.
#[derive(Debug, Default)]
pub struct Detectors {}

impl AlertBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rises with every change.
    pub fn generation(&self) -> u64 {
        0
    }
}

impl Detectors {
    /// No judge has seen anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges what a batch changed.
    pub fn observe(&mut self, _: &Batch, _: &[Change], _: &Run, _: &mut AlertBook, _: WallTime) {}

    /// Judges silence.
    pub fn heartbeat(&mut self, _: &Store, _: &Health, _: &mut AlertBook, _: WallTime) {}

    /// Judges what was pending when a one-shot reading ends.
    pub fn finish(&mut self, _: &Store, _: &Health, _: &mut AlertBook, _: WallTime) {}
}
