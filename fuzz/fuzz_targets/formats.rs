#![no_main]

#[allow(dead_code, reason = "a program has one target")]
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::formats::check(bytes));
