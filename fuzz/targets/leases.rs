//! What Kea and dnsmasq are told, read by their grammars, is what the document says.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use lvs_reconcile::document::{Director, Document};
use serde_json::Value;

use super::boot;
use super::daemons::lines;

/// What clients get, whoever serves them.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    router: String,
    domain: Option<String>,
    lease: u64,
}

/// `kea-dhcp4.conf`: JSON, in which a list of values is separated by commas.
pub fn assert_kea(document: &Document, director: &Director, text: &str) {
    let file: Value = serde_json::from_str(text).expect("JSON");
    let config = &file["Dhcp4"];
    let [subnet] = config["subnet4"].as_array().expect("subnets").as_slice() else {
        panic!("not one subnet: {text}");
    };
    let data = |name: &str| {
        let options = subnet["option-data"].as_array().expect("options");
        let option = options.iter().find(|it| it["name"] == name);
        option.map(|it| string(&it["data"]))
    };
    let interface = string(&config["interfaces-config"]["interfaces"][0]);
    let (interface, server) = interface.split_once('/').expect("an address");
    assert_eq!(subnet["interface"], interface);
    assert_place(director, interface, Some(server));
    let told = Told {
        router: data("routers").expect("a router"),
        domain: data("domain-name"),
        lease: config["valid-lifetime"].as_u64().expect("seconds"),
    };
    assert_told(document, Some(server), &told);
    let pools = subnet["pools"].as_array().expect("pools").iter();
    assert_pools(
        document,
        pools.map(|it| {
            let pool = string(&it["pool"]);
            let (first, last) = pool.split_once(" - ").expect("two addresses");
            (address(first), address(last))
        }),
    );
    let hosts = subnet["reservations"]
        .as_array()
        .expect("reservations")
        .iter();
    assert_hosts(
        document,
        hosts.map(|it| ["hw-address", "ip-address", "hostname"].map(|field| string(&it[field]))),
    );
}

/// The file in dnsmasq's directory: an option a line, its fields separated by commas.
pub fn assert_dnsmasq(document: &Document, director: &Director, text: &str) {
    let (mut pools, mut options, mut lease) = (Vec::new(), Vec::new(), 0);
    for line in lines(text) {
        let (option, value) = line.split_once('=').unwrap_or((line, ""));
        let fields: Vec<&str> = value.split(',').collect();
        match (option, fields.as_slice()) {
            ("dhcp-authoritative", [""]) => {}
            ("dhcp-hostsfile", ["/etc/dnsmasq.d/.lvs-reconcile.hosts"]) => {}
            ("dhcp-range", [interface, "set:lvs-reconcile", first, last, _mask, seconds]) => {
                assert_place(
                    director,
                    interface.strip_prefix("tag:").expect("a tag"),
                    None,
                );
                pools.extend((*last != "static").then(|| (address(first), address(last))));
                lease = seconds.parse().expect("seconds");
            }
            ("dhcp-option", ["tag:lvs-reconcile", name, values @ ..]) => {
                options.push((name.to_string(), values.join(",")));
            }
            _ => boot::assert_dnsmasq_line(document, director, option, &fields),
        }
    }
    let value = |name: &str| {
        options
            .iter()
            .find(|it| it.0 == name)
            .map(|it| it.1.clone())
    };
    let told = Told {
        router: value("option:router").expect("a router"),
        domain: value("option:domain-name"),
        lease,
    };
    assert_told(document, None, &told);
    assert_pools(document, pools.into_iter());
}

/// The file of reservations: MAC, address and name.
pub fn assert_dnsmasq_hosts(document: &Document, text: &str) {
    let hosts = lines(text).map(|line| {
        let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        <[String; 3]>::try_from(fields).expect("three fields")
    });
    assert_hosts(document, hosts);
}

/// It listens where the director is.
fn assert_place(director: &Director, interface: &str, server: Option<&str>) {
    let mut interfaces = director.interfaces.iter();
    let found = interfaces.find(|it| it.name.as_str() == interface);
    let addresses = &found.expect("an interface of the director").addresses;
    let own = |server: &str| addresses.iter().any(|it| it.address() == address(server));
    assert!(server.is_none_or(own), "{server:?}");
}

fn assert_told(document: &Document, server: Option<&str>, told: &Told) {
    let dhcp = document.netboot.as_ref().and_then(|it| it.dhcp.as_ref());
    let dhcp = dhcp.expect("there is DHCP");
    let router = dhcp.router.map(|it| it.get().to_string());
    let router = router.or(server.map(str::to_owned));
    assert_eq!(told.router, router.unwrap_or_else(|| told.router.clone()));
    assert_eq!(
        told.domain,
        document.domain.as_ref().map(ToString::to_string)
    );
    let lease = dhcp.lease_seconds.map_or(43_200, |it| it.get());
    assert_eq!(told.lease, u64::from(lease));
}

/// Nobody's address is handed out, and none outside of what is stated.
fn assert_pools(document: &Document, pools: impl Iterator<Item = (Ipv4Addr, Ipv4Addr)>) {
    let dhcp = document.netboot.as_ref().and_then(|it| it.dhcp.as_ref());
    let dhcp = dhcp.expect("there is DHCP");
    let own = document.directors.iter().flat_map(|it| &it.interfaces);
    let own = own.flat_map(|it| &it.addresses).map(|it| it.address());
    let machines = document.real_servers.iter().map(|it| it.address.get());
    let taken: Vec<IpAddr> = own.chain(machines).collect();
    for (first, last) in pools {
        assert!(dhcp.first.get() <= first && first <= last && last <= dhcp.last.get());
        let inside = |it: &&IpAddr| matches!(it, IpAddr::V4(it) if (first..=last).contains(it));
        assert_eq!(taken.iter().find(inside), None, "in {first} to {last}");
    }
}

/// Each is a real server with a MAC, once, and all of it as the document says.
fn assert_hosts(document: &Document, hosts: impl Iterator<Item = [String; 3]>) {
    let mut seen = BTreeSet::new();
    for [mac, address, name] in hosts {
        let mut machines = document.real_servers.iter();
        let machine = machines.find(|it| it.name.as_str() == name);
        let machine = machine.unwrap_or_else(|| panic!("{name} is nobody"));
        assert_eq!(mac, machine.mac.expect("a MAC").to_string());
        assert_eq!(address, machine.address.to_string());
        assert!(seen.insert(name), "a host twice");
    }
}

fn string(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn address(word: &str) -> Ipv4Addr {
    word.parse()
        .unwrap_or_else(|_| panic!("{word:?} is no address"))
}
