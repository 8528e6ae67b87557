//! Measures that are worked out of what a log holds: pure functions over numbers, without files, threads or clocks.

pub mod cockpit;
pub mod dynamics;
pub mod similarity;
