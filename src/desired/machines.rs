//! The pool: who is a member of which service. Look-ups are built once, so that ten thousand services cost no more
//! than their destinations.

use foldhash::HashMap;
use std::net::IpAddr;

use crate::document::{RealServer, Service};
use crate::ipvs::Family;

/// The real servers, by name and by tag.
pub(super) struct Machines<'a> {
    pub all: Vec<&'a RealServer>,
    by_name: HashMap<&'a str, &'a RealServer>,
    by_tag: HashMap<&'a str, Vec<&'a RealServer>>,
}

impl<'a> Machines<'a> {
    pub fn of(real_servers: &'a [RealServer]) -> Self {
        let mut by_tag: HashMap<&str, Vec<&RealServer>> = HashMap::default();
        for machine in real_servers {
            for tag in &machine.tags {
                by_tag.entry(tag.as_str()).or_default().push(machine);
            }
        }
        Self {
            all: real_servers.iter().collect(),
            by_name: real_servers
                .iter()
                .map(|it| (it.name.as_str(), it))
                .collect(),
            by_tag,
        }
    }

    /// The real servers of a service: those it names, those with its tag, or all.
    pub fn members(&self, service: &Service) -> impl Iterator<Item = &'a RealServer> {
        let (names, others): (&[_], &[_]) = match (&service.real_servers, &service.tag) {
            (Some(names), _) => (names, &[]),
            (None, Some(tag)) => (
                &[],
                self.by_tag.get(tag.as_str()).map_or(&[], Vec::as_slice),
            ),
            (None, None) => (&[], &self.all),
        };
        let named = names.iter().filter_map(|it| self.by_name.get(it.as_str()));
        named.chain(others).copied()
    }
}

/// The address of a machine in one family.
pub(super) fn address_in(machine: &RealServer, family: Family) -> Option<IpAddr> {
    let first = machine.address.get();
    match family {
        Family::V4 => Some(first).filter(IpAddr::is_ipv4),
        Family::V6 if first.is_ipv6() => Some(first),
        Family::V6 => machine.address6.map(IpAddr::from),
    }
}
