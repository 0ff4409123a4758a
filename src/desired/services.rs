//! Virtual services and their destinations.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::document::{
    self, Forwarding, Persistence, PersistenceEngine, Port, Protocol, RealServer, Scheduler,
    Service, ServiceDestination, Vip, Weight, Word,
};
use crate::ipvs::{self, Family, Name, ServiceId};
use crate::resources::destination::Destination;
use crate::resources::virtual_service::VirtualService;

use super::addresses::addresses_of;
use super::machines::{Machines, address_in};
use super::node::Node;
use super::problem::{Findings, Problem};
use super::words;

/// The IPVS table of this node.
#[derive(Default)]
pub(super) struct Balanced {
    pub services: Vec<VirtualService>,
    pub destinations: Vec<Destination>,
    pub names: Vec<(ServiceId, Arc<str>)>,
    /// The schedulers and persistence engines in use, as their modules are called after `ip_vs_`.
    pub parts: BTreeSet<&'static str>,
}

impl Balanced {
    /// Whether packets of this family are rewritten on their way, so that the node must forward the answers.
    pub fn masquerades(&self, family: Family) -> bool {
        self.destinations.iter().any(|it| {
            it.at.forwarding == ipvs::Forwarding::Masquerade && family_of(it.at.address) == family
        })
    }
}

/// The whole table, in the order of the document.
pub(super) fn balanced(node: &Node, machines: &Machines, findings: &mut Findings) -> Balanced {
    let vips: HashMap<&str, &Vip> = node
        .document
        .vips
        .iter()
        .map(|it| (it.name.as_str(), it))
        .collect();
    let mut table = Balanced::default();
    for (index, service) in node.document.services.iter().enumerate() {
        let members = Members::of(service, machines);
        let name: Arc<str> = service.name.as_str().into();
        let fronts = fronts(node, &vips, service);
        if !fronts.is_empty() {
            table.parts.extend(parts(service));
        }
        for front in fronts {
            let before = table.destinations.len();
            table.services.push(virtual_service(service, front.id));
            table.names.push((front.id, name.clone()));
            table.destinations.extend(members.behind(&front));
            // Every port of a range has the same destinations: one complaint is enough.
            if front.offset == 0 {
                let found = table.destinations.len() - before;
                members.judge(index, &front, found, findings);
            }
        }
    }
    point_out_ssh(node, &table, findings);
    table
}

/// One virtual service to be: its identity, and how far into a range of ports it is.
struct Front {
    id: ServiceId,
    family: Family,
    port: u16,
    offset: u16,
}

/// A service lives where its VIP lives: one VIP address, protocol and port each.
fn fronts(node: &Node, vips: &HashMap<&str, &Vip>, service: &Service) -> Vec<Front> {
    if let Some(mark) = service.firewall_mark {
        return marked(node, vips, service, mark.get());
    }
    let vip = service.vip.as_ref().and_then(|it| vips.get(it.as_str()));
    let (Some(vip), Some(ports)) = (vip, ports(service.port, service.last_port)) else {
        return Vec::new();
    };
    let mut fronts = Vec::new();
    for address in addresses_of(vip).filter(|_| node.holds(vip)) {
        for protocol in protocols(service.protocols.as_deref()) {
            fronts.extend(ports.clone().map(|port| Front {
                id: ServiceId::Address {
                    protocol: words::protocol(*protocol),
                    address,
                    port,
                },
                family: family_of(address),
                port,
                offset: port - ports.start(),
            }));
        }
    }
    fronts
}

/// A firewall mark is one service; when we set the mark, it is where one of the marked VIPs is.
fn marked(node: &Node, vips: &HashMap<&str, &Vip>, service: &Service, mark: u32) -> Vec<Front> {
    let here = |it: &document::Match| vips.get(it.vip.as_str()).is_none_or(|vip| node.holds(vip));
    if service
        .matches
        .as_ref()
        .is_some_and(|it| !it.iter().any(here))
    {
        return Vec::new();
    }
    let family = family_of_mark(service);
    vec![Front {
        id: ServiceId::FirewallMark { family, mark },
        family,
        port: 0,
        offset: 0,
    }]
}

