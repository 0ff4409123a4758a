//! Weights, members, ports and families.

use std::net::Ipv4Addr;

use super::*;
use crate::ipvs::{self, ServiceId};

/// What a machine, a service and an exception say of the weight, and what comes of it.
#[test]
fn the_most_special_weight_counts_and_a_quiesced_machine_is_quiesced_everywhere() {
    let cases = [
        (None, None, None, 1),
        (Some(3), None, None, 3),
        (Some(3), Some(5), None, 5),
        (Some(3), Some(5), Some(7), 7),
        (Some(3), Some(5), Some(0), 0),
        (Some(3), Some(0), None, 0),
        (Some(3), Some(0), Some(7), 7),
        (Some(0), Some(5), Some(7), 0),
        (Some(0), None, None, 0),
    ];
    for (machine, service, exception, expected) in cases {
        let mut real_server = json!({ "name": "rs1", "address": "10.0.0.11" });
        let mut http = json!({ "name": "http", "vip": "v4", "port": 80 });
        let mut special = json!({ "realServer": "rs1" });
        set(&mut real_server, "weight", machine);
        set(&mut http, "weight", service);
        set(&mut special, "weight", exception);
        http["destinations"] = json!([special]);
        let desired = resolved(json!({ "realServers": [real_server], "services": [http] }));
        let expected = format!("10.0.0.11:80 {expected}");
        assert_eq!(destinations(&desired, "tcp 192.0.2.10:80"), [expected]);
    }
}

fn set(value: &mut Value, key: &str, number: Option<u32>) {
    if let Some(number) = number {
        value[key] = number.into();
    }
}

#[test]
fn members_are_all_or_the_named_or_the_tagged() {
    let http = |more: Value| {
        let mut service = json!({ "name": "http", "vip": "v4", "port": 80 });
        service
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        destinations(
            &resolved(json!({ "services": [service] })),
            "tcp 192.0.2.10:80",
        )
    };
    assert_eq!(
        http(json!({})),
        ["10.0.0.11:80 3", "10.0.0.12:80 1", "10.0.0.13:80 1"]
    );
    assert_eq!(http(json!({ "realServers": ["rs2"] })), ["10.0.0.12:80 1"]);
    assert_eq!(
        http(json!({ "tag": "mail" })),
        ["10.0.0.12:80 1", "10.0.0.13:80 1"]
    );
}

#[test]
fn a_range_is_a_service_per_port_and_keeps_its_offset() {
    let desired = resolved(json!({ "services": [{
        "name": "rtp", "vip": "v4", "protocols": ["udp", "tcp"], "port": 5000, "lastPort": 5002,
        "realServerPort": 6000, "realServers": ["rs1", "rs2"],
        "destinations": [{ "realServer": "rs2", "port": 7000 }],
    }]}));
    assert_eq!(services(&desired).len(), 6);
    assert_eq!(
        destinations(&desired, "udp 192.0.2.10:5000"),
        ["10.0.0.11:6000 3", "10.0.0.12:7000 1"]
    );
    assert_eq!(
        destinations(&desired, "tcp 192.0.2.10:5002"),
        ["10.0.0.11:6002 3", "10.0.0.12:7002 1"]
    );
    let rtp = ServiceId::Address {
        protocol: ipvs::Protocol::Udp,
        address: Ipv4Addr::new(192, 0, 2, 10).into(),
        port: 5001,
    };
    assert_eq!(desired.names.service(&rtp), Some("rtp"));
}

#[test]
fn a_vip_of_both_families_makes_two_services() {
    let desired = resolved(json!({ "services": [
        { "name": "http", "vip": "both", "port": 80, "persistence": {}, "realServers": ["rs1", "rs2"] },
    ]}));
    assert_eq!(
        services(&desired),
        ["tcp 192.0.2.20:80", "tcp [2001:db8::20]:80"]
    );
    assert_eq!(
        destinations(&desired, "tcp 192.0.2.20:80"),
        ["10.0.0.11:80 3", "10.0.0.12:80 1"]
    );
    assert_eq!(
        destinations(&desired, "tcp [2001:db8::20]:80"),
        ["fd00::11:80 3"]
    );
    assert_eq!(
        said(&desired),
        ["LVS019 http: without an IPv6 address, so not in it: rs2"]
    );
    let sticky =
        |it: &crate::ipvs::Service| it.persistence.map(|it| (it.timeout_seconds, it.prefix));
    let sticky: Vec<_> = desired.state.virtual_services.iter().map(sticky).collect();
    assert_eq!(sticky, [Some((300, 32)), Some((300, 128))]);
}

#[test]
fn only_masquerading_changes_the_port_and_only_a_tunnel_the_family() {
    let desired = resolved(json!({
        "realServers": [
            { "name": "rs1", "address": "10.0.0.11", "address6": "fd00::11" },
            { "name": "far", "address": "198.51.100.7" },
        ],
        "services": [
            {
                "name": "http", "vip": "both", "port": 80, "realServerPort": 8080,
                "destinations": [{ "realServer": "far", "forwarding": "tunnel" }],
            },
            { "name": "mark", "firewallMark": 7, "forwarding": "direct-routing", "realServers": ["rs1"] },
            { "name": "moved", "firewallMark": 8, "realServerPort": 8080, "realServers": ["rs1"] },
        ],
    }));
    assert_eq!(
        destinations(&desired, "tcp 192.0.2.20:80"),
        ["10.0.0.11:8080 1", "198.51.100.7:80 1"]
    );
    assert_eq!(
        destinations(&desired, "tcp [2001:db8::20]:80"),
        ["198.51.100.7:80 1", "fd00::11:8080 1"]
    );
    assert_eq!(destinations(&desired, "fwmark 7"), ["10.0.0.11:0 1"]);
    assert_eq!(destinations(&desired, "fwmark 8"), ["10.0.0.11:8080 1"]);
}

#[test]
fn a_service_lives_where_its_vip_lives() {
    let mut two = document(json!({
        "vips": [
            { "name": "v4", "address": "192.0.2.10", "director": "dir1" },
            { "name": "shared", "address": "192.0.2.11", "managedBy": "external" },
        ],
        "services": [
            { "name": "http", "vip": "v4", "port": 80 },
            { "name": "dns", "vip": "shared", "port": 53, "scheduler": "rr" },
            { "name": "mark", "firewallMark": 7, "match": [{ "vip": "v4", "port": 443 }] },
        ],
    }));
    let mut other = two["directors"][0].clone();
    other["name"] = "dir2".into();
    two["directors"].as_array_mut().unwrap().push(other);
    let desired = resolve(
        &serde_json::from_value(two).unwrap(),
        "dir2",
        &Facts::unknown(),
    )
    .unwrap();
    assert_eq!(services(&desired), ["tcp 192.0.2.11:53"]);
    let modules: Vec<_> = desired
        .state
        .modules
        .iter()
        .map(|it| it.name.0.as_str())
        .collect();
    assert_eq!(modules, ["ip_vs", "ip_vs_rr"]);
    assert!(desired.state.nftables.is_empty());
    assert!(desired.state.addresses.iter().all(|it| !it.key.is_vip()));
    assert_eq!(desired.external.len(), 1);
}
