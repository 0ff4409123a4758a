//! What documents become, byte for byte: `tests/rendered/CASE/document.json`, and beside it for each director the
//! state and the generated files. `UPDATE=1` writes them anew.
//!
//! The generated files are also read by the programs they are for. Those tests need root and the daemons:
//! `cargo test --test rendered -- --include-ignored`. A program that is missing fails them, unless `WITHOUT` names it
//! (`WITHOUT=dhcpd,exportfs,ksvalidator`).

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lvs_reconcile::delta::Verb;
use lvs_reconcile::desired::{self, Desired, DhcpServer, Facts, Origin};
use lvs_reconcile::document::Document;
use lvs_reconcile::plan::Plan;
use lvs_reconcile::resources::State;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rendered")
}

fn facts() -> Facts {
    Facts {
        dhcp: Some(DhcpServer::debian()),
        nfs_unit: Some("nfs-kernel-server".into()),
        origin: Origin::Machine,
    }
}

fn document(case: &str) -> Document {
    let text = fs::read_to_string(root().join(case).join("document.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn resolved(case: &str, director: &str) -> Desired {
    desired::resolve(&document(case), director, &facts()).unwrap()
}

/// Every case and each of its directors.
fn everything() -> Vec<(String, String)> {
    let mut cases: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    cases.sort();
    let directors = |case: &String| {
        let directors = document(case).directors;
        let names = directors.iter().map(|it| it.name.to_string());
        names.map(|it| (case.clone(), it)).collect::<Vec<_>>()
    };
    cases.iter().flat_map(directors).collect()
}

/// What is recorded of one director, by path below its folder.
fn made(desired: &Desired) -> BTreeMap<String, String> {
    let mut made: BTreeMap<String, String> = desired::render(desired)
        .map(|(path, shown)| (format!("files{path}"), shown))
        .collect();
    let state = serde_json::to_string_pretty(&desired.state).unwrap();
    made.insert("state.json".into(), state + "\n");
    let external = desired
        .external
        .iter()
        .map(|it| format!("external: {it:?}\n"));
    let warnings = desired.warnings.iter().map(|it| format!("warning: {it}\n"));
    made.insert("notes.txt".into(), external.chain(warnings).collect());
    made
}

fn recorded(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_string();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn record(folder: &Path, made: &BTreeMap<String, String>) {
    let _ = fs::remove_dir_all(folder);
    for (name, text) in made {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn every_document_becomes_what_is_recorded() {
    for (case, director) in everything() {
        let folder = root().join(&case).join(&director);
        let made = made(&resolved(&case, &director));
        if env::var_os("UPDATE").is_some() {
            record(&folder, &made);
        }
        let recorded = recorded(&folder);
        for (name, text) in &made {
            let before = recorded.get(name).map(String::as_str);
            assert_eq!(before, Some(text.as_str()), "{case}/{director}/{name}");
        }
        let stale: Vec<_> = recorded
            .keys()
            .filter(|it| !made.contains_key(*it))
            .collect();
        assert!(
            stale.is_empty(),
            "{case}/{director}: no longer made: {stale:?}"
        );
    }
}

/// How many of each kind, in the order of a plan's listing.
fn counts(state: &State) -> [usize; 11] {
    [
        state.modules.len(),
        state.links.len(),
        state.nftables.len(),
        state.sysctls.len(),
        state.addresses.len(),
        state.routes.len(),
        state.timeouts.len(),
        state.virtual_services.len(),
        state.destinations.len(),
        state.files.len(),
        state.units.len(),
    ]
}

/// The reference counts 30 changes on a bare director. Two more are made here: `/etc/default/isc-dhcp-server`, without
/// which Debian's dhcpd listens on every interface, and the NFS server's unit, whose reload the reference prints
/// beside its file.
#[test]
fn the_howto_is_thirty_changes_and_two() {
    let state = resolved("howto", "dir1").state;
    assert_eq!(counts(&state), [4, 2, 1, 3, 3, 1, 0, 2, 4, 10, 2]);
    let plan = Plan::of(State::default().changes_to(&state));
    assert_eq!(state.len(), 32);
    // Made from nothing, each of the two links is a step more: it is made down and brought up later.
    assert_eq!(plan.steps.len(), 34);
}

/// A weight is one change; another machine is what follows from one entry.
#[test]
fn one_edit_is_few_changes() {
    let before = resolved("howto", "dir1").state;
    let mut text: serde_json::Value = serde_json::to_value(document("howto")).unwrap();
    text["realServers"][0]["weight"] = 5.into();
    let heavier = with(&text);
    assert_eq!(before.changes_to(&heavier.state).len(), 1);
    text["realServers"][0]["weight"] = 3.into();
    let rs3 =
        serde_json::json!({ "name": "rs3", "address": "172.16.0.23", "mac": "02:00:00:00:00:33" });
    text["realServers"].as_array_mut().unwrap().push(rs3);
    let changes = before.changes_to(&with(&text).state);
    let names: Vec<String> = changes.iter().map(|it| it.name()).collect();
    let created = changes
        .iter()
        .filter(|it| it.verb() == Verb::Create)
        .count();
    assert_eq!((changes.len(), created), (7, 4), "{names:?}");
}

/// Renaming reaches the files that hold the name, and nothing that carries traffic.
#[test]
fn renaming_touches_no_traffic() {
    let before = resolved("howto", "dir1").state;
    let mut text: serde_json::Value = serde_json::to_value(document("howto")).unwrap();
    text["services"][0]["name"] = "web".into();
    text["vips"][0]["name"] = "front".into();
    for service in text["services"].as_array_mut().unwrap() {
        service["vip"] = "front".into();
    }
    assert_eq!(before, with(&text).state);
}

fn with(text: &serde_json::Value) -> Desired {
    let document: Document = serde_json::from_value(text.clone()).unwrap();
    desired::resolve(&document, "dir1", &facts()).unwrap()
}

/// Modules, forwarding, two addresses, one service, its VIP, and the two boot files; the reference names no more.
#[test]
fn the_minimum_manages_little() {
    let state = resolved("minimal", "dir1").state;
    assert_eq!(counts(&state), [2, 2, 0, 1, 3, 0, 0, 1, 2, 2, 0]);
}

/// lb1: the bond, its two members and two vlans; 17 virtual services (https6, https, api, two for dns, ten for rtp,
/// the mark, sip). lb2 has two plain interfaces and no `test`, so no rtp either.
#[test]
fn the_advanced_document_on_both_directors() {
    let one = resolved("advanced", "lb1").state;
    assert_eq!(counts(&one), [8, 5, 1, 1, 5, 3, 1, 17, 25, 2, 0]);
    let two = resolved("advanced", "lb2").state;
    assert_eq!(counts(&two), [6, 2, 1, 1, 4, 2, 1, 7, 15, 2, 0]);
}

/// The text of the generated file with this name, of every case.
fn generated(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let files = everything().into_iter().flat_map(|(case, director)| {
        let desired = resolved(&case, &director);
        let files = desired::render(&desired).map(|(path, text)| (path.to_string(), text));
        files
            .map(|(path, text)| (format!("{case}: {path}"), text))
            .collect::<Vec<_>>()
    });
    files.filter(|(name, _)| wanted(name)).collect()
}

/// The program, when it is there or must be.
fn validator(program: &str) -> Option<String> {
    let without = env::var("WITHOUT").unwrap_or_default();
    if without.split(',').any(|it| it == program) {
        eprintln!("{program}: not tried, WITHOUT names it");
        return None;
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lab = env::var_os("LVS_LAB_DIR").map_or(repository.join("target/lab"), PathBuf::from);
    let places = [
        lab.join("venv/bin"),
        "/usr/sbin".into(),
        "/usr/bin".into(),
        "/sbin".into(),
    ];
    let found = places
        .iter()
        .map(|it| it.join(program))
        .find(|it| it.exists());
    let found =
        found.unwrap_or_else(|| panic!("{program} is not installed; tests/lab/install brings it"));
    Some(found.to_str().unwrap().to_string())
}

/// Runs a program over a file with this content, and returns what it said when it refused.
fn refusal(program: &str, arguments: &[&str], text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("candidate");
    fs::write(&path, text).unwrap();
    let output = Command::new(program)
        .args(arguments)
        .arg(&path)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (!output.status.success()).then_some(said)
}

#[test]
#[ignore = "needs root and the daemons"]
fn dhcpd_accepts_its_file() {
    let Some(dhcpd) = validator("dhcpd") else {
        return;
    };
    let files = generated(|it| it.ends_with("/dhcpd.conf"));
    assert!(files.len() >= 2);
    for (name, text) in files {
        assert_eq!(refusal(&dhcpd, &["-t", "-cf"], &text), None, "{name}");
    }
}

#[test]
#[ignore = "needs root and the daemons"]
fn ksvalidator_accepts_every_kickstart_file() {
    let Some(ksvalidator) = validator("ksvalidator") else {
        return;
    };
    let files = generated(|it| it.ends_with(".cfg"));
    assert!(files.len() >= 6);
    for (name, text) in files {
        let version = match name.rsplit('/').next().unwrap() {
            "old.cfg" => "RHEL7",
            "stable.cfg" => "RHEL8",
            "new.cfg" => "RHEL10",
            _ => "RHEL9",
        };
        // `-e` stops at the first error: the exit status counts them, and wraps at 256.
        let text = text.replace("(secret)", "$6$abcdefgh$01234567890123456789");
        assert_eq!(
            refusal(&ksvalidator, &["-e", "-v", version], &text),
            None,
            "{name}"
        );
    }
}

/// exportfs has no check mode, and ends with 0 when it dropped an entry: what counts is the table it made, in
/// namespaces of its own.
#[test]
#[ignore = "needs root and the daemons"]
fn exportfs_makes_the_table_that_is_meant() {
    let Some(exportfs) = validator("exportfs") else {
        return;
    };
    let script = "
        mount -t tmpfs t /var/lib/nfs && : >/var/lib/nfs/etab && : >/var/lib/nfs/rmtab && mkdir /var/lib/nfs/sm
        [ ! -d /etc/exports.d ] || mount -t tmpfs t /etc/exports.d
        mount --bind \"$1\" /etc/exports
        \"$0\" -ra 2>&1; \"$0\" -s";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exports");
    for (name, text) in generated(|it| it.ends_with(".exports")) {
        // Any directory that exists will do in place of the exported ones.
        let text = text
            .replace("/kickstart", "/etc")
            .replace("/opt/lvs_software", "/usr");
        let text = text
            .replace("/srv/upload", "/var")
            .replace("/srv/public", "/home");
        fs::write(&path, &text).unwrap();
        let mut unshare = Command::new("unshare");
        unshare.args([
            "-m",
            "-n",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            &exportfs,
        ]);
        let output = unshare.arg(&path).output().unwrap();
        let said =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        let mut got: Vec<String> = said.lines().map(entry).collect();
        let mut meant: Vec<String> = text.lines().skip(1).flat_map(entries).collect();
        got.sort();
        meant.sort();
        assert_eq!(got, meant, "{name}: {said}");
    }
}

/// `path client ro|rw (no_)root_squash` of a line as `exportfs -s` prints it.
fn entry(line: &str) -> String {
    let mut words = line.split_whitespace();
    let (path, client) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    meaning(path, client)
}

/// The same of a line as we write it, for each client.
fn entries(line: &str) -> Vec<String> {
    let mut words = line.split(' ');
    let path = words.next().unwrap_or_default();
    words.map(|client| meaning(path, client)).collect()
}

fn meaning(path: &str, client: &str) -> String {
    let (who, options) = client
        .trim_end_matches(')')
        .split_once('(')
        .unwrap_or((client, "?"));
    let of = |wanted: &[&str]| {
        let found = options.split(',').find(|it| wanted.contains(it));
        found.unwrap_or("?").to_string()
    };
    let (access, root) = (of(&["ro", "rw"]), of(&["root_squash", "no_root_squash"]));
    format!("{path} {who} {access} {root}")
}

/// Debian's init script sources it.
#[test]
#[ignore = "needs root and the daemons"]
fn the_shell_reads_the_interfaces() {
    for (name, text) in generated(|it| it.ends_with("/default/isc-dhcp-server")) {
        let script = format!("{text}\n[ \"$INTERFACESv4\" = eth1 ] && [ -z \"$INTERFACESv6\" ]");
        assert_eq!(refusal("sh", &["-eu"], &script), None, "{name}");
    }
}
