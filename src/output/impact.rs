//! What a change does to traffic. The facts are measured: see the comments.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use super::counted;
use super::report::seconds_left;
use crate::cycle::Turn;
use crate::delta::{Delta, Nature, Resource, Verb};
use crate::desired::Names;
use crate::ipvs::ServiceId;
use crate::resources::address::Address;
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::link::Link;
use crate::resources::nftables::{NftTable, Rule, Verdict};
use crate::resources::sysctl::Sysctl;
use crate::resources::unit::{OnChange, Unit};
use crate::resources::virtual_service::VirtualService;
use crate::resources::{Change, Kind};

/// Whom a change concerns. What is worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    /// Established connections, which end.
    Cuts,
    /// New connections: where they go, or whether they come at all.
    New,
    /// Nobody, or nobody yet.
    None,
}

/// What a change does to traffic, and in a few words how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    pub traffic: Traffic,
    pub how: Cow<'static, str>,
    /// How many balanced connections are at stake, where they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u64>,
    /// For how long at most it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most_seconds: Option<u64>,
    /// It touches the way by which somebody manages this machine now.
    #[serde(skip_serializing_if = "is_false")]
    pub may_lock_out: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
const fn is_false(it: &bool) -> bool {
    !*it
}

impl Impact {
    fn of(traffic: Traffic, how: impl Into<Cow<'static, str>>) -> Self {
        Self {
            traffic,
            how: how.into(),
            connections: None,
            at_most_seconds: None,
            may_lock_out: false,
        }
    }

    fn none(how: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Traffic::None, how)
    }

    fn new(how: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Traffic::New, how)
    }

    fn cuts(how: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Traffic::Cuts, how)
    }

    fn with(self, connections: u64) -> Self {
        Self {
            connections: Some(connections),
            ..self
        }
    }

    /// Whoever is locked out was cut first.
    fn locking_out(self) -> Self {
        Self {
            traffic: Traffic::Cuts,
            may_lock_out: true,
            ..self
        }
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.how)?;
        match self.may_lock_out {
            true => f.write_str("; may lock the operator out"),
            false => Ok(()),
        }
    }
}

/// A change as it is shown.
#[derive(Debug)]
pub struct Row<'a> {
    pub change: &'a Change,
    pub impact: Impact,
    /// The document asked for it before; the machine has come away from it.
    pub is_drift: bool,
}

/// The changes of a plan, as they are listed in it.
pub fn rows<'a>(turn: &'a Turn, names: &'a Names) -> Vec<Row<'a>> {
    let judge = Judge::new(turn, names);
    let row = |change: &'a Change| Row {
        change,
        impact: judge.impact(change),
        is_drift: turn.drift.contains(change),
    };
    turn.changes.iter().map(row).collect()
}

/// What impacts are judged by; made once for a whole plan.
#[derive(Debug)]
struct Judge<'a> {
    turn: &'a Turn,
    names: &'a Names,
    /// The services that are wanted on each address; empty when no address changes.
    services: BTreeMap<IpAddr, Vec<ServiceId>>,
    /// Addresses that go from one interface and come to another.
    moving: BTreeSet<IpAddr>,
}

impl<'a> Judge<'a> {
    fn new(turn: &'a Turn, names: &'a Names) -> Self {
        let asked = turn.changes.iter().any(|it| it.kind() == Kind::Address);
        Self {
            turn,
            names,
            services: if asked {
                by_address(turn)
            } else {
                BTreeMap::new()
            },
            moving: moving(&turn.changes),
        }
    }

    /// The impact of one change.
    fn impact(&self, change: &Change) -> Impact {
        let impact = self.on_clients(change);
        match self.turn.in_danger.contains(change) {
            true => impact.locking_out(),
            false => impact,
        }
    }

    fn on_clients(&self, change: &Change) -> Impact {
        match change {
            Change::Module(_) | Change::Timeouts(_) | Change::File(_) => nothing(),
            Change::Nftables(delta) if self.drops_more(delta) => {
                Impact::cuts("connections to what is dropped")
            }
            Change::Nftables(_) => Impact::new("new connections"),
            Change::Link(delta) => link(delta),
            Change::Sysctl(delta) => sysctl(delta),
            Change::Address(delta) => self.address(delta),
            Change::Route(Delta::Create { .. }) => nothing(),
            Change::Route(_) => Impact::new("redirects packets"),
            Change::VirtualService(delta) => self.service(delta),
            Change::Destination(delta) => self.destination(delta),
            Change::Unit(delta) => unit(delta),
        }
    }

