//! The destinations of a service: read whole, or not at all.

use super::client::Client;
use super::command::service_only;
use super::destination::{RawDestination, parse_destination};
use super::error::Error;
use super::members::{Key, Members};
use super::netlink::Extent;
use super::table::{Found, ReadOptions, Table, note};
use super::types::{Destination, Family, Service, ServiceId};
use super::wire::Attributes;

pub(super) const GET_DESTINATION: u8 = 8;
/// The attribute that holds a destination.
pub(super) const DESTINATION: u16 = 2;
/// How often a list that changes under our hands is read.
const TRIES: usize = 32;

/// What a reading of the destinations of one service has given.
#[derive(Debug)]
pub(super) enum Answer {
    /// All of them, at one moment.
    List(Vec<Destination>),
    /// The service is not there any more.
    Gone,
    /// Some may be missing.
    Doubtful(Reading),
}

/// One reading by netlink, sorted, each once.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub list: Vec<Destination>,
    unreadable: Vec<String>,
    /// It came from one critical section.
    whole: bool,
}

/// A service whose destinations are not certain yet.
#[derive(Debug)]
pub(super) struct Doubt {
    id: ServiceId,
    /// All destinations seen so far, each as last seen.
    pub seen: Reading,
    /// The last two readings were equal: the best there is without the member file.
    agreed: bool,
}

impl Client {
    /// The destinations of a service by the fastest interface that can say them.
    pub(super) fn destinations(
        &mut self,
        found: &Found,
        options: ReadOptions,
        unreadable: &mut Vec<String>,
    ) -> Result<Answer, Error> {
        let id = found.service.id;
        let usable = options.old_interface && id.family() == Family::V4;
        let old = self.old.as_mut().filter(|_| usable);
        let (Some(old), Some(expected)) = (old, found.destinations) else {
            return self.by_netlink(id, options, unreadable);
        };
        let Some(raw) = old.destinations(id, expected)? else {
            return Ok(Answer::Gone);
        };
        // Fewer than were counted: some went meanwhile, or some are of the other family, which are not shown here.
        let uncounted = raw.clone().count() != expected as usize;
        if uncounted || raw.clone().any(|raw| raw.is_tunnel()) {
            return self.by_netlink(id, options, unreadable);
        }
        judge_all(raw, expected as usize, id, unreadable).map(Answer::List)
    }

    /// One attempt by netlink, with a second look at an empty list.
    fn by_netlink(
        &mut self,
        id: ServiceId,
        options: ReadOptions,
        unreadable: &mut Vec<String>,
    ) -> Result<Answer, Error> {
        let mut reading = self.dump_destinations(id)?;
        if reading.is_empty() && options.confirm {
            if !self.exists(id)? {
                return Ok(Answer::Gone);
            }
            reading = self.dump_destinations(id)?;
        }
        if reading.whole || !options.confirm {
            unreadable.append(&mut reading.unreadable);
            return Ok(Answer::List(reading.list));
        }
        Ok(Answer::Doubtful(reading))
    }

    fn exists(&mut self, id: ServiceId) -> Result<bool, Error> {
        let found = self.look_up(&[id], &mut Vec::new())?;
        Ok(found.iter().any(Option::is_some))
    }

    fn dump_destinations(&mut self, id: ServiceId) -> Result<Reading, Error> {
        let mut reading = Reading::default();
        let target = self.target(GET_DESTINATION);
        let operation = "list the destinations of a service";
        let body = |out: &mut Vec<u8>| service_only(out, id);
        let extent = self.netlink.dump(target, operation, body, &mut |bytes| {
            reading.take(bytes, id)
        })?;
        reading.tidy();
        reading.whole = is_whole(extent);
        Ok(reading)
    }

