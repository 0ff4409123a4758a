//! The inputs of the fuzzer that were kept, and everything it starts from, by the toolchain of every day.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

#[path = "../fuzz/targets/mod.rs"]
mod targets;

/// The files of `folder`, by name.
fn inputs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Says which input it was that failed.
struct At<'a>(&'a Path);

impl Drop for At<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input is {}", self.0.display());
        }
    }
}

fn replay(files: &[PathBuf], check: fn(&[u8])) {
    assert!(files.len() > 3, "only {} inputs", files.len());
    for file in files {
        let _at = At(file);
        check(&fs::read(file).unwrap());
    }
}

#[test]
fn documents() {
    replay(&inputs("fuzz/corpus/document"), targets::document::check);
    let mut examples = inputs("examples");
    examples.retain(|it| it.is_file());
    replay(&examples, targets::document::check);
    let cases = inputs("tests/documents")
        .into_iter()
        .map(|it| it.join("document.json"));
    let cases: Vec<PathBuf> = cases.filter(|it| it.exists()).collect();
    replay(&cases, targets::document::check);
}

/// Every DHCP server's file says what its document says.
#[test]
fn recorded_documents() {
    let cases = inputs("tests/rendered").into_iter();
    let cases: Vec<PathBuf> = cases
        .map(|it| it.join("document.json"))
        .filter(|it| it.exists())
        .collect();
    replay(&cases, |bytes| {
        targets::rendered::assert_rendered(&serde_json::from_slice(bytes).unwrap());
    });
}

#[test]
fn edited_examples() {
    replay(&inputs("fuzz/corpus/rendered"), targets::rendered::check);
}

#[test]
fn what_the_kernel_says() {
    replay(&inputs("fuzz/corpus/netlink"), targets::netlink::check);
}

#[test]
fn what_nft_prints() {
    replay(&inputs("fuzz/corpus/nft"), targets::nft::check);
}

#[test]
fn any_text_in_what_is_printed() {
    replay(&inputs("fuzz/corpus/formats"), targets::formats::check);
}

proptest! {
    /// The same, of any bytes: without the fuzzer, too.
    #[test]
    fn what_is_printed_is_ours(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        targets::formats::check(&bytes);
    }
}
