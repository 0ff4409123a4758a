//! DHCP, and booting by it.

use super::{
    Findings,
    addresses::{edge_of, not_a_machine, whereabouts},
    index::Index,
    names::once,
};
use crate::document::{Address4, Dhcp, Director, Interface, Network, Role};
use std::{
    fmt::Arguments,
    net::{IpAddr, Ipv4Addr},
};

/// Machines that boot from the network get their full names from us.
pub fn domain(index: &Index<'_>, findings: &mut Findings) {
    if index.document.netboot.is_some() && index.document.domain.is_none() {
        let fix = "add it, for example \"domain\": \"cluster.example\"";
        findings
            .report("netboot".to_owned(), "netboot needs \"domain\"", fix)
            .relying_on(&["domain"]);
    }
}

/// Firmwares are told by DHCP what they load, and no boot loader that we name speaks TLS.
pub fn boot(index: &Index<'_>, findings: &mut Findings) {
    let Some(netboot) = &index.document.netboot else {
        return;
    };
    if netboot.boot.is_none() {
        return;
    }
    if netboot.dhcp.is_none() {
        let fix = "add \"dhcp\", or remove \"boot\"";
        findings.add(
            "netboot.boot".to_owned(),
            "needs \"dhcp\", which tells machines what to boot",
            fix,
        );
    }
    for (at, profile) in netboot.kickstart.iter().enumerate() {
        if profile.url.as_str().starts_with("https:") {
            findings.add(
                format_args!("netboot.kickstart[{at}].url"),
                "cannot be booted from: boot loaders speak no TLS",
                "write an http URL, or remove \"boot\"",
            );
        }
    }
}

fn inside(director: &Director) -> impl Iterator<Item = &Interface> {
    director
        .interfaces
        .iter()
        .filter(|interface| interface.role == Some(Role::Inside))
}

/// The inside network of a director that an address is in.
fn inside_network(director: &Director, address: Ipv4Addr) -> Option<Network> {
    let addresses = inside(director).flat_map(|interface| {
        interface
            .addresses
            .iter()
            .chain(&interface.external_addresses)
    });
    addresses
        .map(|address| address.network())
        .find(|network| network.contains(address.into()))
}

/// The range is in one inside network of every director.
pub fn dhcp(index: &Index<'_>, findings: &mut Findings) {
    let Some(dhcp) = index
        .document
        .netboot
        .as_ref()
        .and_then(|netboot| netboot.dhcp.as_ref())
    else {
        return;
    };
    let (first, last) = (dhcp.first.get(), dhcp.last.get());
    if first > last {
        findings.add(
            "netboot.dhcp.last".to_owned(),
            format!("is before first ({first})"),
            "swap them",
        );
        return;
    }
    for director in &index.document.directors {
        match inside_network(director, first) {
            Some(network) => in_network(findings, dhcp, director, network),
            None => findings
                .report(
                    "netboot.dhcp.first".to_owned(),
                    format!("is in no inside network of {}", director.name),
                    inside_networks(director),
                )
                .alone()
                .relying_on(&["directors"]),
        }
    }
    match dhcp.router {
        None => common_router(index, findings, dhcp),
        Some(router) => no_client(index, findings, router.get()),
    }
    name_servers(findings, dhcp.name_servers.as_deref().unwrap_or_default());
}

fn name_servers(findings: &mut Findings, servers: &[Address4]) {
    let list = "netboot.dhcp.nameServers";
    once(findings, list, "", servers);
    for (at, server) in servers.iter().enumerate() {
        asked_by_clients(findings, format_args!("{list}[{at}]"), server.get().into());
    }
}

