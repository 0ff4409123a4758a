//! Machines that nobody has named yet: who is listed, and what becomes of a document that gets one of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lvs_reconcile::document::edit::{Added, Wanted, add_machine, next_names};
use lvs_reconcile::document::{self, Document};
use lvs_reconcile::host::linux::leases;
use lvs_reconcile::output::strangers::Strangers;
use proptest::prelude::*;
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use similar::TextDiff;

const MAC: &str = "52:54:00:12:34:56";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The folders in a folder, in order.
fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap().map(|it| it.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|it| it.is_dir()).collect();
    folders.sort();
    folders
}

/// What differs from the file that says what is expected. `UPDATE=1` rewrites it.
fn difference(file: &Path, now: &str) -> String {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, now).unwrap();
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    let name = file.display().to_string();
    let diff = TextDiff::from_lines(expected.as_str(), now);
    diff.unified_diff()
        .header(&name, "as it is now")
        .to_string()
}

/// Runs `adopt-machine` with the words of a line, where `cluster.json` is. The exit code, and what it said.
fn adopt(directory: &Path, line: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"))
        .arg("adopt-machine")
        .args(shell_words::split(line).unwrap())
        .current_dir(directory)
        .env("LVS_RECONCILE_DOCUMENT", "cluster.json")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    (output.status.code().unwrap(), said.concat())
}

/// Every folder under `tests/adopt` holds a document, the arguments of commands, a line each, what they say, and the
/// document that they leave.
#[test]
fn every_document_becomes_what_is_expected() {
    let mut differences = String::new();
    let cases = folders(&tests().join("adopt"));
    assert!(cases.len() >= 20, "only {} cases found", cases.len());
    for case in cases {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cluster.json");
        fs::copy(case.join("document.json"), &file).unwrap();
        let mut said = String::new();
        for line in fs::read_to_string(case.join("command")).unwrap().lines() {
            let before = fs::read(&file).unwrap();
            let (code, text) = adopt(directory.path(), line);
            let _ = writeln!(
                said,
                "$ lvs-reconcile adopt-machine {line}\n{text}exit code {code}"
            );
            if code != 0 || line.contains("--dry-run") {
                assert_eq!(fs::read(&file).unwrap(), before, "{line}");
            }
        }
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            1,
            "nothing stands beside it"
        );
        differences += &difference(&case.join("expected.txt"), &said);
        let left = fs::read_to_string(&file).unwrap();
        differences += &difference(&case.join("expected.json"), &left);
    }
    assert!(differences.is_empty(), "{differences}");
}

/// Every folder under `tests/discover` holds a document, the time (seconds since 1970), files of a director, and what
/// is said about them.
#[test]
fn every_stranger_is_listed_as_expected() {
    let mut differences = String::new();
    let cases = folders(&tests().join("discover"));
    assert!(cases.len() >= 6, "only {} cases found", cases.len());
    for case in cases {
        let document = fs::read(case.join("document.json")).unwrap();
        let now = fs::read_to_string(case.join("now")).unwrap();
        let leases = leases::read(&case.join("root")).unwrap();
        let strangers = Strangers {
            leases: &leases,
            document: &document::load(&document, "cluster.json").unwrap(),
            path: Some("cluster.json").filter(|_| case.ends_with("elsewhere")),
            now: now.trim().parse().unwrap(),
        };
        differences += &difference(&case.join("expected.txt"), &strangers.text());
        let json = format!("{:#}\n", strangers.json());
        differences += &difference(&case.join("expected.json"), &json);
    }
    assert!(differences.is_empty(), "{differences}");
}

/// What the program takes for its own file is still the same file of the same owner, wherever its name leads.
#[test]
fn mode_owner_and_links_stay() {
    let directory = tempfile::tempdir().unwrap();
    let here = |name: &str| directory.path().join(name);
    fs::create_dir(here("git")).unwrap();
    fs::copy("examples/howto.json", here("git/real.json")).unwrap();
    fs::set_permissions(here("git/real.json"), fs::Permissions::from_mode(0o640)).unwrap();
    let is_root = nix::unistd::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(here("git/real.json"), Some(1234), Some(2345)).unwrap();
    }
    let before = fs::metadata(here("git/real.json")).unwrap();
    symlink("git/real.json", here("link.json")).unwrap();
    symlink(here("link.json"), here("cluster.json")).unwrap();
    let (code, said) = adopt(directory.path(), &format!("{MAC} --name rs3"));
    assert_eq!(code, 0, "{said}");
    let after = fs::metadata(here("git/real.json")).unwrap();
    let facts = |it: &fs::Metadata| (it.mode(), it.uid(), it.gid());
    assert_eq!(facts(&after), facts(&before));
    assert_ne!(
        after.ino(),
        before.ino(),
        "it is another file, whole at once"
    );
    assert_eq!(
        fs::read_link(here("link.json")).unwrap(),
        Path::new("git/real.json")
    );
    assert!(
        fs::read_to_string(here("git/real.json"))
            .unwrap()
            .contains(MAC)
    );
}

