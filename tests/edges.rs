//! Every rule of the check that counts or compares: at its edge it is silent, one step further it speaks.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::fs;

use lvs_reconcile::document::{self, Document, check};
use serde_json::{Value, json};

/// The document of the howto with other values at some places; what is not there yet is added.
fn edited(edits: &[(&str, Value)]) -> Value {
    let text = fs::read_to_string("tests/documents/good-howto/document.json").unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    for (place, value) in edits {
        let (parent, key) = place.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(list) => match key.parse::<usize>() {
                Ok(at) => list[at] = value.clone(),
                Err(_) => list.push(value.clone()),
            },
            fields => fields[key] = value.clone(),
        }
    }
    document
}

/// Everything that is said, without places.
fn said(edits: &[(&str, Value)]) -> String {
    let text = serde_json::to_vec_pretty(&edited(edits)).unwrap();
    match document::load(&text, "it") {
        Ok(_) => String::new(),
        Err(problems) => {
            let problems = problems.problems.iter();
            let lines = problems.map(|it| format!("{} {}; {}\n", it.path, it.message, it.fix));
            lines.collect()
        }
    }
}

/// The first is good, the second is refused for this.
fn edge(good: &[(&str, Value)], beyond: &[(&str, Value)], message: &str) {
    assert_eq!(said(good), "");
    let said = said(beyond);
    assert!(said.contains(message), "{message:?} is not in {said:?}");
}

fn numbered(count: usize, make: impl Fn(usize) -> Value) -> Value {
    (0..count).map(make).collect()
}

/// The same document without all that would be said of many directors.
fn bare() -> Vec<(&'static str, Value)> {
    let mut edits: Vec<_> = ["/vips", "/services", "/exports"]
        .map(|it| (it, json!([])))
        .into();
    edits.extend(["/firewall", "/netboot"].map(|it| (it, Value::Null)));
    edits
}

