//! What documents become, byte for byte: `tests/rendered/CASE/document.json`, and beside it for each director the
//! state and the generated files. `UPDATE=1` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lvs_reconcile::delta::Verb;
use lvs_reconcile::desired::{self, Desired, Facts, HostsFile, Origin, PublicKey};
use lvs_reconcile::document::Document;
use lvs_reconcile::plan::Plan;
use lvs_reconcile::resources::State;
use serde_json::json;

#[path = "rendered/validators.rs"]
mod validators;

/// The director's, as its file has it.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHnFRdLKDUHZn6I+TUG+Q9yEajO7uNtE3dDdY3UY8Smy root@director";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rendered")
}

fn facts() -> Facts {
    Facts {
        dhcp: Facts::unknown().dhcp,
        nfs_unit: Some("nfs-kernel-server".into()),
        web_unit: Some("nginx".into()),
        serves_dns: false,
        armed: ["rs1".to_owned()].into(),
        hosts: HostsFile::default(),
        public_key: PublicKey::Read(KEY.parse().unwrap()),
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
        .map(|it| it.unwrap())
        .filter(|it| it.path().is_dir())
        .map(|it| it.file_name().into_string().unwrap())
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
    let rs3 = json!({ "name": "rs3", "address": "172.16.0.23", "mac": "02:00:00:00:00:33" });
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

/// Ten thousand services of four destinations each: look-ups are built once, so the cost is that of the result.
#[test]
#[cfg_attr(debug_assertions, ignore = "measures an optimised build")]
fn ten_thousand_services_resolve_in_forty_milliseconds() {
    let mut text: serde_json::Value = serde_json::to_value(document("minimal")).unwrap();
    text["realServers"] = (0..4)
        .map(|n| json!({ "name": format!("rs{n}"), "address": format!("10.0.0.{}", 10 + n) }))
        .collect();
    text["vips"] = (0..10)
        .map(|n| json!({ "name": format!("v{n}"), "address": format!("192.0.2.{}", 100 + n) }))
        .collect();
    let service = |n| json!({ "name": format!("s{n}"), "vip": format!("v{}", n / 1000), "port": 1 + n % 1000 });
    text["services"] = (0..10_000).map(service).collect();
    let document: Document = serde_json::from_value(text).unwrap();
    let resolved = || {
        let start = Instant::now();
        let desired = desired::resolve(&document, "dir1", &facts()).unwrap();
        assert_eq!(desired.state.destinations.len(), 40_000);
        start.elapsed()
    };
    // The best of several: others work on this machine too.
    let best = (0..7).map(|_| resolved()).min().unwrap();
    eprintln!("resolved in {best:?}");
    assert!(
        cfg!(debug_assertions) || best.as_millis() < 40,
        "took {best:?}"
    );
}
