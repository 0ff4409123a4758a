//! The machine that is to be added: what was said of it, and what follows from its neighbours.

use std::net::IpAddr;

use super::Refusal;
use super::address::{self, Free};
use crate::document::values::nearest;
use crate::document::{
    Address, Address6, Document, MacAddress, Name, RealServer, Service, Weight, escape,
};

/// What is said of a machine that is to be added.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub name: Name,
    pub mac: MacAddress,
    /// Absent: the next that is free.
    pub address: Option<Address>,
    /// Absent: the next that is free, when its neighbour has one.
    pub address6: Option<Address6>,
    pub weight: Option<Weight>,
    /// The profile that installs it. Absent: its neighbour's.
    pub kickstart: Option<Name>,
    /// The real server that it is like.
    pub like: Option<Name>,
    /// Services that it is wanted in.
    pub services: Vec<Name>,
}

/// The machine, and where it is named.
pub(super) struct Machine {
    pub server: RealServer,
    /// Of services that name their real servers, those that get its name, by position.
    pub named_in: Vec<usize>,
    /// The real server that it is like, by position.
    pub like: Option<usize>,
    pub notes: Vec<String>,
}

impl Machine {
    pub fn of(document: &Document, wanted: &Wanted) -> Result<Self, Refusal> {
        let like = wanted.like.as_ref().map(|it| like(document, it));
        let like = like.transpose()?;
        let model = like.or_else(|| model(document));
        let model = model.map(|at| &document.real_servers[at]);
        let mut notes = Vec::new();
        let address = match wanted.address {
            Some(it) => it,
            None => found(address::next(document, model), &mut notes)?,
        };
        let like_server = like.map(|at| &document.real_servers[at]);
        let server = RealServer {
            name: wanted.name.clone(),
            address,
            address6: second_address(document, wanted, (address, model)),
            mac: Some(wanted.mac),
            weight: wanted.weight.or(like_server.and_then(|it| it.weight)),
            tags: like_server.map_or_else(Vec::new, |it| it.tags.clone()),
            kickstart: wanted
                .kickstart
                .clone()
                .or_else(|| model.and_then(|it| it.kickstart.clone())),
            install: like_server.and_then(|it| it.install.clone()),
        };
        let mut machine = Self {
            like,
            server,
            named_in: Vec::new(),
            notes,
        };
        for name in &wanted.services {
            machine.join(document, name)?;
        }
        Ok(machine)
    }

    /// Becomes one of a service's real servers, as the service says who they are.
    fn join(&mut self, document: &Document, name: &Name) -> Result<(), Refusal> {
        let names = || document.services.iter().map(|it| &it.name);
        let Some(at) = names().position(|it| it == name) else {
            return Err(unknown("--service", name, "service", names()));
        };
        let service = &document.services[at];
        match (&service.real_servers, &service.tag) {
            (Some(_), _) if !self.named_in.contains(&at) => self.named_in.push(at),
            (None, Some(tag)) if !self.server.tags.contains(tag) => {
                self.server.tags.push(tag.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// The document that has it.
    pub fn added_to(&self, document: &Document) -> Document {
        let mut document = document.clone();
        document.real_servers.push(self.server.clone());
        for at in &self.named_in {
            let names = document.services[*at].real_servers.get_or_insert_default();
            names.push(self.server.name.clone());
        }
        document
    }

    /// The services that do not balance to it.
    pub fn outside(&self, document: &Document) -> Vec<Name> {
        let is_in = |(at, service): &(usize, &Service)| match (&service.real_servers, &service.tag)
        {
            (Some(_), _) => self.named_in.contains(at),
            (None, Some(tag)) => self.server.tags.contains(tag),
            (None, None) => true,
        };
        let services = document.services.iter().enumerate();
        let outside = services.filter(|it| !is_in(it));
        outside.map(|(_, it)| it.name.clone()).collect()
    }
}

fn like(document: &Document, name: &Name) -> Result<usize, Refusal> {
    let names = || document.real_servers.iter().map(|it| &it.name);
    let found = names().position(|it| it == name);
    found.ok_or_else(|| unknown("--like", name, "real server", names()))
}

fn unknown<'n>(
    option: &str,
    name: &Name,
    what: &str,
    names: impl Iterator<Item = &'n Name>,
) -> Refusal {
    const SHOWN: usize = 8;
    let names: Vec<_> = names.map(Name::as_str).collect();
    let fix = match (nearest(name.as_str(), &names), names.len()) {
        (Some(near), _) => format!(", did you mean \"{near}\"?"),
        (None, 0) => "; there is none".to_owned(),
        (None, 1..=SHOWN) => format!("; there are: {}", names.join(", ")),
        (None, _) => format!("; there are: {}, ...", names[..SHOWN].join(", ")),
    };
    Refusal::new(format!(
        "{option} \"{}\" is no {what}{fix}",
        escape(name.as_str())
    ))
}

/// The neighbour that says how machines are here: the last one that a director reaches in a network of its own, and
/// that has a MAC when there is such a one.
fn model(document: &Document) -> Option<usize> {
    let near = |it: &&RealServer| address::network_of(document, it.address.get()).is_some();
    let has_mac = |it: &&RealServer| it.mac.is_some();
    let servers = &document.real_servers;
    let with_mac = servers.iter().rposition(|it| near(&it) && has_mac(&it));
    with_mac.or_else(|| servers.iter().rposition(|it| near(&it)))
}

fn found(free: Option<Free>, notes: &mut Vec<String>) -> Result<Address, Refusal> {
    let address = free
        .as_ref()
        .and_then(|it| it.address.to_string().parse().ok());
    let none = || {
        let text = "there is no next address: no real server is in a network of a director, or all are taken; give one \
                    with --address";
        Refusal::new(text)
    };
    let address = address.ok_or_else(none)?;
    notes.extend(free.and_then(|it| it.note));
    Ok(address)
}

/// Its IPv6 address beside an IPv4 one, when it was given, or when its neighbour has one.
fn second_address(
    document: &Document,
    wanted: &Wanted,
    (address, model): (Address, Option<&RealServer>),
) -> Option<Address6> {
    let beside = model.and_then(|it| it.address6);
    let beside = beside.filter(|_| address.get().is_ipv4());
    let next = || {
        let network = address::network_of(document, IpAddr::from(beside?))?;
        let free = address::next_in(document, network)?;
        free.address.to_string().parse().ok()
    };
    wanted.address6.or_else(next)
}
