//! What is refused, and what is said to endanger the operator's own connection: each rule at its edge.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use lvs_reconcile::guards::management::{Session, in_danger};
use lvs_reconcile::guards::{Deletions, Refusal, mass_deletions, obstacles};
use lvs_reconcile::ipvs::{self, Family, Forwarding, Protocol, Service, ServiceId};
use lvs_reconcile::ownership::{IpvsTable, Judged, judge};
use lvs_reconcile::resources::address::{Address, AddressKey};
use lvs_reconcile::resources::destination::Destination;
use lvs_reconcile::resources::file::{Content, File, FileKey, Form};
use lvs_reconcile::resources::link::{Link, LinkKind};
use lvs_reconcile::resources::nftables::{
    Chain, ChainName, Match, NftTable, Policy, Rule, Verdict,
};
use lvs_reconcile::resources::route::{Route, RouteKey};
use lvs_reconcile::resources::sysctl::{Sysctl, SysctlKey};
use lvs_reconcile::resources::{Kind, State};

fn tcp(address: &str, port: u16) -> ServiceId {
    ServiceId::Address {
        protocol: Protocol::Tcp,
        address: address.parse().unwrap(),
        port,
    }
}

fn service(id: ServiceId) -> Service {
    Service::new(id, "wlc".parse().unwrap())
}

fn address(interface: &str, address: &str, prefix: u8) -> Address {
    Address {
        key: AddressKey {
            interface: interface.into(),
            address: address.parse().unwrap(),
            prefix,
        },
        label: None,
        theirs: Default::default(),
    }
}

fn file(path: &str) -> File {
    File {
        key: FileKey {
            path: path.into(),
            form: Form::Whole,
        },
        content: Content::text("x"),
        mode: None,
        owner: None,
        untouched_default: false,
    }
}

fn link(name: &str) -> Link {
    Link {
        name: name.into(),
        kind: LinkKind::Physical,
        up: true,
        mtu: None,
        controller: None,
    }
}

/// Objects of one kind, by their numbers.
fn objects(kind: Kind, numbers: impl Iterator<Item = u8>) -> State {
    let mut state = State::default();
    for n in numbers {
        match kind {
            Kind::VirtualService => {
                let it = service(tcp("192.0.2.10", n.into()));
                state.virtual_services.insert(it);
            }
            Kind::Destination => {
                let it = format!("10.0.0.{n}").parse().unwrap();
                state.destinations.insert(Destination {
                    service: tcp("192.0.2.10", 80),
                    at: ipvs::Destination::new(it, 80, Forwarding::Masquerade, 1),
                });
            }
            Kind::Address => state
                .addresses
                .insert(address("eth0", &format!("10.0.0.{n}"), 32)),
            Kind::File => state.files.insert(file(&format!("/etc/{n}"))),
            _ => unreachable!(),
        }
    }
    state
}

const GUARDED: [Kind; 4] = [
    Kind::VirtualService,
    Kind::Destination,
    Kind::Address,
    Kind::File,
];

/// What is refused when of so many objects some go and others come.
fn refused(kind: Kind, (of, going, coming): (u8, u8, u8)) -> Vec<Refusal> {
    let live = objects(kind, 1..=of);
    let desired = objects(kind, (1 + going..=of).chain(100..100 + coming));
    let changes = live.changes_to(&desired);
    mass_deletions(&changes, &live, &desired, Deletions::Reviewed)
}

fn mass(kind: Kind, going: usize, of: usize) -> Vec<Refusal> {
    vec![Refusal::MassDeletion { kind, going, of }]
}

#[test]
fn from_ten_on_more_than_thirty_percent_is_too_much() {
    for kind in GUARDED {
        assert_eq!(refused(kind, (10, 4, 0)), mass(kind, 4, 10));
        assert_eq!(refused(kind, (10, 3, 0)), []);
        assert_eq!(refused(kind, (20, 7, 0)), mass(kind, 7, 20));
        assert_eq!(refused(kind, (20, 6, 0)), []);
        assert_eq!(refused(kind, (9, 8, 0)), []);
        assert_eq!(refused(kind, (9, 0, 9)), []);
    }
}

/// Who renumbers takes as many away as he brings.
#[test]
fn what_is_replaced_is_not_deleted() {
    for kind in GUARDED {
        assert_eq!(refused(kind, (10, 4, 4)), []);
        assert_eq!(refused(kind, (10, 4, 5)), []);
        assert_eq!(refused(kind, (10, 4, 3)), mass(kind, 4, 10));
    }
}

