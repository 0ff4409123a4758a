//! The old interface, `getsockopt`: IPv4 only, no tunnel types, no persistence engines, but each list comes from one
//! critical section of the kernel (`do_ip_vs_get_ctl`, under `__ip_vs_mutex`) and 12 to 20 times faster.

use super::destination::RawDestination;
use super::name::Name;
use super::service::RawService;
use super::sys;
use super::types::{Family, ServiceId};
use super::{Error, wire::Malformed};
use std::io;
use std::mem::{offset_of, size_of};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::slice::ChunksExact;

/// `IP_VS_BASE_CTL`.
const BASE: i32 = 64 + 1024 + 64;
const GET_INFO: i32 = BASE + 1;
const GET_SERVICES: i32 = BASE + 2;
const GET_DESTINATIONS: i32 = BASE + 4;
/// How often a list that grows under our hands is asked for again, each time with more room.
const TRIES: usize = 8;

/// The layouts of `linux/ip_vs.h`, of which only the offsets are used.
pub(super) mod layout {
    #[repr(C)]
    pub struct Stats {
        pub packets: [u32; 3],
        pub bytes: [u64; 2],
        pub rates: [u32; 5],
    }
    #[repr(C)]
    pub struct Service {
        pub protocol: u16,
        pub address: [u32; 1],
        pub port: u16,
        pub mark: u32,
        pub scheduler: [u8; 16],
        pub flags: u32,
        pub timeout: u32,
        pub netmask: u32,
        pub destinations: u32,
        pub stats: Stats,
    }
    #[repr(C)]
    pub struct Services {
        pub count: u32,
        pub entries: [Service; 0],
    }
    #[repr(C)]
    pub struct Destination {
        pub address: u32,
        pub port: u16,
        pub flags: u32,
        pub weight: u32,
        pub upper: u32,
        pub lower: u32,
        pub connections: [u32; 3],
        pub stats: Stats,
    }
    #[repr(C)]
    pub struct Destinations {
        pub protocol: u16,
        pub address: u32,
        pub port: u16,
        pub mark: u32,
        pub count: u32,
        pub entries: [Destination; 0],
    }
}

/// A service as the old interface lists it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub service: RawService,
    /// How many destinations it has, those included that this interface does not show.
    pub destinations: u32,
}

/// A socket for the old interface and its buffer.
#[derive(Debug)]
pub(super) struct OldInterface {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl OldInterface {
    /// `None` where the kernel does not have it (or we may not use it: the netlink side will say why).
    pub(super) fn open() -> Option<Self> {
        let socket = sys::socket(libc::AF_INET, libc::SOCK_DGRAM, 0).ok()?;
        let mut old = Self {
            socket,
            buffer: Vec::new(),
        };
        old.service_count().ok()?;
        Some(old)
    }

    /// Number of IPv4 services.
    fn service_count(&mut self) -> io::Result<u32> {
        // struct ip_vs_getinfo: version, size of the connection table, number of services.
        let mut info = [0; 12];
        sys::get_option(&self.socket, GET_INFO, &mut info)?;
        Ok(number(&info, 8))
    }

    /// All IPv4 services of one moment.
    pub(super) fn services(&mut self) -> Result<Vec<Listed>, Error> {
        const OPERATION: &str = "list the services";
        let failed = |source| Error::Socket {
            operation: OPERATION,
            source,
        };
        for attempt in 0..TRIES {
            let count = self.service_count().map_err(failed)?;
            let room = (count + count / 8 + 16) << attempt;
            self.prepare(
                offset_of!(layout::Services, entries),
                room,
                size_of::<layout::Service>(),
            );
            self.buffer[..4].copy_from_slice(&room.to_ne_bytes());
            sys::get_option(&self.socket, GET_SERVICES, &mut self.buffer).map_err(failed)?;
            let listed = listed_services(&self.buffer);
            if listed.len() < room as usize {
                // The lists of destinations need far less.
                self.buffer = Vec::new();
                return Ok(listed);
            }
        }
        Err(Error::Growing)
    }

    /// The IPv4 destinations of one IPv4 service at one moment; `None` if there is no such service.
    /// `expected` is how many there probably are.
    pub(super) fn destinations(
        &mut self,
        id: ServiceId,
        expected: u32,
    ) -> Result<Option<Entries<'_>>, Error> {
        const OPERATION: &str = "list the destinations of a service";
        for attempt in 0..TRIES {
            let room = (expected + 2) << attempt;
            self.ask_for(id, room)?;
            match sys::get_option(&self.socket, GET_DESTINATIONS, &mut self.buffer) {
                Err(e) if e.raw_os_error() == Some(libc::ESRCH) => return Ok(None),
                Err(source) => {
                    return Err(Error::Socket {
                        operation: OPERATION,
                        source,
                    });
                }
                Ok(()) => {}
            }
            let count = Entries::of(&self.buffer).count();
            if count < room as usize {
                return Ok(Some(Entries::of(&self.buffer)));
            }
        }
        Err(Error::Torn(id))
    }