    /// Drops come before what lets known connections through. Where nothing was forwarded before, none was forwarded
    /// that is dropped now.
    fn drops_more(&self, delta: &Delta<NftTable>) -> bool {
        let drops = |it: &NftTable| -> BTreeSet<Rule> {
            let rules = it.chains.iter().flat_map(|it| &it.rules);
            let drops = rules.filter(|it| it.verdict == Verdict::Drop);
            drops.cloned().collect()
        };
        let before = delta.from().map(drops).unwrap_or_default();
        let begins_to_forward =
            |it: &Change| matches!(it, Change::Sysctl(it) if begins_to_forward(it));
        delta.to().is_some_and(|to| !drops(to).is_subset(&before))
            && !self.turn.changes.iter().any(begins_to_forward)
    }

    fn address(&self, delta: &Delta<Address>) -> Impact {
        let address = delta.subject().key.address;
        match (delta, self.moving.contains(&address)) {
            // Whoever is connected goes on at the other interface: the machine, and its table, are the same.
            (Delta::Create { .. }, true) => Impact::new("moves here; away for a moment"),
            (Delta::Delete { .. }, true) => Impact::new("moves away; gone for a moment"),
            (Delta::Create { .. }, false) => match self.opened(address) {
                None => nothing(),
                Some(opened) => Impact::new(format!("opens {opened}")),
            },
            // A VIP that goes and comes back finds its connections again.
            (Delta::Replace { .. }, _) => Impact::new("away for a moment"),
            _ => self.closed(address),
        }
    }

    fn closed(&self, address: IpAddr) -> Impact {
        let is_at = |it: &&ServiceId| matches!(it, ServiceId::Address { address: at, .. } if *at == address);
        let services = self.turn.seen.state.virtual_services.keys().filter(is_at);
        let counts: Option<Vec<u64>> = services.map(|it| self.connections_of(*it)).collect();
        let balanced = counts.filter(|it| !it.is_empty());
        match balanced.map(|it| it.iter().sum()) {
            Some(count @ 1..) => Impact::cuts(format!(
                "cuts {}, and others to this address",
                connections(count)
            ))
            .with(count),
            _ => Impact::cuts("connections to this address"),
        }
    }

    /// What is balanced on an address, by name.
    fn opened(&self, address: IpAddr) -> Option<String> {
        let services = self.services.get(&address)?;
        if services.len() > 4 {
            return Some(format!("{} services", services.len()));
        }
        let name = |id: &ServiceId| {
            let named = self.names.service(id).map(str::to_owned);
            named.unwrap_or_else(|| id.to_string())
        };
        let mut names: Vec<String> = services.iter().map(name).collect();
        names.dedup();
        Some(names.join(", "))
    }

    /// No edit in place broke an established connection; a deletion does, unless none was left.
    fn destination(&self, delta: &Delta<Destination>) -> Impact {
        let to = delta.subject();
        let live = &self.turn.seen.state.virtual_services;
        match delta {
            Delta::Create { .. } if !live.contains(&to.service) => Impact::none("none yet"),
            Delta::Delete { from } => self.leaving(&from.key()),
            _ => self.draining(&to.key()),
        }
    }

    /// An edit of what stays, or of what drains before it goes.
    fn draining(&self, key: &DestinationKey) -> Impact {
        let drain = self.turn.drains.0.iter().find(|it| it.destination == *key);
        let Some((drain, count)) = drain.zip(self.count(key)) else {
            return Impact::new("new connections");
        };
        let seconds = seconds_left(drain, self.turn);
        let how = format!("drains {}, at most {seconds} s", connections(count));
        Impact {
            at_most_seconds: Some(seconds),
            ..Impact::new(how).with(count)
        }
    }

    /// Deleting a service blackholes its clients, and deleting the last one of a family resets them; without
    /// clients nobody is cut. Changing the scheduler unbinds it, waits, and binds the other: about one new connection
    /// an edit was refused under load.
    fn service(&self, delta: &Delta<VirtualService>) -> Impact {
        match delta {
            Delta::Create { .. } => Impact::none("none yet"),
            Delta::Update { from, to } if from.scheduler != to.scheduler => {
                Impact::new("may refuse new ones for a moment")
            }
            Delta::Update { .. } => Impact::new("new connections"),
            Delta::Delete { .. } | Delta::Replace { .. } => {
                self.ending(self.connections_of(delta.subject().id))
            }
        }
    }

