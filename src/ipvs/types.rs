//! What a virtual service and a destination are, in few and small types.

use super::name::Name;
use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Transport protocol of a virtual service. IPVS balances no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Protocol 6.
    Tcp,
    /// Protocol 17.
    Udp,
    /// Protocol 132.
    Sctp,
}

impl Protocol {
    /// The number in the IP header.
    pub const fn number(self) -> u16 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// The protocol with this number, if IPVS can balance it.
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            6 => Some(Self::Tcp),
            17 => Some(Self::Udp),
            132 => Some(Self::Sctp),
            _ => None,
        }
    }
}

impl Protocol {
    /// As it is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Address family of a virtual service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
}

impl Family {
    /// `AF_INET` (2) or `AF_INET6` (10).
    pub const fn number(self) -> u16 {
        match self {
            Self::V4 => libc::AF_INET as u16,
            Self::V6 => libc::AF_INET6 as u16,
        }
    }

    /// The family with this `AF_` number.
    pub const fn from_number(number: u16) -> Option<Self> {
        match number as i32 {
            libc::AF_INET => Some(Self::V4),
            libc::AF_INET6 => Some(Self::V6),
            _ => None,
        }
    }

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The longest prefix: 32 or 128 bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

/// Identity of a virtual service: what the kernel finds it by.
///
/// Sorted as written: addresses before marks, then by protocol, family, address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceId {
    /// Packets to this address and port (0: every port, for persistent services).
    Address {
        /// Transport protocol.
        protocol: Protocol,
        /// The virtual address.
        address: IpAddr,
        /// Port in host order; 0 means every port.
        port: u16,
    },
    /// Packets carrying this firewall mark, whatever their address.
    FirewallMark {
        /// IPv4 and IPv6 marks are different services.
        family: Family,
        /// The mark, 1 to 2^32 - 1; 0 is refused.
        mark: u32,
    },
}

impl ServiceId {
    /// The family whose packets the service takes.
    pub const fn family(&self) -> Family {
        match *self {
            Self::Address { address, .. } => Family::of(address),
            Self::FirewallMark { family, .. } => family,
        }
    }
}

/// An address as a number, and whether it is IPv6: sorts as [`IpAddr`] does, in a few instructions.
pub(super) const fn rank(address: IpAddr) -> (u8, u128) {
    match address {
        IpAddr::V4(v4) => (0, v4.to_bits() as u128),
        IpAddr::V6(v6) => (1, v6.to_bits()),
    }
}

impl ServiceId {
    /// Sorting is most of what reading a table costs outside the kernel, so it has to be cheap.
    pub(super) const fn rank(&self) -> (u32, u128, u16) {
        match *self {
            Self::Address {
                protocol,
                address,
                port,
            } => {
                let (family, number) = rank(address);
                ((protocol as u32) << 8 | family as u32, number, port)
            }
            Self::FirewallMark { family, mark } => (1 << 16 | family as u32, mark as u128, 0),
        }
    }
}

impl Ord for ServiceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for ServiceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Clients stay on the destination they got first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Persistence {
    /// How long after the last connection, in seconds. The kernel multiplies it by its tick rate in
    /// 32 bits; ipvsadm(8) allows at most 31 days.
    pub timeout_seconds: u32,
    /// Clients are grouped by a prefix of this many bits: 0 to 32 for IPv4, 1 to 128 for IPv6.
    pub prefix: u8,
}

/// A virtual service without its destinations and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// What it is found by; cannot be edited.
    pub id: ServiceId,
    /// `rr`, `wlc`, ... or `none`. The kernel loads `ip_vs_<name>` by itself.
    pub scheduler: Name,
    /// `None`: every connection is scheduled anew.
    pub persistence: Option<Persistence>,
    /// Persistence engine, such as `sip`.
    pub engine: Option<Name>,
    /// Schedule every UDP packet by itself (`ipvsadm --ops`).
    pub one_packet: bool,
    /// `IP_VS_SVC_F_SCHED1..3` as bits 0 to 2: `sh-fallback` and `mh-fallback` are bit 0, `sh-port` and `mh-port` bit 1.
    pub scheduler_flags: u8,
}

impl Service {
    /// A service that is not persistent, without engine and flags.
    pub const fn new(id: ServiceId, scheduler: Name) -> Self {
        Self {
            id,
            scheduler,
            persistence: None,
            engine: None,
            one_packet: false,
            scheduler_flags: 0,
        }
    }
}

/// Checksum of a GUE or GRE encapsulation (`ipvsadm --tun-nocsum | --tun-csum | --tun-remcsum`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TunnelChecksum {
    /// No checksum.
    #[default]
    None,
    /// Checksum in the outer header.
    Outer,
    /// Remote checksum offload (GUE).
    Remote,
}

/// How a tunnelled packet is wrapped. Kernels before 5.3 know `Ipip` only and silently take it for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tunnel {
    /// IP in IP.
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// UDP port of the receiver, 1 to 65535.
        port: u16,
        /// Its checksum.
        checksum: TunnelChecksum,
    },
    /// Generic routing encapsulation.
    Gre {
        /// Its checksum.
        checksum: TunnelChecksum,
    },
}

/// How packets reach a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forwarding {
    /// Network address translation (`-m`).
    Masquerade,
    /// Delivered on this machine. Current kernels keep the method that was declared even for a local address.
    Local,
    /// Sent on unchanged to the original destination (transparent caches).
    Bypass,
    /// Only the link-layer address is rewritten (`-g`).
    DirectRouting,
    /// Wrapped and sent (`-i`); the only method for a destination of the other address family.
    Tunnel(Tunnel),
}

/// A real server's place in one virtual service, without its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// Address of the real server; with `port` its identity within the service.
    pub address: IpAddr,
    /// Port in host order; 0 for firewall-mark services that keep the client's port.
    pub port: u16,
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// Share of new connections, 0 to 2^31 - 1; 0 takes no new ones.
    pub weight: u32,
    /// No new connections above this many; 0 means no limit.
    pub upper_threshold: u32,
    /// After overload, new connections again below this many; not above `upper_threshold`.
    pub lower_threshold: u32,
}

impl Destination {
    /// A destination without thresholds.
    pub const fn new(address: IpAddr, port: u16, forwarding: Forwarding, weight: u32) -> Self {
        Self {
            address,
            port,
            forwarding,
            weight,
            upper_threshold: 0,
            lower_threshold: 0,
        }
    }

    /// What the kernel finds it by, within its service.
    pub const fn key(&self) -> (IpAddr, u16) {
        (self.address, self.port)
    }

    /// Sorts as [`Destination::key`] does.
    pub(super) const fn rank(&self) -> ((u8, u128), u16) {
        (rank(self.address), self.port)
    }
}

/// How long an idle connection is remembered, in seconds, for the whole network namespace.
///
/// When set, 0 leaves a value as it is; the largest is 2^31 - 1 divided by the kernel's tick rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// An established TCP connection (default 900).
    pub tcp: u32,
    /// A TCP connection after FIN (default 120).
    pub tcp_fin: u32,
    /// UDP (default 300).
    pub udp: u32,
}
