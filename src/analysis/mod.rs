//! What numbers say about a network: pure functions over slices and over what the store holds. No I/O, no threads, no
//! clock, no drawing.

pub mod inspect;
pub mod units;
