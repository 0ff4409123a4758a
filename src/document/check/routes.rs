//! Gateways and routes: the next hop is on a network of the director.

use super::{
    Findings,
    addresses::{edge_of, not_a_machine},
    index::{Index, family},
};
use crate::document::{Director, InterfaceName, Network, Role, Route};
use foldhash::HashMap;
use std::fmt::Arguments;
use std::net::IpAddr;

/// The kernel's main table, and the one that it keeps for itself.
const MAIN: u32 = 254;
const LOCAL: u32 = 255;

/// The default gateways.
pub fn gateways(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let gateways = [
            ("gateway", director.gateway.map(IpAddr::from)),
            ("gateway6", director.gateway6.map(IpAddr::from)),
        ];
        // A link-local gateway is on the outside link.
        let has_outside = !index.interfaces[at].with_role(Role::Outside).is_empty();
        for (field, gateway) in gateways {
            let judged = gateway.filter(|gateway| !(is_link_local(*gateway) && has_outside));
            if let Some(gateway) = judged {
                let path = format_args!("directors[{at}].{field}");
                next_hop(findings, path, director, gateway, None);
            }
        }
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// The networks of a director, own and external, with their interfaces.
fn networks(director: &Director) -> impl Iterator<Item = (InterfaceName, IpAddr, Network)> {
    director.interfaces.iter().flat_map(|interface| {
        let addresses = interface
            .addresses
            .iter()
            .chain(&interface.external_addresses);
        addresses.map(|address| (interface.name, address.address(), address.network()))
    })
}

/// A next hop is another machine on a network of the director, and of the given interface.
fn next_hop(
    findings: &mut Findings,
    path: Arguments<'_>,
    director: &Director,
    hop: IpAddr,
    by: Option<InterfaceName>,
) {
    let Err((message, fix)) = judge_hop(director, hop, by) else {
        return;
    };
    findings
        .report(path, message, fix)
        .alone()
        .relying_on(&["directors"]);
}

fn judge_hop(
    director: &Director,
    hop: IpAddr,
    by: Option<InterfaceName>,
) -> Result<(), (String, String)> {
    let wrong = |message: String, fix: &str| Err((message, fix.to_owned()));
    if networks(director).any(|(_, address, _)| address == hop) {
        return wrong(
            format!("is {}'s own address", director.name),
            "write the next machine's",
        );
    }
    if let Some(reason) = not_a_machine(hop).filter(|_| !is_link_local(hop)) {
        return wrong(reason.to_owned(), "write the address of a machine");
    }
    let usable = |name: InterfaceName| by.is_none_or(|by| by == name);
    let mut on_link =
        networks(director).filter(|(name, _, net)| usable(*name) && net.contains(hop));
    match on_link.next() {
        Some((name, _, network)) => match edge_of(network, hop) {
            Some(edge) => wrong(
                format!("is the {edge} address of {name}'s {network}"),
                "write a machine's address",
            ),
            None => Ok(()),
        },
        None if is_link_local(hop) && by.is_some() => Ok(()),
        None => {
            let place = by.map_or_else(|| director.name.to_string(), |by| by.to_string());
            Err((
                format!("is in no network of {place}"),
                known_networks(director, hop, by),
            ))
        }
    }
}

/// Where a director is, for whoever wrote a next hop that is somewhere else.
fn known_networks(director: &Director, hop: IpAddr, by: Option<InterfaceName>) -> String {
    let same_family = networks(director).filter(|(name, _, network)| {
        family(network.address()) == family(hop) && by.is_none_or(|by| by == *name)
    });
    let places: Vec<String> = same_family
        .take(4)
        .map(|(name, _, network)| format!("{name} is in {network}"))
        .collect();
    match places.is_empty() {
        true => format!(
            "no interface has an address of its family; add one to {}",
            director.name
        ),
        false => places.join(", "),
    }
}

/// The other routes.
pub fn routes(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let mut seen = default_routes(director);
        let connected: HashMap<Network, InterfaceName> = networks(director)
            .map(|(name, _, network)| (network, name))
            .collect();
        for (position, route) in director.routes.iter().enumerate() {
            let path = format_args!("directors[{at}].routes[{position}]");
            way(findings, path, director, route);
            let table = route.table.map_or(MAIN, |table| table.get());
            let metric = route.metric.map_or(0, |metric| metric.get());
            if let Some(other) = seen.insert((route.to, table, metric), path.to_string()) {
                let message = format!("is in table {table} with metric {metric} already ({other})");
                findings.add(
                    format_args!("{path}.to"),
                    message,
                    "write each once, or give them different metrics",
                );
            }
            if let Some(name) = connected.get(&route.to).filter(|_| table == MAIN) {
                findings.add(
                    format_args!("{path}.to"),
                    format!("is {name}'s own network already"),
                    "remove the route",
                );
            }
            if table == LOCAL {
                findings.add(
                    format_args!("{path}.table"),
                    "is the kernel's own table",
                    "write another, such as 254 or 100",
                );
            }
        }
    }
}

/// The routes that follow from the gateways: an equal one in the list would fight with them.
fn default_routes(director: &Director) -> HashMap<(Network, u32, u32), String> {
    let default = |text: &str, field: &str| Some(((text.parse().ok()?, MAIN, 0), field.to_owned()));
    let ipv4 = director
        .gateway
        .and_then(|_| default("0.0.0.0/0", "gateway"));
    let ipv6 = director.gateway6.and_then(|_| default("::/0", "gateway6"));
    ipv4.into_iter().chain(ipv6).collect()
}

/// How a route gets to its network.
fn way(findings: &mut Findings, path: Arguments<'_>, director: &Director, route: &Route) {
    let mut names = director.interfaces.iter().map(|interface| interface.name);
    match (route.via, route.interface) {
        (None, None) => {
            let fix = "give \"via\", \"interface\" or both";
            findings.add(path, "the route has no next hop", fix);
        }
        (_, Some(name)) if !names.any(|known| known == name) => {
            let names = director
                .interfaces
                .iter()
                .map(|interface| interface.name.as_str());
            let fix = findings.suggest(name.as_str(), names);
            let message = format!("is no interface of {}", director.name);
            let finding = findings.report(format_args!("{path}.interface"), message, fix);
            finding.alone().relying_on(&["directors"]);
        }
        (Some(via), _) if family(via.get()) != family(route.to.address()) => {
            let message = format!("is not of the same family as {}", route.to);
            let fix = "write a next hop of the same family";
            findings.add(format_args!("{path}.via"), message, fix);
        }
        (Some(via), by) => next_hop(
            findings,
            format_args!("{path}.via"),
            director,
            via.get(),
            by,
        ),
        (None, Some(_)) => {}
    }
}
