#![no_main]
//! Reads arbitrary bytes as whatever the registry takes them for.
libfuzzer_sys::fuzz_target!(|input: &[u8]| epochscope_fuzz::read_as_recognised(input));
