//! A consistent reading of the whole table.
//!
//! A netlink dump resumes by an index, not by a key, so with another writer about it loses and doubles entries and
//! never says so (`ip_vs_genl_dump_services`, `ip_vs_genl_dump_dests`). Therefore:
//!
//! * IPv4 services and destinations come from the old interface, one critical section per list. What it cannot say
//!   (engines, tunnels, destinations of the other family) is added from netlink.
//! * Elsewhere a wanted service that a dump does not show is asked for by its key, which is exact.
//! * A netlink list of destinations is whole when it came in one datagram that was not full (one critical section).
//!   A longer one is compared with `/proc/net/ip_vs`, which shows each service with all of its destinations from one
//!   walk. An empty one counts only if the service is still there, since the kernel gives an empty list for a
//!   missing service.
//! * A service that nobody wants may still be missing from one reading, and be seen in the next.

use super::client::{Client, one_service};
use super::error::Error;
use super::lists::{Answer, Doubt};
use super::service::Flaw;
use super::sockopt::Listed;
use super::types::{Destination, Family, Service, ServiceId};

pub(super) const GET_SERVICE: u8 = 4;

/// The services of one network namespace, by identity, each with its destinations by address and port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Sorted by [`Service::id`]; destinations sorted by [`Destination::key`].
    pub services: Vec<(Service, Vec<Destination>)>,
    /// What is there but cannot be expressed (another protocol, a netmask with holes, an unknown forwarding
    /// method), in words, sorted. Such a service is not in `services`; of such a destination only the rest of its
    /// service is.
    pub unreadable: Vec<String>,
}

/// How to read. Only tests need anything but the default.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Confirm by point requests and second readings what a dump may have got wrong.
    pub confirm: bool,
    /// Use the old interface where it exists.
    pub old_interface: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            confirm: true,
            old_interface: true,
        }
    }
}

/// A service on its way into the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub service: Service,
    /// Number of destinations when the old interface listed it.
    pub destinations: Option<u32>,
}

impl Client {
    /// Reads the whole table.
    ///
    /// `wanted` are the services that must not be overlooked: one that is there all the time is in the result,
    /// whatever other processes do meanwhile. The same holds for all IPv4 services, and for the destinations of
    /// every service that is listed.
    ///
    /// # Errors
    /// [`Error::Torn`] and [`Error::Growing`] if other processes change the table without pause, [`Error::Refused`]
    /// without the rights, [`Error::Socket`] and [`Error::Malformed`] if an answer is lost or broken.
    pub fn read(&mut self, wanted: &mut dyn Iterator<Item = ServiceId>) -> Result<Table, Error> {
        self.read_with(wanted, ReadOptions::default())
    }

    /// [`Client::read`] with options.
    ///
    /// # Errors
    /// As for [`Client::read`].
    #[doc(hidden)]
    pub fn read_with(
        &mut self,
        wanted: &mut dyn Iterator<Item = ServiceId>,
        options: ReadOptions,
    ) -> Result<Table, Error> {
        let mut unreadable = Vec::new();
        let found = self.find(wanted, options, &mut unreadable)?;
        self.fill(found, options, unreadable)
    }

    /// Reads these services only, each exact: what is not in the result does not exist. Its cost does not grow with
    /// the rest of the table.
    ///
    /// # Errors
    /// As for [`Client::read`].
    pub fn read_only(&mut self, ids: &[ServiceId]) -> Result<Table, Error> {
        let mut unreadable = Vec::new();
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let services = self.look_up(&ids, &mut unreadable)?;
        let found = services
            .into_iter()
            .flatten()
            .map(Found::by_netlink)
            .collect();
        self.fill(found, ReadOptions::default(), unreadable)
    }

    /// Adds the destinations to services sorted by their identity.
    fn fill(
        &mut self,
        found: Vec<Found>,
        options: ReadOptions,
        unreadable: Vec<String>,
    ) -> Result<Table, Error> {
        let mut table = Table {
            services: Vec::with_capacity(found.len()),
            unreadable,
        };
        let mut doubtful = Vec::new();
        for item in found {
            match self.destinations(&item, options, &mut table.unreadable)? {
                Answer::Gone => {}
                Answer::List(list) => table.services.push((item.service, list)),
                Answer::Doubtful(reading) => {
                    doubtful.push(Doubt::new(item.service.id, reading));
                    table.services.push((item.service, Vec::new()));
                }
            }
        }
        self.settle_doubts(doubtful, &mut table)?;
        table.unreadable.sort_unstable();
        table.unreadable.dedup();
        Ok(table)
    }

