//! What an address may not be, wherever a machine is meant.

use super::index::Index;
use crate::document::{InterfaceName, Network};
use foldhash::HashMap;
use std::net::IpAddr;

/// Why no machine can have an address; none when one can.
pub(super) fn not_a_machine(address: IpAddr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some("means \"any address\"");
    }
    if address.is_loopback() {
        return Some("is a loopback address, which no other machine can reach");
    }
    if address.is_multicast() {
        return Some("is a multicast address");
    }
    match address {
        IpAddr::V4(v4) if v4.is_broadcast() => Some("is the broadcast address"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("is a link-local address"),
        IpAddr::V4(v4) if v4.octets()[0] == 0 || v4.octets()[0] >= 240 => {
            Some("is a reserved address")
        }
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("is a link-local address"),
        _ => None,
    }
}

/// Why an address of a network belongs to no machine in it; none when it may.
pub(super) fn edge_of(network: Network, address: IpAddr) -> Option<&'static str> {
    let net = network.get();
    match net.max_prefix_len() - net.prefix_len() {
        _ if address.is_ipv6() => None,
        0 | 1 => None,
        _ if net.network() == address => Some("network"),
        _ if net.broadcast() == address => Some("broadcast"),
        _ => None,
    }
}

/// The networks of all interfaces by the addresses at their edges.
pub(super) fn edges(index: &Index<'_>) -> HashMap<IpAddr, (&'static str, Network)> {
    let interfaces = index
        .document
        .directors
        .iter()
        .flat_map(|director| &director.interfaces);
    let addresses = interfaces.flat_map(|interface| {
        interface
            .addresses
            .iter()
            .chain(&interface.external_addresses)
    });
    let networks = addresses.map(|address| address.network());
    let ends = networks.flat_map(|network| {
        [network.get().network(), network.get().broadcast()].map(|end| (end, network))
    });
    ends.filter_map(|(end, network)| Some((end, (edge_of(network, end)?, network))))
        .collect()
}

/// A few of the networks that interfaces are in, each once, for whoever wrote an address that is elsewhere; none when
/// there is none.
pub(super) fn whereabouts(
    networks: impl Iterator<Item = (InterfaceName, Network)>,
) -> Option<String> {
    const SHOWN: usize = 4;
    let mut places: Vec<String> = Vec::new();
    for (name, network) in networks {
        let place = format!("{name} is in {network}");
        if !places.contains(&place) {
            places.push(place);
        }
        if places.len() == SHOWN {
            break;
        }
    }
    (!places.is_empty()).then(|| places.join(", "))
}

/// Whose address an address is.
#[derive(Clone, Copy)]
pub(super) struct Owner<'d> {
    /// The director's name.
    pub director: &'d str,
    /// The interface's name.
    pub interface: &'d str,
}

/// The addresses of all directors, own and external.
pub(super) fn of_directors<'d>(index: &Index<'d>) -> HashMap<IpAddr, Owner<'d>> {
    let mut owners = HashMap::default();
    for director in &index.document.directors {
        for interface in &director.interfaces {
            for address in interface
                .addresses
                .iter()
                .chain(&interface.external_addresses)
            {
                let owner = Owner {
                    director: director.name.as_str(),
                    interface: interface.name.as_str(),
                };
                owners.entry(address.address()).or_insert(owner);
            }
        }
    }
    owners
}
