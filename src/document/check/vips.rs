//! VIPs: addresses of their own, and an interface to carry them.

use super::{
    Findings,
    addresses::{Owner, edges, not_a_machine, of_directors},
    index::{Index, Interfaces},
};
use crate::document::{InterfaceName, ManagedBy, Name, Role, Vip};
use foldhash::HashMap;
use std::net::IpAddr;

/// The addresses.
pub fn addresses(index: &Index<'_>, findings: &mut Findings) {
    let directors = of_directors(index);
    let edges = edges(index);
    let mut taken: HashMap<IpAddr, usize> = HashMap::default();
    for (at, vip) in index.vips() {
        let mut judge = |field: &str, address: IpAddr| {
            let (message, fix) = if let Some(reason) = not_a_machine(address) {
                (reason.to_owned(), "write an address that clients can reach")
            } else if let Some(before) = taken.insert(address, at) {
                (
                    format!("is vips[{before}]'s already"),
                    "write each VIP once",
                )
            } else if let Some((edge, network)) = edges.get(&address) {
                (
                    format!("is the {edge} address of {network}"),
                    "write an address inside it",
                )
            } else if let Some(owner) = directors.get(&address).filter(|_| is_ours(vip)) {
                let Owner {
                    director,
                    interface,
                } = owner;
                let message = format!("is an address of {director}'s {interface} already");
                (message, "remove it there; a VIP stands here only")
            } else {
                return;
            };
            findings
                .report(format_args!("vips[{at}].{field}"), message, fix)
                .alone();
        };
        judge("address", vip.address.get());
        if let Some(second) = vip.address6 {
            judge("address6", second.into());
        }
    }
}

/// A second address is for the second family.
pub fn second_addresses(index: &Index<'_>, findings: &mut Findings) {
    for (at, vip) in index.vips() {
        if vip.address6.is_some() && vip.address.get().is_ipv6() {
            let message = "is a second IPv6 address: address is IPv6 already";
            findings.add(
                format_args!("vips[{at}].address6"),
                message,
                "remove address6",
            );
        }
    }
}

fn is_ours(vip: &Vip) -> bool {
    vip.managed_by
        .is_none_or(|by| by == ManagedBy::LvsReconcile)
}

/// The directors that hold a VIP: those that exist, and one only when we set it.
pub fn holders(index: &Index<'_>, findings: &mut Findings) {
    for (at, vip) in index.vips() {
        if let Some(name) = &vip.director
            && !index.director_by_name.contains_key(name)
        {
            let directors = index.document.directors.iter();
            let fix = findings.suggest(name.as_str(), directors.map(|it| it.name.as_str()));
            let finding =
                findings.report(format_args!("vips[{at}].director"), "is no director", fix);
            finding.alone().relying_on(&["directors"]);
        }
        let mut holders = index.holders(vip);
        if let (Some((_, first)), Some((_, second)), true) =
            (holders.next(), holders.next(), is_ours(vip))
        {
            let (vip, one, two) = (&vip.name, &first.name, &second.name);
            let message = format!("{vip} would be set on both {one} and {two}");
            let fix = format!("say \"managedBy\": \"external\" or \"director\": \"{one}\"");
            findings.add(format_args!("vips[{at}]"), message, fix);
        }
    }
}

/// Every director that holds a VIP has the interface for it, and it is clear which.
pub fn carriers(index: &Index<'_>, findings: &mut Findings) {
    for (at, vip) in index.vips() {
        if vip.interface.is_some() && vip.role.is_some() {
            findings.add(
                format_args!("vips[{at}]"),
                "role and interface both given",
                "keep one",
            );
        }
        for (position, director) in index.holders(vip) {
            let interfaces = &index.interfaces[position];
            match vip.interface {
                Some(name) if interfaces.names.contains(&name) => {}
                Some(_) => {
                    let message = format!("is no interface of {}", director.name);
                    let path = format_args!("vips[{at}].interface");
                    findings
                        .report(path, message, "use \"role\"")
                        .relying_on(&["directors"]);
                }
                None => by_role(findings, at, vip, &director.name, interfaces),
            }
        }
    }
}

fn by_role(findings: &mut Findings, at: usize, vip: &Vip, director: &Name, of: &Interfaces) {
    let role = vip.role.unwrap_or(Role::Outside);
    match of.with_role(role) {
        [_] => {}
        // Somebody else sets it, and we only look whether it is there.
        [] if !is_ours(vip) => {}
        [] => {
            let message = format!(
                "{director} has no \"{role}\" interface to carry {}",
                vip.name
            );
            let fix = "give one the role, or name an \"interface\"";
            let finding = findings.report(format_args!("vips[{at}]"), message, fix);
            finding.relying_on(&["directors"]);
        }
        // That there are two outside interfaces is a finding of its own.
        [_, ..] if role == Role::Outside => {}
        [first, second, ..] => {
            let message = format!("{} could be on {director}'s {first} or {second}", vip.name);
            findings.add(format_args!("vips[{at}]"), message, "name an \"interface\"");
        }
    }
}

/// The kernel keeps so many bytes for `INTERFACE:label`.
const LABEL: usize = 15;

/// A label fits behind its interface, and IPv6 has none.
pub fn labels(index: &Index<'_>, findings: &mut Findings) {
    for (at, vip) in index.vips() {
        let Some(label) = &vip.label else { continue };
        let path = format_args!("vips[{at}].label");
        if vip.address.get().is_ipv6() {
            findings.add(
                path,
                "is a label, and IPv6 addresses have none",
                "remove it",
            );
            continue;
        }
        let carriers = index
            .holders(vip)
            .flat_map(|(position, _)| match &vip.interface {
                Some(name) => std::slice::from_ref(name),
                None => index.interfaces[position].with_role(vip.role.unwrap_or(Role::Outside)),
            });
        let length = |name: &InterfaceName| name.as_str().len() + 1 + label.as_str().len();
        if let Some(name) = carriers.into_iter().find(|name| length(name) > LABEL) {
            let message = format!("makes \"{name}:{label}\", which is {} bytes", length(name));
            findings.add(path, message, format!("the limit is {LABEL}"));
        }
    }
}
