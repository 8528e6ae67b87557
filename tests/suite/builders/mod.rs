//! Logs to test with, and ways to feed them to decoders.

pub mod feeding;
pub mod samples;
