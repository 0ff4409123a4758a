//! What follows for the node, and what only the node can tell.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::resources::nftables::{ChainName, Policy};

#[test]
fn forwarding_follows_from_what_is_masqueraded() {
    let services = |method: &str| json!([{ "name": "http", "vip": "both", "port": 80, "forwarding": method, "realServers": ["rs1"] }]);
    let of = |more: Value| sysctls(&resolved(more));
    let (v4, v6) = (
        "net.ipv4.ip_forward = 1",
        "net.ipv6.conf.all.forwarding = 1",
    );
    let (accept_ra, tracked) = (
        "net.ipv6.conf.eth0.accept_ra = 2",
        "net.ipv4.vs.conntrack = 1",
    );
    let (direct, masquerade) = (services("direct-routing"), services("masquerade"));
    assert_eq!(of(json!({ "services": direct })), [""; 0]);
    assert_eq!(of(json!({ "services": masquerade })), [v4, v6, accept_ra]);
    assert_eq!(
        of(json!({ "services": masquerade, "firewall": {} })),
        [v4, tracked, v6, accept_ra]
    );
    let accepting = json!({ "forwardPolicy": "accept", "masquerade": false });
    assert_eq!(
        of(json!({ "services": masquerade, "firewall": accepting })),
        [v4, v6, accept_ra]
    );
    assert_eq!(of(json!({ "services": direct, "firewall": {} })), [v4]);
}

/// What a drop policy accepts, and that drops stand before it.
#[test]
fn an_accepting_policy_needs_only_the_drops() {
    let drop = json!([{ "name": "netbios", "protocols": ["udp"], "port": 137 }]);
    let table = |firewall: Value| {
        let desired = resolved(json!({ "firewall": firewall }));
        let table = desired.state.nftables.iter().next().cloned().unwrap();
        let shape = table
            .chains
            .iter()
            .map(|it| (it.name, it.policy, it.rules.len()));
        shape.collect::<Vec<_>>()
    };
    let masquerade = (ChainName::Masquerade, Policy::Accept, 1);
    assert_eq!(
        table(json!({ "drop": drop })),
        [(ChainName::Forward, Policy::Drop, 4), masquerade]
    );
    let accepting = json!({ "drop": drop, "forwardPolicy": "accept" });
    assert_eq!(
        table(accepting),
        [(ChainName::Forward, Policy::Accept, 1), masquerade]
    );
    assert_eq!(
        table(json!({ "forwardPolicy": "accept", "masquerade": false })),
        []
    );
}

/// Nobody who only sorts his document is to see a change.
#[test]
fn rules_have_one_order_however_the_document_names_them() {
    let table = |drops: Value, matches: Value| {
        let desired = resolved(json!({
            "firewall": { "drop": drops },
            "services": [{ "name": "web", "firewallMark": 7, "match": matches }],
        }));
        desired.state.nftables.iter().next().cloned().unwrap()
    };
    let one = table(
        json!([{ "name": "rpc", "protocols": ["tcp", "udp"], "port": 111 }, { "name": "mail", "protocols": ["tcp"], "port": 25 }]),
        json!([{ "vip": "v4", "port": 80 }, { "vip": "v4", "port": 53, "protocols": ["udp", "tcp"] }]),
    );
    let other = table(
        json!([{ "name": "mail", "protocols": ["tcp"], "port": 25 }, { "name": "rpc", "protocols": ["udp", "tcp"], "port": 111 }]),
        json!([{ "vip": "v4", "port": 53, "protocols": ["tcp", "udp"] }, { "vip": "v4", "port": 80 }]),
    );
    assert_eq!(one, other);
    assert_eq!(one.chains.iter().map(|it| it.rules.len()).max(), Some(6));
}

#[test]
fn timeouts_of_which_none_is_stated_are_none() {
    let with = |ipvs: Value| resolved(json!({ "ipvs": ipvs })).state;
    let empty = with(json!({ "timeouts": {} }));
    assert!(empty.timeouts.is_empty());
    assert_eq!(empty.modules, with(json!({})).modules);
    let stated = with(json!({ "timeouts": { "udpSeconds": 30 } }));
    assert_eq!(stated.timeouts.len(), 1);
    assert_ne!(stated.modules, empty.modules);
}

#[test]
fn a_document_without_directors_asks_for_nothing() {
    let document = serde_json::from_value(json!({ "version": 1 })).unwrap();
    assert!(
        resolve(&document, "dir1", &Facts::unknown())
            .unwrap()
            .state
            .is_empty()
    );
}

