//! A consistent reading of the whole table.
//!
//! A netlink dump resumes by an index, not by a key, so with another writer about it loses and doubles entries and
//! never says so (`ip_vs_genl_dump_services`, `ip_vs_genl_dump_dests`). Therefore:
//!
//! * IPv4 services and destinations come from the old interface, one critical section per list. What it cannot say
//!   (engines, tunnels, destinations of the other family) is added from netlink.
//! * Elsewhere a wanted service that a dump does not show is asked for by its key, which is exact.
//! * A netlink list of destinations counts when it came in one datagram that was not full (one critical section), or
//!   when two readings in a row agree; an empty one only if the service is still there, since the kernel gives an
//!   empty list for a missing service.
//! * A service that nobody wants may still be missing from one reading, and be seen in the next.

use super::client::{Client, one_service};
use super::command::service_only;
use super::destination::{RawDestination, parse_destination};
use super::error::Error;
use super::netlink::Extent;
use super::service::Flaw;
use super::types::{Destination, Family, Service, ServiceId};
use super::wire::Attributes;

pub(super) const GET_SERVICE: u8 = 4;
pub(super) const GET_DESTINATION: u8 = 8;
pub(super) const DESTINATION: u16 = 2;
/// How often a list of destinations is read until two readings agree.
const TRIES: usize = 16;

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
struct Found {
    service: Service,
    /// Number of destinations when the old interface listed it.
    destinations: Option<u32>,
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
        let mut found = self.find(wanted, options, &mut unreadable)?;
        found.sort_unstable_by_key(|found| found.service.id);
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

    fn fill(
        &mut self,
        found: Vec<Found>,
        options: ReadOptions,
        mut unreadable: Vec<String>,
    ) -> Result<Table, Error> {
        let mut services = Vec::with_capacity(found.len());
        for item in found {
            if let Some(list) = self.destinations(&item, options, &mut unreadable)? {
                services.push((item.service, list));
            }
        }
        unreadable.sort_unstable();
        unreadable.dedup();
        Ok(Table {
            services,
            unreadable,
        })
    }

    /// Which services there are, in any order.
    fn find(
        &mut self,
        wanted: &mut dyn Iterator<Item = ServiceId>,
        options: ReadOptions,
        unreadable: &mut Vec<String>,
    ) -> Result<Vec<Found>, Error> {
        let dumped = self.dump_services(unreadable)?;
        let old = self.old.as_mut().filter(|_| options.old_interface);
        let listed = old.map(|old| old.services()).transpose()?;
        let has_old = listed.is_some();
        let mut found: Vec<Found> = dumped
            .iter()
            .filter(|service| !has_old || service.id.family() == Family::V6)
            .map(|service| Found::by_netlink(*service))
            .collect();
        let mut missing: Vec<ServiceId> = wanted
            .filter(|id| !has_old || id.family() == Family::V6)
            .filter(|id| position(&dumped, *id).is_none())
            .collect();
        for item in listed.unwrap_or_default() {
            match item.service.judge() {
                Ok(mut service) => {
                    // Without the dump's word on its engine it is asked for by its key.
                    match position(&dumped, service.id) {
                        Some(at) => service.engine = dumped[at].engine,
                        None => missing.push(service.id),
                    }
                    found.push(Found {
                        service,
                        destinations: Some(item.destinations),
                    });
                }
                Err(flaw) => note(flaw, unreadable)?,
            }
        }
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
        Ok(())
    }

    /// All services that one dump shows, sorted, each once.
    fn dump_services(&mut self, unreadable: &mut Vec<String>) -> Result<Vec<Service>, Error> {
        let mut services = Vec::new();
        let target = self.target(GET_SERVICE);
        self.netlink
            .dump(target, "list the services", |_| {}, &mut |bytes| {
                services.extend(one_service(bytes, unreadable)?);
                Ok(())
            })?;
        services.sort_by_key(|service| service.id);
        services.dedup_by_key(|service| service.id);
        Ok(services)
    }

