//! Who gets how many of the new connections, before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::counted;
use crate::cycle::Turn;
use crate::delta::{Delta, Resource};
use crate::desired::Names;
use crate::ipvs::ServiceId;
use crate::lint::{Code, Warning};
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::{Change, State};

/// More would not be read.
const MOST: usize = 8;

/// So many of so many new connections of a service.
type Share = (u64, u64);

/// One line for each destination whose part changes: `http: rs1 gets about 5 of 6 new connections (was 3 of 4)`. The
/// same is said once of ports and families of one service.
pub fn notes(turn: &Turn, names: &Names) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    let mut weighed = weighed(turn);
    while notes.len() < MOST
        && let Some(it) = weighed.next()
    {
        notes.extend(note(it, turn, names).filter(|it| !notes.contains(it)));
    }
    match weighed.count() {
        0 => {}
        left => notes.push(format!("… and {}", counted(left, "more destination"))),
    }
    notes
}

/// Destinations with another weight, and all of services with another scheduler.
fn weighed(turn: &Turn) -> impl Iterator<Item = &Destination> {
    let rescheduled = turn.changes.iter().filter_map(|change| match change {
        Change::VirtualService(Delta::Update { from, to }) if from.scheduler != to.scheduler => {
            Some(to.id)
        }
        _ => None,
    });
    let rescheduled: BTreeSet<ServiceId> = rescheduled.collect();
    let in_them = rescheduled.clone().into_iter().flat_map(|id| {
        let all = &turn.goal.desired.destinations;
        all.run(move |it| it.service.cmp(&id))
    });
    let stays = |it: &&Destination| turn.seen.state.destinations.contains(&it.key());
    let edited = turn.changes.iter().filter_map(move |change| match change {
        Change::Destination(Delta::Update { from, to })
            if from.at.weight != to.at.weight && !rescheduled.contains(&to.service) =>
        {
            Some(to)
        }
        _ => None,
    });
    edited.chain(in_them.filter(stays))
}

/// None when its part stays, or cannot be told.
fn note(it: &Destination, turn: &Turn, names: &Names) -> Option<String> {
    let key = it.key();
    let before = share(&turn.seen.state, &key);
    let after = share(&turn.goal.desired, &key)?;
    let was = match before {
        Some(before) if reduced(before) == reduced(after) => return None,
        Some((0, _)) => " (was none)".to_owned(),
        Some(before) => format!(" (was {})", shown(before)),
        None => String::new(),
    };
    let part = match after {
        (0, _) => "no".to_owned(),
        (own, all) if own == all => "all".to_owned(),
        after => format!("about {}", shown(after)),
    };
    let (service, machine) = (service_name(&it.service, names), machine_name(it, names));
    Some(format!(
        "{service}: {machine} gets {part} new connections{was}"
    ))
}

/// A warning for each machine that joins services which clients use already.
pub fn newcomers(turn: &Turn, names: &Names) -> Vec<Warning> {
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in &turn.changes {
        let Change::Destination(Delta::Create { to }) = change else {
            continue;
        };
        if !turn.seen.state.virtual_services.contains(&to.service) {
            continue;
        }
        let part = share(&turn.goal.desired, &to.key());
        if part.is_none_or(|(own, _)| own > 0) {
            let part = part.map_or_else(|| "some".to_owned(), shown);
            let of = format!("{part} of {}", service_name(&to.service, names));
            let parts = joined.entry(machine_name(to, names)).or_default();
            if !parts.contains(&of) {
                parts.push(of);
            }
        }
    }
    let left = joined.len().saturating_sub(MOST);
    let more = (left > 0).then(|| {
        let machines = counted(left, "more machine");
        Warning::new(Code::Newcomer, format!("… and {machines} at once"))
    });
    joined.iter().take(MOST).map(newcomer).chain(more).collect()
}

fn newcomer((machine, parts): (&String, &Vec<String>)) -> Warning {
    let told = parts.iter().any(|it| it.starts_with(char::is_numeric));
    let message = format!(
        "{machine} receives new connections at once: {}{}. Nothing checks yet that it answers; to install it \
         first, give it \"weight\": 0 and remove that afterwards",
        if told { "about " } else { "" },
        parts.join(", ")
    );
    Warning::new(Code::Newcomer, message).about(machine)
}

/// By its weight, as far as the scheduler goes by it (`ip_vs_*.c`): `rr`, `lc` and `dh` see whether it is zero, `fo` which
/// is the highest. What `nq` and `ovf` do depends on the connections that there are.
fn share(state: &State, key: &DestinationKey) -> Option<Share> {
    let scheduler = state.virtual_services.get(&key.service)?.scheduler;
    let of_service = || state.destinations.run(|it| it.service.cmp(&key.service));
    let weights = || of_service().map(|it| u64::from(it.at.weight));
    let own = state.destinations.get(key);
    let own: u64 = own.map_or(0, |it| it.at.weight.into());
    let as_heavy = |it: u64| u64::try_from(weights().filter(|weight| *weight >= it).count()).ok();
    match scheduler.as_str() {
        _ if own == 0 => Some((0, 1)),
        "rr" | "lc" | "dh" => Some((1, as_heavy(1)?)),
        "fo" => match as_heavy(own)? {
            1 => Some((1, 1)),
            // Of equal ones the first in the kernel's list.
            _ if weights().max() == Some(own) => None,
            _ => Some((0, 1)),
        },
        "nq" | "ovf" => None,
        _ => Some((own, weights().sum())),
    }
}

fn shown(share: Share) -> String {
    match reduced(share) {
        (1, 1) => "all".to_owned(),
        (own, all) => format!("{own} of {all}"),
    }
}

fn reduced((own, all): Share) -> Share {
    let divisor = common_divisor(own, all).max(1);
    (own / divisor, all / divisor)
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