    /// Reads again what is doubtful until everything that the member file shows has been seen.
    pub(super) fn settle_doubts(
        &mut self,
        mut doubtful: Vec<Doubt>,
        table: &mut Table,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            if doubtful.is_empty() {
                return Ok(());
            }
            let members = self.members_of(&doubtful)?;
            let mut still = Vec::new();
            for doubt in doubtful {
                match doubt.judged_by(members.as_ref()) {
                    Ok(settled) => settled.settle(table),
                    Err(doubt) => still.extend(self.again(doubt, table)?),
                }
            }
            doubtful = still;
        }
        doubtful
            .first()
            .map_or(Ok(()), |doubt| Err(Error::Torn(doubt.id)))
    }

    /// `None` where there is no member file.
    fn members_of(&mut self, doubtful: &[Doubt]) -> Result<Option<Members>, Error> {
        let Some(file) = &mut self.members else {
            return Ok(None);
        };
        let ids: Vec<_> = doubtful.iter().map(|doubt| doubt.id).collect();
        let operation = "read /proc/net/ip_vs";
        let members = file.read(&ids);
        members
            .map(Some)
            .map_err(|source| Error::Socket { operation, source })
    }

    /// One more reading; what is certain after it goes into the table.
    fn again(&mut self, doubt: Doubt, table: &mut Table) -> Result<Option<Doubt>, Error> {
        let options = ReadOptions::default();
        Ok(
            match self.by_netlink(doubt.id, options, &mut table.unreadable)? {
                Answer::Doubtful(reading) => Some(doubt.with(reading)),
                Answer::List(list) => {
                    place(table, doubt.id, list);
                    None
                }
                Answer::Gone => {
                    table.services.retain(|(service, _)| service.id != doubt.id);
                    None
                }
            },
        )
    }
}

impl Reading {
    fn is_empty(&self) -> bool {
        self.list.is_empty() && self.unreadable.is_empty()
    }

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

    /// Of several with one key the first stays.
    fn tidy(&mut self) {
        self.list.sort_by_key(Destination::rank);
        self.list.dedup_by_key(|destination| destination.key());
        self.unreadable.sort_unstable();
        self.unreadable.dedup();
    }
}

impl Doubt {
    /// A service after its first doubtful reading.
    pub(super) const fn new(id: ServiceId, seen: Reading) -> Self {
        let agreed = false;
        Self { id, seen, agreed }
    }

    fn with(self, mut newer: Reading) -> Self {
        let agreed = newer.list == self.seen.list;
        newer.list.extend(self.seen.list);
        newer.unreadable.extend(self.seen.unreadable);
        newer.tidy();
        Self {
            id: self.id,
            seen: newer,
            agreed,
        }
    }

    /// Itself without those that are gone, if all that are there have been seen.
    pub(super) fn judged_by(mut self, members: Option<&Members>) -> Result<Self, Self> {
        let Some(members) = members else {
            return if self.agreed { Ok(self) } else { Err(self) };
        };
        let Some(present) = members.get(&self.id) else {
            return Err(self);
        };
        let seen = |key: &&Key| {
            self.seen
                .list
                .binary_search_by_key(*key, Destination::key)
                .is_ok()
        };
        let unseen = present.len() - present.iter().filter(seen).count();
        // The member file does not tell which ones we cannot express.
        if unseen > self.seen.unreadable.len() {
            return Err(self);
        }
        // Of a firewall mark the members of the other family are not known: see there.
        let by_mark = matches!(self.id, ServiceId::FirewallMark { .. });
        let family = self.id.family();
        self.seen.list.retain(|destination| {
            present.binary_search(&destination.key()).is_ok()
                || by_mark && Family::of(destination.address) != family
        });
        Ok(self)
    }

    fn settle(self, table: &mut Table) {
        table.unreadable.extend(self.seen.unreadable);
        place(table, self.id, self.seen.list);
    }
}

fn place(table: &mut Table, id: ServiceId, list: Vec<Destination>) {
    let key = |(service, _): &(Service, Vec<Destination>)| service.id;
    if let Ok(at) = table.services.binary_search_by_key(&id, key) {
        table.services[at].1 = list;
    }
}

/// A list came from one critical section if the datagram it came in had room for one entry more (about 400
/// bytes). A datagram is allocated with a page or, once we have shown a larger buffer, with 32 KiB less its
/// overhead (`netlink_dump`), so lengths near either are not trusted.
pub(super) const fn is_whole(extent: Extent) -> bool {
    let spacious = extent.longest < 3_000 || (8_192 < extent.longest && extent.longest < 31_000);
    extent.datagrams <= 1 && !extent.interrupted && spacious
}

fn judge_all(
    raw: impl Iterator<Item = RawDestination>,
    count: usize,
    id: ServiceId,
    unreadable: &mut Vec<String>,
) -> Result<Vec<Destination>, Error> {
    let mut list = Vec::with_capacity(count);
    for destination in raw {
        match destination.judge(id) {
            Ok(destination) => list.push(destination),
            Err(flaw) => note(flaw, unreadable)?,
        }
    }
    list.sort_unstable_by_key(Destination::rank);
    Ok(list)
}
