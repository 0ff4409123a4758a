//! Plans as an operator sees them: each folder of `tests/plans` is a case.
//!
//! `document.json` is what is wanted; `before.json` is the document that the machine matches, or `live.json` the state
//! that it is in; `connections.json` says who is connected, and with a file `now` nobody waits for them; `plan.txt` is
//! what is printed. UPDATE=1 writes `plan.txt`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lvs_reconcile::cycle::{Options, Turn, Wanted, turn};
use lvs_reconcile::desired::{Desired, Facts, resolve};
use lvs_reconcile::document;
use lvs_reconcile::host::Connections;
use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::lint::Warnings;
use lvs_reconcile::output::{Context, Files, json, markdown, text};
use lvs_reconcile::overlay::drain::{Drains, Moment, Policy};
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::resources::State;

#[test]
fn every_case_prints_its_plan() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 10, "only {} cases were found", cases.len());
    for case in cases {
        let printed = Case::read(&case).printed();
        let path = case.join("plan.txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &printed).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if printed != expected {
            let diff = similar::TextDiff::from_lines(&expected, &printed);
            wrong.push(format!(
                "{}\n{}",
                case.display(),
                diff.unified_diff().header("plan.txt", "printed")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_is_what_its_schema_says_and_counts_as_the_text_does() {
    let schema = serde_json::from_str(json::SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let schema = jsonschema::validator_for(&schema).unwrap();
    for path in cases() {
        let case = Case::read(&path);
        let (turn, desired) = case.turn();
        let warnings = case.warnings(&desired);
        let value = json::plan(&turn, &case.context(&desired, &warnings));
        let wrong: Vec<_> = schema
            .iter_errors(&value)
            .map(|it| it.to_string())
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
        assert_eq!(
            value["changes"].as_array().unwrap().len(),
            turn.changes.len()
        );
        let first = text::plan(&turn, &case.context(&desired, &warnings));
        let count = if turn.changes.is_empty() {
            "Nothing".to_owned()
        } else {
            turn.changes.len().to_string()
        };
        assert!(
            first.lines().nth(1).unwrap().contains(&count),
            "{}",
            path.display()
        );
    }
}

/// A program finds by its code what a person reads; the older list of plain lines stays as it was.
#[test]
fn warnings_have_their_codes_everywhere() {
    let case = Case::read(Path::new("tests/plans/machine-added"));
    let (turn, desired) = case.turn();
    let warnings = case.warnings(&desired);
    let context = case.context(&desired, &warnings);
    let value = json::plan(&turn, &context);
    let shown = [
        text::plan(&turn, &context),
        markdown::plan(&turn, &context, markdown::LIMIT),
    ];
    let codes: Vec<&str> = value["lint"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["LVS018", "LVS020", "LVS028"]);
    for found in value["lint"].as_array().unwrap() {
        let code = found["code"].as_str().unwrap();
        assert!(shown.iter().all(|it| it.contains(code)), "{code}");
        let plain = value["warnings"].as_array().unwrap();
        assert!(plain.contains(&found["message"]), "{code}");
    }
    assert_eq!(value["silenced"], 0);
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir("tests/plans")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

struct Case {
    node: String,
    document: document::Document,
    live: State,
    ours: bool,
    connections: BTreeMap<String, u64>,
    files: Files,
    drain: Policy,
}

impl Case {
    fn read(dir: &Path) -> Self {
        let file = |name: &str| fs::read(dir.join(name)).ok();
        let load = |bytes: Vec<u8>| {
            document::load(&bytes, "document.json")
                .unwrap_or_else(|problems| panic!("{}: {problems}", dir.display()))
        };
        let node = file("node").map_or_else(
            || "dir1".to_owned(),
            |it| String::from_utf8(it).unwrap().trim().to_owned(),
        );
        let before = file("before.json").map(|bytes| resolved(&load(bytes), &node).state);
        let live = file("live.json").map(|bytes| serde_json::from_slice(&bytes).unwrap());
        Self {
            ours: before.is_some(),
            live: merged(before, live),
            document: load(file("document.json").expect("document.json")),
            connections: file("connections.json")
                .map_or_else(BTreeMap::new, |it| serde_json::from_slice(&it).unwrap()),
            files: if dir.join("diff").exists() {
                Files::Diffed
            } else {
                Files::Named
            },
            drain: if dir.join("now").exists() {
                Policy::Now
            } else {
                Options::usual().drain
            },
            node,
        }
    }

    fn turn(&self) -> (Turn, Desired) {
        let desired = resolved(&self.document, &self.node);
        let mut host = MemoryHost::new(self.live.clone());
        for key in self.live.destinations.keys() {
            let active = self.connections.get(&key.to_string()).copied().unwrap_or(0);
            host.connections.insert(
                *key,
                Connections {
                    active,
                    inactive: 0,
                },
            );
        }
        let mut inventory = Inventory::default();
        if self.ours {
            inventory.owned = self.live.all_keys();
        }
        let wanted = Wanted {
            desired: desired.state.clone(),
            table: if desired.exclusive {
                IpvsTable::Exclusive
            } else {
                IpvsTable::Shared
            },
            inventory,
            drains: Drains::default(),
            now: Moment {
                boot_id: "one".into(),
                seconds: 100,
            },
        };
        let options = Options {
            drain: self.drain,
            ..Options::usual()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let turn = runtime.block_on(turn(wanted, &options, &mut host)).unwrap();
        (turn, desired)
    }

    fn warnings(&self, desired: &Desired) -> Warnings {
        Warnings::new(&self.document.silence).and(desired.warnings.clone())
    }

    fn context<'a>(&'a self, desired: &'a Desired, warnings: &'a Warnings) -> Context<'a> {
        Context {
            command: "plan",
            node: &self.node,
            document: "document.json",
            names: &desired.names,
            warnings,
            choices: &desired.choices,
            live: None,
            files: self.files,
            most: 200,
        }
    }

    fn printed(&self) -> String {
        let (turn, desired) = self.turn();
        let warnings = self.warnings(&desired);
        let coloured = text::plan(&turn, &self.context(&desired, &warnings));
        anstream::adapter::strip_str(&coloured).to_string()
    }
}

fn resolved(document: &document::Document, node: &str) -> Desired {
    resolve(document, node, &Facts::unknown()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn merged(before: Option<State>, live: Option<State>) -> State {
    let mut state = before.unwrap_or_default();
    state.merge(live.unwrap_or_default());
    state
}