    /// Fills in `struct ip_vs_get_dests`.
    fn ask_for(&mut self, id: ServiceId, room: u32) -> Result<(), Error> {
        use layout::Destinations as D;
        self.prepare(
            offset_of!(D, entries),
            room,
            size_of::<layout::Destination>(),
        );
        match id {
            ServiceId::Address {
                protocol,
                address: IpAddr::V4(address),
                port,
            } => {
                self.place(offset_of!(D, protocol), protocol.number().to_ne_bytes());
                self.place(offset_of!(D, address), address.octets());
                self.place(offset_of!(D, port), port.to_be_bytes());
            }
            ServiceId::FirewallMark {
                family: Family::V4,
                mark,
            } => {
                self.place(offset_of!(D, mark), mark.to_ne_bytes());
            }
            _ => return Err(Malformed("the old interface is for IPv4").into()),
        }
        self.place(offset_of!(D, count), room.to_ne_bytes());
        Ok(())
    }

    /// Zeroed room for `room` entries: the kernel does not say how many it has filled.
    fn prepare(&mut self, header: usize, room: u32, entry: usize) {
        self.buffer.clear();
        self.buffer.resize(header + room as usize * entry, 0);
    }

    fn place<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        self.buffer[at..at + N].copy_from_slice(&value);
    }
}

/// Bytes at an offset; zeros beyond the end (the offsets are those of the layouts).
fn bytes<const N: usize>(entry: &[u8], at: usize) -> [u8; N] {
    entry
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

fn number(entry: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes(entry, at))
}

/// An IPv4 address as it stands in `union nf_inet_addr`.
fn wide(address: [u8; 4]) -> [u8; 16] {
    let mut wide = [0; 16];
    wide[..4].copy_from_slice(&address);
    wide
}

/// Filled entries have a scheduler name (or "none").
pub(super) fn listed_services(buffer: &[u8]) -> Vec<Listed> {
    let entries = buffer
        .get(offset_of!(layout::Services, entries)..)
        .unwrap_or_default();
    entries
        .chunks_exact(size_of::<layout::Service>())
        .take_while(|entry| entry[offset_of!(layout::Service, scheduler)] != 0)
        .map(listed_service)
        .collect()
}

fn listed_service(entry: &[u8]) -> Listed {
    use layout::Service as S;
    Listed {
        service: RawService {
            family: Family::V4.number(),
            protocol: u16::from_ne_bytes(bytes(entry, offset_of!(S, protocol))),
            address: wide(bytes(entry, offset_of!(S, address))),
            port: u16::from_be_bytes(bytes(entry, offset_of!(S, port))),
            mark: number(entry, offset_of!(S, mark)),
            scheduler: Name::from_kernel(&bytes::<16>(entry, offset_of!(S, scheduler))),
            engine: None,
            flags: number(entry, offset_of!(S, flags)),
            timeout: number(entry, offset_of!(S, timeout)),
            netmask: bytes(entry, offset_of!(S, netmask)),
        },
        destinations: number(entry, offset_of!(S, destinations)),
    }
}

/// The destinations in the buffer.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a>(ChunksExact<'a, u8>);

impl<'a> Entries<'a> {
    pub(super) fn of(buffer: &'a [u8]) -> Self {
        let entries = buffer
            .get(offset_of!(layout::Destinations, entries)..)
            .unwrap_or_default();
        Self(entries.chunks_exact(size_of::<layout::Destination>()))
    }
}

impl Iterator for Entries<'_> {
    type Item = RawDestination;

    /// Filled entries have an address: the kernel takes no destination 0.0.0.0.
    fn next(&mut self) -> Option<RawDestination> {
        let entry = self.0.next()?;
        (number(entry, offset_of!(layout::Destination, address)) != 0)
            .then(|| listed_destination(entry))
    }
}

fn listed_destination(entry: &[u8]) -> RawDestination {
    use layout::Destination as D;
    RawDestination {
        family: Family::V4.number(),
        address: wide(bytes(entry, offset_of!(D, address))),
        port: u16::from_be_bytes(bytes(entry, offset_of!(D, port))),
        flags: number(entry, offset_of!(D, flags)),
        weight: number(entry, offset_of!(D, weight)),
        upper: number(entry, offset_of!(D, upper)),
        lower: number(entry, offset_of!(D, lower)),
        ..RawDestination::default()
    }
}
