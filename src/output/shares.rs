//! Who gets how many of the new connections, before and after.

use std::collections::BTreeMap;

use crate::cycle::Turn;
use crate::delta::{Delta, Resource};
use crate::desired::Names;
use crate::ipvs::ServiceId;
use crate::lint::{Code, Warning};
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::{Change, State};

/// More would not be read.
const MOST: usize = 8;

/// One line for each destination whose weight changes: `http: rs1 gets about 5 of 6 new connections (was 3 of 4)`.
pub fn notes(turn: &Turn, names: &Names) -> Vec<String> {
    let edited = turn.changes.iter().filter_map(|change| match change {
        Change::Destination(Delta::Update { from, to }) if from.at.weight != to.at.weight => {
            Some(to)
        }
        _ => None,
    });
    edited.take(MOST).map(|it| note(it, turn, names)).collect()
}

fn note(it: &Destination, turn: &Turn, names: &Names) -> String {
    let (service, machine) = (service_name(&it.service, names), machine_name(it, names));
    let key = it.key();
    let (before, after) = (
        share(&turn.seen.state, &key),
        share(&turn.goal.desired, &key),
    );
    match after {
        (0, _) => format!(
            "{service}: {machine} gets no new connections (was {})",
            shown(before)
        ),
        after => format!(
            "{service}: {machine} gets about {} new connections (was {})",
            shown(after),
            shown(before)
        ),
    }
}

/// A warning for each machine that joins services which clients use already.
pub fn newcomers(turn: &Turn, names: &Names) -> Vec<Warning> {
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in &turn.changes {
        let Change::Destination(Delta::Create { to }) = change else {
            continue;
        };
        let known = turn.seen.state.virtual_services.contains(&to.service);
        if known && to.at.weight > 0 {
            let part = shown(share(&turn.goal.desired, &to.key()));
            let of = format!("{part} of {}", service_name(&to.service, names));
            joined.entry(machine_name(to, names)).or_default().push(of);
        }
    }
    joined.iter().take(MOST).map(newcomer).collect()
}

fn newcomer((machine, parts): (&String, &Vec<String>)) -> Warning {
    let message = format!(
        "{machine} receives new connections at once: about {}. Nothing checks yet that it answers; to install it \
         first, give it \"weight\": 0 and remove that afterwards",
        parts.join(", ")
    );
    Warning::new(Code::Newcomer, message).about(machine)
}

/// The weight of a destination, and that of its whole service.
fn share(state: &State, key: &DestinationKey) -> (u64, u64) {
    let of_service = state.destinations.run(|it| it.service.cmp(&key.service));
    let all = of_service.map(|it| u64::from(it.at.weight)).sum();
    let own = state
        .destinations
        .get(key)
        .map_or(0, |it| it.at.weight.into());
    (own, all)
}

fn shown((own, all): (u64, u64)) -> String {
    let divisor = common_divisor(own, all).max(1);
    format!("{} of {}", own / divisor, all / divisor)
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

fn service_name(id: &ServiceId, names: &Names) -> String {
    names
        .service(id)
        .map_or_else(|| id.to_string(), str::to_owned)
}

fn machine_name(it: &Destination, names: &Names) -> String {
    let named = names.machine(it.at.address).map(str::to_owned);
    named.unwrap_or_else(|| it.at.address.to_string())
}
