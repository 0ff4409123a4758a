//! The path by which the operator reaches this machine, and the changes that may cut it. Pure.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Set, Verb};
use crate::ipvs::{Protocol, ServiceId};
use crate::resources::address::Address;
use crate::resources::link::{Link, LinkKind};
use crate::resources::nftables::{Match, NftTable, Rule, Verdict};
use crate::resources::route::Route;
use crate::resources::virtual_service::VirtualService;
use crate::resources::{Change, Keys, State};

/// A connection by which somebody manages this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    pub peer: IpAddr,
    /// The address of this machine that it ends at, and the port.
    pub local: IpAddr,
    pub port: u16,
}

/// The changes after which one of the sessions, or a new one like it, may not come through.
pub fn in_danger(changes: &[Change], live: &State, sessions: &[Session]) -> Keys {
    let paths: Vec<_> = sessions.iter().map(|it| Path::of(*it, live)).collect();
    let cuts = |change: &&Change| paths.iter().any(|path| path.is_touched_by(change));
    Keys::of(changes.iter().filter(cuts))
}

/// How the packets of a session come and go.
struct Path {
    session: Session,
    /// The interfaces that hold the local address, those that the peer is reached through, and what carries these.
    interfaces: Vec<String>,
    /// The prefix length of the connected network that the peer is in; 0 when a gateway leads to it.
    connected: u8,
}

impl Path {
    fn of(session: Session, live: &State) -> Self {
        let holding = live
            .addresses
            .iter()
            .filter(|it| it.key.address == session.local);
        let mut interfaces: Vec<_> = holding.map(|it| it.key.interface.clone()).collect();
        let routes = live
            .routes
            .iter()
            .filter(|it| it.key.to.contains(&session.peer));
        interfaces.extend(routes.map(|it| it.interface.clone()));
        add_what_carries(&mut interfaces, &live.links);
        let near = live.addresses.iter().filter_map(network);
        let near = near.filter(|it| it.contains(&session.peer));
        Self {
            session,
            interfaces,
            connected: near.map(|it| it.prefix_len()).max().unwrap_or(0),
        }
    }

    fn is_touched_by(&self, change: &Change) -> bool {
        match change {
            Change::Link(delta) => self.link(delta),
            Change::Address(delta) => self.address(delta),
            Change::Route(delta) => self.route(delta),
            Change::Sysctl(delta) => self.sysctl(delta.subject().key.path()),
            Change::Nftables(delta) => delta.to().is_some_and(|it| self.table(it)),
            Change::VirtualService(delta) => self.service(delta),
            _ => false,
        }
    }

    fn link(&self, delta: &Delta<Link>) -> bool {
        delta.verb() != Verb::Create && self.interfaces.contains(&delta.subject().name)
    }

    /// The kernel removes an address together with its secondaries and its routes.
    fn address(&self, delta: &Delta<Address>) -> bool {
        let key = &delta.subject().key;
        match delta.verb() {
            Verb::Create => false,
            _ => key.address == self.session.local || self.interfaces.contains(&key.interface),
        }
    }

    /// A route counts when it is at least as particular as the one that leads to the peer now.
    fn route(&self, delta: &Delta<Route>) -> bool {
        let to = delta.subject().key.to;
        to.contains(&self.session.peer) && to.prefix_len() >= self.connected
    }

    fn sysctl(&self, path: &str) -> bool {
        const DECIDING: [&str; 3] = ["rp_filter", "arp_ignore", "arp_announce"];
        let mut parts = path.rsplit('/');
        let (key, of) = (parts.next(), parts.next());
        let of_ours = |name: &str| name == "all" || self.interfaces.iter().any(|it| it == name);
        key.is_some_and(|it| DECIDING.contains(&it)) && of.is_some_and(of_ours)
    }

    /// A mark that the session's packets get leads them to another machine.
    fn table(&self, table: &NftTable) -> bool {
        let mut rules = table.chains.iter().flat_map(|it| &it.rules);
        rules.any(|rule| matches!(rule.verdict, Verdict::Mark(_)) && self.is_matched(rule))
    }

    fn is_matched(&self, rule: &Rule) -> bool {
        rule.matches.iter().all(|it| match it {
            Match::To(address) => *address == self.session.local,
            Match::Destination(net) => net.contains(&self.session.local),
            Match::Source(net) => net.contains(&self.session.peer),
            Match::Ports {
                protocol,
                first,
                last,
            } => protocol == "tcp" && (*first..=*last).contains(&self.session.port),
            _ => true,
        })
    }

    /// A service on the session's own address and port takes every new one.
    fn service(&self, delta: &Delta<VirtualService>) -> bool {
        let ServiceId::Address {
            protocol,
            address,
            port,
        } = delta.subject().id
        else {
            return false;
        };
        let captured = port == self.session.port || port == 0;
        delta.verb() == Verb::Create
            && protocol == Protocol::Tcp
            && address == self.session.local
            && captured
    }
}

/// Adds the parents of VLANs, and the members of bonds and bridges.
fn add_what_carries(interfaces: &mut Vec<String>, links: &Set<Link>) {
    let mut done = 0;
    while let Some(name) = interfaces.get(done).cloned() {
        let parent = links.get(&name).and_then(parent);
        let members = links
            .iter()
            .filter(|it| it.controller.as_ref() == Some(&name));
        let below = parent.into_iter().chain(members.map(|it| &it.name));
        let new: Vec<_> = below
            .filter(|it| !interfaces.contains(it))
            .cloned()
            .collect();
        interfaces.extend(new);
        done += 1;
    }
}

fn parent(link: &Link) -> Option<&String> {
    match &link.kind {
        LinkKind::Vlan { parent, .. } => Some(parent),
        _ => None,
    }
}

fn network(address: &Address) -> Option<IpNet> {
    IpNet::new(address.key.address, address.key.prefix).ok()
}
