//! Files of the author's own, and what ssh is told: what is accepted comes out as it went in.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use lvs_reconcile::delta::Delta;
use lvs_reconcile::desired::{self, Desired, Facts};
use lvs_reconcile::document;
use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::file::File;
use lvs_reconcile::resources::file::apply::perform;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{figures, hostile, nothing_forged, strings};

fn cluster() -> Value {
    json!({
        "version": 1,
        "domain": "cluster.example",
        "directors": [{ "name": "dir1", "interfaces": [
            { "name": "eth1", "role": "inside", "addresses": ["10.0.0.1/24", "fd00::1/64"] },
        ] }],
        "realServers": [
            { "name": "rs1", "address": "10.0.0.11" },
            { "name": "rs2", "address": "fd00::12" },
        ],
        "ssh": { "user": "root" },
        "files": [
            { "path": "/srv/a.b/c_d", "mode": "0640", "owner": "www-data", "group": "_apt", "content": ["one line", "\ttwo"] },
            { "path": "/srv/e", "template": ["<%= director.name %>", "<% for it in realServers %>", "<%= it.name %>", "<% endfor %>"] },
        ],
    })
}

/// The cluster with one string that is hostile. A template is a language: it is its author's own.
fn one_hostile() -> impl Strategy<Value = Value> {
    let mut places = Vec::new();
    for part in ["domain", "realServers", "ssh", "files"] {
        strings(&cluster()[part], &format!("/{part}"), &mut places);
    }
    places.retain(|it| !it.contains("/template/"));
    prop::sample::select(places).prop_flat_map(|place| {
        let good = cluster()
            .pointer(&place)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        hostile(good).prop_map(move |text| {
            let mut cluster = cluster();
            *cluster.pointer_mut(&place).unwrap() = text.into();
            cluster
        })
    })
}

fn resolved(cluster: &Value) -> Option<Desired> {
    let document = document::load(cluster.to_string().as_bytes(), "c").ok()?;
    desired::resolve(&document, "dir1", &Facts::unknown()).ok()
}

fn file<'a>(desired: &'a Desired, path: &str) -> &'a File {
    let mut files = desired.state.files.iter();
    files
        .find(|it| it.key.path == path)
        .expect("the file is made")
}

/// What stands on the disk when it is written there.
fn written(wanted: &File) -> Vec<u8> {
    let room = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = room.path().join("x");
    let mut wanted = wanted.clone();
    wanted.key.path = path.to_str().unwrap().to_owned();
    // Other owners are for root to set.
    wanted.owner = None;
    let outcomes = perform(&[&Delta::Create { to: wanted }]);
    assert!(matches!(outcomes[..], [Outcome::Done]), "{outcomes:?}");
    fs::read(path).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Path, mode, owner and every byte.
fn assert_files(cluster: &Value, desired: &Desired) {
    let own = &cluster["files"][0];
    let made = file(desired, text(&own["path"]));
    assert_eq!(made.mode, u32::from_str_radix(text(&own["mode"]), 8).ok());
    let owner = made.owner.as_ref().unwrap();
    assert_eq!(
        (&*owner.user, &*owner.group),
        (text(&own["owner"]), text(&own["group"]))
    );
    let lines = own["content"].as_array().unwrap();
    let wanted: String = lines.iter().map(|it| text(it).to_owned() + "\n").collect();
    assert_eq!(written(made), wanted.as_bytes());
    let names = cluster["realServers"].as_array().unwrap();
    let names: String = names
        .iter()
        .map(|it| format!("{}\n", text(&it["name"])))
        .collect();
    let made = file(desired, text(&cluster["files"][1]["path"]));
    assert_eq!(written(made), format!("dir1\n{names}").as_bytes());
}

const CONFIG: &str = "/etc/ssh/ssh_config.d/lvs-reconcile.conf";

/// Names, address and user of each block, by the grammar of ssh_config(5): a keyword and its arguments on a line.
fn blocks(config: &str) -> Vec<(Vec<String>, String, String)> {
    let mut blocks: Vec<(Vec<String>, String, String)> = Vec::new();
    for line in config
        .lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
    {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["Host", ref names @ ..] => {
                let names = names.iter().map(|it| (*it).to_owned()).collect();
                blocks.push((names, String::new(), String::new()));
            }
            ["HostName", address] => blocks.last_mut().unwrap().1 = address.to_owned(),
            ["User", user] => blocks.last_mut().unwrap().2 = user.to_owned(),
            _ => panic!("{line:?} says something else"),
        }
    }
    blocks
}