#[test]
fn where_nobody_looks_less_is_enough() {
    let refused = |from, to| {
        let live = objects(Kind::Destination, 1..=from);
        let desired = objects(Kind::Destination, 1..=to);
        let changes = live.changes_to(&desired);
        !mass_deletions(&changes, &live, &desired, Deletions::Unattended).is_empty()
    };
    assert!(!refused(5, 4));
    assert!(refused(5, 3));
    assert!(refused(10, 7));
    assert!(!refused(4, 1));
}

#[test]
fn the_last_service_of_a_family_is_refused() {
    let mark = |mark, family| service(ServiceId::FirewallMark { mark, family });
    let with = |services: &[Service]| State {
        virtual_services: services.iter().copied().collect(),
        ..State::default()
    };
    let refused = |live: &[Service], desired: &[Service], deletions| {
        let (live, desired) = (with(live), with(desired));
        mass_deletions(&live.changes_to(&desired), &live, &desired, deletions)
    };
    let [four, six, other] = [
        mark(1, Family::V4),
        mark(1, Family::V6),
        mark(2, Family::V6),
    ];
    let last = Refusal::LastOfFamily {
        family: Family::V6,
        going: 1,
    };
    assert_eq!(refused(&[four, six], &[four], Deletions::Reviewed), [last]);
    assert_eq!(refused(&[four, six], &[four], Deletions::Allowed), []);
    assert_eq!(
        refused(&[four, six, other], &[four, six], Deletions::Reviewed),
        []
    );
    assert_eq!(
        refused(&[four, six], &[four, other], Deletions::Reviewed),
        []
    );
}

#[test]
fn an_empty_document_is_refused() {
    let (live, empty) = (objects(Kind::Address, 1..=2), State::default());
    let refused =
        |live: &State, deletions| mass_deletions(&live.changes_to(&empty), live, &empty, deletions);
    let everything = Refusal::Everything { going: 2 };
    assert_eq!(refused(&live, Deletions::Reviewed), [everything]);
    assert_eq!(refused(&live, Deletions::Allowed), []);
    assert_eq!(refused(&empty, Deletions::Unattended), []);
}

#[test]
fn who_says_so_may_delete_everything() {
    let live = objects(Kind::VirtualService, 1..=20);
    let changes = live.changes_to(&State::default());
    let refusals = mass_deletions(&changes, &live, &State::default(), Deletions::Allowed);
    assert_eq!(refusals, []);
}

/// What would be made of one change, none of it ours.
fn judged(live: &State, desired: &State) -> Judged {
    judge(live.changes_to(desired), &[], IpvsTable::Shared)
}

#[test]
fn what_is_somebody_elses_and_different_is_in_the_way() {
    let id = tcp("192.0.2.10", 80);
    let mut live = State::default();
    live.virtual_services.insert(service(id));
    let mut desired = State::default();
    desired
        .virtual_services
        .insert(Service::new(id, "rr".parse().unwrap()));
    let refusals = obstacles(&judged(&live, &desired), &[]);
    let [refusal] = refusals.as_slice() else {
        panic!("{refusals:?}");
    };
    let said = refusal.to_string();
    assert!(said.contains("192.0.2.10:80 exists, is not ours"), "{said}");
    assert!(said.contains("--adopt"), "{said}");
    assert_eq!(obstacles(&judged(&live, &live), &[]), []);
}

#[test]
fn a_card_that_is_not_there_cannot_be_made() {
    let with = |link: Link| {
        let mut state = State::default();
        state.links.insert(link);
        state
    };
    let missing = with(link("eth7"));
    let refusals = obstacles(
        &judged(&State::default(), &missing),
        &["lo".into(), "eth0".into()],
    );
    let [refusal] = refusals.as_slice() else {
        panic!("{refusals:?}");
    };
    let said = refusal.to_string();
    assert_eq!(
        said,
        "there is no interface eth7 on this machine; it has: lo, eth0"
    );
    let made = Link {
        kind: LinkKind::Dummy,
        ..link("dummy0")
    };
    assert_eq!(obstacles(&judged(&State::default(), &with(made)), &[]), []);
    let mut down = missing.clone();
    down.links.insert(Link {
        up: false,
        ..link("eth7")
    });
    assert_eq!(obstacles(&judged(&missing, &down), &[]), []);
}

