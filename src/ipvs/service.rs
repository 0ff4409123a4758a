//! Virtual services as attributes (`IPVS_SVC_ATTR_*`).

use super::name::Name;
use super::types::{Family, Persistence, Protocol, Service, ServiceId};
use super::wire::{
    Attributes, Malformed, address, array, get_port, get_u16, get_u32, put, put_address, put_port,
    put_u16, put_u32,
};
use std::net::SocketAddr;

mod attribute {
    pub const FAMILY: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const ADDRESS: u16 = 3;
    pub const PORT: u16 = 4;
    pub const MARK: u16 = 5;
    pub const SCHEDULER: u16 = 6;
    pub const FLAGS: u16 = 7;
    pub const TIMEOUT: u16 = 8;
    pub const NETMASK: u16 = 9;
    pub const ENGINE: u16 = 11;
}

const PERSISTENT: u32 = 1;
const ONE_PACKET: u32 = 4;
const SCHEDULER_FLAGS_SHIFT: u32 = 3;
const SCHEDULER_FLAGS_MASK: u8 = 7;

/// Appends what finds a service.
pub(super) fn put_id(out: &mut Vec<u8>, id: ServiceId) {
    put_u16(out, attribute::FAMILY, id.family().number());
    match id {
        ServiceId::Address {
            protocol,
            address,
            port,
        } => {
            put_u16(out, attribute::PROTOCOL, protocol.number());
            put_address(out, attribute::ADDRESS, address);
            put_port(out, attribute::PORT, port);
        }
        ServiceId::FirewallMark { mark, .. } => put_u32(out, attribute::MARK, mark),
    }
}

/// Appends all of a service.
pub(super) fn put_service(out: &mut Vec<u8>, service: &Service) {
    let Service {
        id,
        scheduler,
        persistence,
        engine,
        one_packet: _,
        scheduler_flags: _,
    } = service;
    put_id(out, *id);
    put(out, attribute::SCHEDULER, scheduler.with_zero());
    if let Some(engine) = engine {
        put(out, attribute::ENGINE, engine.with_zero());
    }
    // struct ip_vs_flags: the flags, and which of them are meant.
    let mut flags = [0xff; 8];
    flags[..4].copy_from_slice(&flags_of(service).to_ne_bytes());
    put(out, attribute::FLAGS, &flags);
    let seconds = persistence.map_or(0, |p| p.timeout_seconds);
    put_u32(out, attribute::TIMEOUT, seconds);
    let prefix = persistence.map_or(id.family().bits(), |p| p.prefix);
    put(out, attribute::NETMASK, &netmask(id.family(), prefix));
}

fn flags_of(service: &Service) -> u32 {
    let mut flags =
        u32::from(service.scheduler_flags & SCHEDULER_FLAGS_MASK) << SCHEDULER_FLAGS_SHIFT;
    if service.persistence.is_some() {
        flags |= PERSISTENT;
    }
    if service.one_packet {
        flags |= ONE_PACKET;
    }
    flags
}

/// IPv4: a mask in network order; IPv6: the prefix length in the machine's order.
fn netmask(family: Family, prefix: u8) -> [u8; 4] {
    match family {
        Family::V4 => {
            let host_bits = 32_u32.saturating_sub(prefix.into());
            u32::MAX.checked_shl(host_bits).unwrap_or(0).to_be_bytes()
        }
        Family::V6 => u32::from(prefix).to_ne_bytes(),
    }
}

/// Why an item from the kernel is no value of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The reply breaks the rules.
    Malformed(Malformed),
    /// It is fine, but our types cannot hold it.
    Inexpressible(String),
}

impl From<Malformed> for Flaw {
    fn from(flaw: Malformed) -> Self {
        Self::Malformed(flaw)
    }
}

/// A service as either interface gives it, before it is judged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RawService {
    pub family: u16,
    pub protocol: u16,
    pub address: [u8; 16],
    pub port: u16,
    /// 0: found by address.
    pub mark: u32,
    pub scheduler: Option<Name>,
    pub engine: Option<Name>,
    pub flags: u32,
    pub timeout: u32,
    pub netmask: [u8; 4],
}

