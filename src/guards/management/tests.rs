use super::*;
use crate::ipvs::Name;
use crate::resources::address::AddressKey;
use crate::resources::nftables::{Chain, ChainName, Policy};
use crate::resources::route::RouteKey;
use crate::resources::sysctl::{Sysctl, SysctlKey};

fn address(interface: &str, address: &str, prefix: u8) -> Address {
    let address = address.parse().unwrap();
    Address {
        theirs: Default::default(),
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
        theirs: Default::default(),
        key: RouteKey {
            table: 254,
            to: to.parse().unwrap(),
            metric: 0,
        },
        via: Some(via.parse().unwrap()),
        interface: interface.into(),
    }
}

fn link(name: &str, kind: LinkKind, controller: Option<&str>) -> Link {
    Link {
        name: name.into(),
        kind,
        up: true,
        mtu: None,
        controller: controller.map(Into::into),
    }
}

fn down(name: &str) -> Link {
    Link {
        up: false,
        ..link(name, LinkKind::Physical, None)
    }
}

fn sysctl(path: &str) -> Sysctl {
    Sysctl {
        key: SysctlKey::from_path(path),
        value: "1".into(),
    }
}

fn service(protocol: Protocol, vip: &str, port: u16) -> VirtualService {
    let id = ServiceId::Address {
        protocol,
        address: vip.parse().unwrap(),
        port,
    };
    VirtualService::new(id, Name::literal("rr"))
}

fn marking(matches: Vec<Match>) -> NftTable {
    let rule = Rule {
        matches,
        verdict: Verdict::Mark(1),
    };
    NftTable {
        chains: vec![Chain {
            name: ChainName::Marks,
            policy: Policy::Accept,
            rules: vec![rule],
        }],
        helpers: Vec::new(),
        unknown: Vec::new(),
    }
}

fn ports(protocol: &str, first: u16, last: u16) -> Match {
    Match::Ports {
        protocol: protocol.into(),
        first,
        last,
    }
}

/// Managed through VLAN 5 on a bond of eth0 and eth1; the real servers are behind eth2.
fn live() -> State {
    let vlan = LinkKind::Vlan {
        parent: "bond0".into(),
        id: 5,
    };
    let bond = LinkKind::Bond {
        mode: "active-backup".into(),
    };
    let links = [
        link("bond0", bond, None),
        link("bond0.5", vlan, None),
        link("eth0", LinkKind::Physical, Some("bond0")),
        link("eth1", LinkKind::Physical, Some("bond0")),
        link("eth2", LinkKind::Physical, None),
    ];
    let addresses = [
        address("bond0.5", "192.0.2.2", 24),
        address("bond0.5", "203.0.113.1", 24),
        address("eth2", "10.0.0.1", 24),
    ];
    State {
        links: links.into_iter().collect(),
        addresses: addresses.into_iter().collect(),
        routes: [route("0.0.0.0/0", "192.0.2.1", "bond0.5")]
            .into_iter()
            .collect(),
        ..State::default()
    }
}

const FAR: &str = "198.51.100.7";
const NEAR: &str = "192.0.2.9";

/// Whether what `edit` does to the machine endangers a session from `peer`.
fn endangers(peer: &str, edit: impl FnOnce(&mut State)) -> bool {
    let session = Session {
        peer: peer.parse().unwrap(),
        local: "192.0.2.2".parse().unwrap(),
        port: 22,
    };
    let mut to = live();
    edit(&mut to);
    !in_danger(&live().changes_to(&to), &live(), &[session]).is_empty()
}

#[test]
fn an_interface_that_carries_the_session() {
    for name in ["bond0.5", "bond0", "eth0", "eth1"] {
        assert!(endangers(FAR, |it| it.links.insert(down(name))), "{name}");
    }
    assert!(!endangers(FAR, |it| it.links.insert(down("eth2"))));
    assert!(endangers(FAR, |it| drop(it.links.remove(&"bond0".into()))));
    let new = || link("eth2.5", LinkKind::Dummy, None);
    assert!(!endangers(FAR, |it| it.links.insert(new())));
}

#[test]
fn an_address_of_its_interface() {
    let gone = |name: &str, it: &str| {
        let key = address(name, it, 24).key;
        endangers(FAR, |state| drop(state.addresses.remove(&key)))
    };
    assert!(gone("bond0.5", "192.0.2.2"));
    // Its secondaries and its routes go with it.
    assert!(gone("bond0.5", "203.0.113.1"));
    assert!(!gone("eth2", "10.0.0.1"));
    let new = address("bond0.5", "192.0.2.3", 24);
    assert!(!endangers(FAR, |it| it.addresses.insert(new)));
}

#[test]
fn a_route_that_leads_to_the_peer_rather_than_the_one_in_use() {
    let with = |peer, to| endangers(peer, |it| it.routes.insert(route(to, "10.0.0.9", "eth2")));
    assert!(endangers(FAR, |it| it.routes = Default::default()));
    assert!(with(FAR, "198.51.100.0/24"));
    assert!(!with(FAR, "198.51.200.0/24"));
    // On the link itself, only what is as particular as the network counts.
    assert!(!endangers(NEAR, |it| it.routes = Default::default()));
    assert!(!with(NEAR, "192.0.0.0/16"));
    assert!(with(NEAR, "192.0.2.0/25"));
    assert!(with(NEAR, "192.0.2.0/24"));
}

#[test]
fn a_setting_that_decides_which_packets_are_taken() {
    let with = |path: &str| endangers(FAR, |it| it.sysctls.insert(sysctl(path)));
    assert!(with("net/ipv4/conf/all/rp_filter"));
    assert!(with("net/ipv4/conf/bond0.5/arp_ignore"));
    assert!(!with("net/ipv4/conf/eth2/rp_filter"));
    assert!(!with("net/ipv4/conf/all/forwarding"));
}

#[test]
fn a_service_that_takes_its_port() {
    let with = |protocol, vip, port| {
        let service = service(protocol, vip, port);
        endangers(FAR, |it| it.virtual_services.insert(service))
    };
    assert!(with(Protocol::Tcp, "192.0.2.2", 22));
    assert!(with(Protocol::Tcp, "192.0.2.2", 0));
    assert!(!with(Protocol::Tcp, "192.0.2.2", 80));
    assert!(!with(Protocol::Udp, "192.0.2.2", 22));
    assert!(!with(Protocol::Tcp, "203.0.113.1", 22));
}

#[test]
fn a_mark_that_leads_its_packets_away() {
    let with = |matches: Vec<Match>| endangers(FAR, |it| it.nftables.insert(marking(matches)));
    let to = |it: &str| Match::To(it.parse().unwrap());
    let destination = |it: &str| Match::Destination(it.parse().unwrap());
    let source = |it: &str| Match::Source(it.parse().unwrap());
    assert!(with(vec![]));
    assert!(with(vec![to("192.0.2.2"), ports("tcp", 20, 22)]));
    assert!(!with(vec![to("192.0.2.2"), ports("tcp", 80, 80)]));
    assert!(!with(vec![to("192.0.2.2"), ports("udp", 20, 22)]));
    assert!(!with(vec![to("203.0.113.1")]));
    assert!(with(vec![destination("192.0.2.0/24")]));
    assert!(!with(vec![destination("203.0.113.0/24")]));
    assert!(with(vec![source("198.51.100.0/24")]));
    assert!(!with(vec![source("192.0.2.0/24")]));
    let plain = NftTable {
        chains: Vec::new(),
        ..marking(vec![])
    };
    assert!(!endangers(FAR, |it| it.nftables.insert(plain)));
}