#[test]
fn what_only_the_node_can_tell_comes_all_at_once() {
    let none = Facts {
        dhcp: Vec::new(),
        nfs_unit: None,
        web_unit: None,
        serves_dns: false,
        armed: Default::default(),
        hosts: HostsFile::default(),
        public_key: PublicKey::Unknown,
        origin: Origin::Machine,
    };
    let wishes = json!({
        "exports": [{ "path": "/srv" }],
        "netboot": { "dhcp": { "first": "10.0.1.1", "last": "10.0.1.9" } },
    });
    assert_eq!(
        refused(wishes, &none),
        [
            "exports: no NFS server is installed on dir1; install nfs-kernel-server (Debian) or nfs-utils (Red Hat), \
         or remove exports",
            "netboot.dhcp: no inside interface of dir1 has an address in the network of 10.0.1.1 to 10.0.1.9; \
         give one an address there, or correct first and last",
            "netboot.dhcp: no DHCP server is installed on dir1; install kea-dhcp4-server (Debian) or kea (Red Hat), \
         isc-dhcp-server (Debian) or dhcp-server (Red Hat), or dnsmasq; or remove netboot.dhcp",
        ]
    );
    let document = serde_json::from_value(document(json!({}))).unwrap();
    let unknown = resolve(&document, "lb\n3", &none).unwrap_err();
    assert_eq!(
        unknown[0].to_string(),
        r#"no director is called "lb\n3"; directors: dir1; use --node dir1"#
    );
}

/// An export without clients would be one to everybody.
#[test]
fn an_export_always_has_clients() {
    let outside = json!([{
        "name": "dir1",
        "interfaces": [{ "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"] }],
    }]);
    let wishes = json!({ "directors": outside, "exports": [{ "path": "/srv" }] });
    let refused = refused(wishes, &Facts::unknown());
    assert_eq!(
        refused,
        ["exports[0]: dir1 has no inside network to export to; name its clients"]
    );
}

#[test]
fn impossible_services_are_refused() {
    let refused = refused(
        json!({ "services": [
            { "name": "six", "vip": "both", "port": 80, "realServers": ["rs2"] },
            { "name": "none", "vip": "v4", "port": 81, "tag": "nobody" },
            { "name": "mark", "firewallMark": 7, "family": "ipv6", "realServers": ["rs1"], "match": [{ "vip": "v4", "port": 80 }] },
        ]}),
        &Facts::unknown(),
    );
    assert_eq!(
        refused,
        [
            "services[0]: none of the real servers of six has an IPv6 address; give them one, or use another VIP",
            "services[1]: it has no real server; name one, or remove the service",
            "services[2].match[0].vip: v4 has no ipv6 address; state \"family\", or name another VIP",
        ]
    );
}

/// Red Hat's dhcpd finds its interfaces by the subnets that it serves.
#[test]
fn the_unit_reads_what_its_distribution_reads() {
    let netboot = json!({ "netboot": { "dhcp": { "first": "10.0.0.100", "last": "10.0.0.200" } } });
    let facts = Facts {
        dhcp: vec![DhcpServer::installed(Backend::IscDhcpServer, "dhcpd")],
        ..Facts::unknown()
    };
    let desired = try_resolve(netboot, &facts).unwrap();
    let unit = desired.state.units.iter().next().unwrap();
    assert_eq!((unit.name.as_str(), unit.reads.len()), ("dhcpd", 1));
    assert_eq!(
        said(&desired),
        ["the director was not looked at: dhcpd as on Debian assumed"]
    );
}

proptest! {
    /// Whoever has an address keeps it: no pool holds a reservation, a VIP or a director's address, and together with
    /// those the pools are the whole range.
    #[test]
    fn no_pool_holds_an_address_of_somebody(
        machines in proptest::collection::btree_set(2..=254u8, 1..20),
        vips in proptest::collection::btree_set(2..=254u8, 0..5),
        (first, last) in (1..=254u8, 1..=254u8),
    ) {
        prop_assume!(first <= last);
        let address = |last: &u8| Ipv4Addr::new(10, 0, 0, *last);
        let desired = resolved(json!({
            "realServers": machines.iter().map(|it| json!({
                "name": format!("rs{it}"), "address": address(it), "mac": format!("02:00:00:00:00:{it:02x}"),
            })).collect::<Vec<_>>(),
            "vips": vips.iter().map(|it| json!({
                "name": format!("v{it}"), "address": address(it), "role": "inside",
            })).collect::<Vec<_>>(),
            "netboot": { "dhcp": { "first": address(&first), "last": address(&last) } },
        }));
        let config = render(&desired).find(|(path, _)| *path == "/etc/dhcp/dhcpd.conf").unwrap().1;
        let ranges: Vec<(Ipv4Addr, Ipv4Addr)> = config.lines().filter_map(|line| {
            let (from, to) = line.trim().strip_prefix("range ")?.strip_suffix(';')?.split_once(' ')?;
            Some((from.parse().unwrap(), to.parse().unwrap()))
        }).collect();
        for candidate in 1..=254u8 {
            let somebodys = candidate == 1 || machines.contains(&candidate) || vips.contains(&candidate);
            let offered = ranges.iter().any(|(from, to)| (*from..=*to).contains(&address(&candidate)));
            prop_assert_eq!(offered, (first..=last).contains(&candidate) && !somebodys);
        }
    }
}
