//! Traffic counters, kept apart from the table so that two readings of a quiet machine are equal.

use super::client::{Client, SERVICE};
use super::command::service_only;
use super::destination::parse_destination;
use super::error::Error;
use super::lists::{DESTINATION, GET_DESTINATION};
use super::service::{Flaw, parse_service};
use super::table::GET_SERVICE;
use super::types::ServiceId;
use super::wire::{Attributes, Malformed, get_counter, get_u32};
use std::collections::BTreeMap;
use std::net::IpAddr;

const STATS: u16 = 10;
/// The same with 64 bits throughout (since 4.1).
const STATS_64: u16 = 12;

/// What went through a service or a destination since it was created or its counters were reset.
///
/// They are no evidence of age: a destination that comes back soon gets its old counters again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Established connections now; of a destination only, 0 for a service.
    pub active: u32,
    /// Other connections still remembered now; of a destination only.
    pub inactive: u32,
    /// Clients now held by persistence; of a destination only.
    pub persistent: u32,
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets to clients; only masquerading sees them.
    pub packets_out: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients; only masquerading sees them.
    pub bytes_out: u64,
}

/// The counters of a service, and those of its destinations by address and port.
pub type ServiceCounters = (ServiceId, Counters, Vec<(IpAddr, u16, Counters)>);

impl Client {
    /// All counters, sorted by service and destination. For showing, not for deciding what exists: entries may be
    /// missing while another process changes the table. Services that cannot be expressed are left out.
    ///
    /// # Errors
    /// [`Error::Refused`] without the rights, [`Error::Socket`] or [`Error::Malformed`] if an answer is lost or broken.
    pub fn counters(&mut self) -> Result<Vec<ServiceCounters>, Error> {
        let mut services = BTreeMap::new();
        let target = self.target(GET_SERVICE);
        self.netlink
            .dump(target, "list the services", |_| {}, &mut |bytes| {
                each(bytes, SERVICE, |value| {
                    let Some(service) = readable(parse_service(value))? else {
                        return Ok(());
                    };
                    services.insert(service.id, parse_counters(value)?);
                    Ok(())
                })
            })?;
        let with_destinations = |(id, counters)| Ok((id, counters, self.destination_counters(id)?));
        services.into_iter().map(with_destinations).collect()
    }

    fn destination_counters(
        &mut self,
        id: ServiceId,
    ) -> Result<Vec<(IpAddr, u16, Counters)>, Error> {
        let mut destinations = BTreeMap::new();
        let target = self.target(GET_DESTINATION);
        let operation = "list the destinations of a service";
        self.netlink.dump(
            target,
            operation,
            |out| service_only(out, id),
            &mut |bytes| {
                each(bytes, DESTINATION, |value| {
                    let Some(destination) = readable(parse_destination(value, id))? else {
                        return Ok(());
                    };
                    destinations.insert(destination.key(), parse_destination_counters(value)?);
                    Ok(())
                })
            },
        )?;
        let flat = |((address, port), counters)| (address, port, counters);
        Ok(destinations.into_iter().map(flat).collect())
    }
}

fn each(
    bytes: &[u8],
    wanted: u16,
    mut take: impl FnMut(&[u8]) -> Result<(), Malformed>,
) -> Result<(), Error> {
    for item in Attributes(bytes) {
        let (kind, value) = item?;
        if kind == wanted {
            take(value)?;
        }
    }
    Ok(())
}

fn readable<T>(parsed: Result<T, Flaw>) -> Result<Option<T>, Malformed> {
    match parsed {
        Ok(value) => Ok(Some(value)),
        Err(Flaw::Inexpressible(_)) => Ok(None),
        Err(Flaw::Malformed(flaw)) => Err(flaw),
    }
}

/// The statistics among the attributes of a service or destination; those of 64 bits come last and win.
pub(super) fn parse_counters(bytes: &[u8]) -> Result<Counters, Malformed> {
    let mut counters = Counters::default();
    for item in Attributes(bytes) {
        if let (STATS | STATS_64, nested) = item? {
            counters.take(nested)?;
        }
    }
    Ok(counters)
}

/// As [`parse_counters`], with the numbers of connections that only a destination has.
pub(super) fn parse_destination_counters(bytes: &[u8]) -> Result<Counters, Malformed> {
    let mut counters = parse_counters(bytes)?;
    for item in Attributes(bytes) {
        match item? {
            (7, value) => counters.active = get_u32(value)?,
            (8, value) => counters.inactive = get_u32(value)?,
            (9, value) => counters.persistent = get_u32(value)?,
            _ => {}
        }
    }
    Ok(counters)
}

impl Counters {
    fn take(&mut self, statistics: &[u8]) -> Result<(), Malformed> {
        for item in Attributes(statistics) {
            match item? {
                (1, value) => self.connections = get_counter(value)?,
                (2, value) => self.packets_in = get_counter(value)?,
                (3, value) => self.packets_out = get_counter(value)?,
                (4, value) => self.bytes_in = get_counter(value)?,
                (5, value) => self.bytes_out = get_counter(value)?,
                _ => {}
            }
        }
        Ok(())
    }
}
