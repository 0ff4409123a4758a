//! Destinations as attributes (`IPVS_DEST_ATTR_*`).

use super::service::Flaw;
use super::types::{Destination, Family, Forwarding, ServiceId, Tunnel, TunnelChecksum};
use super::wire::{
    Attributes, Malformed, address, array, get_port, get_u16, get_u32, put, put_address, put_port,
    put_u16, put_u32,
};
use std::net::{IpAddr, SocketAddr};

mod attribute {
    pub const ADDRESS: u16 = 1;
    pub const PORT: u16 = 2;
    pub const METHOD: u16 = 3;
    pub const WEIGHT: u16 = 4;
    pub const UPPER: u16 = 5;
    pub const LOWER: u16 = 6;
    pub const FAMILY: u16 = 11;
    pub const TUNNEL_TYPE: u16 = 13;
    pub const TUNNEL_PORT: u16 = 14;
    pub const TUNNEL_FLAGS: u16 = 15;
}

/// `IP_VS_CONN_F_FWD_MASK`: the bits of the connection flags that hold the forwarding method.
const METHOD_MASK: u32 = 7;

/// Appends what finds a destination. The family is always sent: without it the kernel takes the service's.
pub(super) fn put_key(out: &mut Vec<u8>, address: IpAddr, port: u16) {
    put_u16(out, attribute::FAMILY, Family::of(address).number());
    put_address(out, attribute::ADDRESS, address);
    put_port(out, attribute::PORT, port);
}

/// Appends all of a destination.
pub(super) fn put_destination(out: &mut Vec<u8>, destination: &Destination) {
    let Destination {
        address,
        port,
        forwarding,
        weight,
        upper_threshold,
        lower_threshold,
    } = *destination;
    put_key(out, address, port);
    put_u32(out, attribute::METHOD, method(forwarding));
    put_u32(out, attribute::WEIGHT, weight);
    put_u32(out, attribute::UPPER, upper_threshold);
    put_u32(out, attribute::LOWER, lower_threshold);
    if let Forwarding::Tunnel(tunnel) = forwarding {
        put_tunnel(out, tunnel);
    }
}

fn method(forwarding: Forwarding) -> u32 {
    match forwarding {
        Forwarding::Masquerade => 0,
        Forwarding::Local => 1,
        Forwarding::Tunnel(_) => 2,
        Forwarding::DirectRouting => 3,
        Forwarding::Bypass => 4,
    }
}

fn put_tunnel(out: &mut Vec<u8>, tunnel: Tunnel) {
    let (kind, port, checksum) = match tunnel {
        Tunnel::Ipip => (0, 0, TunnelChecksum::None),
        Tunnel::Gue { port, checksum } => (1, port, checksum),
        Tunnel::Gre { checksum } => (2, 0, checksum),
    };
    let flags = match checksum {
        TunnelChecksum::None => 0,
        TunnelChecksum::Outer => 1,
        TunnelChecksum::Remote => 2,
    };
    put(out, attribute::TUNNEL_TYPE, &[kind]);
    put_port(out, attribute::TUNNEL_PORT, port);
    put_u16(out, attribute::TUNNEL_FLAGS, flags);
}

/// A destination as either interface gives it, before it is judged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RawDestination {
    pub family: u16,
    pub address: [u8; 16],
    pub port: u16,
    /// Connection flags; only the forwarding method is looked at.
    pub flags: u32,
    pub weight: u32,
    pub upper: u32,
    pub lower: u32,
    pub tunnel_type: u8,
    pub tunnel_port: u16,
    pub tunnel_flags: u16,
}

/// Reads the attributes of one destination of `service`.
pub(super) fn parse_destination(bytes: &[u8], service: ServiceId) -> Result<Destination, Flaw> {
    // Kernels before 3.18 do not name the family: it is the service's.
    let mut raw = RawDestination {
        family: service.family().number(),
        ..RawDestination::default()
    };
    let mut seen = 0_u32;
    for item in Attributes(bytes) {
        let (kind, value) = item?;
        raw.take(kind, value)?;
        seen |= 1_u32.checked_shl(kind.into()).unwrap_or(0);
    }
    const ALL: u32 = 0b111_1110;
    match seen & ALL == ALL {
        true => raw.judge(service),
        false => Err(Malformed("a destination lacks an attribute").into()),
    }
}

impl RawDestination {
    fn take(&mut self, kind: u16, value: &[u8]) -> Result<(), Malformed> {
        match kind {
            attribute::ADDRESS => self.address = array(value)?,
            attribute::PORT => self.port = get_port(value)?,
            attribute::METHOD => self.flags = get_u32(value)?,
            attribute::WEIGHT => self.weight = get_u32(value)?,
            attribute::UPPER => self.upper = get_u32(value)?,
            attribute::LOWER => self.lower = get_u32(value)?,
            attribute::FAMILY => self.family = get_u16(value)?,
            attribute::TUNNEL_TYPE => [self.tunnel_type] = array(value)?,
            attribute::TUNNEL_PORT => self.tunnel_port = get_port(value)?,
            attribute::TUNNEL_FLAGS => self.tunnel_flags = get_u16(value)?,
            _ => {}
        }
        Ok(())
    }

    /// True when the old interface cannot say all of it.
    pub(super) const fn is_tunnel(&self) -> bool {
        self.flags & METHOD_MASK == 2
    }

    /// The destination, if our types can hold it.
    pub(super) fn judge(&self, service: ServiceId) -> Result<Destination, Flaw> {
        let is_ipv4 = self.family == Family::V4.number();
        let at = SocketAddr::new(address(is_ipv4, self.address), self.port);
        let no =
            |reason: &str| Flaw::Inexpressible(format!("destination {at} of {service}: {reason}"));
        Family::from_number(self.family).ok_or_else(|| no("its family is not known"))?;
        Ok(Destination {
            address: at.ip(),
            port: self.port,
            forwarding: self
                .forwarding()
                .ok_or_else(|| no("its forwarding is not known"))?,
            weight: self.weight,
            upper_threshold: self.upper,
            lower_threshold: self.lower,
        })
    }

    fn forwarding(&self) -> Option<Forwarding> {
        Some(match self.flags & METHOD_MASK {
            0 => Forwarding::Masquerade,
            1 => Forwarding::Local,
            2 => Forwarding::Tunnel(self.tunnel()?),
            3 => Forwarding::DirectRouting,
            4 => Forwarding::Bypass,
            _ => return None,
        })
    }

    /// Port and checksum that a tunnel type has no use for are not looked at.
    fn tunnel(&self) -> Option<Tunnel> {
        let port = self.tunnel_port;
        Some(match self.tunnel_type {
            0 => Tunnel::Ipip,
            1 => Tunnel::Gue {
                port,
                checksum: self.checksum()?,
            },
            2 => Tunnel::Gre {
                checksum: self.checksum()?,
            },
            _ => return None,
        })
    }

    fn checksum(&self) -> Option<TunnelChecksum> {
        match self.tunnel_flags {
            0 => Some(TunnelChecksum::None),
            1 => Some(TunnelChecksum::Outer),
            2 => Some(TunnelChecksum::Remote),
            _ => None,
        }
    }
}
