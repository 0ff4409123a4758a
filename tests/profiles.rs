//! Installations: whatever a document says comes out of the files as it went in, or the document is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at once"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;

use lvs_reconcile::desired::{self, Facts};
use lvs_reconcile::document;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

mod figures;
#[path = "profiles/own.rs"]
mod own;
#[path = "profiles/read.rs"]
mod read;
#[path = "profiles/templates.rs"]
mod templates;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO99dImMIqS/C+Q30wmHvJRTENzfHdtIprzghfN2swKu root@dir1";

/// Every field of a profile that holds text, with values that are good for every target.
fn fields() -> Vec<(&'static str, Value)> {
    vec![
        ("name", json!("web")),
        ("url", json!("http://10.0.0.1:8080/a/b_c?d=e&f=%20")),
        ("language", json!("de_DE.UTF-8")),
        ("keyboard", json!("de-latin1")),
        ("timezone", json!("America/New_York")),
        ("ntpServers", json!(["ntp.cluster.example"])),
        (
            "repositories",
            json!([{ "name": "App_Stream", "url": "https://10.0.0.1/x" }]),
        ),
        (
            "rootPasswordFile",
            json!("/etc/lvs-reconcile/secrets/root.hash"),
        ),
        ("sshKeys", json!([KEY])),
        ("disk", json!("disk/by-id/ata-0:1")),
        (
            "partitions",
            json!([{ "mount": "/", "sizeMiB": 9 }, { "mount": "/srv/x", "sizeMiB": 9 }]),
        ),
        ("packages", json!(["httpd", "libc6.1-dev"])),
        ("enabledServices", json!(["getty@tty1.service", "sshd"])),
        ("mounts", json!([{ "export": "/opt/x", "at": "/srv/y" }])),
        ("pre", json!(["echo a", "echo b"])),
        ("post", json!(["cat <<'EOF'", "x", "EOF"])),
    ]
}

/// A profile with these fields on the machine `rs1`.
fn cluster(target: &str, fields: &[(&str, Value)]) -> Value {
    let mut profile = json!({ "target": target });
    for (name, value) in fields {
        profile[*name] = value.clone();
    }
    // What the installers of Debian and Ubuntu cannot be told.
    if target.starts_with(['d', 'u']) {
        profile.as_object_mut().unwrap().remove("partitions");
        profile.as_object_mut().unwrap().remove("repositories");
    }
    json!({
        "version": 1,
        "domain": "cluster.example",
        "directors": [{ "name": "dir1", "interfaces": [
            { "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"] },
            { "name": "eth1", "role": "inside", "addresses": ["10.0.0.1/24"] },
        ] }],
        "realServers": [{ "name": "rs1", "address": "10.0.0.11", "mac": "02:00:00:00:00:11" }],
        "exports": [{ "path": "/opt/x" }],
        "netboot": { "kickstart": [profile] },
    })
}

/// The files below `/kickstart`, or why there are none.
fn files(cluster: &Value) -> Result<BTreeMap<String, String>, String> {
    let text = cluster.to_string();
    let document = document::load(text.as_bytes(), "c").map_err(|it| it.to_string())?;
    let facts = Facts {
        nfs_unit: Some("nfs-server".to_owned()),
        ..Facts::unknown()
    };
    let desired = desired::resolve(&document, "dir1", &facts).map_err(|problems| {
        let lines = problems.iter().map(|it| format!("{it}\n"));
        lines.collect::<String>()
    })?;
    let files = desired::render(&desired);
    let files =
        files.filter_map(|(path, text)| Some((path.strip_prefix("/kickstart/")?.to_owned(), text)));
    Ok(files.collect())
}

/// A field that nobody fuzzes is a field that may be forged.
#[test]
fn every_field_of_a_profile_is_known_here() {
    let schema: Value = serde_json::from_str(&document::schema()).unwrap();
    let of = |kind: &str| {
        let properties = schema["$defs"][kind]["properties"].as_object().unwrap();
        properties.keys().cloned().collect::<Vec<_>>()
    };
    let mut known: Vec<&str> = fields().iter().map(|(name, _)| *name).collect();
    // A word of a closed list; and a template is its author's own.
    known.extend(["target", "template"]);
    known.sort_unstable();
    assert_eq!(of("KickstartProfile"), known);
    assert_eq!(of("Repository"), ["name", "url"]);
    assert_eq!(of("NfsMount"), ["at", "export", "server"]);
    assert_eq!(of("Partition"), ["grow", "mount", "sizeMiB"]);
}

const TARGETS: [&str; 12] = [
    "rhel7",
    "rhel8",
    "rhel9",
    "rhel10",
    "fedora43",
    "fedora44",
    "fedora45",
    "debian12",
    "debian13",
    "ubuntu22.04",
    "ubuntu24.04",
    "ubuntu26.04",
];

#[test]
fn good_values_come_out_of_every_file() {
    for target in TARGETS {
        let cluster = cluster(target, &fields());
        let files = files(&cluster).unwrap_or_else(|it| panic!("{target}: {it}"));
        read::assert_says(&cluster["netboot"]["kickstart"][0], &files);
    }
}

