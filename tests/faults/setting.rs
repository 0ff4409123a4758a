//! Where a run begins, what it wants, and what else stands on the machine.

use std::fs;
use std::path::Path;

use lvs_reconcile::desired::{Desired, Facts, resolve};
use lvs_reconcile::document::Document;
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::resources::State;
use lvs_reconcile::resources::file::Content;
use lvs_reconcile::resources::link::{Link, LinkKind};
use lvs_reconcile::resources::sysctl::Sysctl;

use crate::machine::Machine;
use crate::world::{foreign_beside, neglected};

/// One director, in one state that it may be in before a run.
pub struct Setting {
    pub name: String,
    pub start: State,
    pub desired: State,
    /// What is ours when the run begins.
    pub inventory: Inventory,
    pub table: IpvsTable,
    /// Part of `start`.
    pub foreign: State,
}

/// Every director of every example and of every document that is rendered, from bare, from drifted, and on its way out.
pub fn settings(files: &Path) -> Vec<Setting> {
    let mut all = Vec::new();
    for (name, desired) in examples() {
        let table = match desired.exclusive {
            true => IpvsTable::Exclusive,
            false => IpvsTable::Shared,
        };
        let desired = below(files, desired.state);
        let bare = from_bare(&name, &desired, table);
        let (made, inventory) = Machine::at(&bare).after_an_undisturbed_run(&bare);
        all.push(drifted(&bare, &made, &inventory));
        all.push(removal(&bare, made, inventory));
        all.push(bare);
    }
    all
}

fn examples() -> Vec<(String, Desired)> {
    let mut all = Vec::new();
    let examples = fs::read_dir("examples")
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.is_file());
    let cases = fs::read_dir("tests/rendered").unwrap();
    let cases = cases.map(|it| it.unwrap().path().join("document.json"));
    for path in examples.chain(cases.filter(|it| it.exists())) {
        let document: Document = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for director in document.directors.iter().map(|it| it.name.to_string()) {
            let desired = resolve(&document, &director, &Facts::unknown()).unwrap();
            all.push((format!("{} {director}", path.display()), desired));
        }
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

/// All files moved into `room`, where the journal finds something to copy.
fn below(room: &Path, mut state: State) -> State {
    let moved = |path: &str| format!("{}{path}", room.display());
    let mut files = Vec::from(std::mem::take(&mut state.files));
    for file in &mut files {
        file.key.path = moved(&file.key.path);
        fs::create_dir_all(Path::new(&file.key.path).parent().unwrap()).unwrap();
        fs::write(&file.key.path, "").unwrap();
    }
    let mut units = Vec::from(std::mem::take(&mut state.units));
    for path in units.iter_mut().flat_map(|it| &mut it.reads) {
        *path = moved(path);
    }
    State {
        files: files.into(),
        units: units.into(),
        ..state
    }
}

fn from_bare(name: &str, desired: &State, table: IpvsTable) -> Setting {
    let mut foreign = foreign_beside();
    foreign.modules = Default::default();
    foreign.virtual_services = Default::default();
    foreign.destinations = Default::default();
    let mut start = bare(desired);
    start.merge(foreign.clone());
    Setting {
        name: format!("{name} from bare"),
        start,
        desired: desired.clone(),
        inventory: Inventory::default(),
        table,
        foreign,
    }
}

/// The cards, and the settings that exist without us, with other values.
fn bare(desired: &State) -> State {
    let card = |it: &&Link| it.kind == LinkKind::Physical;
    let made = |it: &&Sysctl| {
        let path = it.key.path();
        let links = desired.links.iter().filter(|link| !card(link));
        path.starts_with("net/ipv4/vs/") || links.into_iter().any(|link| path.contains(&link.name))
    };
    State {
        links: desired.links.iter().filter(card).map(down).collect(),
        sysctls: desired
            .sysctls
            .iter()
            .filter(|it| !made(it))
            .map(other)
            .collect(),
        ..State::default()
    }
}

fn down(link: &Link) -> Link {
    Link {
        up: false,
        mtu: link.mtu.map(|_| 1400),
        controller: None,
        ..link.clone()
    }
}

fn other(sysctl: &Sysctl) -> Sysctl {
    let value = if sysctl.value == "0" { "1" } else { "0" };
    Sysctl {
        value: value.into(),
        ..sysctl.clone()
    }
}

/// Somebody removed much of it and edited the rest; and something of ours stands there that is no longer wanted.
fn drifted(bare: &Setting, made: &State, inventory: &Inventory) -> Setting {
    let foreign = foreign(bare.table);
    let mut host = lvs_reconcile::host::memory::MemoryHost::new(made.clone());
    crate::machine::remove(&mut host, &some_of(made, &bare.foreign));
    let mut start = host.state;
    let mut inventory = inventory.clone();
    inventory.owned.merge(&neglected().all_keys());
    start.merge(neglected());
    start.merge(foreign.clone());
    start.sysctls = start.sysctls.iter().map(other).collect();
    for destination in Vec::from(start.destinations.clone()) {
        let mut edited = destination;
        edited.at.weight += 1;
        start.destinations.insert(edited);
    }
    for mut file in Vec::from(bare.desired.files.clone())
        .into_iter()
        .skip(1)
        .step_by(2)
    {
        file.content = Content::text("edited");
        start.files.insert(file);
    }
    start.merge(foreign.clone());
    Setting {
        name: bare.name.replace("from bare", "from drifted"),
        start,
        desired: bare.desired.clone(),
        inventory,
        table: bare.table,
        foreign,
    }
}

/// About half of what was made, and everything of the kinds of which there are few.
fn some_of(made: &State, foreign: &State) -> State {
    let mut gone = made.clone();
    gone.modules = Default::default();
    gone.links = Default::default();
    gone.sysctls = Default::default();
    gone.timeouts = Default::default();
    gone.addresses = made.addresses.iter().take(2).cloned().collect();
    gone.virtual_services = made
        .virtual_services
        .iter()
        .skip(1)
        .step_by(3)
        .copied()
        .collect();
    gone.destinations = made.destinations.iter().step_by(2).copied().collect();
    gone.files = made.files.iter().step_by(2).cloned().collect();
    gone.remove_all(&foreign.all_keys());
    gone
}

fn foreign(table: IpvsTable) -> State {
    let mut foreign = foreign_beside();
    foreign.modules = Default::default();
    if table == IpvsTable::Exclusive {
        foreign.virtual_services = Default::default();
        foreign.destinations = Default::default();
    }
    foreign
}

fn removal(bare: &Setting, made: State, inventory: Inventory) -> Setting {
    let foreign = foreign(bare.table);
    let mut start = made;
    start.merge(foreign.clone());
    Setting {
        name: bare.name.replace("from bare", "removal"),
        start,
        desired: State::default(),
        inventory,
        table: IpvsTable::Shared,
        foreign,
    }
}
