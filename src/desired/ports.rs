//! The ports that a real server must open, for the firewall of its kickstart file: those of its destinations.

use foldhash::HashMap;
use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::document::{RealServer, Word};
use crate::ipvs::{Protocol, ServiceId};
use crate::resources::destination::Destination;

use super::node::Node;
use super::services::{Balanced, ports, protocols};

/// Ports of one protocol, first to last. The protocol is `tcp`, `udp` or `sctp`.
pub(super) type Ports = (&'static str, u16, u16);

/// By address of a real server.
pub(super) struct OpenPorts(HashMap<IpAddr, BTreeSet<Ports>>);

impl OpenPorts {
    pub fn of(node: &Node, table: &Balanced) -> Self {
        let marked = marked(node);
        let mut open: HashMap<IpAddr, BTreeSet<Ports>> = HashMap::default();
        for (_, destination) in &table.destinations {
            let ports = open.entry(destination.at.address).or_default();
            match destination.service {
                ServiceId::Address { protocol, .. } => {
                    ports.insert(behind_address(protocol, destination));
                }
                ServiceId::FirewallMark { mark, .. } => {
                    let marked = marked.get(&mark).map_or(&[][..], Vec::as_slice);
                    ports.extend(marked.iter().map(|ports| behind_mark(*ports, destination)));
                }
            }
        }
        Self(open)
    }

    /// Neighbours joined: a range of ports is one entry.
    pub fn of_machine(&self, machine: &RealServer) -> Vec<Ports> {
        let addresses =
            std::iter::once(machine.address.get()).chain(machine.address6.map(IpAddr::from));
        let ports = addresses.filter_map(|it| self.0.get(&it)).flatten();
        let ports: BTreeSet<Ports> = ports.copied().collect();
        let mut joined: Vec<Ports> = Vec::new();
        for (protocol, first, last) in ports {
            match joined.last_mut() {
                Some(it) if it.0 == protocol && first <= it.2.saturating_add(1) => {
                    it.2 = it.2.max(last)
                }
                _ => joined.push((protocol, first, last)),
            }
        }
        joined
    }
}

/// A destination without a port takes them all.
fn behind_address(protocol: Protocol, destination: &Destination) -> Ports {
    let protocol = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    };
    match destination.at.port {
        0 => (protocol, 1, u16::MAX),
        port => (protocol, port, port),
    }
}

/// Without a port of its own it keeps the client's.
fn behind_mark(marked: Ports, destination: &Destination) -> Ports {
    match destination.at.port {
        0 => marked,
        port => (marked.0, port, port),
    }
}

/// The ports that our own rules mark.
fn marked(node: &Node) -> HashMap<u32, Vec<Ports>> {
    let mut marked: HashMap<u32, Vec<Ports>> = HashMap::default();
    for service in &node.document.services {
        let Some(mark) = service.firewall_mark else {
            continue;
        };
        for wanted in service.matches.iter().flatten() {
            let Some(range) = ports(Some(wanted.port), wanted.last_port) else {
                continue;
            };
            let protocols = protocols(wanted.protocols.as_deref()).iter();
            let of_one = protocols.map(|it| (it.word(), *range.start(), *range.end()));
            marked.entry(mark.get()).or_default().extend(of_one);
        }
    }
    marked
}
