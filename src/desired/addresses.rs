//! Addresses: those of the director's interfaces, its VIPs, and those that others set.

use std::net::IpAddr;

use crate::delta::Set;
use crate::document::{InterfaceName, ManagedBy, Vip};
use crate::ipvs::Family;
use crate::resources::address::{Address, AddressKey};

use super::node::Node;
use super::problem::{Findings, Problem};

/// An address that DHCP, VRRP or BGP sets: looked at, never touched; a missing one is a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// The address.
    pub address: IpAddr,
    /// Where it is expected.
    pub interface: String,
    /// Its prefix length; `None` for a VIP, to which others may give the one of its network.
    pub prefix: Option<u8>,
    /// The name of the VIP, when it is one.
    pub vip: Option<String>,
}

/// One or, dual stack, two addresses.
pub(super) fn addresses_of(vip: &Vip) -> impl Iterator<Item = IpAddr> + use<> {
    let second = vip.address6.map(IpAddr::from);
    std::iter::once(vip.address.get()).chain(second)
}

/// The addresses that we set.
pub(super) fn addresses(node: &Node, findings: &mut Findings) -> Set<Address> {
    let interfaces = node.director.interfaces.iter();
    let own = interfaces.flat_map(|interface| {
        let addresses = interface.addresses.iter();
        addresses.map(|it| address(&interface.name, it.address(), it.prefix(), None))
    });
    let mut addresses: Set<Address> = own.collect();
    for (index, vip) in node.document.vips.iter().enumerate() {
        if vip.managed_by == Some(ManagedBy::External) || !node.holds(vip) {
            continue;
        }
        match node.interface_of(vip) {
            Some(interface) => addresses.extend(addresses_of(vip).map(|it| {
                address(
                    interface,
                    it,
                    Family::of(it).bits(),
                    vip.label.as_ref().map(|it| it.as_str()),
                )
            })),
            None => findings.refuse(homeless(node, index, vip)),
        }
    }
    addresses
}

/// The addresses that we only look at.
pub(super) fn external(node: &Node) -> Vec<External> {
    let interfaces = node.director.interfaces.iter();
    let own = interfaces.flat_map(|interface| {
        interface.external_addresses.iter().map(|it| External {
            address: it.address(),
            interface: interface.name.to_string(),
            prefix: Some(it.prefix()),
            vip: None,
        })
    });
    let vips = node.document.vips.iter();
    let vips = vips.filter(|it| it.managed_by == Some(ManagedBy::External) && node.holds(it));
    let vips = vips.flat_map(|vip| {
        let interface = node.interface_of(vip).map(|it| it.to_string());
        addresses_of(vip).map(move |address| External {
            address,
            interface: interface.clone().unwrap_or_default(),
            prefix: None,
            vip: Some(vip.name.to_string()),
        })
    });
    own.chain(vips).collect()
}

/// The kernel labels every IPv4 address, with the interface's name when nobody says otherwise.
fn address(interface: &InterfaceName, address: IpAddr, prefix: u8, label: Option<&str>) -> Address {
    let interface = interface.to_string();
    let label = match label {
        Some(label) => format!("{interface}:{label}"),
        None => interface.clone(),
    };
    Address {
        theirs: Default::default(),
        label: address.is_ipv4().then_some(label),
        key: AddressKey {
            interface,
            address,
            prefix,
        },
    }
}

fn homeless(node: &Node, index: usize, vip: &Vip) -> Problem {
    let role = vip
        .role
        .map_or("outside", |it| crate::document::Word::word(it));
    let director = &node.director.name;
    Problem::new(
        format!("vips[{index}]"),
        format!("{director} has no {role:?} interface for {}", vip.name),
        "give an interface that role, or name one in vips[].interface",
    )
}
