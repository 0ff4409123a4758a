//! What holds for every pair of states: thousands of generated ones, against a host as strict as the kernel.

use lvs_reconcile::apply::{End, apply};
use lvs_reconcile::cycle::{Options, Turn, Wanted, turn};
use lvs_reconcile::delta::{Nature, Resource, Verb};
use lvs_reconcile::host::memory::{Fault, MemoryHost};
use lvs_reconcile::host::{Connections, Host};
use lvs_reconcile::overlay::drain::{Drains, Moment, Policy};
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::resources::{Change, Keys, State};
use proptest::prelude::*;

#[allow(dead_code, reason = "shared with programs that count in another way")]
mod figures;
#[allow(dead_code, reason = "each test program draws from it what it needs")]
mod world;
use figures::figure;
use world::{a_state, foreign_beside};

fn moment() -> Moment {
    Moment {
        boot_id: "one".into(),
        seconds: 1000,
    }
}

fn options() -> Options {
    Options::unguarded()
}

/// Everything in `state` that is made rather than set is ours.
fn owning(state: &State) -> Inventory {
    Inventory {
        owned: state.all_keys(),
        ..Inventory::default()
    }
}

fn wanted(desired: &State, inventory: Inventory) -> Wanted {
    Wanted {
        desired: desired.clone(),
        table: IpvsTable::Shared,
        inventory,
        drains: Drains::default(),
        now: moment(),
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn planned(host: &mut MemoryHost, desired: &State, inventory: Inventory) -> Turn {
    let turn = ready(turn(wanted(desired, inventory), &options(), host)).unwrap();
    assert!(turn.refusals.is_empty(), "{:?}", turn.refusals);
    turn
}

fn run(host: &mut MemoryHost, turn: &mut Turn) -> End {
    turn.goal.inventory = turn
        .goal
        .inventory
        .intending(&turn.changes, &Keys::created_by(&turn.changes));
    ready(apply(&turn.plan, &turn.seen.state, &turn.goal, host)).end
}

fn refusing(live: &State, step: usize) -> MemoryHost {
    MemoryHost {
        faults: [(step, Fault::Refuse)].into(),
        ..MemoryHost::new(live.clone())
    }
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

/// As many as PROPTEST_CASES says, or else a thousand.
fn config() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(1000),
    }
}

#[test]
fn apply_converges_and_the_second_does_nothing() {
    proptest!(config(), |(live in a_state(), desired in a_state())| {
        let mut host = MemoryHost::new(live.clone());
        let mut first = planned(&mut host, &desired, owning(&live));
        let end = run(&mut host, &mut first);
        prop_assert!(matches!(end, End::Converged), "{end:?}");
        let taken = host.taken;
        let second = planned(&mut host, &desired, first.goal.inventory.clone());
        prop_assert!(second.plan.is_empty(), "{:?}", second.plan);
        prop_assert_eq!(host.taken, taken);
    });
    let pairs = config().cases;
    figure(
        "P6",
        "model",
        &format!("{pairs} pairs of states, 0 steps in the second run"),
    );
    figure(
        "P7",
        "model",
        &format!("{pairs} of {pairs} pairs of states converge in one run"),
    );
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_state_needs_no_change_to_become_itself(state in a_state()) {
        prop_assert!(state.changes_to(&state).is_empty());
    }

    #[test]
    fn a_refused_step_is_undone_at_every_place(live in a_state(), desired in a_state()) {
        let mut free = MemoryHost::new(live.clone());
        let steps = {
            let mut turn = planned(&mut free, &desired, owning(&live));
            run(&mut free, &mut turn);
            free.taken
        };
        for refuse_at in 0..steps {
            let mut host = refusing(&live, refuse_at);
            let mut turn = planned(&mut host, &desired, owning(&live));
            let end = run(&mut host, &mut turn);
            prop_assert!(matches!(&end, End::Undone { left, .. } if left.is_empty()), "step {refuse_at}: {end:?}");
            let left = differences(&host, &live);
            prop_assert!(left.is_empty(), "step {refuse_at}: {left:?}");
        }
    }

    #[test]
    fn cut_off_at_any_step_the_next_run_finishes(live in a_state(), desired in a_state()) {
        let mut host = MemoryHost::new(live.clone());
        let turn = planned(&mut host, &desired, owning(&live));
        let intent = turn.goal.inventory.intending(&turn.changes, &Keys::created_by(&turn.changes));
        for cut in 0..turn.plan.steps.len() {
            let mut host = MemoryHost::new(live.clone());
            for step in &turn.plan.steps[..cut] {
                ready(host.apply(std::slice::from_ref(step)));
            }
            let mut again = planned(&mut host, &desired, intent.clone());
            let end = run(&mut host, &mut again);
            prop_assert!(matches!(end, End::Converged), "cut at {cut}: {end:?}");
        }
    }

    #[test]
    fn no_step_leaves_a_kept_service_empty_nor_a_destination_alone(live in a_state(), desired in a_state()) {
        let mut host = MemoryHost::new(live.clone());
        let turn = planned(&mut host, &desired, owning(&live));
        let filled = |state: &State, id| state.destinations.iter().any(|it| it.service == id);
        let kept: Vec<_> = live.virtual_services.keys().copied()
            .filter(|id| filled(&live, *id) && filled(&desired, *id))
            .collect();
        let mut now = live.clone();
        for step in &turn.plan.steps {
            now.perform(&step.change);
            for id in &kept {
                prop_assert!(filled(&now, *id), "{id} is empty after {step:?}");
            }
        }
    }

    #[test]
    fn weights_never_sum_up_to_zero_on_the_way(live in a_state(), desired in a_state()) {
        let mut host = MemoryHost::new(live.clone());
        let turn = planned(&mut host, &desired, owning(&live));
        let weight = |state: &State, id| -> u32 {
            state.destinations.iter().filter(|it| it.service == id).map(|it| it.at.weight).sum()
        };
        let mut now = live.clone();
        for step in &turn.plan.steps {
            now.perform(&step.change);
            for id in live.virtual_services.keys() {
                let both = weight(&live, *id) > 0 && weight(&desired, *id) > 0;
                prop_assert!(!both || weight(&now, *id) > 0, "{id} takes nobody after {step:?}");
            }
        }
    }

    #[test]
    fn what_is_not_ours_stays(live in a_state(), desired in a_state()) {
        let foreign = foreign_beside();
        let mut machine = live.clone();
        machine.merge(foreign.clone());
        let mut host = MemoryHost::new(machine);
        let mut turn = planned(&mut host, &desired, owning(&live));
        run(&mut host, &mut turn);
        for change in host.state.changes_to(&foreign) {
            let lost = change.verb() != Verb::Delete;
            prop_assert!(!lost, "{change:?}");
        }
    }

    #[test]
    fn what_stands_there_equal_is_used_and_never_deleted(state in a_state()) {
        let mut host = MemoryHost::new(state.clone());
        let turn = planned(&mut host, &state, Inventory::default());
        prop_assert!(turn.plan.is_empty());
        let nothing = planned(&mut host, &State::default(), turn.goal.inventory);
        prop_assert!(nothing.plan.is_empty(), "{:?}", nothing.plan);
    }

    #[test]
    fn destroy_gives_everything_back(live in a_state(), desired in a_state()) {
        let bare = world::bare(&live);
        let mut host = MemoryHost::new(bare.clone());
        let mut turn = planned(&mut host, &desired, Inventory::default());
        let end = run(&mut host, &mut turn);
        prop_assert!(matches!(end, End::Converged), "{end:?}");
        let mut gone = planned(&mut host, &State::default(), turn.goal.inventory.clone());
        let end = run(&mut host, &mut gone);
        prop_assert!(matches!(end, End::Converged), "{end:?}");
        // The settings of IPVS came with its module, and modules are retained.
        let of_ipvs = |it: &Change| it.nature() == Nature::Set && it.verb() == Verb::Delete;
        let left: Vec<_> = differences(&host, &bare).into_iter().filter(|it| !of_ipvs(it)).collect();
        prop_assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn the_order_of_a_plan_is_its_phases(live in a_state(), desired in a_state()) {
        let mut host = MemoryHost::new(live.clone());
        let turn = planned(&mut host, &desired, owning(&live));
        prop_assert!(turn.plan.steps.is_sorted_by_key(|it| it.phase));
    }

    #[test]
    fn a_change_and_its_inverse_cancel_out(live in a_state(), desired in a_state()) {
        for change in live.changes_to(&desired) {
            let mut state = live.clone();
            state.perform(&change);
            state.perform(&change.inverse());
            prop_assert_eq!(&state, &live);
        }
    }

    #[test]
    fn a_state_survives_json(state in a_state()) {
        let text = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    }

    #[test]
    fn a_busy_destination_drains_before_it_goes(live in a_state(), desired in a_state()) {
        let mut host = MemoryHost::new(live.clone());
        host.connections = live.destinations.keys()
            .map(|key| (*key, Connections { active: 1, inactive: 0 }))
            .collect();
        let waiting = Options { drain: Policy::Wait(std::time::Duration::from_secs(60)), ..options() };
        let mut first = ready(turn(wanted(&desired, owning(&live)), &waiting, &mut host)).unwrap();
        let end = run(&mut host, &mut first);
        prop_assert!(matches!(end, End::Converged), "{end:?}");
        for it in live.destinations.iter() {
            let now = host.state.destinations.get(&it.key());
            prop_assert!(now.is_some(), "{} was cut", it.key());
            let removed = !desired.destinations.contains(&it.key());
            prop_assert!(!removed || now.is_some_and(|it| it.at.weight == 0));
        }
        let later = Moment { seconds: 1061, ..moment() };
        let after = Wanted { now: later, drains: first.drains.clone(), ..wanted(&desired, first.goal.inventory.clone()) };
        let mut second = ready(turn(after, &waiting, &mut host)).unwrap();
        let end = run(&mut host, &mut second);
        prop_assert!(matches!(end, End::Converged), "{end:?}");
        prop_assert!(differences(&host, &desired).iter().all(|it| it.nature() == Nature::Set || it.verb() == Verb::Delete));
    }
}
