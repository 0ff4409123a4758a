//! Documents, good and bad: what is said about them, and where.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;

use lvs_reconcile::document::{self, Document, Problems};
use nix::time::{ClockId, clock_gettime};
use serde_json::Value;
use similar::TextDiff;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/documents")
        .join(name)
}

fn howto() -> String {
    fs::read_to_string(case("good-howto/document.json")).unwrap()
}

/// What `validate` tells the author.
fn verdict(bytes: &[u8]) -> String {
    match document::examine(bytes, "cluster.json") {
        Err(problems) => format!("{problems}\n"),
        Ok((_, warnings)) => {
            let mut text = String::from("good\n");
            for warning in warnings.shown() {
                let _ = writeln!(text, "warning: {warning}");
            }
            if warnings.silenced() > 0 {
                let _ = writeln!(text, "silenced: {}", warnings.silenced());
            }
            text
        }
    }
}

/// Every folder under `tests/documents` holds a document and what is said about it. `UPDATE=1` rewrites the latter.
#[test]
fn every_case_is_explained_as_expected() {
    let mut differences = String::new();
    let mut cases: Vec<_> = fs::read_dir(case(""))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 100, "only {} cases found", cases.len());
    for case in cases {
        let document = ["document.json", "document.bin"].map(|name| case.join(name));
        let document = document
            .iter()
            .find(|file| file.exists())
            .expect("a case has a document");
        let said = verdict(&fs::read(document).unwrap());
        let file = case.join("expected.txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, &said).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        let diff = TextDiff::from_lines(&expected, &said);
        let name = file.display().to_string();
        let _ = write!(
            differences,
            "{}",
            diff.unified_diff().header(&name, "as it is now")
        );
    }
    assert!(differences.is_empty(), "{differences}");
}

/// B3: an editor, a full disk or a copy may stop at any byte.
#[test]
fn b03_a_document_cut_at_any_byte_is_refused() {
    let text = howto();
    let whole = text.trim_end().len();
    for cut in 0..whole {
        let problems = document::load(&text.as_bytes()[..cut], "cluster.json");
        let problems = problems.expect_err(&format!("cut after {cut} bytes it is no document"));
        assert!(
            !problems.problems.is_empty(),
            "nothing is said about {cut} bytes"
        );
    }
    assert!(document::load(&text.as_bytes()[..whole], "cluster.json").is_ok());
    let found = format!("the HOW-TO's cut after each of {whole} bytes, 0 of them accepted");
    figures::figure("P12", "documents", &found);
}

