#![no_main]
//! Reads arbitrary bytes as the format that the environment variable `FORMAT` names.
libfuzzer_sys::fuzz_target!(|input: &[u8]| epochscope_fuzz::read_as_chosen(input));
