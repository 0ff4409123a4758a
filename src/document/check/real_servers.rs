//! Real servers: each is a machine of its own, apart from VIPs and directors.

use super::{
    Findings,
    addresses::{edges, not_a_machine, of_directors},
    index::Index,
    names::once,
};
use crate::document::{Name, RealServer};
use foldhash::HashMap;
use std::net::IpAddr;

/// The addresses.
pub fn addresses(index: &Index<'_>, findings: &mut Findings) {
    let mut taken = taken(index);
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
                format_args!("realServers[{at}].address6"),
                message,
                "remove address6",
            );
        }
    }
}

/// The MACs.
pub fn macs(index: &Index<'_>, findings: &mut Findings) {
    let mut macs = HashMap::default();
    for (at, server) in index.real_servers() {
        let Some(mac) = server.mac else { continue };
        if let Some((first, name)) = macs.insert(mac, (at, &server.name)) {
            let message = format!("is already {name}'s (realServers[{first}])");
            let path = format_args!("realServers[{at}].mac");
            findings
                .report(path, message, "give each machine its own MAC")
                .alone();
        }
    }
}

/// Whose an address is.
enum Holder<'d> {
    RealServer(usize, &'d Name),
    /// What else it is, as the rest of a sentence.
    Other(String),
}

/// Who has which address.
type Taken<'d> = HashMap<IpAddr, Holder<'d>>;

/// The addresses of everything that is no real server.
fn taken<'d>(index: &Index<'d>) -> Taken<'d> {
    let edges = edges(index).into_iter().map(|(address, (edge, network))| {
        let what = format!("is the {edge} address of {network}");
        (address, Holder::Other(what))
    });
    let own = of_directors(index).into_iter().map(|(address, owner)| {
        let what = format!(
            "is the director's own ({} {})",
            owner.director, owner.interface
        );
        (address, Holder::Other(what))
    });
    let mut taken: Taken<'d> = edges.chain(own).collect();
    for it in &index.document.directors {
        let gateways = [it.gateway.map(IpAddr::from), it.gateway6.map(IpAddr::from)];
        let holder = || Holder::Other(format!("is {}'s gateway", it.name));
        taken.extend(
            gateways
                .into_iter()
                .flatten()
                .map(|address| (address, holder())),
        );
    }
    for it in &index.document.vips {
        let addresses = [Some(it.address.get()), it.address6.map(IpAddr::from)];
        let holder = || Holder::Other(format!("is the VIP {}", it.name));
        taken.extend(
            addresses
                .into_iter()
                .flatten()
                .map(|address| (address, holder())),
        );
    }
    taken
}

fn one_address<'d>(
    findings: &mut Findings,
    taken: &mut Taken<'d>,
    (at, server): (usize, &'d RealServer),
    field: &str,
    address: IpAddr,
) {
    let message = match not_a_machine(address) {
        Some(reason) => reason.to_owned(),
        None => match taken.insert(address, Holder::RealServer(at, &server.name)) {
            Some(Holder::RealServer(first, name)) => {
                format!("is already {name}'s (realServers[{first}])")
            }
            Some(Holder::Other(what)) => what,
            None => return,
        },
    };
    let path = format_args!("realServers[{at}].{field}");
    findings
        .report(path, message, "write the machine's own address")
        .alone();
}

/// A tag stands once at a machine.
pub fn tags(index: &Index<'_>, findings: &mut Findings) {
    for (at, server) in index.real_servers().filter(|(_, s)| s.tags.len() > 1) {
        once(
            findings,
            format_args!("realServers[{at}].tags"),
            "",
            &server.tags,
        );
    }
}