fn first_problem(text: &str) -> String {
    let problems = document::load(text.as_bytes(), "cluster.json").expect_err("it is too large");
    problems
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn b04_what_is_too_large_is_refused_before_it_is_parsed() {
    let huge = vec![b' '; 64 << 20];
    let start = Instant::now();
    let problems = document::load(&huge, "cluster.json").unwrap_err();
    assert!(
        start.elapsed() < Duration::from_millis(10),
        "it took {:?}",
        start.elapsed()
    );
    assert_eq!(
        problems.to_string(),
        "cluster.json:1:1: the document has 67108864 bytes; the limit is 16777216; split the cluster"
    );
    let string = format!(
        "{{\n  \"version\": 1,\n  \"domain\": \"{}\"\n}}",
        "a".repeat(2 << 20)
    );
    assert_eq!(
        first_problem(&string),
        "cluster.json:3:13: a string of 2097152 bytes; the limit is 4096; no field needs as much"
    );
    let keys: String = (0..1_000_000)
        .map(|number| format!("\"{number}\":1,"))
        .collect();
    assert_eq!(
        first_problem(&format!("{{\n{keys}\"version\":1}}")),
        "cluster.json:2:443: an object with more than 64 fields; no object has as many; write a list"
    );
    let values = format!(
        "{{\"version\":1,\"exports\":[{}0]}}",
        "0,".repeat(3_000_000)
    );
    assert_eq!(
        first_problem(&values),
        "cluster.json:1:4000024: more than 2000000 values; split the cluster"
    );
}

#[test]
fn b05_deep_nesting_is_refused_without_a_stack_overflow() {
    for depth in [33, 200, 100_000] {
        let expected = "cluster.json:1:33: nested deeper than 32; a document needs less than 10";
        assert_eq!(first_problem(&"[".repeat(depth)), expected);
        assert_eq!(
            first_problem(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
            expected
        );
    }
    let objects = "{\"version\":".repeat(100_000);
    assert!(first_problem(&objects).contains("nested deeper than 32"));
}

#[test]
fn a_cluster_that_no_kernel_can_hold_is_refused() {
    let mut document: Value = serde_json::from_str(&howto()).unwrap();
    let server = |n: u32| {
        let (high, low) = (n / 250, n % 250);
        serde_json::json!({ "name": format!("x{n}"), "address": format!("172.16.{}.{}", high + 1, low + 1) })
    };
    document["realServers"] = (0..1000).map(server).collect();
    let service =
        |n: u32| serde_json::json!({ "name": format!("s{n}"), "vip": "public", "port": n + 1 });
    document["services"] = (0..300).map(service).collect();
    let text = document.to_string();
    assert!(
        first_problem(&text)
            .contains("services[262]: with s262 there are more than 262144 destinations")
    );
}

#[test]
fn more_problems_than_anyone_reads_are_cut() {
    let mut document: Value = serde_json::from_str(&howto()).unwrap();
    document["vips"] = (0..5000)
        .map(|n| serde_json::json!({ "name": n }))
        .collect();
    let problems = document::load(document.to_string().as_bytes(), "cluster.json").unwrap_err();
    assert_eq!(problems.problems.len(), Problems::MOST);
    assert!(
        problems
            .to_string()
            .ends_with("\ncluster.json: there are more problems; fix these first")
    );
}

/// What was read is what is written, and can be read again.
#[test]
fn a_document_survives_being_written() {
    for name in [
        "good-howto",
        "good-minimal",
        "good-advanced",
        "b38-sysctl-of-a-vlan",
        "silence",
    ] {
        let bytes = fs::read(case(name).join("document.json")).unwrap();
        let document = document::load(&bytes, "cluster.json").unwrap();
        let written = serde_json::to_vec(&document).unwrap();
        assert_eq!(
            document::load(&written, "written").unwrap(),
            document,
            "{name}"
        );
        if name.starts_with("good") {
            let before: Value = serde_json::from_slice(&bytes).unwrap();
            let after: Value = serde_json::from_slice(&written).unwrap();
            assert_eq!(before, after, "{name}");
        }
    }
}

fn large(services: u32, members: u32) -> String {
    let server = |n: u32| {
        let (high, low) = (n / 250, n % 250);
        serde_json::json!({ "name": format!("rs{n}"), "address": format!("172.16.{}.{}", high + 1, low + 1), "tags": [format!("t{}", n / members)] })
    };
    let service = |n: u32| {
        serde_json::json!({ "name": format!("service{n}"), "vip": "public", "port": n + 1000, "tag": format!("t{}", n % 500),
            "destinations": (0..members).map(|m| serde_json::json!({ "realServer": format!("rs{}", (n % 500) * members + m), "weight": m })).collect::<Vec<_>>() })
    };
    let mut document: Value = serde_json::from_str(&howto()).unwrap();
    document["realServers"] = (0..500 * members).map(server).collect();
    document["services"] = (0..services).map(service).collect();
    serde_json::to_string_pretty(&document).unwrap()
}

/// The time that work takes of a processor, whatever else the machine does: the best of five.
fn cost(work: impl Fn()) -> Duration {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let once = |_| {
        let start = now();
        work();
        now() - start
    };
    (0..5).map(once).min().unwrap_or_default()
}

#[test]
#[ignore = "needs a release build: measures time"]
fn a_large_document_is_read_quickly() {
    let load = |text: &str| document::load(text.as_bytes(), "large.json");
    let text = large(12_500, 4);
    let document = load(&text).unwrap();
    let parse = cost(|| drop(serde_json::from_str::<Document>(&text).unwrap()));
    let check = cost(|| assert!(document::check::check(&document).is_empty()));
    let whole = cost(|| drop(load(&text).unwrap()));
    let size = text.len() >> 10;
    println!(
        "50,000 destinations in {size} KiB: {whole:?}; serde alone {parse:?}, check {check:?}"
    );
    let broken = text.replacen("\"weight\": 3", "\"weight\": -3", 60);
    let explain = cost(|| drop(load(&broken).unwrap_err()));
    println!("60 problems in it explained: {explain:?}");
    assert!(check < Duration::from_millis(20), "check {check:?}");
    assert!(whole < Duration::from_millis(80), "load {whole:?}");
}
