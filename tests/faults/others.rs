//! Somebody else changes the machine in the middle of a run.

use lvs_reconcile::host::memory::Fault;
use lvs_reconcile::resources::State;

use crate::machine::{Machine, room};
use crate::setting::settings;
use crate::{Reference, ensure, everywhere};

/// `ipvsadm -C`.
fn clear_ipvs(state: &mut State) {
    state.virtual_services = Default::default();
    state.destinations = Default::default();
}

/// `nft flush ruleset`.
fn flush_ruleset(state: &mut State) {
    state.nftables = Default::default();
}

/// `ip addr flush` on one interface; its routes go along.
fn flush_addresses(state: &mut State) {
    let Some(interface) = state.addresses.keys().next().map(|it| it.interface.clone()) else {
        return;
    };
    state.addresses.retain(|it| it.interface != interface);
    let elsewhere = state.routes.iter().filter(|it| it.interface != interface);
    state.routes = elsewhere.cloned().collect();
}

fn interfere_everywhere(word: &str, somebody: fn(&mut State)) {
    everywhere(
        word,
        Fault::Interfere(somebody),
        |setting, reference, mut machine, ran| {
            let says = ran.is_converged() || matches!(&ran, crate::Ran::Reported(_));
            ensure(says, "it says nothing", &ran)?;
            let mut foreign = setting.foreign.clone();
            somebody(&mut foreign);
            reference.is_reached(&mut machine, setting, &foreign)?;
            reference.is_remembered(&machine)
        },
    );
}

#[test]
fn ipvs_cleared_meanwhile() {
    interfere_everywhere("others clear ipvs", clear_ipvs);
}

#[test]
fn ruleset_flushed_meanwhile() {
    interfere_everywhere("others flush the ruleset", flush_ruleset);
}

#[test]
fn addresses_flushed_meanwhile() {
    interfere_everywhere("others flush addresses", flush_addresses);
}

/// Between the look and the first step: the plan is stale before it is begun.
#[test]
fn changed_before_the_first_step() {
    let files = room();
    let mut points = 0;
    for setting in settings(files.path()) {
        let reference = Reference::of(&setting);
        for somebody in [clear_ipvs, flush_ruleset, flush_addresses] {
            let mut machine = Machine::at(&setting);
            let turn = machine.plan(&setting).unwrap();
            somebody(&mut machine.host.state);
            let mut foreign = setting.foreign.clone();
            somebody(&mut foreign);
            machine
                .make(turn)
                .and_then(|_| reference.is_reached(&mut machine, &setting, &foreign))
                .and_then(|()| reference.is_remembered(&machine))
                .unwrap_or_else(|problem| panic!("{}: {problem}", setting.name));
            points += 1;
        }
    }
    eprintln!("faults: a stale plan: {points} points, 0 divergences");
}
