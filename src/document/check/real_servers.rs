//! Real servers: each is a machine of its own, apart from VIPs and directors.

use super::{
    Findings,
    addresses::{edges, not_a_machine, of_directors},
    index::Index,
    names::once,
};
use crate::document::RealServer;
use std::{collections::HashMap, net::IpAddr};

/// The addresses.
pub fn addresses(index: &Index<'_>, findings: &mut Findings) {
    let mut taken = Taken::new(index);
    for (at, server) in index.real_servers() {
        let address = server.address.get();
        one_address(findings, &mut taken, (at, server), "address", address);
        let Some(second) = server.address6 else {
            continue;
        };
        one_address(
            findings,
            &mut taken,
            (at, server),
            "address6",
            second.into(),
        );
        if address.is_ipv6() {
            let message = "is a second IPv6 address: address is IPv6 already";
            findings.add(
                format!("realServers[{at}].address6"),
                message,
                "remove address6",
            );
        }
    }
}

/// The MACs.
pub fn macs(index: &Index<'_>, findings: &mut Findings) {
    let mut macs = HashMap::new();
    for (at, server) in index.real_servers() {
        let Some(mac) = server.mac else { continue };
        if let Some((first, name)) = macs.insert(mac, (at, &server.name)) {
            let message = format!("is already {name}'s (realServers[{first}])");
            let path = format!("realServers[{at}].mac");
            findings
                .report(path, message, "give each machine its own MAC")
                .alone();
        }
    }
}

/// Whose an address is, of everything that is no real server.
struct Taken {
    by: HashMap<IpAddr, String>,
}

impl Taken {
    fn new(index: &Index<'_>) -> Self {
        let mut by = HashMap::new();
        for (address, (edge, network)) in edges(index) {
            by.insert(address, format!("is the {edge} address of {network}"));
        }
        for director in &index.document.directors {
            let gateways = director
                .gateway
                .map(IpAddr::from)
                .into_iter()
                .chain(director.gateway6.map(IpAddr::from));
            by.extend(gateways.map(|gateway| (gateway, format!("is {}'s gateway", director.name))));
        }
        for (address, owner) in of_directors(index) {
            by.insert(
                address,
                format!(
                    "is the director's own ({} {})",
                    owner.director, owner.interface
                ),
            );
        }
        for vip in &index.document.vips {
            let addresses =
                std::iter::once(vip.address.get()).chain(vip.address6.map(IpAddr::from));
            by.extend(addresses.map(|address| (address, format!("is the VIP {}", vip.name))));
        }
        Self { by }
    }
}

fn one_address(
    findings: &mut Findings,
    taken: &mut Taken,
    (at, server): (usize, &RealServer),
    field: &str,
    address: IpAddr,
) {
    let path = || format!("realServers[{at}].{field}");
    if let Some(reason) = not_a_machine(address) {
        findings
            .report(path(), reason, "write the machine's own address")
            .alone();
        return;
    }
    let owner = format!("is already {}'s (realServers[{at}])", server.name);
    if let Some(before) = taken.by.insert(address, owner) {
        findings
            .report(path(), before, "write the machine's own address")
            .alone();
    }
}

/// A tag stands once at a machine.
pub fn tags(index: &Index<'_>, findings: &mut Findings) {
    for (at, server) in index.real_servers().filter(|(_, s)| s.tags.len() > 1) {
        once(
            findings,
            &format!("realServers[{at}].tags"),
            "",
            &server.tags,
        );
    }
}