/// Reads the attributes of one service.
pub(super) fn parse_service(bytes: &[u8]) -> Result<Service, Flaw> {
    let mut raw = RawService::default();
    let mut seen = 0_u32;
    for item in Attributes(bytes) {
        let (kind, value) = item?;
        raw.take(kind, value)?;
        seen |= 1_u32.checked_shl(kind.into()).unwrap_or(0);
    }
    complete(seen)?;
    raw.judge()
}

fn complete(seen: u32) -> Result<(), Malformed> {
    use attribute as a;
    const ALWAYS: u32 =
        1 << a::FAMILY | 1 << a::SCHEDULER | 1 << a::FLAGS | 1 << a::TIMEOUT | 1 << a::NETMASK;
    const ADDRESS: u32 = 1 << a::PROTOCOL | 1 << a::ADDRESS | 1 << a::PORT;
    let identified = seen & ADDRESS == ADDRESS || seen & (1 << a::MARK) != 0;
    match seen & ALWAYS == ALWAYS && identified {
        true => Ok(()),
        false => Err(Malformed("a service lacks an attribute")),
    }
}

impl RawService {
    fn take(&mut self, kind: u16, value: &[u8]) -> Result<(), Malformed> {
        match kind {
            attribute::FAMILY => self.family = get_u16(value)?,
            attribute::PROTOCOL => self.protocol = get_u16(value)?,
            attribute::ADDRESS => self.address = array(value)?,
            attribute::PORT => self.port = get_port(value)?,
            attribute::MARK => self.mark = get_u32(value)?,
            attribute::SCHEDULER => self.scheduler = Name::from_kernel(value),
            attribute::ENGINE => self.engine = Name::from_kernel(value),
            attribute::FLAGS => self.flags = get_u32(value)?,
            attribute::TIMEOUT => self.timeout = get_u32(value)?,
            attribute::NETMASK => self.netmask = array(value)?,
            _ => {}
        }
        Ok(())
    }

    /// The service, if our types can hold it. The flag HASHED, which the kernel adds, is dropped.
    pub(super) fn judge(&self) -> Result<Service, Flaw> {
        let no = |reason: &str| Flaw::Inexpressible(format!("{}: {reason}", self.describe()));
        let id = self
            .id()
            .ok_or_else(|| no("its family or protocol is not known"))?;
        let scheduler = self
            .scheduler
            .ok_or_else(|| no("its scheduler has no usable name"))?;
        let persistence = match self.flags & PERSISTENT {
            0 => None,
            _ => Some(Persistence {
                timeout_seconds: self.timeout,
                prefix: self
                    .prefix(id.family())
                    .ok_or_else(|| no("its netmask has holes"))?,
            }),
        };
        Ok(Service {
            id,
            scheduler,
            persistence,
            engine: self.engine,
            one_packet: self.flags & ONE_PACKET != 0,
            scheduler_flags: (self.flags >> SCHEDULER_FLAGS_SHIFT) as u8 & SCHEDULER_FLAGS_MASK,
        })
    }

    fn id(&self) -> Option<ServiceId> {
        let family = Family::from_number(self.family)?;
        if self.mark != 0 {
            let mark = self.mark;
            return Some(ServiceId::FirewallMark { family, mark });
        }
        Some(ServiceId::Address {
            protocol: Protocol::from_number(self.protocol)?,
            address: address(family == Family::V4, self.address),
            port: self.port,
        })
    }

    fn prefix(&self, family: Family) -> Option<u8> {
        match family {
            Family::V4 => {
                let mask = u32::from_be_bytes(self.netmask);
                (mask.leading_ones() == mask.count_ones()).then_some(mask.count_ones() as u8)
            }
            Family::V6 => u8::try_from(u32::from_ne_bytes(self.netmask))
                .ok()
                .filter(|p| *p <= 128),
        }
    }

    fn describe(&self) -> String {
        let at = SocketAddr::new(
            address(self.family == Family::V4.number(), self.address),
            self.port,
        );
        match self.mark {
            0 => format!("service protocol {} {at}", self.protocol),
            mark => format!("service fwmark {mark}"),
        }
    }
}
