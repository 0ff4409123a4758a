//! Interfaces of a director: roles and addresses.

use super::{
    Findings,
    addresses::{edge_of, not_a_machine},
    index::Index,
    ranges::ends,
};
use crate::document::{Director, Interface, InterfaceAddress, Name, Role};
use foldhash::HashMap;
use std::{collections::hash_map::Entry, net::IpAddr};

/// At most one interface is outside.
pub fn roles(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let mut outside = director
            .interfaces
            .iter()
            .filter(|interface| interface.role == Some(Role::Outside));
        if let (Some(first), Some(second)) = (outside.next(), outside.next()) {
            findings.add(
                format!("directors[{at}]"),
                format!("{} and {} are both \"outside\"", first.name, second.name),
                "keep one, or drop the role and give vips[].interface",
            );
        }
    }
}

/// An address is a machine's, and it is there once: the kernel takes it twice, and with two prefix lengths.
pub fn addresses(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let mut here: HashMap<IpAddr, Written<'_>> = HashMap::default();
        for written in written_addresses(at, director) {
            one_address(findings, &written);
            match here.entry(written.address.address()) {
                Entry::Occupied(before) => twice(findings, written, before.get()),
                Entry::Vacant(place) => {
                    place.insert(written);
                }
            }
        }
    }
}

/// Two directors share an address only when somebody else moves it between them.
pub fn own_addresses(index: &Index<'_>, findings: &mut Findings) {
    let mut owners: HashMap<IpAddr, &Name> = HashMap::default();
    for (at, director) in index.directors() {
        let own = written_addresses(at, director).filter(|written| written.list == "addresses");
        for written in own {
            let owner = owners
                .entry(written.address.address())
                .or_insert(&director.name);
            if **owner != director.name {
                let message = format!("is {owner}'s address too");
                let fix = "give each director its own; a shared one belongs in externalAddresses";
                findings.report(written.path, message, fix).alone();
            }
        }
    }
}

/// An address as it stands in the document.
struct Written<'d> {
    path: String,
    list: &'static str,
    interface: &'d Interface,
    address: InterfaceAddress,
}

/// All addresses of a director, own and external.
fn written_addresses(at: usize, director: &Director) -> impl Iterator<Item = Written<'_>> {
    director
        .interfaces
        .iter()
        .enumerate()
        .flat_map(move |(position, interface)| {
            let lists = [
                ("addresses", &interface.addresses),
                ("externalAddresses", &interface.external_addresses),
            ];
            lists.into_iter().flat_map(move |(list, addresses)| {
                addresses
                    .iter()
                    .enumerate()
                    .map(move |(place, address)| Written {
                        path: format!("directors[{at}].interfaces[{position}].{list}[{place}]"),
                        list,
                        interface,
                        address: *address,
                    })
            })
        })
}

fn one_address(findings: &mut Findings, written: &Written<'_>) {
    let address = written.address.address();
    let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let loopback = address.is_loopback() && written.interface.name.as_str() == "lo";
    let reason = not_a_machine(address)
        .filter(|_| !link_local && !loopback)
        .map(str::to_owned);
    let network = written.address.network();
    let edge =
        || edge_of(network, address).map(|edge| format!("is the {edge} address of {network}"));
    if let Some(message) = reason.or_else(edge) {
        let fix = "write an address of the machine";
        findings.report(written.path.clone(), message, fix).alone();
    }
}

fn twice(findings: &mut Findings, written: Written<'_>, first: &Written<'_>) {
    let message = match first.interface.name == written.interface.name {
        true if first.list != written.list => "is in addresses and externalAddresses".to_owned(),
        _ => format!(
            "is on {} already, as {}",
            first.interface.name, first.address
        ),
    };
    findings.report(written.path, message, "keep one").alone();
}

/// Networks of two interfaces have no address in common: the kernel would answer by one of them only.
pub fn networks_apart(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let addresses = written_addresses(at, director);
        let mut all: Vec<_> = addresses
            .filter(|written| can_overlap(written.address))
            .collect();
        // The wider of two networks with the same start comes first, so that it is open when the other is seen.
        all.sort_by_key(|written| {
            let (first, last) = ends(written.address.network());
            (first, std::cmp::Reverse(last))
        });
        let mut open: Vec<Written<'_>> = Vec::new();
        for written in all {
            let (first, _) = ends(written.address.network());
            while open
                .pop_if(|wider| ends(wider.address.network()).1 < first)
                .is_some()
            {}
            match open.last() {
                Some(wider) if wider.interface.name != written.interface.name => {
                    overlap(findings, written, wider);
                }
                _ => open.push(written),
            }
        }
    }
}

fn overlap(findings: &mut Findings, written: Written<'_>, wider: &Written<'_>) {
    // That one address stands twice is a finding of its own.
    if written.address.address() != wider.address.address() {
        let (name, network) = (wider.interface.name, wider.address.network());
        let own = written.address.network();
        let message = format!("is in {own}, which overlaps {name}'s {network}");
        findings
            .report(written.path, message, "give each interface its own network")
            .alone();
    }
}

/// Single addresses lie in other networks by design, and link-local ones are on every link.
fn can_overlap(address: InterfaceAddress) -> bool {
    let net = address.network().get();
    let link_local = matches!(net.addr(), IpAddr::V6(v6) if v6.is_unicast_link_local());
    net.prefix_len() < net.max_prefix_len() && !link_local
}
