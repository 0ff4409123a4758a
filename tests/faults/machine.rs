//! A machine in memory with a real state directory, on which runs are made as the commands make them.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::FutureExt as _;
use lvs_reconcile::apply::Report;
use lvs_reconcile::cycle::{Options, Turn, Wanted, turn};
use lvs_reconcile::delta::Verb;
use lvs_reconcile::host::Host as _;
use lvs_reconcile::host::memory::{Fault, MemoryHost};
use lvs_reconcile::journal;
use lvs_reconcile::overlay::drain::{Drains, Moment};
use lvs_reconcile::ownership::Inventory;
use lvs_reconcile::plan::Plan;
use lvs_reconcile::resources::{Change, State};
use lvs_reconcile::store::Store;

use crate::setting::Setting;

pub struct Machine {
    pub host: MemoryHost,
    store: Store,
    _room: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ran {
    /// Nothing was to be done.
    Idle,
    Reported(Box<Report>),
    Died,
}

/// A directory in memory: what is synced there costs nothing.
pub fn room() -> tempfile::TempDir {
    match Path::new("/dev/shm").is_dir() {
        true => tempfile::tempdir_in("/dev/shm").unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

impl Machine {
    pub fn at(setting: &Setting) -> Self {
        Self::with(setting, BTreeMap::new())
    }

    pub fn with(setting: &Setting, faults: impl Into<BTreeMap<usize, Fault>>) -> Self {
        let room = room();
        let store = Store::at(room.path());
        store.save_inventory(&setting.inventory).unwrap();
        let mut host = MemoryHost::new(setting.start.clone());
        host.faults = faults.into();
        Self {
            host,
            store,
            _room: room,
        }
    }

    /// What an undisturbed run makes of the setting: the machine, and the inventory.
    pub fn after_an_undisturbed_run(mut self, setting: &Setting) -> (State, Inventory) {
        let ran = self.run(setting).unwrap();
        assert!(ran.is_converged(), "{}: {ran:?}", setting.name);
        (self.host.state.clone(), self.inventory())
    }

    pub fn plan(&mut self, setting: &Setting) -> Result<Turn, String> {
        let wanted = Wanted {
            desired: setting.desired.clone(),
            table: setting.table,
            inventory: journal::recover(&self.store, self.inventory()).unwrap(),
            drains: Drains::default(),
            now: Moment {
                boot_id: "one".into(),
                seconds: 1000,
            },
        };
        let looked = turn(wanted, &options(), &mut self.host).now_or_never();
        let turn = looked.ok_or("it died while looking")?;
        let turn = turn.map_err(|error| error.to_string())?;
        match turn.refusals.is_empty() {
            true => Ok(turn),
            false => Err(format!("refused: {:?}", turn.refusals)),
        }
    }

    /// One run, as `apply --yes` makes it.
    pub fn run(&mut self, setting: &Setting) -> Result<Ran, String> {
        let turn = self.plan(setting)?;
        self.make(turn)
    }

    pub fn make(&mut self, mut turn: Turn) -> Result<Ran, String> {
        if turn.plan.is_empty() {
            turn.note(&self.store).map_err(|error| error.to_string())?;
            return Ok(Ran::Idle);
        }
        // Dropped where it stands, when it died.
        match turn.make(&self.store, &mut self.host).now_or_never() {
            Some(Ok(report)) => Ok(Ran::Reported(Box::new(report))),
            Some(Err(why)) => Err(format!("{why:?}")),
            None => Ok(Ran::Died),
        }
    }

    pub fn inventory(&self) -> Inventory {
        self.store.inventory().unwrap()
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn has_journal(&self) -> bool {
        journal::is_pending(&self.store)
    }
}

impl Ran {
    pub fn is_converged(&self) -> bool {
        match self {
            Self::Idle => true,
            Self::Reported(report) => report.is_converged(),
            Self::Died => false,
        }
    }

    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Reported(report) => Some(report),
            Self::Idle | Self::Died => None,
        }
    }

    pub fn is_restored(&self) -> bool {
        matches!(self, Self::Reported(report) if report.is_restored())
    }
}

fn options() -> Options {
    Options::unguarded()
}

/// Takes `gone` away, and with it what the kernel takes away by the way.
pub fn remove(host: &mut MemoryHost, gone: &State) {
    let deletions = gone.changes_to(&State::default());
    for run in Plan::of(deletions).runs() {
        host.apply(run).now_or_never().unwrap();
    }
}

/// How `now` differs from `before`, without modules, which are retained.
pub fn differences(now: &State, before: &State) -> Vec<Change> {
    let without_modules = |state: &State| State {
        modules: Default::default(),
        ..state.as_goal()
    };
    without_modules(now).changes_to(&without_modules(before))
}

/// What of `these` is gone, or is no longer what it was.
pub fn lost(these: &State, now: &State) -> Vec<Change> {
    let changes = now.changes_to(these);
    changes
        .into_iter()
        .filter(|it| it.verb() != Verb::Delete)
        .collect()
}

/// What one of the two inventories says and the other does not. What is set or retained is never removed, and so it
/// does not matter who it belongs to.
pub fn disagreements(one: &Inventory, other: &Inventory) -> Vec<String> {
    let [one, other] = [one, other].map(|it| {
        let mut it = it.clone();
        it.owned.modules = Default::default();
        it.owned.sysctls = Default::default();
        it.owned.timeouts = Default::default();
        serde_json::to_string_pretty(&it).unwrap()
    });
    let diff = similar::TextDiff::from_lines(&one, &other);
    let changes = diff.iter_all_changes();
    changes
        .filter(|it| it.tag() != similar::ChangeTag::Equal)
        .map(|it| format!("{}{}", it.tag(), it.value().trim()))
        .collect()
}