    fn ending(&self, count: Option<u64>) -> Impact {
        match count {
            Some(0) => Impact::new("refuses new ones, it has no connection").with(0),
            Some(count) => Impact::cuts(format!("cuts {}", connections(count))).with(count),
            None => Impact::cuts("cuts its connections"),
        }
    }

    /// How many connections a service has, when each of its destinations was counted.
    fn connections_of(&self, service: ServiceId) -> Option<u64> {
        let live = &self.turn.seen.state.destinations;
        let of_service = live.run(|key| key.service.cmp(&service));
        of_service.map(|it| self.count(&it.key())).sum()
    }

    fn count(&self, key: &DestinationKey) -> Option<u64> {
        let counted = self.turn.connections.get(key);
        counted.map(|it| it.active + it.inactive)
    }

    fn leaving(&self, key: &DestinationKey) -> Impact {
        match self.count(key) {
            Some(0) => Impact::none("none, it has no connection").with(0),
            Some(count) => Impact::cuts(format!("cuts {}", connections(count))).with(count),
            None => Impact::cuts("cuts its connections, if any"),
        }
    }
}

fn nothing() -> Impact {
    Impact::none("none")
}

fn connections(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "connection")
}

fn moving(changes: &[Change]) -> BTreeSet<IpAddr> {
    let of_verb = |verb| {
        let addresses = changes.iter().filter_map(move |it| match it {
            Change::Address(delta) if it.verb() == verb => Some(delta.subject().key.address),
            _ => None,
        });
        addresses.collect::<BTreeSet<_>>()
    };
    let coming = of_verb(Verb::Create);
    of_verb(Verb::Delete)
        .intersection(&coming)
        .copied()
        .collect()
}

fn by_address(turn: &Turn) -> BTreeMap<IpAddr, Vec<ServiceId>> {
    let mut services: BTreeMap<IpAddr, Vec<ServiceId>> = BTreeMap::new();
    for id in turn.goal.desired.virtual_services.keys() {
        if let ServiceId::Address { address, .. } = id {
            services.entry(*address).or_default().push(*id);
        }
    }
    services
}

fn link(delta: &Delta<Link>) -> Impact {
    match delta {
        Delta::Update { from, to } if from.up && !to.up => {
            Impact::cuts("all traffic of the interface")
        }
        Delta::Create { .. } | Delta::Update { .. } => nothing(),
        Delta::Delete { from } if from.nature() == Nature::Set => {
            Impact::cuts("all traffic of the interface, if it was down")
        }
        Delta::Replace { .. } => Impact::cuts(
            "all traffic of the interface, until its addresses and routes are made again",
        ),
        Delta::Delete { .. } => Impact::cuts("all traffic of the interface"),
    }
}

fn sysctl(delta: &Delta<Sysctl>) -> Impact {
    let forwards = delta.subject().key.is_forwarding();
    match delta.to() {
        _ if begins_to_forward(delta) => Impact::new("forwards packets"),
        Some(to) if forwards && to.value == "0" => Impact::cuts("forwards no packets"),
        // To what only the machine knows.
        None if forwards => Impact::cuts("forwards no packets, if it did not before"),
        _ => nothing(),
    }
}

fn begins_to_forward(delta: &Delta<Sysctl>) -> bool {
    let to = delta.to();
    to.is_some_and(|it| it.key.is_forwarding() && it.value != "0")
}

fn unit(delta: &Delta<Unit>) -> Impact {
    match delta {
        Delta::Create { .. } => Impact::none("starts"),
        Delta::Delete { .. } => Impact::none("stops"),
        _ => match delta.way() {
            OnChange::Restart if delta.subject().on_change == OnChange::Hangup => {
                Impact::none("< 5 s, its DNS too; leases kept")
            }
            OnChange::Restart => Impact::none("< 1 s, leases kept"),
            OnChange::Reexport => Impact::none("exportfs -ra"),
            OnChange::Reload | OnChange::Hangup | OnChange::Renew => nothing(),
        },
    }
}
