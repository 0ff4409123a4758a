//! A small world from which states are drawn: every state is one that a real machine could be in.

use lvs_reconcile::delta::Set;
use lvs_reconcile::ipvs::{self, Forwarding, Protocol, Service, ServiceId};
use lvs_reconcile::resources::State;
use lvs_reconcile::resources::address::{Address, AddressKey};
use lvs_reconcile::resources::destination::Destination;
use lvs_reconcile::resources::file::{Content, File, FileKey, Form};
use lvs_reconcile::resources::link::{Link, LinkKind};
use lvs_reconcile::resources::module::{Module, ModuleName};
use lvs_reconcile::resources::nftables::{
    Chain, ChainName, Match, NftTable, Policy, Rule, Verdict,
};
use lvs_reconcile::resources::route::{Route, RouteKey};
use lvs_reconcile::resources::sysctl::{Sysctl, SysctlKey};
use lvs_reconcile::resources::timeouts::Timeouts;
use lvs_reconcile::resources::unit::{OnChange, Unit};
use proptest::prelude::*;

const VIPS: [&str; 2] = ["192.0.2.10", "192.0.2.11"];
const SCHEDULERS: [&str; 3] = ["rr", "wlc", "mh"];

/// A state of a director.
pub fn a_state() -> impl Strategy<Value = State> {
    (network(), balancing(), extras()).prop_map(|(mut state, balancing, extras)| {
        state.merge(balancing);
        state.merge(extras);
        state
    })
}

/// The machine that `state` could have been before anybody managed it.
pub fn bare(state: &State) -> State {
    let mut bare = State::default();
    bare.links = cards(false);
    bare.sysctls = state
        .sysctls
        .iter()
        .filter(|it| it.key.path() == "net/ipv4/ip_forward")
        .cloned()
        .collect();
    bare
}

/// Things of other people, beside everything that `a_state` makes.
pub fn foreign_beside() -> State {
    let service = service("198.51.100.1", 8080, "wrr");
    State {
        modules: modules(),
        virtual_services: [service].into_iter().collect(),
        destinations: [destination(service.id, 200, 7)].into_iter().collect(),
        addresses: [address("eth0", "198.51.100.1", 32)].into_iter().collect(),
        files: [file("/etc/theirs", "theirs")].into_iter().collect(),
        ..State::default()
    }
}

/// Something of ours that no example wants.
pub fn neglected() -> State {
    let service = service("203.0.113.200", 8081, "rr");
    State {
        virtual_services: [service].into_iter().collect(),
        destinations: [destination(service.id, 201, 3)].into_iter().collect(),
        ..State::default()
    }
}

fn cards(up: bool) -> Set<Link> {
    ["eth0", "eth1"]
        .into_iter()
        .map(|name| Link {
            name: name.into(),
            kind: LinkKind::Physical,
            up,
            mtu: None,
            controller: None,
        })
        .collect()
}

fn network() -> impl Strategy<Value = State> {
    let outside = prop::sample::select(vec![None, Some("192.0.2.2"), Some("192.0.2.3")]);
    let gateway = prop::sample::select(vec![None, Some("192.0.2.1"), Some("192.0.2.254")]);
    (outside, gateway, any::<bool>(), any::<bool>()).prop_map(
        |(outside, gateway, dummy, forward)| {
            let mut state = State {
                links: cards(true),
                addresses: [address("eth1", "10.0.0.1", 24)].into_iter().collect(),
                sysctls: [sysctl(
                    "net/ipv4/ip_forward",
                    if forward { "1" } else { "0" },
                )]
                .into_iter()
                .collect(),
                ..State::default()
            };
            if let Some(outside) = outside {
                state.addresses.insert(address("eth0", outside, 24));
                state.routes.extend(gateway.map(default_route));
            }
            if dummy {
                state.links.insert(Link {
                    name: "dummy0".into(),
                    kind: LinkKind::Dummy,
                    up: true,
                    mtu: None,
                    controller: None,
                });
                state.addresses.insert(address("dummy0", "203.0.113.1", 32));
            }
            state
        },
    )
}

