//! Interfaces of a director: what they are made of.

use super::{Findings, index::Index};
use crate::document::{Director, Interface, InterfaceName};
use foldhash::{HashMap, HashSet};
use std::net::IpAddr;

/// An interface is one thing.
pub fn one_kind(index: &Index<'_>, findings: &mut Findings) {
    for (path, interface) in interfaces(index) {
        let kinds = kinds(interface);
        if let [first, second, ..] = kinds.as_slice() {
            findings.add(
                path,
                format!("{first} and {second} both given"),
                "an interface is one of them",
            );
        } else if !kinds.is_empty() && interface.name.as_str() == "lo" {
            findings.add(
                format_args!("{path}.name"),
                "is the loopback interface, which is always there",
                "name it otherwise",
            );
        }
    }
}

fn kinds(interface: &Interface) -> Vec<&'static str> {
    let Interface {
        vlan,
        bond,
        bridge,
        dummy,
        ..
    } = interface;
    let given = [
        ("vlan", vlan.is_some()),
        ("bond", bond.is_some()),
        ("bridge", bridge.is_some()),
        ("dummy", dummy.is_some()),
    ];
    given
        .into_iter()
        .filter(|(_, given)| *given)
        .map(|(kind, _)| kind)
        .collect()
}

fn interfaces<'d>(index: &Index<'d>) -> impl Iterator<Item = (String, &'d Interface)> + use<'d> {
    index.directors().flat_map(|(director_at, director)| {
        let path = move |at| format!("directors[{director_at}].interfaces[{at}]");
        director
            .interfaces
            .iter()
            .enumerate()
            .map(move |(at, interface)| (path(at), interface))
    })
}

/// The interfaces that one is made of, with the field that says so.
fn lower(interface: &Interface) -> Vec<(String, InterfaceName)> {
    let vlan = interface
        .vlan
        .iter()
        .map(|vlan| ("vlan.parent".to_owned(), vlan.parent));
    let bond = interface
        .bond
        .iter()
        .flat_map(|bond| members("bond", &bond.members));
    let bridge = interface
        .bridge
        .iter()
        .flat_map(|bridge| members("bridge", &bridge.members));
    vlan.chain(bond).chain(bridge).collect()
}

fn members<'i>(
    kind: &'static str,
    names: &'i [InterfaceName],
) -> impl Iterator<Item = (String, InterfaceName)> + 'i {
    names
        .iter()
        .enumerate()
        .map(move |(at, name)| (format!("{kind}.members[{at}]"), *name))
}

/// A VLAN has a number of its own on its parent; a member is in one bond or bridge, and carries nothing itself; and
/// nothing is made of itself.
pub fn lower_interfaces(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let by_name: HashMap<InterfaceName, &Interface> = director
            .interfaces
            .iter()
            .map(|interface| (interface.name, interface))
            .collect();
        let path = |position: usize| format!("directors[{at}].interfaces[{position}]");
        one_vlan_each(findings, director, path);
        unfit(findings, director, &by_name, path);
        parents_up(findings, director, &by_name, path);
        one_master_each(findings, director, &by_name, path);
        for (position, interface) in director.interfaces.iter().enumerate() {
            if is_made_of_itself(interface, &by_name) {
                findings.add(
                    path(position),
                    format!("{} is made of itself", interface.name),
                    "break the circle",
                );
            }
        }
    }
}

fn one_vlan_each(findings: &mut Findings, director: &Director, path: impl Fn(usize) -> String) {
    let mut vlans = HashMap::default();
    for (position, interface) in director.interfaces.iter().enumerate() {
        let Some(vlan) = &interface.vlan else {
            continue;
        };
        if let Some(other) = vlans.insert((vlan.parent, vlan.id), interface.name) {
            let message = format!("is {other} on {} already", vlan.parent);
            findings.add(
                format_args!("{}.vlan.id", path(position)),
                message,
                "write each VLAN once",
            );
        }
    }
}

