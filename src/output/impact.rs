//! What a change does to traffic. The facts are measured: see the comments.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::cycle::Turn;
use crate::delta::{Delta, Resource};
use crate::desired::Names;
use crate::host::Connections;
use crate::ipvs::ServiceId;
use crate::resources::address::Address;
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::link::Link;
use crate::resources::sysctl::Sysctl;
use crate::resources::unit::{OnChange, Unit};
use crate::resources::virtual_service::VirtualService;
use crate::resources::{Change, Kind, State};

/// What a change does to traffic, and in a few words how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "traffic", content = "how")]
pub enum Impact {
    /// Nothing, or nothing yet.
    None(&'static str),
    /// Where new connections go, or whether they come at all.
    New(String),
    /// Established connections end.
    Cuts(String),
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(how) => f.write_str(how),
            Self::New(how) | Self::Cuts(how) => f.write_str(how),
        }
    }
}

const NOTHING: Impact = Impact::None("none");

/// What impacts are judged by; made once for a whole plan.
#[derive(Debug)]
pub struct Judge<'a> {
    live: &'a State,
    connections: &'a BTreeMap<DestinationKey, Connections>,
    names: &'a Names,
    /// The services that are wanted on each address; empty when no address changes.
    services: BTreeMap<IpAddr, Vec<ServiceId>>,
}

impl<'a> Judge<'a> {
    /// For the changes of `turn`.
    pub fn new(turn: &'a Turn, names: &'a Names) -> Self {
        let asked = turn.changes.iter().any(|it| it.kind() == Kind::Address);
        Self {
            live: &turn.seen.state,
            connections: &turn.connections,
            names,
            services: if asked {
                by_address(turn)
            } else {
                BTreeMap::new()
            },
        }
    }

    /// The impact of one change.
    pub fn impact(&self, change: &Change) -> Impact {
        match change {
            Change::Module(_) | Change::Timeouts(_) | Change::File(_) => NOTHING,
            Change::Nftables(_) => Impact::New("new connections".into()),
            Change::Link(delta) => link(delta),
            Change::Sysctl(delta) => sysctl(delta),
            Change::Address(delta) => self.address(delta),
            Change::Route(Delta::Create { .. }) => NOTHING,
            Change::Route(_) => Impact::New("redirects packets".into()),
            Change::VirtualService(delta) => self.service(delta),
            Change::Destination(delta) => self.destination(delta),
            Change::Unit(delta) => unit(delta),
        }
    }

    fn address(&self, delta: &Delta<Address>) -> Impact {
        let opened = self.opened(delta.subject().key.address);
        match (delta, opened) {
            (Delta::Create { .. }, None) => NOTHING,
            (Delta::Create { .. }, Some(opened)) => Impact::New(format!("opens {opened}")),
            // A VIP that goes and comes back finds its connections again.
            (Delta::Replace { .. }, _) => Impact::New("away for a moment".into()),
            _ => Impact::Cuts("connections to this address".into()),
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
        let service = delta.subject().service;
        match delta {
            Delta::Create { .. } if !self.live.virtual_services.contains(&service) => {
                Impact::None("none yet")
            }
            Delta::Delete { from } => self.leaving(&from.key()),
            _ => Impact::New("new connections".into()),
        }
    }

    /// Deleting a service blackholes its clients, and deleting the last one of a family resets them; without
    /// clients nobody is cut. Changing the scheduler unbinds it, waits, and binds the other: about one new connection
    /// an edit was refused under load.
    fn service(&self, delta: &Delta<VirtualService>) -> Impact {
        match delta {
            Delta::Create { .. } => Impact::None("none yet"),
            Delta::Update { from, to } if from.scheduler != to.scheduler => {
                Impact::New("may refuse new ones for a moment".into())
            }
            Delta::Update { .. } => Impact::New("new connections".into()),
            Delta::Delete { from } if self.is_idle(from.id) => {
                Impact::New("refuses new ones, it has no connection".into())
            }
            _ => Impact::Cuts("cuts its connections".into()),
        }
    }

    /// True when every destination of a service was counted, and none has a connection.
    fn is_idle(&self, service: ServiceId) -> bool {
        let of_service = self.live.destinations.run(|key| key.service.cmp(&service));
        let count = |it: &Destination| self.connections.get(&it.key()).copied();
        of_service
            .map(count)
            .all(|it| it.is_some_and(|it| it.active + it.inactive == 0))
    }

    fn leaving(&self, key: &DestinationKey) -> Impact {
        match self.connections.get(key).map(|it| it.active + it.inactive) {
            Some(0) => Impact::None("none, it has no connection"),
            Some(1) => Impact::Cuts("cuts 1 connection".into()),
            Some(count) => Impact::Cuts(format!("cuts {count} connections")),
            None => Impact::Cuts("cuts its connections, if any".into()),
        }
    }
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
            Impact::Cuts("all traffic of the interface".into())
        }
        Delta::Create { .. } | Delta::Update { .. } => NOTHING,
        _ => Impact::Cuts("all traffic of the interface".into()),
    }
}

fn sysctl(delta: &Delta<Sysctl>) -> Impact {
    match delta.to() {
        Some(to) if to.key.is_forwarding() && to.value == "0" => {
            Impact::Cuts("forwards no packets".into())
        }
        Some(to) if to.key.is_forwarding() => Impact::New("forwards packets".into()),
        _ => NOTHING,
    }
}

fn unit(delta: &Delta<Unit>) -> Impact {
    match delta {
        Delta::Create { .. } => Impact::None("starts"),
        Delta::Delete { .. } => Impact::None("stops"),
        _ => match delta.way() {
            OnChange::Restart if delta.subject().on_change == OnChange::Hangup => {
                Impact::None("< 5 s, its DNS too; leases kept")
            }
            OnChange::Restart => Impact::None("< 1 s, leases kept"),
            OnChange::Reexport => Impact::None("exportfs -ra"),
            OnChange::Reload | OnChange::Hangup | OnChange::Renew => NOTHING,
        },
    }
}
