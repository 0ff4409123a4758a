//! What stands on disk is enough to take runs back: for every pair of states, machine and inventory are as they were.

use lvs_reconcile::cycle::{Options, Turn, Wanted, turn};
use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::journal::{self, Stage};
use lvs_reconcile::overlay::drain::{Drains, Moment};
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::resources::{Change, State};
use lvs_reconcile::rollback::Former;
use lvs_reconcile::store::Store;
use lvs_reconcile::verify::Goal;
use proptest::prelude::*;

#[allow(dead_code, reason = "shared with the laws")]
mod world;
use world::{a_state, foreign_beside};

fn ready<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn planned(host: &mut MemoryHost, desired: State, store: &Store) -> Turn {
    let wanted = Wanted {
        desired,
        table: IpvsTable::Shared,
        inventory: journal::recover(store, store.inventory().unwrap()).unwrap(),
        drains: Drains::default(),
        now: Moment {
            boot_id: "one".into(),
            seconds: 1000,
        },
    };
    let options = Options::unguarded();
    ready(turn(wanted, &options, host)).unwrap()
}

fn make(host: &mut MemoryHost, desired: &State, store: &Store) {
    let mut turn = planned(host, desired.clone(), store);
    assert!(turn.refusals.is_empty(), "{:?}", turn.refusals);
    if turn.plan.is_empty() {
        turn.note(store).unwrap();
        return;
    }
    let report = ready(turn.make(store, host)).unwrap();
    assert!(report.is_converged(), "{report:?}");
}

/// Takes all runs back, from what is on disk.
fn take_back(host: &mut MemoryHost, store: &Store) {
    let runs = journal::runs(store, Stage::Over);
    let entries = runs.iter().rev().map(|it| it.entry().unwrap());
    let former = Former::before(entries);
    let inventory = store.inventory().unwrap();
    let goal = Goal::of(former.to_look_at(), inventory, IpvsTable::Shared);
    let live = ready(goal.look(host)).unwrap().seen.state;
    make(host, &former.over(&live), store);
    let inventory = former.inventory(store.inventory().unwrap());
    store.save_inventory(&inventory).unwrap();
}

/// Without modules, which are retained.
fn comparable(state: &State) -> State {
    let mut state = state.clone();
    state.modules = Default::default();
    state
}

fn differences(host: &MemoryHost, other: &State) -> Vec<Change> {
    comparable(&host.state).changes_to(&comparable(other))
}

/// A machine that is in this state by our own doing, beside things of others.
fn machine(live: &State) -> (MemoryHost, Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path());
    let inventory = Inventory {
        owned: comparable(live).all_keys(),
        ..Inventory::default()
    };
    store.save_inventory(&inventory).unwrap();
    let mut state = live.clone();
    state.merge(foreign_beside());
    (MemoryHost::new(state), store, dir)
}

fn check(live: &State, documents: &[&State]) {
    let (mut host, store, _dir) = machine(live);
    let (before, inventory) = (host.state.clone(), store.inventory().unwrap());
    for document in documents {
        make(&mut host, document, &store);
    }
    take_back(&mut host, &store);
    let left = differences(&host, &before);
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(store.inventory().unwrap(), inventory);
}

proptest! {
    #[test]
    fn a_run_is_taken_back_from_disk(live in a_state(), desired in a_state()) {
        check(&live, &[&desired]);
    }

    #[test]
    fn runs_are_taken_back_together(live in a_state(), one in a_state(), two in a_state()) {
        check(&live, &[&one, &two]);
    }
}
