#![no_main]
//! Reads arbitrary bytes as scope.
libfuzzer_sys::fuzz_target!(|input: &[u8]| epochscope_fuzz::read_as("scope", input));
