#![no_main]
//! Reads arbitrary bytes as jsonl.
libfuzzer_sys::fuzz_target!(|input: &[u8]| epochscope_fuzz::read_as("jsonl", input));
