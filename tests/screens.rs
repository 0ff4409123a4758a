//! Every screen that needs no machine: `tests/screens/*.txt`.
//!
//! What is typed finds the files of `tests/screens/inputs` where it is, and two snapshots that are made of them:
//! `live.json` of a director as `before.json` has it, all of it ours, and `strange.json` of the same one with nothing
//! ours and a card less.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use futures_util::FutureExt as _;
use lvs_reconcile::cycle::{Options, Wanted, turn};
use lvs_reconcile::desired::{Facts, resolve};
use lvs_reconcile::document;
use lvs_reconcile::host::Connections;
use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::overlay::drain::Drains;
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::resources::State;
use lvs_reconcile::sealed;
use lvs_reconcile::snapshot::{Recorder, Snapshot};
use lvs_reconcile::store::digest;
use lvs_reconcile::surroundings::Surroundings;

#[path = "screens/play.rs"]
mod play;

use play::{Screen, assert_same, screens};

const INPUTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screens/inputs");

fn wanted(name: &str) -> State {
    let bytes = fs::read(Path::new(INPUTS).join(name)).unwrap();
    let document = document::load(&bytes, name).unwrap_or_else(|it| panic!("{it}"));
    resolve(&document, "dir1", &Facts::unknown()).unwrap().state
}

/// A snapshot of a director in this state, taken with `cluster.json`.
fn snapshot(live: State, inventory: Inventory) -> String {
    let around = Surroundings {
        node: "dir1".to_owned(),
        inventory,
        ..Surroundings::unknown()
    };
    let mut host = MemoryHost::new(live);
    let busy = Connections {
        active: 3,
        inactive: 0,
    };
    let destinations = host.state.destinations.keys().copied();
    host.connections = destinations.map(|it| (it, busy)).collect();
    let mut recorder = Recorder::new(&mut host);
    let wanted = Wanted {
        desired: wanted("cluster.json"),
        table: IpvsTable::Shared,
        inventory: around.inventory.clone(),
        drains: Drains::default(),
        now: around.now.clone(),
    };
    let planned = turn(wanted, &Options::usual(), &mut recorder).now_or_never();
    planned.unwrap().unwrap();
    let seen = recorder.complete(&around, Vec::new()).now_or_never();
    let snapshot = Snapshot {
        tool: "lvs-reconcile".to_owned(),
        taken: 1_800_000_000,
        document: digest(&fs::read(Path::new(INPUTS).join("cluster.json")).unwrap()),
        unsettled: State::default(),
        around,
        seen: seen.unwrap().unwrap(),
    };
    sealed::text(&snapshot)
}

/// What stands where somebody types.
fn lay_out(room: &Path) {
    for input in fs::read_dir(INPUTS).unwrap() {
        let input = input.unwrap();
        fs::copy(input.path(), room.join(input.file_name())).unwrap();
    }
    let live = wanted("before.json");
    let ours = Inventory {
        owned: live.all_keys(),
        ..Inventory::default()
    };
    fs::write(room.join("live.json"), snapshot(live.clone(), ours)).unwrap();
    let mut strange = live;
    strange.links.retain(|name| name != "eth1");
    let nothing = Inventory::default();
    fs::write(room.join("strange.json"), snapshot(strange, nothing)).unwrap();
}

fn printed(screen: &Screen) -> String {
    let room = tempfile::tempdir().unwrap();
    lay_out(room.path());
    let program = Path::new(env!("CARGO_BIN_EXE_lvs-reconcile"));
    let programs = program.parent().unwrap().to_string_lossy();
    let ran = Command::new("bash")
        .args(["-c", &screen.script()])
        .current_dir(room.path())
        .env_clear()
        .env("PATH", format!("{programs}:/usr/bin:/bin"))
        .env("LVS_RECONCILE_STATE_DIR", "state")
        .env("LVS_RECONCILE_LOCK", "lock")
        .output()
        .unwrap();
    assert!(ran.stderr.is_empty(), "{}: {ran:?}", screen.name());
    let text = String::from_utf8(ran.stdout).unwrap();
    text.replace(&*room.path().to_string_lossy(), "/here")
}

#[test]
fn every_screen_is_as_it_was() {
    let screens = screens("tests/screens");
    assert!(screens.len() > 60, "only {} screens", screens.len());
    assert_same(&screens, printed);
}

/// A new command has its help on a screen.
#[test]
fn every_command_has_its_help_on_a_screen() {
    let help = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.lines().skip_while(|it| *it != "Commands:").skip(1);
    let listed = listed.take_while(|it| !it.is_empty());
    let names = listed.filter_map(|it| it.strip_prefix("  ")?.split(' ').next());
    let commands: BTreeSet<String> = names
        .filter(|it| !it.is_empty() && *it != "help")
        .map(|it| format!("lvs-reconcile {it} --help"))
        .collect();
    let screens = screens("tests/screens");
    let typed: BTreeSet<String> = screens.iter().flat_map(|it| it.typed().to_vec()).collect();
    let missing: Vec<_> = commands.difference(&typed).collect();
    assert!(missing.is_empty() && commands.len() > 20, "{missing:?}");
}