/// What means something to one of the files, to a shell, to Python or to a terminal.
const HOSTILE: [&str; 56] = [
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\"",
    "'",
    "\\",
    "#",
    "$",
    "`",
    ";",
    "&",
    "|",
    "%",
    "{",
    "}",
    "<",
    ">",
    "(",
    ")",
    "*",
    "?",
    "~",
    "!",
    "=",
    ",",
    ":",
    "-",
    "@",
    "/",
    ".",
    "\u{b}",
    "\u{1b}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{e000}",
    "é",
    "😀",
    "%end",
    "\n%post\n",
    "%include /x",
    "%ksappend http://x",
    "$(x)",
    "<%= 1 %>",
    "{{ 1 }}",
    " --opt=1",
    "\\n",
    "\nKEYS\n",
    "d-i ",
    "\"}",
    "\\",
];

/// Hostile text, alone or somewhere in a good value.
fn hostile(good: String) -> impl Strategy<Value = String> {
    let pieces = || prop::collection::vec(prop::sample::select(&HOSTILE[..]), 1..4);
    let inside = (pieces(), 0..=good.len()).prop_map(move |(pieces, at)| {
        let (before, after) = good.split_at(at);
        format!("{before}{}{after}", pieces.concat())
    });
    prop_oneof![3 => inside, 1 => pieces().prop_map(|it| it.concat()), 1 => "[ -~]{0,12}"]
}

/// The places of all strings in a value.
fn strings(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(list) => {
            let places = list.iter().enumerate();
            places.for_each(|(number, it)| strings(it, &format!("{at}/{number}"), found));
        }
        Value::Object(object) => {
            let places = object.iter();
            places.for_each(|(name, it)| strings(it, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

/// A profile in which one string of one field is hostile.
fn profile() -> impl Strategy<Value = Value> {
    let all: Value = fields()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let mut places = Vec::new();
    strings(&all, "", &mut places);
    let choice = (
        prop::sample::select(&TARGETS[..]),
        prop::sample::select(places),
    );
    choice.prop_flat_map(move |(target, place)| {
        let all = all.clone();
        let good = all.pointer(&place).unwrap().as_str().unwrap().to_owned();
        hostile(good).prop_map(move |text| {
            let mut all = all.clone();
            *all.pointer_mut(&place).unwrap() = text.into();
            let fields: Vec<_> = fields()
                .into_iter()
                .map(|(name, _)| (name, all[name].clone()))
                .collect();
            cluster(target, &fields)
        })
    })
}

/// So many times the usual number of clusters with one value that somebody meant harm by. What is accepted is looked at;
/// how it went, in a line.
pub(crate) fn nothing_forged(
    what: &str,
    times: u32,
    clusters: &impl Strategy<Value = Value>,
    is_accepted: impl Fn(&Value) -> bool,
) -> String {
    let (tried, accepted) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        cases: figures::cases() * times,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(clusters, |cluster| {
        tried.set(tried.get() + 1);
        accepted.set(accepted.get() + u32::from(is_accepted(&cluster)));
        Ok(())
    });
    outcome.unwrap_or_else(|it| panic!("{it}"));
    let (tried, accepted) = (tried.get(), accepted.get());
    // Neither refusing everything nor accepting everything is what is meant.
    assert!(
        accepted > tried / 20 && accepted < tried * 3 / 4,
        "{accepted} of {tried}"
    );
    let refused = tried - accepted;
    format!(
        "{tried} {what} with a hostile value: {refused} refused, {accepted} in files that say just that, 0 forged"
    )
}

/// The document is refused, or every file says what it says and no more.
#[test]
fn nothing_is_injected() {
    let found = nothing_forged("profiles", 12, &profile(), |cluster| {
        let files = files(cluster);
        if let Ok(files) = &files {
            read::assert_says(&cluster["netboot"]["kickstart"][0], files);
        }
        files.is_ok()
    });
    figures::figure("P15", "installations", &found);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Most of what is hostile elsewhere is everyday in a script: it has to come through.
    #[test]
    fn scripts_are_carried_to_the_letter(
        target in prop::sample::select(&TARGETS[..]),
        lines in prop::collection::vec("[ -~\t]{0,20}|.{0,8}", 1..6),
    ) {
        let mut fields = fields();
        for name in ["pre", "post"] {
            let field = fields.iter_mut().find(|it| it.0 == name).unwrap();
            field.1 = json!(lines);
        }
        let cluster = cluster(target, &fields);
        match files(&cluster) {
            Ok(files) => read::assert_says(&cluster["netboot"]["kickstart"][0], &files),
            Err(said) => prop_assert!(said.contains("contains '") || said.contains("a word of the installer"), "{said}"),
        }
    }
}

/// What subiquity documents of the keys that we write, and no others: its own schema lets a misspelt key pass.
#[test]
fn autoinstall_is_what_subiquity_documents() {
    let schema = fs::read_to_string("tests/profiles/autoinstall.schema.json").unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for target in TARGETS.iter().filter(|it| it.starts_with('u')) {
        for fields in [
            fields(),
            vec![("name", json!("web")), ("url", json!("http://10.0.0.1/"))],
        ] {
            let files = files(&cluster(target, &fields)).unwrap();
            let mut read = read::json(&files["rs1/user-data"]);
            let errors: Vec<_> = validator
                .iter_errors(&read)
                .map(|it| it.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:?}");
            read["autoinstall"]["pakages"] = json!([]);
            assert!(!validator.is_valid(&read));
        }
    }
}
