//! Logs to test with, and ways to feed them to decoders.

pub mod curves;
pub mod faults;
pub mod feeding;
pub mod reading;
pub mod samples;