/// Through these the document cannot be written back as it was.
#[test]
fn what_is_no_file_of_its_own_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let here = |name: &str| directory.path().join(name);
    fs::copy("examples/howto.json", here("one.json")).unwrap();
    fs::hard_link(here("one.json"), here("two.json")).unwrap();
    nix::unistd::mkfifo(&here("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let refused = |document: &str, why: &str| {
        let (code, said) = adopt(directory.path(), &format!("{MAC} --name rs3 {document}"));
        assert_eq!(code, 1, "{document}: {said}");
        assert!(said.contains(why), "{document}: {said}");
    };
    refused("one.json", "it has 2 names (hard links)");
    for none in ["-", "pipe", ".", "/dev/null"] {
        refused(none, "is no regular file, and cannot be edited");
    }
    refused("missing.json", "cannot read");
}

/// The documents that are known to be good.
fn documents() -> Vec<(String, String)> {
    let examples = fs::read_dir("examples").unwrap();
    let examples = examples
        .map(|it| it.unwrap().path())
        .filter(|it| it.is_file());
    let rendered = folders(&tests().join("rendered")).into_iter();
    let rendered = rendered.map(|it| it.join("document.json"));
    let files = examples.chain(rendered);
    let mut documents: Vec<_> = files
        .map(|it| (it.display().to_string(), fs::read_to_string(&it).unwrap()))
        // Some are there to be rendered, and are no good otherwise.
        .filter(|(name, text)| document::load(text.as_bytes(), name).is_ok())
        .collect();
    documents.sort();
    assert!(
        documents.len() > 15,
        "only {} documents found",
        documents.len()
    );
    documents
}

fn indented(value: &Value, indent: &[u8]) -> String {
    let formatter = PrettyFormatter::with_indent(indent);
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The same document as others write it.
fn layouts(text: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).unwrap();
    let spaced = value
        .to_string()
        .replace("\":", "\" : ")
        .replace(",\"", " , \"");
    let two = indented(&value, b"  ");
    vec![
        text.to_owned(),
        text.trim_end().to_owned(),
        text.replace('\n', "\r\n"),
        two.clone() + "\n\n",
        two.replace('\n', "\r\n"),
        two.replace(",\n", "\n,"),
        indented(&value, b"    "),
        indented(&value, b"\t") + "\n",
        indented(&value, b""),
        value.to_string(),
        spaced,
    ]
}

fn wanted(text: &str) -> Wanted {
    let document = document::load(text.as_bytes(), "").unwrap();
    let usual = next_names(&document).next();
    Wanted {
        name: usual.unwrap_or_else(|| "another".parse().unwrap()),
        mac: MAC.parse().unwrap(),
        address: None,
        address6: None,
        weight: None,
        kickstart: None,
        like: None,
        services: Vec::new(),
    }
}

/// The document has this entry more, at the end of its real servers, and its name in these services; else it is the
/// same, value by value.
fn assert_says_one_more(before: &str, added: &Added, wanted: &Wanted) {
    let [mut before, mut after] =
        [before, &added.text].map(|it| serde_json::from_str::<Value>(it).unwrap());
    let entry = after["realServers"].as_array_mut().unwrap().pop().unwrap();
    assert_eq!(entry, serde_json::to_value(&added.machine).unwrap());
    assert_eq!(entry["mac"], MAC);
    let services = before["services"].as_array_mut().into_iter().flatten();
    for service in services {
        let is_wanted = wanted
            .services
            .iter()
            .any(|it| service["name"] == it.as_str());
        if let (true, Some(list)) = (
            is_wanted,
            service.get_mut("realServers").and_then(Value::as_array_mut),
        ) {
            list.push(wanted.name.as_str().into());
        }
    }
    assert_eq!(after, before);
}

/// What was written stands there still, byte for byte, before and behind one insertion.
fn assert_one_insertion(before: &str, after: &str) {
    let (before, after) = (before.as_bytes(), after.as_bytes());
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let rest = &before[same..];
    assert!(after.len() - same >= rest.len() && after.ends_with(rest));
}

/// The lines of a text without the commas between them, in any order: fields that the neighbour does not have stand
/// where nothing says otherwise.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text
        .split('\n')
        .map(|it| it.trim_end_matches(','))
        .collect();
    lines.sort_unstable();
    lines
}