/// The family of a firewall-mark service.
pub(super) fn family_of_mark(service: &Service) -> Family {
    match service.family {
        Some(document::Family::Ipv6) => Family::V6,
        None | Some(document::Family::Ipv4) => Family::V4,
    }
}

/// First to last port; without `last`, the one.
pub(super) fn ports(first: Option<Port>, last: Option<Port>) -> Option<RangeInclusive<u16>> {
    let first = first?.get();
    Some(first..=last.map_or(first, |it| it.get()))
}

/// Without a word it is tcp.
pub(super) fn protocols(stated: Option<&[Protocol]>) -> &[Protocol] {
    stated.unwrap_or(&[Protocol::Tcp])
}

/// The family of an address.
pub(super) fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() {
        Family::V4
    } else {
        Family::V6
    }
}

fn parts(service: &Service) -> impl Iterator<Item = &'static str> + use<> {
    let scheduler = service.scheduler.unwrap_or(Scheduler::Wlc);
    let engine = service.persistence.as_ref().and_then(|it| it.engine);
    let engine = engine.map(|it| match it {
        PersistenceEngine::Sip => "pe_sip",
    });
    std::iter::once(scheduler.word()).chain(engine)
}

fn virtual_service(service: &Service, id: ServiceId) -> VirtualService {
    let scheduler = service.scheduler.unwrap_or(Scheduler::Wlc);
    let persistence = service.persistence.as_ref();
    let engine = persistence.and_then(|it| it.engine);
    VirtualService {
        id,
        scheduler: Name::literal(scheduler.word()),
        persistence: persistence.map(|it| stickiness(it, id)),
        engine: engine.map(|it| Name::literal(it.word())),
        one_packet: service.one_packet_scheduling.unwrap_or(false),
        scheduler_flags: words::scheduler_flags(&service.scheduler_flags),
    }
}

fn stickiness(persistence: &Persistence, id: ServiceId) -> ipvs::Persistence {
    let family = match id {
        ServiceId::Address { address, .. } => family_of(address),
        ServiceId::FirewallMark { family, .. } => family,
    };
    let whole_address = if family == Family::V4 { 32 } else { 128 };
    let prefix = persistence.prefix.map_or(whole_address, |it| it.get());
    ipvs::Persistence {
        timeout_seconds: persistence.timeout_seconds.map_or(300, |it| it.get()),
        prefix: prefix.min(whole_address),
    }
}

/// The real servers of one service, with what is the same on every port.
struct Members<'a> {
    service: &'a Service,
    places: Vec<Place<'a>>,
}

/// One real server's place, whatever the port.
struct Place<'a> {
    machine: &'a RealServer,
    forwarding: ipvs::Forwarding,
    weight: u32,
    upper_threshold: u32,
    lower_threshold: u32,
    /// Its own port, when it is not the service's.
    port: Option<u16>,
}

impl<'a> Members<'a> {
    fn of(service: &'a Service, machines: &Machines<'a>) -> Self {
        let exceptions: HashMap<&str, &ServiceDestination> = service
            .destinations
            .iter()
            .map(|it| (it.real_server.as_str(), it))
            .collect();
        let members = machines.members(service).into_iter();
        let places = members.map(|machine| {
            let exception = exceptions.get(machine.name.as_str()).copied();
            place(service, machine, exception)
        });
        Self {
            service,
            places: places.collect(),
        }
    }

    /// The destinations of one virtual service. A machine without an address of its family is left out.
    fn behind(&self, front: &Front) -> impl Iterator<Item = Destination> {
        self.places.iter().filter_map(move |place| {
            Some(Destination {
                service: front.id,
                at: ipvs::Destination {
                    address: place.address_for(front.family)?,
                    port: place.port_for(front)?,
                    forwarding: place.forwarding,
                    weight: place.weight,
                    upper_threshold: place.upper_threshold,
                    lower_threshold: place.lower_threshold,
                },
            })
        })
    }

