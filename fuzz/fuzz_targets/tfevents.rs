#![no_main]
//! Reads arbitrary bytes as tfevents.
libfuzzer_sys::fuzz_target!(|input: &[u8]| epochscope_fuzz::read_as("tfevents", input));
