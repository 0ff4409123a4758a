//! Virtual services and their destinations.

use foldhash::HashMap;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::delta::Resource;
use crate::document::{
    self, Document, Persistence, PersistenceEngine, Port, Protocol, Scheduler, Service, Vip, Word,
};
use crate::ipvs::{self, Family, Name, ServiceId};
use crate::lint::{Code, Warning};
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::virtual_service::VirtualService;

use super::addresses::addresses_of;
use super::machines::Machines;
use super::node::Node;
use super::places::Members;
use super::problem::Findings;
use super::words;

/// The IPVS table of this node.
#[derive(Default)]
pub(super) struct Balanced {
    pub services: Vec<VirtualService>,
    /// As a set has them: there are many.
    pub destinations: Vec<(DestinationKey, Destination)>,
    pub names: Vec<(ServiceId, document::Name)>,
    /// The schedulers and persistence engines in use, as their modules are called after `ip_vs_`.
    pub parts: BTreeSet<&'static str>,
}

impl Balanced {
    fn add(&mut self, service: &Service, fronts: &[Front], members: &Members) {
        self.parts.extend(parts(service));
        for front in fronts {
            self.services.push(virtual_service(service, front.id));
            self.names.push((front.id, service.name.clone()));
            let behind = members.behind(front);
            self.destinations.extend(behind.map(|it| (it.key(), it)));
        }
    }

    /// Whether packets of this family are rewritten on their way, so that the node must forward the answers.
    pub fn masquerades(&self, family: Family) -> bool {
        self.destinations.iter().any(|(_, it)| {
            it.at.forwarding == ipvs::Forwarding::Masquerade && Family::of(it.at.address) == family
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
    let services = &node.document.services;
    // A list that grows leaves its former places behind.
    let most = services
        .iter()
        .filter_map(|it| machines.members(it).size_hint().1);
    let mut table = Balanced {
        destinations: Vec::with_capacity(most.sum()),
        ..Balanced::default()
    };
    for (index, service) in services.iter().enumerate() {
        let fronts = fronts(node, &vips, service);
        if !fronts.is_empty() {
            let members = Members::of(service, machines);
            members.judge(index, &fronts, findings);
            table.add(service, &fronts, &members);
        }
    }
    point_out_ssh(node, &table, findings);
    table
}

/// One virtual service to be: its identity, and how far into a range of ports it is.
pub(super) struct Front {
    pub id: ServiceId,
    pub family: Family,
    pub port: u16,
    pub offset: u16,
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
                family: Family::of(address),
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

/// The protocols of a document's services, each once.
pub fn protocols_of(document: &Document) -> BTreeSet<ipvs::Protocol> {
    let stated = document.services.iter().map(|it| it.protocols.as_deref());
    stated
        .flat_map(protocols)
        .map(|it| words::protocol(*it))
        .collect()
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
    let whole_address = id.family().bits();
    let prefix = persistence.prefix.map_or(whole_address, |it| it.get());
    ipvs::Persistence {
        timeout_seconds: persistence.timeout_seconds.map_or(300, |it| it.get()),
        prefix: prefix.min(whole_address),
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
        let message =
            format!("ssh on the VIP is balanced: your own ssh to the director is {address}");
        findings.warn(Warning::new(Code::SshOnVip, message));
    }
}
