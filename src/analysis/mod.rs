//! What numbers of a run mean together: pure functions over the store's records, the figures that views draw.
//!
//! No threads, no clock, no drawing. What may take long asks a [`Cancel`] now and then and gives up when told to.
//! Every formula names its source; every number that a view shows is explained there.

pub mod classes;
pub mod cluster;
pub mod cockpit;
pub mod cocluster;
pub mod dynamics;
pub mod inspect;
pub mod layers;
pub mod similarity;
pub mod units;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Tells a computation that nobody waits for it any more. Clones are of one computation.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Nobody waits any more.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to give up.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