/// The kernel makes nothing of the loopback interface, and no bridge of bridges.
fn unfit(
    findings: &mut Findings,
    director: &Director,
    by_name: &HashMap<InterfaceName, &Interface>,
    path: impl Fn(usize) -> String,
) {
    let is_bridge = |name| by_name.get(&name).is_some_and(|it| it.bridge.is_some());
    for (position, interface) in director.interfaces.iter().enumerate() {
        for (field, name) in lower(interface) {
            let place = format_args!("{}.{field}", path(position));
            if name.as_str() == "lo" {
                let message = "is the loopback interface, and nothing is made of it";
                findings.add(place, message, "name another interface");
            } else if interface.bridge.is_some() && is_bridge(name) {
                let message = "is a bridge, and a bridge takes no other";
                let fix = format!("give its members to {}", interface.name);
                findings.add(place, message, fix);
            }
        }
    }
}

/// The kernel sets no VLAN up whose parent is down.
fn parents_up(
    findings: &mut Findings,
    director: &Director,
    by_name: &HashMap<InterfaceName, &Interface>,
    path: impl Fn(usize) -> String,
) {
    for (position, interface) in director.interfaces.iter().enumerate() {
        let vlan = interface.vlan.as_ref().filter(|_| interface.is_up());
        let parent = vlan.and_then(|vlan| by_name.get(&vlan.parent));
        if let Some(parent) = parent.filter(|it| !it.is_up()) {
            let message = format!("is not up, and {} is", interface.name);
            let fix = format!("remove \"up\" from {}, or write it here, too", parent.name);
            let place = format_args!("{}.vlan.parent", path(position));
            findings.add(place, message, fix);
        }
    }
}

fn one_master_each(
    findings: &mut Findings,
    director: &Director,
    by_name: &HashMap<InterfaceName, &Interface>,
    path: impl Fn(usize) -> String,
) {
    let mut masters: HashMap<InterfaceName, InterfaceName> = HashMap::default();
    for (position, interface) in director
        .interfaces
        .iter()
        .enumerate()
        .filter(|(_, i)| i.vlan.is_none())
    {
        for (field, member) in lower(interface) {
            let place = || format!("{}.{field}", path(position));
            if let Some(other) = masters.insert(member, interface.name) {
                findings.add(
                    place(),
                    format!("is a member of {other} already"),
                    "an interface is a member once",
                );
            }
            let carries = |i: &&Interface| {
                i.role.is_some() || !i.addresses.is_empty() || !i.external_addresses.is_empty()
            };
            if by_name.get(&member).is_some_and(carries) {
                let fix = format!("give them to {}", interface.name);
                findings.add(
                    place(),
                    "is a member and has a role or addresses of its own",
                    fix,
                );
            }
        }
    }
}

/// Whether an interface is found again below itself.
fn is_made_of_itself(interface: &Interface, by_name: &HashMap<InterfaceName, &Interface>) -> bool {
    let mut seen = HashSet::default();
    let mut below: Vec<_> = lower(interface).into_iter().map(|(_, name)| name).collect();
    // The kernel stacks eight; more is followed only until a circle would have closed.
    while let Some(name) = below.pop().filter(|_| seen.len() < 64) {
        if name == interface.name {
            return true;
        }
        if seen.insert(name) {
            let next = by_name
                .get(&name)
                .map(|interface| lower(interface))
                .unwrap_or_default();
            below.extend(next.into_iter().map(|(_, name)| name));
        }
    }
    false
}

/// IPv6 needs 1280 bytes, and a VLAN fits into its parent.
pub fn mtus(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let stated: HashMap<_, _> = director
            .interfaces
            .iter()
            .filter_map(|interface| Some((interface.name, interface.mtu?)))
            .collect();
        for (position, interface) in director.interfaces.iter().enumerate() {
            let Some(mtu) = interface.mtu else { continue };
            let path = || format!("directors[{at}].interfaces[{position}].mtu");
            let parent = interface
                .vlan
                .as_ref()
                .and_then(|vlan| Some((vlan.parent, *stated.get(&vlan.parent)?)));
            if let Some((parent, limit)) = parent.filter(|(_, limit)| mtu > *limit) {
                findings.add(
                    path(),
                    format!("exceeds parent {parent} ({limit})"),
                    format!("write at most {limit}"),
                );
            }
            let addresses = interface
                .addresses
                .iter()
                .chain(&interface.external_addresses);
            let has_ipv6 = addresses
                .map(|address| address.address())
                .any(|ip| matches!(ip, IpAddr::V6(_)));
            if has_ipv6 && mtu.get() < 1280 {
                findings.add(path(), "is too small for IPv6", "write at least 1280");
            }
        }
    }
}