    /// Says who was left out, and why.
    fn judge(&self, index: usize, front: &Front, found: usize, findings: &mut Findings) {
        let path = format!("services[{index}]");
        if self.leaves_the_ports() {
            let message = "the last ports of its range are beyond 65535 on a real server";
            findings.refuse(Problem::new(path, message, "choose a lower realServerPort"));
        } else if found == 0 {
            let message = format!(
                "none of its real servers has an {} address",
                word(front.family)
            );
            findings.refuse(Problem::new(
                path,
                message,
                "give them one, or use another VIP",
            ));
        } else if found < self.places.len() {
            let without = self
                .places
                .iter()
                .filter(|it| it.address_for(front.family).is_none());
            let names: Vec<_> = without.map(|it| it.machine.name.as_str()).collect();
            let (names, name, family) = (names.join(", "), &self.service.name, word(front.family));
            findings.warn(format!(
                "{name}: no {family} address, so not in {}: {names}",
                front.id
            ));
        }
    }

    fn leaves_the_ports(&self) -> bool {
        let Some(ports) = ports(self.service.port, self.service.last_port) else {
            return false;
        };
        let length = ports.end().saturating_sub(*ports.start());
        let own = self.places.iter().filter_map(|it| it.port);
        own.max()
            .is_some_and(|port| port.checked_add(length).is_none())
    }
}

impl Place<'_> {
    /// Only a tunnel leads into the other family.
    fn address_for(&self, family: Family) -> Option<IpAddr> {
        let other = || match self.forwarding {
            ipvs::Forwarding::Tunnel(_) => Some(self.machine.address.get()),
            _ => None,
        };
        address_in(self.machine, family).or_else(other)
    }

    /// Only masquerading can change the port. Behind a firewall mark 0 keeps the client's.
    fn port_for(&self, front: &Front) -> Option<u16> {
        match (self.forwarding, self.port) {
            (ipvs::Forwarding::Masquerade, Some(port)) => port.checked_add(front.offset),
            _ => Some(front.port),
        }
    }
}

fn place<'a>(
    service: &Service,
    machine: &'a RealServer,
    exception: Option<&ServiceDestination>,
) -> Place<'a> {
    let method = exception
        .and_then(|it| it.forwarding)
        .or(service.forwarding);
    let tunnel = exception
        .and_then(|it| it.tunnel.as_ref())
        .or(service.tunnel.as_ref());
    let upper = exception
        .and_then(|it| it.upper_threshold)
        .or(service.upper_threshold);
    let lower = exception
        .and_then(|it| it.lower_threshold)
        .or(service.lower_threshold);
    let port = exception
        .and_then(|it| it.port)
        .or(service.real_server_port);
    Place {
        machine,
        forwarding: words::forwarding(method.unwrap_or(Forwarding::Masquerade), tunnel),
        weight: weight(service, machine, exception).into(),
        upper_threshold: upper.map_or(0, |it| it.get()),
        lower_threshold: lower.map_or(0, |it| it.get()),
        port: port.map(|it| it.get()),
    }
}

/// A machine that is quiesced is quiesced everywhere; otherwise the most special word counts.
fn weight(service: &Service, machine: &RealServer, exception: Option<&ServiceDestination>) -> u16 {
    let quiesced = machine.weight.filter(|it| it.get() == 0);
    quiesced
        .or(exception.and_then(|it| it.weight))
        .or(service.weight)
        .or(machine.weight)
        .map_or(1, Weight::get)
}

fn word(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// Who balances ssh on a VIP must know where the director itself still answers.
fn point_out_ssh(node: &Node, table: &Balanced, findings: &mut Findings) {
    let ssh = |id: &ServiceId| {
        matches!(
            id,
            ServiceId::Address {
                port: 22,
                protocol: ipvs::Protocol::Tcp,
                ..
            }
        )
    };
    let own = node.outside().and_then(|it| it.addresses.first());
    if let Some(own) = own.filter(|_| table.services.iter().any(|it| ssh(&it.id))) {
        let address = own.address();
        findings.warn(format!(
            "ssh on the VIP is balanced: your own ssh to the director is {address}"
        ));
    }
}