/// Where a program has written the document, it would write the new one so, too.
fn assert_same_style(before: &str, after: &str) {
    let [old, new] = [before, after].map(|it| serde_json::from_str::<Value>(it).unwrap());
    for indent in ["  ", "    ", "\t", ""] {
        if before.trim_end() == indented(&old, indent.as_bytes()) {
            let new = indented(&new, indent.as_bytes());
            assert_eq!(lines(after.trim_end()), lines(&new), "{after}");
        }
    }
    if *before == *old.to_string() {
        assert_eq!(after.len(), new.to_string().len(), "{after}");
    }
    if before.contains("\r\n") {
        assert_eq!(
            after.matches('\n').count(),
            after.matches("\r\n").count(),
            "{after}"
        );
    }
}

#[test]
fn every_document_in_every_layout_gets_its_entry_and_stays_as_it_is() {
    for (name, text) in documents() {
        for layout in layouts(&text) {
            let mut wanted = wanted(&layout);
            // No director is in the network of these machines.
            wanted.address = name
                .ends_with("tunnel.json")
                .then(|| "198.51.100.77".parse().unwrap());
            let added = add_machine(&layout, &name, &wanted).unwrap();
            assert_says_one_more(&layout, &added, &wanted);
            assert_one_insertion(&layout, &added.text);
            assert_same_style(&layout, &added.text);
            assert!(document::load(added.text.as_bytes(), &name).is_ok());
            let again = add_machine(&added.text, &name, &wanted)
                .unwrap_err()
                .to_string();
            let already = format!("is {}'s already, and nothing is to be done", wanted.name);
            assert!(again.contains(&already), "{again}");
        }
    }
}

/// Everything that can be asked for, of any document in any layout.
fn requests() -> impl Strategy<Value = (usize, usize, Option<usize>, Vec<usize>, Option<u16>)> {
    let like = proptest::option::of(0..16usize);
    let services = proptest::collection::vec(0..8usize, 0..4);
    (
        0..64usize,
        0..11usize,
        like,
        services,
        proptest::option::of(any::<u16>()),
    )
}

fn requested(
    document: &Document,
    (like, services, weight): (Option<usize>, Vec<usize>, Option<u16>),
    mut wanted: Wanted,
) -> Wanted {
    let (machines, all) = (&document.real_servers, &document.services);
    wanted.like = like.map(|it| machines[it % machines.len()].name.clone());
    let services = services.iter().filter(|_| !all.is_empty());
    wanted.services = services
        .map(|it| all[it % all.len()].name.clone())
        .collect();
    wanted.weight = weight.map(|it| serde_json::from_value(it.into()).unwrap());
    wanted
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked for is what the document then says, and nothing else; or it is refused with a reason.
    #[test]
    fn what_is_asked_for_is_what_is_added((document, layout, like, services, weight) in requests()) {
        let documents = documents();
        let (name, text) = &documents[document % documents.len()];
        let layout = layouts(text).swap_remove(layout);
        let document = document::load(layout.as_bytes(), name).unwrap();
        let wanted = requested(&document, (like, services, weight), wanted(&layout));
        match add_machine(&layout, name, &wanted) {
            Ok(added) => {
                assert_says_one_more(&layout, &added, &wanted);
                prop_assert_eq!(added.machine.weight.is_some(), weight.is_some() || like_weight(&document, &wanted));
                if wanted.services.is_empty() {
                    assert_same_style(&layout, &added.text);
                }
                for service in &wanted.services {
                    prop_assert!(!added.outside.contains(service));
                }
            }
            Err(refusal) => {
                let said = refusal.to_string();
                prop_assert!(said.contains("stays as it is:\n") || said.contains("no next address"), "{}", said);
            }
        }
    }
}

fn like_weight(document: &Document, wanted: &Wanted) -> bool {
    let mut machines = document.real_servers.iter();
    let like = machines.find(|it| Some(&it.name) == wanted.like.as_ref());
    like.is_some_and(|it| it.weight.is_some())
}

/// Whoever may not give a file back to its owner leaves it alone.
#[test]
#[ignore = "needs root"]
fn a_document_of_somebody_else_stays_his() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cluster.json");
    fs::copy("examples/howto.json", &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Where everybody may run it, as its own directory may be somebody's home.
    let program = directory.path().join("lvs-reconcile");
    fs::copy(env!("CARGO_BIN_EXE_lvs-reconcile"), &program).unwrap();
    let before = fs::read(&file).unwrap();
    let output = Command::new(&program)
        .args(["adopt-machine", MAC, "cluster.json"])
        .current_dir(directory.path())
        .uid(1234)
        .gid(1234)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("it belongs to user 0, and would be ours"),
        "{said}"
    );
    assert_eq!(fs::read(&file).unwrap(), before);
}