fn without_nulls(edits: &[(&str, Value)]) -> String {
    let mut document = edited(edits);
    let fields = document.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null());
    match document::load(document.to_string().as_bytes(), "it") {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn a_cluster_has_so_many_directors_and_interfaces() {
    let directors = |count| {
        let mut edits = bare();
        let director = |n| json!({ "name": format!("d{n}") });
        edits.push(("/directors", numbered(count, director)));
        without_nulls(&edits)
    };
    assert_eq!(directors(64), "");
    assert!(directors(65).contains("more than 64 directors"));
    let interfaces = |count| {
        let mut edits = bare();
        let interface = |n| json!({ "name": format!("i{n}") });
        let director = json!([{ "name": "d", "interfaces": numbered(count, interface) }]);
        edits.push(("/directors", director));
        without_nulls(&edits)
    };
    assert_eq!(interfaces(1024), "");
    assert!(interfaces(1025).contains("more than 1024 interfaces"));
}

/// 32 services of 1024 ports and two protocols are the most there may be, and with four members have the most
/// destinations.
fn ranges(count: usize, members: Value) -> Vec<(&'static str, Value)> {
    let service = |n: usize| {
        json!({ "name": format!("s{n}"), "vip": "public", "protocols": ["tcp", "udp"], "port": 1 + 1024 * n,
                "lastPort": 1024 * (n + 1), "realServers": members })
    };
    let server = |n| json!({ "name": format!("rs{n}"), "address": format!("172.16.0.{}", n + 21) });
    let mut edits = vec![("/services", numbered(count, service))];
    edits.push(("/realServers", numbered(5, server)));
    edits
}

#[test]
fn the_table_of_the_kernel_has_an_end() {
    let one_more = json!({ "name": "more", "vip": "public", "port": 60_000 });
    let full = ranges(32, json!(["rs0"]));
    let mut beyond = full.clone();
    beyond.push(("/services/-", one_more));
    let message = "services[32] with more there are more than 65536 virtual services";
    edge(&full, &beyond, message);
    let full = ranges(32, json!(["rs0", "rs1", "rs2", "rs3"]));
    let mut beyond = full.clone();
    let all = json!(["rs0", "rs1", "rs2", "rs3", "rs4"]);
    beyond.push(("/services/31/realServers", all));
    let message = "services[31] with s31 there are more than 262144 destinations";
    edge(&full, &beyond, message);
}

#[test]
fn names_fit_with_their_domain() {
    let label = "a".repeat(63);
    let domain = |last: usize| json!(format!("{label}.{label}.{label}.{}", "a".repeat(last)));
    edge(
        &[("/domain", domain(56))],
        &[("/domain", domain(57))],
        "directors[0].name has 254 characters with the domain",
    );
}

#[test]
fn labels_fit_behind_their_interface() {
    edge(
        &[("/vips/0/label", json!("1234567890"))],
        &[("/vips/0/label", json!("12345678901"))],
        "makes \"eth0:12345678901\", which is 16 bytes",
    );
}

#[test]
fn ranges_of_ports_begin_before_they_end_and_end() {
    let range = |first: u16, last: u16| {
        [
            ("/services/0/port", json!(first)),
            ("/services/0/lastPort", json!(last)),
        ]
    };
    edge(&range(90, 90), &range(90, 89), "is before port 90");
    edge(&range(1000, 2023), &range(1000, 2024), "makes 1025 ports");
    edge(
        &range(65_535, 65_535),
        &range(0, 1),
        "is no start of a range",
    );
    let drop = |last: u16| [("/firewall/drop/0/lastPort", json!(last))];
    edge(
        &drop(137),
        &drop(136),
        "firewall.drop[0].lastPort is before port 137",
    );
    let moved = |first: u16| {
        [
            ("/services/0/lastPort", json!(89)),
            ("/services/0/realServerPort", json!(first)),
        ]
    };
    edge(
        &moved(65_526),
        &moved(65_527),
        "ends at 65536 with this range",
    );
}

#[test]
fn frames_are_large_enough_and_fit() {
    let own = |mtu: u16| {
        [
            ("/directors/0/interfaces/1/mtu", json!(mtu)),
            ("/directors/0/interfaces/1/addresses/-", json!("fd00::1/64")),
        ]
    };
    edge(&own(1280), &own(1279), "is too small for IPv6");
    let vlan = |mtu: u16| {
        let vlan = json!({ "name": "v", "vlan": { "parent": "eth1", "id": 5 }, "mtu": mtu });
        [
            ("/directors/0/interfaces/1/mtu", json!(1500)),
            ("/directors/0/interfaces/-", vlan),
        ]
    };
    edge(&vlan(1500), &vlan(1501), "exceeds parent eth1 (1500)");
    let external = |mtu: u16| {
        [
            ("/directors/0/interfaces/1/mtu", json!(mtu)),
            (
                "/directors/0/interfaces/1/externalAddresses",
                json!(["fd00::1/64"]),
            ),
        ]
    };
    edge(&external(1280), &external(1279), "is too small for IPv6");
}

#[test]
fn thresholds_are_in_order() {
    let pair = |upper: u32, lower: u32| {
        [
            ("/services/0/upperThreshold", json!(upper)),
            ("/services/0/lowerThreshold", json!(lower)),
        ]
    };
    edge(
        &pair(5, 5),
        &pair(5, 6),
        "lowerThreshold 6 is above upperThreshold 5",
    );
    edge(
        &pair(0, 0),
        &pair(0, 1),
        "lowerThreshold 1 without upperThreshold",
    );
    let exception = |upper: Option<u32>, lower: Option<u32>| {
        let mut it = json!({ "realServer": "rs1" });
        upper.map(|upper| it["upperThreshold"] = upper.into());
        lower.map(|lower| it["lowerThreshold"] = lower.into());
        [
            ("/services/0/upperThreshold", json!(5)),
            ("/services/0/lowerThreshold", json!(4)),
            ("/services/0/destinations", json!([it])),
        ]
    };
    let place = "services[0].destinations[0] lowerThreshold";
    edge(&exception(Some(4), None), &exception(Some(3), None), place);
    edge(&exception(None, Some(5)), &exception(None, Some(6)), place);
}

#[test]
fn persistence_of_ipv4_has_thirty_two_bits() {
    let prefix = |bits: u8| [("/services/0/persistence", json!({ "prefix": bits }))];
    edge(&prefix(32), &prefix(33), "is too long on IPv4 VIP public");
}

#[test]
fn addresses_that_are_no_machines() {
    let vip = |address: &str| [("/vips/0", json!({ "name": "public", "address": address }))];
    let no = |address: &str, message: &str| {
        let said = said(&vip(address));
        assert!(said.contains(message), "{address}: {said}");
    };
    for good in ["1.0.0.1", "223.255.255.254", "192.0.2.1", "169.253.255.255"] {
        assert_eq!(said(&vip(good)), "", "{good}");
    }
    no("0.0.0.0", "means \"any address\"");
    no("::", "means \"any address\"");
    no("127.0.0.1", "is a loopback address");
    no("::1", "is a loopback address");
    no("224.0.0.1", "is a multicast address");
    no("ff02::1", "is a multicast address");
    no("255.255.255.255", "is the broadcast address");
    no("169.254.0.1", "is a link-local address");
    no("fe80::1", "is a link-local address");
    no("0.0.0.1", "is a reserved address");
    no("240.0.0.1", "is a reserved address");
    no("254.255.255.255", "is a reserved address");
}

#[test]
fn a_network_has_edges_unless_it_is_a_pair_of_machines() {
    let own = |address: &str| {
        [(
            "/directors/0/interfaces/1/externalAddresses",
            json!([address]),
        )]
    };
    edge(
        &own("10.0.0.0/31"),
        &own("10.0.0.0/30"),
        "is the network address of 10.0.0.0/30",
    );
    edge(
        &own("10.0.0.1/31"),
        &own("10.0.0.3/30"),
        "is the broadcast address of 10.0.0.0/30",
    );
    edge(
        &own("10.0.0.2/30"),
        &own("10.0.0.255/24"),
        "is the broadcast address",
    );
    edge(&own("fd00::/64"), &own("fe80::/0"), "");
}

/// Short lists are compared, long ones are hashed.
#[test]
fn lists_of_any_length_name_what_stands_in_them_twice() {
    for length in [2, 7, 8, 9, 20] {
        let name = |n: usize| json!(format!("p{n}"));
        let mut packages = numbered(length, name);
        let place = "/netboot/kickstart/0/packages";
        assert_eq!(said(&[(place, packages.clone())]), "", "{length}");
        packages[length - 1] = name(length - 2);
        let message = format!(
            "netboot.kickstart[0].packages[{}] stands in the list already; write each once\n",
            length - 1
        );
        assert_eq!(said(&[(place, packages)]), message);
    }
    for length in [3, 9] {
        let service = |n: usize| json!({ "name": format!("s{}", n.min(length - 2)), "vip": "public", "port": n + 1 });
        let said = said(&[("/services", numbered(length, service))]);
        let message = format!(
            "services[{}].name is services[{}]'s already",
            length - 1,
            length - 2
        );
        assert!(said.contains(&message), "{said}");
    }
}

/// Four are named, of more the number is said.
#[test]
fn a_few_of_many_machines_are_named() {
    let far = |count: usize| {
        let server =
            |n: usize| json!({ "name": format!("far{n}"), "address": format!("10.9.0.{}", n + 1) });
        let service = json!([{ "name": "http", "vip": "public", "port": 80 }]);
        said(&[
            ("/realServers", numbered(count, server)),
            ("/services", service),
        ])
    };
    assert!(far(1).contains("far0 (10.9.0.1) is in no inside network"));
    assert!(far(2).contains("far0, far1 are in no inside network"));
    assert!(far(4).contains("far0, far1, far2, far3 are in no inside network"));
    assert!(far(5).contains("far0, far1, far2, far3 and 1 more are in no inside network"));
    assert!(far(6).contains("far0, far1, far2, far3 and 2 more are in no inside network"));
}

#[test]
fn what_may_have_been_meant_is_listed_when_it_is_short() {
    let vips = |count: usize| {
        let vip = |n: usize| json!({ "name": format!("vip{n}"), "address": format!("192.0.2.{}", n + 1) });
        let service =
            json!([{ "name": "http", "vip": "zzzzzz", "port": 80, "forwarding": "masquerade" }]);
        said(&[("/vips", numbered(count, vip)), ("/services", service)])
    };
    assert!(vips(0).contains("is no VIP; there is none"), "{}", vips(0));
    assert!(vips(8).contains("there are: vip0, vip1, vip2, vip3, vip4, vip5, vip6, vip7\n"));
    assert!(vips(9).contains("vip6, vip7, ...\n"));
}

/// A wrong document can be wrong a million times.
#[test]
fn no_more_than_a_thousand_findings_are_kept() {
    let service = |n: usize| json!({ "name": format!("s{n}"), "vip": "zzzzzz", "port": 80 });
    let of = |count| {
        let text = edited(&[("/services", numbered(count, service))]);
        let document: Document = serde_json::from_value(text).unwrap();
        check::check(&document)
    };
    assert_eq!(of(500).len(), 500);
    assert_eq!(of(3000).len(), 1001);
    // The nearest name is only looked for while there are few.
    let named = of(500)
        .iter()
        .filter(|it| it.fix.contains("public"))
        .count();
    assert_eq!(named, 100);
}

#[test]
fn leases_are_inside_their_network() {
    let dhcp =
        |first: &str, last: &str| [("/netboot/dhcp", json!({ "first": first, "last": last }))];
    let one = dhcp("172.16.0.40", "172.16.0.40");
    edge(
        &one,
        &dhcp("172.16.0.41", "172.16.0.40"),
        "netboot.dhcp.last is before first",
    );
    let all = dhcp("172.16.0.1", "172.16.255.254");
    edge(
        &all,
        &dhcp("172.16.0.0", "172.16.0.40"),
        "netboot.dhcp.first is the network address",
    );
    edge(
        &all,
        &dhcp("172.16.0.1", "172.16.255.255"),
        "netboot.dhcp.last is the broadcast address",
    );
    edge(
        &all,
        &dhcp("172.16.0.1", "172.17.0.1"),
        "netboot.dhcp.last is not in 172.16.0.0/16",
    );
}

#[test]
fn what_no_other_machine_reaches_has_its_interface() {
    let own = |name: &str, address: &str| {
        let interface = json!({ "name": name, "addresses": [address] });
        [("/directors/0/interfaces/-", interface)]
    };
    let loopback = "is a loopback address";
    edge(
        &own("lo", "127.0.0.2/8"),
        &own("eth2", "127.0.0.2/8"),
        loopback,
    );
    edge(
        &own("eth2", "fe80::5/64"),
        &own("eth2", "ff02::5/64"),
        "is a multicast address",
    );
    edge(
        &own("lo", "192.0.2.1/32"),
        &own("lo", "224.0.0.1/32"),
        "is a multicast address",
    );
}

/// A wide range still counts behind a narrow one inside it, and the one that ends last counts.
#[test]
fn every_service_is_compared_with_the_range_that_ends_last() {
    let services = |ranges: [(u16, u16); 3]| {
        let service = |n: usize| json!({ "name": format!("s{n}"), "vip": "public", "port": ranges[n].0, "lastPort": ranges[n].1 });
        [("/services", numbered(3, service))]
    };
    let inside = services([(80, 100), (85, 86), (90, 90)]);
    let chained = services([(80, 100), (95, 120), (110, 110)]);
    let apart = services([(80, 100), (101, 120), (121, 121)]);
    edge(
        &apart,
        &inside,
        "tcp port 85 of VIP public is in both s0 and s1",
    );
    edge(
        &apart,
        &inside,
        "tcp port 90 of VIP public is in both s0 and s2",
    );
    edge(
        &apart,
        &chained,
        "tcp port 95 of VIP public is in both s0 and s1",
    );
    edge(
        &apart,
        &chained,
        "tcp port 110 of VIP public is in both s1 and s2",
    );
}

#[test]
fn an_exception_has_a_port_where_its_service_has_one() {
    let exception = |port: Option<u16>| {
        let mut it = json!({ "realServer": "rs1", "weight": 2 });
        port.map(|port| it["port"] = port.into());
        json!([it])
    };
    let by_vip = |port| [("/services/0/destinations", exception(port))];
    edge(
        &by_vip(Some(8080)),
        &by_vip(Some(0)),
        "is no port of a machine",
    );
    let by_mark = |port| {
        let service =
            json!({ "name": "marked", "firewallMark": 1, "destinations": exception(port) });
        [("/services/-", service)]
    };
    edge(
        &by_mark(None),
        &by_mark(Some(80)),
        "stands in a service without a port",
    );
}

#[test]
fn a_reason_is_a_line() {
    let silence = |length: usize| {
        let reason = "ü".repeat(length);
        [("/silence", json!([{ "code": "LVS018", "reason": reason }]))]
    };
    edge(&silence(1), &silence(0), "silence[0].reason is empty");
    edge(
        &silence(1000),
        &silence(1001),
        "has more than 1000 characters",
    );
}
