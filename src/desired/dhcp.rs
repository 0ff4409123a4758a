//! The DHCP server: what it serves, where, and from which pools.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::document::{Dhcp, Interface};
use crate::resources::unit::OnChange;

use super::addresses::addresses_of;
use super::backend;
use super::boot::Booting;
use super::facts::{Backend, DhcpServer, Facts};
use super::files::{Served, whole};
use super::machines::Machines;
use super::node::{Node, all_addresses};
use super::pools::pools;
use super::problem::{Findings, Problem};
use super::render::{self, Reservation, Subnet};

/// The hosts file of dnsmasq. With a leading dot: everything else in its directory is read as configuration.
pub(super) const DNSMASQ_HOSTS: &str = "/etc/dnsmasq.d/.lvs-reconcile.hosts";

/// dnsmasq makes shorter leases this long, and says nothing.
const SHORTEST_OF_DNSMASQ: u32 = 120;

/// The daemon with its files; `None` when the document leaves DHCP alone.
pub(super) fn server(
    node: &Node,
    machines: &Machines,
    facts: &Facts,
    findings: &mut Findings,
) -> Option<Served> {
    let dhcp = node.document.netboot.as_ref()?.dhcp.as_ref()?;
    let place = Place::of(node, dhcp);
    if place.is_none() {
        findings.refuse(homeless(node, dhcp));
    }
    let chosen = backend::chosen(node, dhcp, facts);
    let (server, choice) = chosen.map_err(|it| findings.refuse(it)).ok()?;
    findings.chose(choice);
    let place = place?;
    let subnet = place.subnet(node, dhcp);
    if server.backend == Backend::Dnsmasq && subnet.lease_seconds < SHORTEST_OF_DNSMASQ {
        findings.refuse(too_short());
    }
    Some(served(server, &subnet, &reservations(machines, &place)))
}

/// One set of facts, and a renderer for each server.
fn served(server: &DhcpServer, subnet: &Subnet, reservations: &[Reservation]) -> Served {
    match server.backend {
        Backend::Kea => {
            let config = whole(&server.config, render::kea(subnet, reservations));
            Served::new(&server.unit, OnChange::Reload, vec![config])
        }
        Backend::IscDhcpServer => {
            let config = render::dhcpd(subnet, reservations);
            let mut files = vec![whole(&server.config, config)];
            let listening = |path: &String| whole(path, render::isc_interfaces(subnet.interface));
            files.extend(server.interfaces.as_ref().map(listening));
            Served::new(&server.unit, OnChange::Restart, files)
        }
        Backend::Dnsmasq => {
            let config = whole(&server.config, render::dnsmasq(subnet, DNSMASQ_HOSTS));
            let hosts = whole(DNSMASQ_HOSTS, render::dnsmasq_hosts(reservations));
            Served::new(&server.unit, OnChange::Hangup, vec![config, hosts])
        }
    }
}

/// The inside interface that the server listens on.
pub(super) struct Place<'a> {
    pub interface: &'a Interface,
    pub network: Ipv4Net,
    pub own: Ipv4Addr,
}

impl<'a> Place<'a> {
    /// Where the whole range is on-link and we have an address of our own: one that moves to another director would
    /// take the clients along.
    pub fn of(node: &Node<'a>, dhcp: &Dhcp) -> Option<Self> {
        node.inside().find_map(|interface| {
            let own = interface.addresses.iter().find_map(|it| {
                let (IpNet::V4(network), IpAddr::V4(own)) = (it.network().get(), it.address())
                else {
                    return None;
                };
                let both =
                    network.contains(&dhcp.first.get()) && network.contains(&dhcp.last.get());
                both.then_some((network, own))
            });
            own.map(|(network, own)| Self {
                interface,
                network,
                own,
            })
        })
    }

    fn subnet(&self, node: &Node<'a>, dhcp: &Dhcp) -> Subnet<'a> {
        let stated = dhcp.name_servers.as_ref();
        let name_servers = stated.map(|them| them.iter().map(|it| it.get()).collect());
        let router = dhcp.router.map_or(self.own, |it| it.get());
        let name_servers: Vec<Ipv4Addr> = name_servers.unwrap_or_else(|| vec![self.own]);
        let mut taken = taken(node, self.network);
        taken.insert(router);
        taken.extend(&name_servers);
        Subnet {
            interface: &self.interface.name,
            server: self.own,
            network: self.network,
            pools: pools(dhcp.first.get(), dhcp.last.get(), &taken),
            router,
            name_servers,
            domain: node.document.domain.as_ref(),
            boot: Booting::of(node).map(|it| it.loaded()),
            lease_seconds: dhcp.lease_seconds.map_or(43_200, |it| it.get()),
        }
    }
}

/// Addresses that are somebody's: no client may get one.
fn taken(node: &Node, network: Ipv4Net) -> BTreeSet<Ipv4Addr> {
    let document = node.document;
    let interfaces = document.directors.iter().flat_map(|it| &it.interfaces);
    let directors = interfaces.flat_map(all_addresses).map(|it| it.address());
    let gateways = document.directors.iter().flat_map(|it| &it.routes);
    let gateways = gateways.filter_map(|it| it.via).map(|it| it.get());
    let vips = document.vips.iter().flat_map(addresses_of);
    let machines = document.real_servers.iter().map(|it| it.address.get());
    let edges = [network.network(), network.broadcast()].map(IpAddr::V4);
    directors
        .chain(gateways)
        .chain(vips)
        .chain(machines)
        .chain(edges)
        .filter_map(|it| match it {
            IpAddr::V4(it) => Some(it),
            IpAddr::V6(_) => None,
        })
        .collect()
}

fn reservations<'a>(machines: &Machines<'a>, place: &Place) -> Vec<Reservation<'a>> {
    let machines = machines.all.iter();
    let reserved = machines.filter_map(|machine| match machine.address.get() {
        IpAddr::V4(address) if place.network.contains(&address) => Some(Reservation {
            name: &machine.name,
            mac: machine.mac?,
            address,
        }),
        _ => None,
    });
    reserved.collect()
}

fn homeless(node: &Node, dhcp: &Dhcp) -> Problem {
    let Dhcp { first, last, .. } = dhcp;
    Problem::new(
        "netboot.dhcp",
        format!(
            "no inside interface of {} has an address in the network of {first} to {last}",
            node.director.name
        ),
        "give one an address there, or correct first and last",
    )
}

fn too_short() -> Problem {
    Problem::new(
        "netboot.dhcp.leaseSeconds",
        format!("dnsmasq gives no lease for less than {SHORTEST_OF_DNSMASQ} seconds"),
        format!("write {SHORTEST_OF_DNSMASQ} or more"),
    )
}