fn balancing() -> impl Strategy<Value = State> {
    let one = (
        0..3usize,
        prop::collection::vec(prop::option::of(0..4u32), 3),
    );
    prop::collection::vec(prop::option::of(one), 3).prop_map(|services| {
        let mut state = State {
            modules: modules(),
            ..State::default()
        };
        for (number, (scheduler, weights)) in services
            .into_iter()
            .enumerate()
            .filter_map(|(n, it)| Some((n, it?)))
        {
            let vip = VIPS[number % VIPS.len()];
            let service = service(vip, 80 + number as u16, SCHEDULERS[scheduler]);
            state.virtual_services.insert(service);
            state.addresses.insert(address("eth0", vip, 32));
            let made = weights
                .into_iter()
                .enumerate()
                .filter_map(|(n, weight)| Some((n, weight?)));
            state
                .destinations
                .extend(made.map(|(n, weight)| destination(service.id, n as u8 + 11, weight)));
        }
        state
    })
}

fn extras() -> impl Strategy<Value = State> {
    (0..3u8, 0..3u8, 0..3u32, any::<bool>()).prop_map(|(table, config, timeout, tracked)| {
        let mut state = State::default();
        state.nftables.extend((table > 0).then(|| nft(table)));
        if config > 0 {
            let content = format!("subnet {config};\n");
            state.files.insert(file("/etc/dhcp/dhcpd.conf", &content));
            state.units.insert(Unit {
                name: "isc-dhcp-server".into(),
                reads: vec!["/etc/dhcp/dhcpd.conf".into()],
                on_change: OnChange::Restart,
                config: Some(content),
            });
        }
        state.timeouts.insert(Timeouts {
            tcp_seconds: Some(900 + timeout),
            tcp_fin_seconds: None,
            udp_seconds: None,
        });
        let value = if tracked { "1" } else { "0" };
        state.modules = modules();
        state.sysctls.insert(sysctl("net/ipv4/vs/conntrack", value));
        state
    })
}

fn modules() -> Set<Module> {
    let name = ModuleName("ip_vs".into());
    [Module { name }].into_iter().collect()
}

fn address(interface: &str, address: &str, prefix: u8) -> Address {
    Address {
        theirs: Default::default(),
        key: AddressKey {
            interface: interface.into(),
            address: address.parse().unwrap(),
            prefix,
        },
        label: Some(interface.into()),
    }
}

fn default_route(via: &str) -> Route {
    Route {
        theirs: Default::default(),
        key: RouteKey {
            table: 254,
            to: "0.0.0.0/0".parse().unwrap(),
            metric: 0,
        },
        via: Some(via.parse().unwrap()),
        interface: "eth0".into(),
    }
}

fn sysctl(path: &str, value: &str) -> Sysctl {
    Sysctl {
        key: SysctlKey::from_path(path),
        value: value.into(),
    }
}

fn service(vip: &str, port: u16, scheduler: &str) -> Service {
    let id = ServiceId::Address {
        protocol: Protocol::Tcp,
        address: vip.parse().unwrap(),
        port,
    };
    Service::new(id, scheduler.parse().unwrap())
}

fn destination(service: ServiceId, last: u8, weight: u32) -> Destination {
    let address = format!("10.0.0.{last}").parse().unwrap();
    Destination {
        service,
        at: ipvs::Destination::new(address, 80, Forwarding::Masquerade, weight),
    }
}

fn file(path: &str, content: &str) -> File {
    File {
        key: FileKey {
            path: path.into(),
            form: Form::Whole,
        },
        content: Content::text(content),
        mode: Some(0o644),
        owner: None,
        untouched_default: false,
    }
}

/// One of two tables, each permitting something that the other does not.
fn nft(which: u8) -> NftTable {
    let accept = Rule {
        matches: vec![Match::InInterface(format!("eth{which}"))],
        verdict: Verdict::Accept,
    };
    NftTable {
        chains: vec![Chain {
            name: ChainName::Forward,
            policy: Policy::Drop,
            rules: vec![accept],
        }],
        helpers: Vec::new(),
        unknown: Vec::new(),
    }
}