    /// The destinations of a service by the fastest interface that can say them; `None` if the service is gone.
    fn destinations(
        &mut self,
        found: &Found,
        options: ReadOptions,
        unreadable: &mut Vec<String>,
    ) -> Result<Option<Vec<Destination>>, Error> {
        let id = found.service.id;
        let old = self
            .old
            .as_mut()
            .filter(|_| options.old_interface && id.family() == Family::V4);
        let (Some(old), Some(expected)) = (old, found.destinations) else {
            return self.settle(id, options, unreadable);
        };
        let Some(raw) = old.destinations(id, expected)? else {
            return Ok(None);
        };
        // Fewer than were counted: some went meanwhile, or some are of the other family, which are not shown here.
        let uncounted = raw.len() != expected as usize;
        if uncounted || raw.iter().any(RawDestination::is_tunnel) {
            return self.settle(id, options, unreadable);
        }
        judge_all(&raw, id, unreadable).map(Some)
    }

    /// Reads the destinations by netlink until they are certain; `None` if the service is gone.
    fn settle(
        &mut self,
        id: ServiceId,
        options: ReadOptions,
        unreadable: &mut Vec<String>,
    ) -> Result<Option<Vec<Destination>>, Error> {
        let mut last: Option<Reading> = None;
        for _ in 0..TRIES {
            let reading = self.dump_destinations(id)?;
            let certain = reading.whole && !reading.list.is_empty();
            let agrees = last.as_ref().is_some_and(|last| last.list == reading.list);
            if certain || agrees || !options.confirm {
                unreadable.extend(reading.unreadable);
                return Ok(Some(reading.list));
            }
            if reading.list.is_empty() && !self.exists(id)? {
                return Ok(None);
            }
            last = Some(reading);
        }
        Err(Error::Torn(id))
    }

    fn exists(&mut self, id: ServiceId) -> Result<bool, Error> {
        Ok(self
            .look_up(&[id], &mut Vec::new())?
            .iter()
            .any(Option::is_some))
    }

    /// One reading of the destinations by netlink, sorted, each once.
    fn dump_destinations(&mut self, id: ServiceId) -> Result<Reading, Error> {
        let mut reading = Reading::default();
        let target = self.target(GET_DESTINATION);
        let extent = self.netlink.dump(
            target,
            "list the destinations of a service",
            |out| service_only(out, id),
            &mut |bytes| reading.take(bytes, id),
        )?;
        reading.list.sort_by_key(Destination::key);
        reading.list.dedup_by_key(|destination| destination.key());
        reading.whole = is_whole(extent);
        Ok(reading)
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

/// One reading of the destinations of a service.
#[derive(Debug, Default)]
struct Reading {
    list: Vec<Destination>,
    unreadable: Vec<String>,
    /// It came from one critical section.
    whole: bool,
}

impl Reading {
    fn take(&mut self, bytes: &[u8], id: ServiceId) -> Result<(), Error> {
        for item in Attributes(bytes) {
            let (DESTINATION, value) = item? else {
                continue;
            };
            match parse_destination(value, id) {
                Ok(destination) => self.list.push(destination),
                Err(flaw) => note(flaw, &mut self.unreadable)?,
            }
        }
        Ok(())
    }
}

/// A list came from one critical section if the datagram it came in had room for one entry more (about 400
/// bytes). A datagram is allocated with a page or, once we have shown a larger buffer, with 32 KiB less its
/// overhead (`netlink_dump`), so lengths near either are not trusted.
const fn is_whole(extent: Extent) -> bool {
    let spacious = extent.longest < 3_000 || (8_192 < extent.longest && extent.longest < 31_000);
    extent.datagrams <= 1 && !extent.interrupted && spacious
}

fn position(sorted: &[Service], id: ServiceId) -> Option<usize> {
    sorted.binary_search_by_key(&id, |service| service.id).ok()
}

fn note(flaw: Flaw, unreadable: &mut Vec<String>) -> Result<(), Error> {
    match flaw {
        Flaw::Inexpressible(text) => unreadable.push(text),
        Flaw::Malformed(flaw) => return Err(flaw.into()),
    }
    Ok(())
}

fn judge_all(
    raw: &[RawDestination],
    id: ServiceId,
    unreadable: &mut Vec<String>,
) -> Result<Vec<Destination>, Error> {
    let mut list = Vec::with_capacity(raw.len());
    for destination in raw {
        match destination.judge(id) {
            Ok(destination) => list.push(destination),
            Err(flaw) => note(flaw, unreadable)?,
        }
    }
    list.sort_unstable_by_key(Destination::key);
    Ok(list)
}