const FAR: &str = "198.51.100.7";
const NEAR: &str = "192.0.2.9";

/// Managed at 192.0.2.2 on eth0; what is far away is reached through eth2.
fn live() -> State {
    let mut state = State::default();
    state
        .links
        .extend([link("eth0"), link("eth1"), link("eth2")]);
    state.addresses.extend([
        address("eth0", "192.0.2.2", 24),
        address("eth0", "192.0.2.3", 24),
        address("eth1", "10.0.0.1", 24),
        address("eth2", "203.0.113.2", 24),
    ]);
    state.routes.insert(route("0.0.0.0/0", "eth2"));
    state
}

fn route(to: &str, interface: &str) -> Route {
    Route {
        key: RouteKey {
            table: 254,
            to: to.parse().unwrap(),
            metric: 0,
        },
        via: None,
        interface: interface.into(),
        theirs: Default::default(),
    }
}

/// Whether an edit of the machine endangers a session from there.
fn cuts(peer: &str, edit: impl FnOnce(&mut State)) -> bool {
    between(peer, &live(), edit)
}

fn between(peer: &str, live: &State, edit: impl FnOnce(&mut State)) -> bool {
    let session = Session {
        peer: peer.parse().unwrap(),
        local: "192.0.2.2".parse().unwrap(),
        port: 22,
    };
    let mut desired = live.clone();
    edit(&mut desired);
    let changes = live.changes_to(&desired);
    assert!(!changes.is_empty(), "nothing was edited");
    !in_danger(&changes, live, &[session]).is_empty()
}

#[test]
fn a_link_cuts_what_goes_through_it() {
    let down = |name: &str| Link {
        up: false,
        ..link(name)
    };
    assert!(cuts(FAR, |it| it.links.insert(down("eth2"))));
    assert!(!cuts(FAR, |it| it.links.insert(down("eth1"))));
    // Bound into a bond it no longer takes packets itself.
    let bound = |name: &str| Link {
        controller: Some("bond0".into()),
        ..link(name)
    };
    assert!(cuts(FAR, |it| it.links.insert(bound("eth0"))));
    assert!(!cuts(FAR, |it| it.links.insert(bound("eth9"))));
}

/// Managed through VLAN 5 on a bond of eth0 and eth1.
#[test]
fn a_link_cuts_what_it_carries() {
    let vlan = Link {
        kind: LinkKind::Vlan {
            parent: "bond0".into(),
            id: 5,
        },
        ..link("bond0.5")
    };
    let member = |name| Link {
        controller: Some("bond0".into()),
        ..link(name)
    };
    let mut live = State::default();
    let links = [
        vlan,
        link("bond0"),
        member("eth0"),
        member("eth1"),
        link("eth2"),
    ];
    live.links.extend(links);
    live.addresses.insert(address("bond0.5", "192.0.2.2", 24));
    for (name, cut) in [
        ("bond0.5", true),
        ("bond0", true),
        ("eth0", true),
        ("eth1", true),
        ("eth2", false),
    ] {
        let down = |it: &mut State| {
            it.links.insert(Link {
                up: false,
                ..link(name)
            })
        };
        assert_eq!(between(FAR, &live, down), cut, "{name}");
    }
}

#[test]
fn an_address_takes_its_neighbours_along() {
    let remove = |state: &mut State, of: Address| drop(state.addresses.remove(&of.key));
    assert!(cuts(FAR, |it| remove(it, address("eth0", "192.0.2.3", 24))));
    assert!(cuts(FAR, |it| remove(
        it,
        address("eth2", "203.0.113.2", 24)
    )));
    assert!(!cuts(FAR, |it| remove(it, address("eth1", "10.0.0.1", 24))));
    assert!(!cuts(FAR, |it| it.addresses.insert(address(
        "eth0",
        "192.0.2.4",
        24
    ))));
}

#[test]
fn a_route_cuts_when_it_is_as_particular_as_the_way_there() {
    let new = |to: &'static str| move |it: &mut State| it.routes.insert(route(to, "eth1"));
    assert!(cuts(FAR, new("198.51.100.0/24")));
    assert!(!cuts(FAR, new("198.51.101.0/24")));
    assert!(cuts(NEAR, new("192.0.2.0/25")));
    assert!(cuts(NEAR, new("192.0.2.0/24")));
    assert!(!cuts(NEAR, new("192.0.0.0/16")));
    assert!(!cuts(NEAR, |it| it.routes = Default::default()));
    assert!(cuts(FAR, |it| it.routes = Default::default()));
}

