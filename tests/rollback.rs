//! What stands on disk is enough to take runs back: for every pair of states, machine and inventory are as they were.

use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::ownership::Inventory;
use lvs_reconcile::resources::{Change, State};
use lvs_reconcile::store::Store;
use proptest::prelude::*;

mod figures;
mod runs;
#[allow(dead_code, reason = "shared with the laws")]
mod world;
use figures::{cases, figure};
use runs::{comparable, make, take_back};
use world::{a_state, foreign_beside};

fn ready<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
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
        ready(make(&mut host, document, &store));
    }
    ready(take_back(&mut host, &store, documents.len()));
    let left = differences(&host, &before);
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(store.inventory().unwrap(), inventory);
}

#[test]
fn a_run_is_taken_back_from_disk() {
    proptest!(|(live in a_state(), desired in a_state())| check(&live, &[&desired]));
    let found = format!("{} runs taken back, 0 objects differ", cases());
    figure("P2", "model", &found);
}

#[test]
fn runs_are_taken_back_together() {
    proptest!(|(live in a_state(), one in a_state(), two in a_state())| check(&live, &[&one, &two]));
    let found = format!(
        "{} pairs of runs taken back together, 0 objects differ",
        cases()
    );
    figure("P13", "model", &found);
}
