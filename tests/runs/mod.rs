//! Runs as the commands make them, with their records on disk, on any machine.

use lvs_reconcile::cycle::{Options, Turn, Wanted, turn};
use lvs_reconcile::host::Host;
use lvs_reconcile::journal::{self, Stage};
use lvs_reconcile::overlay::drain::{Drains, Moment};
use lvs_reconcile::ownership::IpvsTable;
use lvs_reconcile::resources::State;
use lvs_reconcile::rollback::Former;
use lvs_reconcile::store::Store;
use lvs_reconcile::verify::Goal;

/// The plan that leads to `desired`.
pub async fn planned<H: Host>(host: &mut H, desired: State, store: &Store) -> Turn {
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
    turn(wanted, &Options::unguarded(), host).await.unwrap()
}

/// Makes it; it must converge.
pub async fn make<H: Host>(host: &mut H, desired: &State, store: &Store) -> Turn {
    let mut turn = planned(host, desired.clone(), store).await;
    assert!(turn.refusals.is_empty(), "{:?}", turn.refusals);
    if turn.plan.is_empty() {
        turn.note(store).unwrap();
        return turn;
    }
    let report = turn.make(store, host).await.unwrap();
    assert!(report.is_converged(), "{report:?}");
    turn
}

/// Takes the last `count` runs back, from what is on disk.
pub async fn take_back<H: Host>(host: &mut H, store: &Store, count: usize) {
    let runs = journal::runs(store, Stage::Over);
    let last = runs.iter().rev().take(count);
    let former = Former::before(last.map(|it| it.entry().unwrap()));
    let inventory = store.inventory().unwrap();
    let goal = Goal::of(former.to_look_at(), inventory, IpvsTable::Shared);
    let live = goal.look(host).await.unwrap().seen.state;
    make(host, &former.over(&live), store).await;
    let inventory = former.inventory(store.inventory().unwrap());
    store.save_inventory(&inventory).unwrap();
}

/// Without modules, which are retained.
pub fn comparable(state: &State) -> State {
    let mut state = state.clone();
    state.modules = Default::default();
    state
}
