//! `--quiet`: nothing for people, everything for programs, and what somebody must see on standard error.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

use std::path::Path;
use std::process::Command;

struct Said {
    code: i32,
    out: String,
    error: String,
}

/// The program where no document, no state and no lock of this machine is found.
fn ours(arguments: &[&str]) -> Said {
    let nowhere = tempfile::tempdir().unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("LVS_RECONCILE_NODE")
        .env("LVS_RECONCILE_STATE_DIR", nowhere.path().join("state"))
        .env("LVS_RECONCILE_LOCK", nowhere.path().join("lock"))
        .env("LVS_RECONCILE_DOCUMENT", nowhere.path().join("none.json"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said {
        code: ran.status.code().unwrap_or(-1),
        out: text(&ran.stdout),
        error: text(&ran.stderr),
    }
}

/// With `-q`, before the command and behind everything.
fn both(arguments: &[&str]) -> [Said; 2] {
    let before: Vec<_> = ["-q"].iter().chain(arguments).copied().collect();
    let behind: Vec<_> = arguments.iter().chain(&["--quiet"]).copied().collect();
    [ours(&before), ours(&behind)]
}

const DIFF: [&str; 4] = [
    "diff",
    "tests/diffs/machine-added/before.json",
    "tests/diffs/machine-added/after.json",
    "--detailed-exitcode",
];

#[test]
fn what_is_for_people_is_not_printed_and_the_exit_code_stays() {
    let loud = ours(&DIFF);
    assert!(
        loud.out.contains("machine") || loud.out.contains("rs"),
        "{}",
        loud.out
    );
    for quiet in both(&DIFF) {
        assert_eq!((quiet.code, quiet.out.as_str()), (2, ""), "{}", quiet.error);
    }
    for quiet in both(&["validate", "examples/minimal.json"]) {
        let all = (quiet.code, quiet.out.as_str(), quiet.error.as_str());
        assert_eq!(all, (0, "", ""));
    }
    for arguments in [&["history"][..], &["confirm", "1"], &["rollback", "--yes"]] {
        for quiet in both(arguments) {
            assert_eq!(quiet.out, "", "{arguments:?}");
            assert_eq!(quiet.code, ours(arguments).code, "{arguments:?}");
        }
    }
}

#[test]
fn what_is_for_programs_stays_as_it_was() {
    let all: [&[&str]; 6] = [
        &[&DIFF[..], &["--format", "json"]].concat(),
        &[&DIFF[..], &["--format", "markdown"]].concat(),
        &["schema"],
        &["history", "--format", "json"],
        &["completions", "bash"],
        &["validate", "--explain", "LVS001"],
    ];
    for arguments in all {
        let loud = ours(arguments);
        assert!(!loud.out.is_empty(), "{arguments:?}");
        for quiet in both(arguments) {
            let same = quiet.code == loud.code && quiet.out == loud.out;
            assert!(same && quiet.error == loud.error, "{arguments:?}");
        }
    }
}

/// Warnings of a plan, and of a document, are no less true when nobody reads the plan.
#[test]
fn what_somebody_must_see_is_an_error() {
    let marked = |text: &str| {
        let lines = text.lines().filter(|it| it.starts_with("! "));
        lines.map(|it| it.to_owned() + "\n").collect::<String>()
    };
    for arguments in [
        &DIFF[..],
        &["validate", "tests/diffs/machine-added/after.json"],
    ] {
        let loud = ours(arguments);
        let warnings = marked(&loud.out);
        assert!(!warnings.is_empty(), "{}", loud.out);
        for quiet in both(arguments) {
            assert_eq!((quiet.out.as_str(), quiet.error), ("", warnings.clone()));
        }
    }
    for quiet in both(&[
        "validate",
        "tests/documents/all-problems-at-once/document.json",
    ]) {
        assert_eq!((quiet.code, quiet.out.as_str()), (1, ""));
        assert!(quiet.error.lines().count() > 3, "{}", quiet.error);
    }
}

/// A question that nobody has read cannot be answered: that is said before anything is looked at.
#[test]
fn what_changes_the_machine_needs_an_answer_beforehand() {
    let all: [&[&str]; 5] = [
        &["apply"],
        &["destroy"],
        &["rollback"],
        &["arm", "rs1"],
        &["disarm", "rs1"],
    ];
    for arguments in all {
        for quiet in both(arguments) {
            assert_eq!((quiet.code, quiet.out.as_str()), (1, ""), "{arguments:?}");
            assert_eq!(quiet.error.lines().count(), 1, "{}", quiet.error);
            assert!(quiet.error.contains("say --yes"), "{}", quiet.error);
        }
    }
}

#[test]
fn files_that_were_asked_for_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().to_str().unwrap();
    let arguments = [
        "render",
        "examples/advanced.json",
        "--node",
        "lb1",
        "--to",
        to,
        "-q",
    ];
    let quiet = ours(&arguments);
    assert_eq!((quiet.code, quiet.out.as_str()), (0, ""), "{}", quiet.error);
    assert!(
        Path::new(to)
            .join("etc/sysctl.d/60-lvs-reconcile.conf")
            .exists()
    );
}
