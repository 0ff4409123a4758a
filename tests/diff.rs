//! `diff` as a reviewer sees it: each folder of `tests/diffs` is a case.
//!
//! `before.json` and `after.json` are the documents; `diff.txt` and `diff.md` are what is printed. UPDATE=1 writes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures_util::FutureExt as _;
use lvs_reconcile::apply;
use lvs_reconcile::between::{Between, Sides};
use lvs_reconcile::desired::{Desired, Facts, resolve};
use lvs_reconcile::document::{self, Document};
use lvs_reconcile::host::memory::MemoryHost;

fn program(arguments: &[&str], inside: &Path) -> (Option<i32>, String, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"))
        .args(arguments)
        .current_dir(inside)
        .env_remove("LVS_RECONCILE_NODE")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

fn folders(of: &str) -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join(of);
    let mut found: Vec<_> = fs::read_dir(all)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    found.sort();
    found
}

#[test]
fn every_case_prints_its_diff() {
    let mut wrong = Vec::new();
    let cases = folders("tests/diffs");
    assert!(cases.len() >= 10, "only {} cases were found", cases.len());
    for case in cases {
        for (format, name) in [("text", "diff.txt"), ("markdown", "diff.md")] {
            let arguments = [
                "diff",
                "before.json",
                "after.json",
                "--detailed-exitcode",
                "--format",
                format,
            ];
            let (code, printed, error) = program(&arguments, &case);
            assert_eq!(code, Some(2), "{}: {error}", case.display());
            let path = case.join(name);
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&path, &printed).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if printed != expected {
                let diff = similar::TextDiff::from_lines(&expected, &printed);
                wrong.push(format!("{}\n{}", path.display(), diff.unified_diff()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every document of the project that stands for itself.
fn documents() -> Vec<(String, Document)> {
    let rendered = folders("tests/rendered")
        .into_iter()
        .map(|it| it.join("document.json"));
    let all = folders("examples")
        .into_iter()
        .chain(rendered)
        .filter(|it| it.is_file());
    all.filter(|it| it.extension().is_some_and(|it| it == "json"))
        .filter_map(|path| {
            let name = path.to_string_lossy().into_owned();
            let document = document::load(&fs::read(&path).unwrap(), &name).ok()?;
            Some((name, document))
        })
        .collect()
}

fn wanted(document: &Document, node: &str) -> Desired {
    resolve(document, node, &Facts::unknown()).unwrap()
}

fn between(before: Desired, after: Desired) -> Between {
    let planned = Sides { before, after }.plan().now_or_never();
    planned.expect("nobody is waited for").unwrap()
}

fn directors(document: &Document) -> impl Iterator<Item = &str> {
    document.directors.iter().map(|it| it.name.as_str())
}

#[test]
fn between_a_document_and_itself_is_nothing() {
    for (name, document) in documents() {
        for node in directors(&document) {
            let Between { turn, .. } = between(wanted(&document, node), wanted(&document, node));
            assert!(turn.plan.is_empty(), "{name}: {:?}", turn.changes);
        }
    }
}

/// Whatever is between two documents: who makes it has what the second one asks for.
#[test]
fn the_diff_leads_from_one_document_to_the_other() {
    let documents = documents();
    let mut pairs = 0;
    for (from, before) in &documents {
        for (to, after) in &documents {
            let (Some(one), Some(other)) = (directors(before).next(), directors(after).next())
            else {
                continue;
            };
            let goal = wanted(after, other);
            let Between { turn, .. } = between(wanted(before, one), goal.clone());
            let mut host = MemoryHost::new(turn.seen.state.clone());
            let report = apply::apply(&turn.plan, &turn.seen.state, &turn.goal, &mut host);
            let report = report.now_or_never().unwrap();
            assert!(report.is_converged(), "{from} → {to}: {report:?}");
            let left = host.state.changes_to(&goal.state);
            let asked: Vec<_> = left
                .iter()
                .filter(|it| goal.state.value_of(it).is_some())
                .collect();
            assert!(asked.is_empty(), "{from} → {to}: {asked:?}");
            pairs += 1;
        }
    }
    eprintln!("diff: {pairs} pairs of documents");
    assert!(pairs > 100, "{pairs}");
}

#[test]
fn what_is_wrong_with_either_document_is_said_and_its_name_with_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.json"), r#"{"version": 1}"#).unwrap();
    fs::write(dir.path().join("b.json"), r#"{"version": 2}"#).unwrap();
    let (code, _, error) = program(&["diff", "a.json", "b.json"], dir.path());
    assert_eq!(code, Some(1));
    assert!(error.contains("b.json:1:"), "{error}");
    let (code, _, error) = program(&["diff", "a.json", "a.json", "--node", "lb9"], dir.path());
    assert_eq!(code, Some(1));
    assert!(error.contains("\"lb9\""), "{error}");
}

/// GitHub refuses a comment of more than 65536 characters.
#[test]
fn a_comment_has_its_bounds_however_much_there_is_to_say() {
    let dir = tempfile::tempdir().unwrap();
    let director = |at: usize| {
        let address = format!("192.0.2.{}/24", at + 1);
        let interface =
            serde_json::json!({ "name": "eth0", "role": "outside", "addresses": [address] });
        serde_json::json!({ "name": format!("lb{at}"), "interfaces": [interface] })
    };
    let file = |at: usize| {
        let lines: Vec<_> = (0..200)
            .map(|it| format!("{it} {}", "x".repeat(60)))
            .collect();
        serde_json::json!({ "path": format!("/etc/x/{at}"), "content": lines })
    };
    let document = serde_json::json!({
        "version": 1,
        "directors": (0..6).map(director).collect::<Vec<_>>(),
        "files": (0..8).map(file).collect::<Vec<_>>(),
    });
    fs::write(dir.path().join("a.json"), r#"{"version": 1}"#).unwrap();
    fs::write(dir.path().join("b.json"), document.to_string()).unwrap();
    let (code, said, error) = program(
        &["diff", "a.json", "b.json", "--format", "markdown"],
        dir.path(),
    );
    assert_eq!(code, Some(0), "{error}");
    assert!(said.chars().count() < 65_536, "{}", said.chars().count());
    for it in ["### `diff` lb5", "of file diffs that did not fit"] {
        assert!(said.contains(it), "nothing says {it:?}");
    }
}

/// However many directors: those that fit are whole, and the others are counted.
#[test]
fn a_comment_about_many_directors_has_its_bounds_too() {
    let dir = tempfile::tempdir().unwrap();
    let director = |at: usize| {
        let address = |net: &str, bits| format!("{net}.{}.{}/{bits}", at / 200, 1 + at % 200);
        let interfaces = serde_json::json!([
            { "name": "eth0", "role": "outside", "addresses": [address("172.16", 16)] },
            { "name": "eth1", "role": "inside", "addresses": [address("10.0", 16)] },
        ]);
        serde_json::json!({ "name": format!("lb{at}"), "interfaces": interfaces })
    };
    let server = |at: usize| {
        let address = format!("10.0.100.{at}");
        serde_json::json!({ "name": format!("a-long-name-of-a-machine-{at}"), "address": address })
    };
    for count in [12, 64] {
        let document = serde_json::json!({
            "version": 1,
            "directors": (0..count).map(director).collect::<Vec<_>>(),
            "realServers": (1..40).map(server).collect::<Vec<_>>(),
            "vips": [{ "name": "web", "address": "172.16.200.10", "managedBy": "external" }],
            "services": [{ "name": "http", "vip": "web", "port": 80 }],
        });
        fs::write(dir.path().join("a.json"), r#"{"version": 1}"#).unwrap();
        fs::write(dir.path().join("b.json"), document.to_string()).unwrap();
        let arguments = ["diff", "a.json", "b.json", "--format", "markdown"];
        let (code, said, error) = program(&arguments, dir.path());
        assert_eq!(code, Some(0), "{error}");
        assert!(said.chars().count() < 65_536, "{}", said.len());
        let shown = said.matches("### `diff` lb").count();
        assert!(shown > 10, "{shown} of {count}");
        assert_eq!(
            shown < count,
            said.contains(" directors more, for whom"),
            "{shown} of {count}"
        );
    }
}