/// A server that clients ask is a machine. A link-local one may be: clouds have them on every link.
pub(super) fn asked_by_clients(findings: &mut Findings, path: Arguments<'_>, server: IpAddr) {
    let link_local = match server {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if let Some(reason) = not_a_machine(server).filter(|_| !link_local) {
        let fix = "write an address that clients can reach";
        findings.report(path, reason, fix).alone();
    }
}

fn inside_networks(director: &Director) -> String {
    let named =
        inside(director).flat_map(|i| i.addresses.iter().map(move |a| (i.name, a.network())));
    whereabouts(named).unwrap_or_else(|| format!("{} has no inside network", director.name))
}

fn in_network(findings: &mut Findings, dhcp: &Dhcp, director: &Director, network: Network) {
    let last = IpAddr::from(dhcp.last);
    if !network.contains(last) {
        let message = format!("is not in {network}, where first is");
        findings.add(
            "netboot.dhcp.last".to_owned(),
            message,
            "write an address of the same network",
        );
    }
    let stated = [
        ("first", Some(IpAddr::from(dhcp.first))),
        ("last", Some(last)),
        ("router", dhcp.router.map(IpAddr::from)),
    ];
    for (field, address) in stated {
        if let Some(edge) = address.and_then(|it| edge_of(network, it)) {
            let message = format!("is the {edge} address of {network}");
            findings.add(
                format_args!("netboot.dhcp.{field}"),
                message,
                "write an address inside it",
            );
        }
    }
    if dhcp
        .router
        .is_some_and(|router| !network.contains(router.get().into()))
    {
        let message = format!("is not in {network}, where {}'s clients are", director.name);
        findings.add(
            "netboot.dhcp.router".to_owned(),
            message,
            "write an address of the same network",
        );
    }
}

/// A machine that gets its address from us would be its own gateway.
fn no_client(index: &Index<'_>, findings: &mut Findings, router: Ipv4Addr) {
    let client = index
        .real_servers()
        .find(|(_, server)| server.mac.is_some() && server.address.get() == IpAddr::from(router));
    if let Some((at, server)) = client {
        let message = format!("is {}'s own address (realServers[{at}])", server.name);
        let fix = "write the address of the router";
        findings.report("netboot.dhcp.router", message, fix).alone();
    }
}

/// Without a router of its own, clients get the director's inside address: there has to be one, and one only.
fn common_router(index: &Index<'_>, findings: &mut Findings, dhcp: &Dhcp) {
    let mut seen: Option<(&Director, IpAddr)> = None;
    for director in &index.document.directors {
        let Some(network) = inside_network(director, dhcp.first.get()) else {
            continue;
        };
        let own = inside(director)
            .flat_map(|interface| &interface.addresses)
            .filter(|a| a.network() == network);
        let own: Vec<IpAddr> = own.map(|address| address.address()).collect();
        let message = match (own.as_slice(), seen) {
            ([address], None) => {
                seen = Some((director, *address));
                continue;
            }
            ([address], Some((_, other))) if *address == other => continue,
            ([_], Some((other, _))) => format!(
                "{} and {} have different inside addresses",
                other.name, director.name
            ),
            ([], _) => format!("{} has no inside address of its own", director.name),
            _ => format!("{} has several inside addresses", director.name),
        };
        let fix = match shared(director, network) {
            Some(shared) => format!("name the shared one ({shared}?)"),
            None => "name the one that clients use".to_owned(),
        };
        return findings
            .report("netboot.dhcp.router".to_owned(), message, fix)
            .relying_on(&["directors"]);
    }
}

fn shared(director: &Director, network: Network) -> Option<IpAddr> {
    let external = inside(director).flat_map(|interface| &interface.external_addresses);
    external
        .filter(|address| address.network() == network)
        .map(|address| address.address())
        .next()
}

/// A machine with a reservation is in the network that leases are for.
pub fn reservations(index: &Index<'_>, findings: &mut Findings) {
    let Some(dhcp) = index
        .document
        .netboot
        .as_ref()
        .and_then(|netboot| netboot.dhcp.as_ref())
    else {
        return;
    };
    let first = dhcp.first.get();
    let network = index
        .document
        .directors
        .iter()
        .find_map(|director| inside_network(director, first));
    let Some(network) = network else { return };
    let reserved = index
        .real_servers()
        .filter(|(_, server)| server.mac.is_some());
    for (at, server) in reserved.filter(|(_, server)| !network.contains(server.address.get())) {
        let message = format!(
            "is not in {network}, so DHCP cannot reserve it for {}",
            server.name
        );
        let fix = "write an address of that network, or remove the mac";
        findings
            .report(format_args!("realServers[{at}].address"), message, fix)
            .relying_on(&["directors"]);
    }
}