fn assert_ssh(cluster: &Value, desired: &Desired) {
    let config = String::from_utf8(written(file(desired, CONFIG))).unwrap();
    let domain = text(&cluster["domain"]);
    let machines = cluster["realServers"].as_array().unwrap().iter();
    let wanted: Vec<_> = machines
        .map(|it| {
            let name = text(&it["name"]);
            let names = vec![name.to_owned(), format!("{name}.{domain}")];
            let address: std::net::IpAddr = text(&it["address"]).parse().unwrap();
            (
                names,
                address.to_string(),
                text(&cluster["ssh"]["user"]).to_owned(),
            )
        })
        .collect();
    assert_eq!(blocks(&config), wanted);
}

/// Refused, or to the letter.
#[test]
fn nothing_is_injected_into_ones_own_files() {
    let found = nothing_forged("clusters", 8, &one_hostile(), |cluster| {
        let desired = resolved(cluster);
        if let Some(desired) = &desired {
            assert_files(cluster, desired);
            assert_ssh(cluster, desired);
        }
        desired.is_some()
    });
    figures::figure("P15", "files of one's own, ssh", &found);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Most of what is hostile elsewhere is everyday in a file.
    #[test]
    fn lines_are_carried_to_the_letter(lines in prop::collection::vec("[ -~\t]{0,30}|.{0,8}", 0..6)) {
        let mut cluster = cluster();
        cluster["files"][0]["content"] = json!(lines);
        if let Some(desired) = resolved(&cluster) {
            assert_files(&cluster, &desired);
        } else {
            let odd = |it: char| it.is_control() && it != '\t' || !it.is_ascii();
            prop_assert!(lines.concat().contains(odd));
        }
    }
}

/// Where ssh itself goes by what was accepted, and as whom.
#[test]
#[ignore = "needs root and the daemons"]
fn ssh_goes_where_the_document_says() {
    nothing_forged("clusters", 1, &one_hostile(), |cluster| {
        let desired = resolved(cluster);
        if let Some(desired) = &desired {
            let config = written(file(desired, CONFIG));
            for machine in cluster["realServers"].as_array().unwrap() {
                let name = text(&machine["name"]);
                assert_asked(&config, name, cluster, machine);
                let full = format!("{name}.{}", text(&cluster["domain"]));
                assert_asked(&config, &full, cluster, machine);
            }
        }
        desired.is_some()
    });
}

/// Address and user are the document's, and everything else is as without the file.
fn assert_asked(config: &[u8], name: &str, cluster: &Value, machine: &Value) {
    let address: std::net::IpAddr = text(&machine["address"]).parse().unwrap();
    let user = text(&cluster["ssh"]["user"]);
    let told = asked(config, name);
    let mut wanted = asked(b"", name);
    wanted.insert("hostname".into(), address.to_string());
    wanted.insert("user".into(), user.into());
    assert_eq!(told, wanted, "{name}");
}

/// What ssh would do, by keyword.
fn asked(config: &[u8], name: &str) -> BTreeMap<String, String> {
    let room = tempfile::NamedTempFile::new().unwrap();
    fs::write(room.path(), config).unwrap();
    let output = Command::new("ssh")
        .args(["-G", "-F"])
        .arg(room.path())
        .args(["--", name])
        .output()
        .expect("ssh is installed; tests/lab/install brings it");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let words = said.lines().filter_map(|it| it.split_once(' '));
    words
        .map(|(word, value)| (word.into(), value.into()))
        .collect()
}
