//! Warnings: each has a code and a whole page, each that a document alone shows is shown by a case, and silences count.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use lvs_reconcile::document;
use lvs_reconcile::lint::{Code, Origin, Warning, Warnings};

const PARTS: [&str; 5] = [
    "What it is",
    "Why it matters",
    "Source",
    "How to mend it",
    "How to silence it",
];

fn said(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"));
    command.arg("validate").args(arguments);
    command.env_clear().output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = said(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn codes_are_numbered_without_a_gap() {
    for (at, code) in Code::ALL.iter().enumerate() {
        assert_eq!(code.word(), format!("LVS{:03}", at + 1));
        assert_eq!(code.word().parse(), Ok(*code));
    }
    let titles: BTreeSet<&str> = Code::ALL.iter().map(|it| it.title()).collect();
    assert_eq!(titles.len(), Code::ALL.len());
    assert!("LVS000".parse::<Code>().is_err());
}

#[test]
fn every_page_is_whole() {
    for code in Code::ALL {
        let page = code.page();
        let head = format!("{code}  {}\n", code.title());
        assert!(page.starts_with(&head), "{page}");
        let mut rest = page.as_str();
        for part in PARTS {
            let (_, after) = rest
                .split_once(&format!("\n\n{part}\n"))
                .unwrap_or_else(|| panic!("{code} does not say {part:?} in its place"));
            let text = after.split("\n\n").next().unwrap();
            assert!(text.len() > 20, "{code} says too little: {part}");
            assert!(
                text.lines().all(|it| it.starts_with("  ")),
                "{code}: {part}"
            );
            rest = after;
        }
        assert!(page.lines().all(|it| it.chars().count() <= 120), "{code}");
        assert_eq!(page.matches("\n\n").count(), PARTS.len(), "{code}");
    }
}

/// The others need a director: their tests stand where they are found.
#[test]
fn every_code_of_a_document_is_shown_by_a_case() {
    let mut shown = BTreeSet::new();
    for folder in fs::read_dir("tests/documents").unwrap() {
        let bytes = fs::read(folder.unwrap().path().join("document.json")).unwrap_or_default();
        if let Ok((_, warnings)) = document::examine(&bytes, "it") {
            shown.extend(warnings.shown().iter().filter_map(|it| it.code));
        }
    }
    let wanted = Code::ALL
        .iter()
        .filter(|it| it.origin() == Origin::Document);
    let missing: Vec<_> = wanted.filter(|it| !shown.contains(it)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
    assert!(shown.iter().all(|it| it.origin() == Origin::Document));
}

/// A code that nobody gives is one that nobody meets.
#[test]
fn every_code_is_given_somewhere() {
    let mut code = String::new();
    let mut folders = vec![std::path::PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                code.push_str(text.split("#[cfg(test)]").next().unwrap());
            }
        }
    }
    let given = |it: &Code| code.contains(&format!("Warning::new(Code::{it:?}, "));
    let never: Vec<_> = Code::ALL.iter().filter(|it| !given(it)).collect();
    assert!(never.is_empty(), "never given: {never:?}");
}

/// UPDATE=1 writes the page.
#[test]
fn a_page_is_printed_without_a_document() {
    let page = printed(&["--explain", "LVS014"]);
    if std::env::var_os("UPDATE").is_some() {
        fs::write("tests/explain.txt", &page).unwrap();
    }
    assert_eq!(page, fs::read_to_string("tests/explain.txt").unwrap());
    assert_eq!(page, printed(&["--explain", "lvs014"]));
}

#[test]
fn the_list_has_every_code() {
    let list = printed(&["--explain", "list"]);
    let lines: Vec<String> = list.lines().map(str::to_owned).collect();
    let line = |it: &Code| format!("{it}  {}", it.title());
    assert_eq!(lines, Code::ALL.iter().map(line).collect::<Vec<_>>());
    assert_eq!(list, printed(&["--explain", "all"]));
}

#[test]
fn an_unknown_code_is_one_clear_error() {
    for wrong in ["LVS999", "LVS1", "", "list\u{1b}[31m"] {
        let output = said(&["--explain", wrong]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        let last = Code::ALL.last().unwrap();
        let range = format!("is no code; there are LVS001 to {last}");
        assert!(error.contains(&range), "{error}");
        assert!(
            error.lines().count() == 1 && !error.contains('\u{1b}'),
            "{error}"
        );
    }
}

/// The closing line of `validate` counts what is not shown.
#[test]
fn validate_counts_what_is_silenced() {
    let case = |name: &str| printed(&[&format!("tests/documents/{name}/document.json")]);
    let (loud, quiet) = (case("warnings"), case("silence"));
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    assert!(last(&loud).ends_with(", 9 warnings"), "{loud}");
    assert!(
        last(&quiet).ends_with(", 5 warnings, 4 silenced"),
        "{quiet}"
    );
    assert!(loud.contains("! LVS007 vips[1]: no service uses idle\n"));
    assert!(!quiet.contains("LVS007"), "{quiet}");
}

fn silencing(silences: &str) -> Warnings {
    let text = format!(
        r#"{{"version": 1, "silence": [{silences}],
        "realServers": [{{ "name": "rs1", "address": "10.0.0.1" }}, {{ "name": "rs2", "address": "10.0.0.2" }}]}}"#
    );
    let document = document::load(text.as_bytes(), "it").unwrap();
    Warnings::new(&document.silence)
}

#[test]
fn what_is_about_several_is_silenced_when_each_is() {
    let one = r#"{ "code": "LVS028", "at": "rs1", "reason": "tested" }"#;
    let two = r#"{ "code": "LVS028", "at": "rs2", "reason": "tested" }"#;
    let all = r#"{ "code": "LVS028", "reason": "tested" }"#;
    let other = r#"{ "code": "LVS022", "at": "rs1", "reason": "another code" }"#;
    let both = || {
        Warning::new(Code::Newcomer, "they join")
            .about("rs1")
            .about("rs2")
    };
    let silenced = |silences: &str, warning: Warning| silencing(silences).and([warning]).silenced();
    assert_eq!(silenced(one, both()), 0);
    assert_eq!(silenced(&format!("{one}, {two}"), both()), 1);
    assert_eq!(silenced(all, both()), 1);
    assert_eq!(
        silenced(one, Warning::new(Code::Newcomer, "one").about("rs1")),
        1
    );
    assert_eq!(
        silenced(other, Warning::new(Code::Newcomer, "one").about("rs1")),
        0
    );
    // About nothing that has a name, `at` cannot mean it; and a note has no code.
    assert_eq!(silenced(one, Warning::new(Code::Newcomer, "nobody")), 0);
    assert_eq!(silenced(all, Warning::note("unknown here")), 0);
}