#[test]
fn settings_cut_where_they_decide_about_packets() {
    let set = |path: &'static str| {
        move |it: &mut State| {
            it.sysctls.insert(Sysctl {
                key: SysctlKey::from_path(path),
                value: "1".into(),
            });
        }
    };
    for path in [
        "net/ipv4/conf/all/rp_filter",
        "net/ipv4/conf/eth0/arp_ignore",
        "net/ipv4/conf/eth2/arp_announce",
    ] {
        assert!(cuts(FAR, set(path)), "{path}");
    }
    for path in [
        "net/ipv4/conf/eth1/rp_filter",
        "net/ipv4/conf/default/rp_filter",
        "net/ipv4/conf/eth0/forwarding",
        "net/ipv4/ip_forward",
    ] {
        assert!(!cuts(FAR, set(path)), "{path}");
    }
}

fn marking(matches: Vec<Match>, verdict: Verdict) -> impl FnOnce(&mut State) {
    let rules = vec![Rule { matches, verdict }];
    let chain = Chain {
        name: ChainName::Marks,
        policy: Policy::Accept,
        rules,
    };
    move |it| {
        it.nftables.insert(NftTable {
            chains: vec![chain],
            helpers: Vec::new(),
            unknown: Vec::new(),
        });
    }
}

#[test]
fn a_mark_leads_a_session_elsewhere_when_all_of_it_matches() {
    let ports = |protocol: &str, first, last| Match::Ports {
        protocol: protocol.into(),
        first,
        last,
    };
    let cutting = [
        Match::To("192.0.2.2".parse().unwrap()),
        Match::Destination("192.0.2.0/24".parse().unwrap()),
        Match::Source("198.51.100.0/24".parse().unwrap()),
        ports("tcp", 22, 22),
        ports("tcp", 1, 22),
        Match::InInterface("eth0".into()),
    ];
    let harmless = [
        Match::To("192.0.2.3".parse().unwrap()),
        Match::Destination("192.0.3.0/24".parse().unwrap()),
        Match::Source("198.51.101.0/24".parse().unwrap()),
        ports("udp", 22, 22),
        ports("tcp", 23, 80),
    ];
    for it in cutting {
        assert!(
            cuts(FAR, marking(vec![it.clone()], Verdict::Mark(1))),
            "{it:?}"
        );
        assert!(
            !cuts(FAR, marking(vec![it.clone()], Verdict::Accept)),
            "{it:?}"
        );
        let both = vec![it.clone(), harmless[0].clone()];
        assert!(!cuts(FAR, marking(both, Verdict::Mark(1))), "{it:?}");
    }
    for it in harmless {
        assert!(
            !cuts(FAR, marking(vec![it.clone()], Verdict::Mark(1))),
            "{it:?}"
        );
    }
}

#[test]
fn a_service_captures_what_comes_to_its_address_and_port() {
    let new = |id: ServiceId| move |it: &mut State| it.virtual_services.insert(service(id));
    assert!(cuts(FAR, new(tcp("192.0.2.2", 22))));
    assert!(cuts(FAR, new(tcp("192.0.2.2", 0))));
    assert!(!cuts(FAR, new(tcp("192.0.2.2", 80))));
    assert!(!cuts(FAR, new(tcp("192.0.2.3", 22))));
    let udp = ServiceId::Address {
        protocol: Protocol::Udp,
        address: "192.0.2.2".parse().unwrap(),
        port: 22,
    };
    assert!(!cuts(FAR, new(udp)));
    let marked = ServiceId::FirewallMark {
        family: Family::V4,
        mark: 22,
    };
    assert!(!cuts(FAR, new(marked)));
    // One that goes gives the port back.
    let mut live = live();
    live.virtual_services.insert(service(tcp("192.0.2.2", 22)));
    assert!(!between(FAR, &live, |it| it.virtual_services = Default::default()));
}

#[test]
fn files_cut_nothing() {
    assert!(!cuts(FAR, |it| it.files.insert(file("/etc/hosts"))));
}
