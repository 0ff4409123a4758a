//! The path by which the operator reaches this machine, and the changes that may cut it. Pure.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::delta::{Delta, Verb};
use crate::ipvs::{Protocol, ServiceId};
use crate::resources::address::Address;
use crate::resources::link::Link;
use crate::resources::nftables::{Match, NftTable, Rule, Verdict};
use crate::resources::route::Route;
use crate::resources::virtual_service::VirtualService;
use crate::resources::{Change, State};

/// A connection by which somebody manages this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    pub peer: IpAddr,
    /// The address of this machine that it ends at, and the port.
    pub local: IpAddr,
    pub port: u16,
}

/// The changes after which one of the sessions, or a new one like it, may not come through.
pub fn in_danger<'c>(changes: &'c [Change], live: &State, sessions: &[Session]) -> Vec<&'c Change> {
    let paths: Vec<_> = sessions.iter().map(|it| Path::of(*it, live)).collect();
    let cuts = |change: &&Change| paths.iter().any(|path| path.is_touched_by(change));
    changes.iter().filter(cuts).collect()
}

/// How the packets of a session come and go.
struct Path {
    session: Session,
    /// The interfaces that hold the local address, and those that the peer is reached through.
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
        let it = delta.subject();
        let ours = |name: &String| self.interfaces.contains(name);
        // What an interface is bound into takes its packets.
        let bound = delta.to().is_some_and(|it| it.controller.is_some());
        match delta.verb() {
            Verb::Create => bound && ours(&it.name),
            _ => ours(&it.name),
        }
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

fn network(address: &Address) -> Option<IpNet> {
    IpNet::new(address.key.address, address.key.prefix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::address::AddressKey;
    use crate::resources::link::LinkKind;
    use crate::resources::route::RouteKey;

    fn address(interface: &str, address: &str, prefix: u8) -> Address {
        let address = address.parse().unwrap();
        Address {
            key: AddressKey {
                interface: interface.into(),
                address,
                prefix,
            },
            label: None,
        }
    }

    fn route(to: &str, via: &str, interface: &str) -> Route {
        Route {
            key: RouteKey {
                table: 254,
                to: to.parse().unwrap(),
                metric: 0,
            },
            via: Some(via.parse().unwrap()),
            interface: interface.into(),
        }
    }

    fn link(name: &str, up: bool) -> Link {
        Link {
            name: name.into(),
            kind: LinkKind::Physical,
            up,
            mtu: None,
            controller: None,
        }
    }

    /// Managed through eth0, from far away.
    fn live() -> State {
        State {
            links: [link("eth0", true), link("eth1", true)]
                .into_iter()
                .collect(),
            addresses: [
                address("eth0", "192.0.2.2", 24),
                address("eth1", "10.0.0.1", 24),
            ]
            .into_iter()
            .collect(),
            routes: [route("0.0.0.0/0", "192.0.2.1", "eth0")]
                .into_iter()
                .collect(),
            ..State::default()
        }
    }

    fn endangers(to: State, peer: &str) -> bool {
        let session = Session {
            peer: peer.parse().unwrap(),
            local: "192.0.2.2".parse().unwrap(),
            port: 22,
        };
        !in_danger(&live().changes_to(&to), &live(), &[session]).is_empty()
    }

    fn with(edit: impl FnOnce(&mut State)) -> State {
        let mut state = live();
        edit(&mut state);
        state
    }

    #[test]
    fn what_carries_the_session_is_in_danger() {
        let far = "198.51.100.7";
        let own = address("eth0", "192.0.2.2", 24).key;
        let elsewhere = route("198.51.100.0/24", "10.0.0.9", "eth1");
        assert!(endangers(with(|it| drop(it.addresses.remove(&own))), far));
        assert!(endangers(
            with(|it| it.links.insert(link("eth0", false))),
            far
        ));
        assert!(endangers(with(|it| it.routes = Default::default()), far));
        assert!(endangers(
            with(|it| it.routes.insert(elsewhere.clone())),
            far
        ));
    }

    #[test]
    fn what_lies_elsewhere_is_not() {
        let far = "198.51.100.7";
        assert!(!endangers(
            with(|it| it.links.insert(link("eth1", false))),
            far
        ));
        assert!(!endangers(
            with(|it| drop(it.addresses.remove(&address("eth1", "10.0.0.1", 24).key))),
            far
        ));
        assert!(!endangers(
            with(|it| it
                .routes
                .insert(route("203.0.113.0/24", "10.0.0.9", "eth1"))),
            far
        ));
        // On the link no gateway matters.
        assert!(!endangers(
            with(|it| it.routes = Default::default()),
            "192.0.2.9"
        ));
    }
}
