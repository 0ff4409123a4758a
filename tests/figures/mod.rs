//! Figures that tests have measured, for the table of promises.

use std::io::Write as _;

/// Tells what a test found about a promise: into the file that LVS_FIGURES names, where there is one.
pub fn figure(promise: &str, place: &str, found: &str) {
    let Some(path) = std::env::var_os("LVS_FIGURES") else {
        return;
    };
    let program = env!("CARGO_CRATE_NAME");
    let line = format!("# figure {promise} {place}: {found} [cargo test --test {program}]\n");
    let mut open = std::fs::OpenOptions::new();
    let mut file = open.create(true).append(true).open(path).unwrap();
    file.write_all(line.as_bytes()).unwrap();
}

/// How many cases a property is tried on.
#[allow(dead_code, reason = "not every program has properties")]
pub fn cases() -> u32 {
    proptest::test_runner::Config::default().cases
}