    /// Which services there are, sorted, each once.
    fn find(
        &mut self,
        wanted: &mut dyn Iterator<Item = ServiceId>,
        options: ReadOptions,
        unreadable: &mut Vec<String>,
    ) -> Result<Vec<Found>, Error> {
        let mut dumped = self.dump_services(unreadable)?;
        let mut missing = Vec::new();
        let mut found = Vec::new();
        let old = self.old.as_mut().filter(|_| options.old_interface);
        let has_old = old.is_some();
        if let Some(old) = old {
            let listed = old.services()?;
            found.reserve(listed.len());
            let (v4, v6) = dumped
                .into_iter()
                .partition(|s| s.id.family() == Family::V4);
            dumped = v6;
            let mut engines = Engines {
                services: v4,
                at: 0,
                sorted: false,
            };
            for item in listed {
                engines.complete(item, &mut found, &mut missing, unreadable)?;
            }
        }
        found.extend(dumped.into_iter().map(Found::by_netlink));
        tidy(&mut found);
        let uncertain = wanted.filter(|id| !has_old || id.family() == Family::V6);
        missing.extend(uncertain.filter(|id| position(&found, *id).is_err()));
        if options.confirm {
            self.confirm(missing, &mut found, unreadable)?;
        }
        Ok(found)
    }

    /// Asks for each missing service by its key.
    fn confirm(
        &mut self,
        mut missing: Vec<ServiceId>,
        found: &mut Vec<Found>,
        unreadable: &mut Vec<String>,
    ) -> Result<(), Error> {
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        missing.dedup();
        let answers = self.look_up(&missing, unreadable)?;
        found.retain(|found| missing.binary_search(&found.service.id).is_err());
        found.extend(answers.into_iter().flatten().map(Found::by_netlink));
        tidy(found);
        Ok(())
    }

    /// All services that one dump shows, in the kernel's order, some perhaps twice.
    fn dump_services(&mut self, unreadable: &mut Vec<String>) -> Result<Vec<Service>, Error> {
        let mut services = Vec::new();
        let target = self.target(GET_SERVICE);
        self.netlink
            .dump(target, "list the services", |_| {}, &mut |bytes| {
                services.extend(one_service(bytes, unreadable)?);
                Ok(())
            })?;
        Ok(services)
    }
}

impl Found {
    const fn by_netlink(service: Service) -> Self {
        Self {
            service,
            destinations: None,
        }
    }
}

/// What a dump of the services has said of engines, for what the old interface has listed.
struct Engines {
    services: Vec<Service>,
    /// Both come in the order of the kernel's table: as long as nothing changes, this one is next.
    at: usize,
    sorted: bool,
}

impl Engines {
    /// A service the dump did not show is asked for by its key: it may have an engine.
    fn complete(
        &mut self,
        item: Listed,
        found: &mut Vec<Found>,
        missing: &mut Vec<ServiceId>,
        unreadable: &mut Vec<String>,
    ) -> Result<(), Error> {
        let mut service = match item.service.judge() {
            Ok(service) => service,
            Err(flaw) => return note(flaw, unreadable),
        };
        match self.dumped(service.id) {
            Some(dumped) => service.engine = dumped.engine,
            None => missing.push(service.id),
        }
        let destinations = Some(item.destinations);
        found.push(Found {
            service,
            destinations,
        });
        Ok(())
    }

    fn dumped(&mut self, id: ServiceId) -> Option<&Service> {
        let is_next = !self.sorted && self.services.get(self.at).is_some_and(|next| next.id == id);
        if is_next {
            self.at += 1;
            return self.services.get(self.at - 1);
        }
        if !self.sorted {
            self.services.sort_unstable_by_key(|service| service.id);
            self.sorted = true;
        }
        let at = self
            .services
            .binary_search_by_key(&id, |service| service.id)
            .ok()?;
        self.services.get(at)
    }
}

fn tidy(found: &mut Vec<Found>) {
    found.sort_by_cached_key(|found| found.service.id.rank());
    found.dedup_by_key(|found| found.service.id);
}

fn position(sorted: &[Found], id: ServiceId) -> Result<usize, usize> {
    sorted.binary_search_by_key(&id, |found| found.service.id)
}

/// Notes what cannot be expressed; what is malformed ends the reading.
pub(super) fn note(flaw: Flaw, unreadable: &mut Vec<String>) -> Result<(), Error> {
    match flaw {
        Flaw::Inexpressible(text) => unreadable.push(text),
        Flaw::Malformed(flaw) => return Err(flaw.into()),
    }
    Ok(())
}
