//! The real servers' places in one service: how, how much and on which port each takes part.

use foldhash::HashMap;
use std::net::IpAddr;

use crate::document::{Forwarding, RealServer, Service, ServiceDestination, Weight};
use crate::ipvs::{self, Family};
use crate::lint::{Code, Warning};
use crate::resources::destination::Destination;

use super::machines::{Machines, address_in};
use super::problem::{Findings, Problem};
use super::services::Front;
use super::words;

/// The real servers of one service, with what is the same on every port.
pub(super) struct Members<'a> {
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
    pub fn of(service: &'a Service, machines: &Machines<'a>) -> Self {
        let exceptions: HashMap<&str, &ServiceDestination> = service
            .destinations
            .iter()
            .map(|it| (it.real_server.as_str(), it))
            .collect();
        let members = machines.members(service);
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
    pub fn behind(&self, front: &Front) -> impl Iterator<Item = Destination> {
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

    /// Says who is left out, and why.
    pub fn judge(&self, index: usize, fronts: &[Front], findings: &mut Findings) {
        for family in [Family::V4, Family::V6] {
            if fronts.iter().any(|it| it.family == family) {
                self.judge_family(index, family, findings);
            }
        }
    }

    fn judge_family(&self, index: usize, family: Family, findings: &mut Findings) {
        let without = self
            .places
            .iter()
            .filter(|it| it.address_for(family).is_none());
        let names: Vec<_> = without.map(|it| it.machine.name.as_str()).collect();
        let (service, word) = (&self.service.name, word(family));
        if self.places.is_empty() {
            let fix = "name one, or remove the service";
            findings.refuse(Problem::new(path(index), "it has no real server", fix));
        } else if names.len() == self.places.len() {
            let message = format!("none of the real servers of {service} has an {word} address");
            let fix = "give them one, or use another VIP";
            findings.refuse(Problem::new(path(index), message, fix));
        } else if !names.is_empty() {
            let names = names.join(", ");
            let message = format!("{service}: without an {word} address, so not in it: {names}");
            findings.warn(Warning::new(Code::LeftOut, message).about(service.as_str()));
        }
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

fn path(index: usize) -> String {
    format!("services[{index}]")
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
