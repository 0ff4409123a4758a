//! The document's words in the types of the IPVS layer.

use crate::document::{Checksum, Forwarding, Protocol, SchedulerFlag, Tunnel, TunnelType};
use crate::ipvs::{self, TunnelChecksum};

pub(super) fn protocol(protocol: Protocol) -> ipvs::Protocol {
    match protocol {
        Protocol::Tcp => ipvs::Protocol::Tcp,
        Protocol::Udp => ipvs::Protocol::Udp,
        Protocol::Sctp => ipvs::Protocol::Sctp,
    }
}

/// `IP_VS_SVC_F_SCHED1` is the fallback of `sh` and `mh`, `SCHED2` their port (include/uapi/linux/ip_vs.h).
pub(super) fn scheduler_flags(flags: &[SchedulerFlag]) -> u8 {
    flags.iter().fold(0, |bits, flag| {
        bits | match flag {
            SchedulerFlag::ShFallback | SchedulerFlag::MhFallback => 1,
            SchedulerFlag::ShPort | SchedulerFlag::MhPort => 2,
        }
    })
}

pub(super) fn forwarding(method: Forwarding, through: Option<&Tunnel>) -> ipvs::Forwarding {
    match method {
        Forwarding::Masquerade => ipvs::Forwarding::Masquerade,
        Forwarding::DirectRouting => ipvs::Forwarding::DirectRouting,
        Forwarding::Tunnel => ipvs::Forwarding::Tunnel(through.map_or(ipvs::Tunnel::Ipip, tunnel)),
    }
}

fn tunnel(tunnel: &Tunnel) -> ipvs::Tunnel {
    let checksum = match tunnel.checksum {
        None | Some(Checksum::None) => TunnelChecksum::None,
        Some(Checksum::Checksum) => TunnelChecksum::Outer,
        Some(Checksum::RemoteChecksum) => TunnelChecksum::Remote,
    };
    match tunnel.tunnel_type {
        None | Some(TunnelType::Ipip) => ipvs::Tunnel::Ipip,
        Some(TunnelType::Gre) => ipvs::Tunnel::Gre { checksum },
        // The document's check asks for the port; without one this is the port of Linux' own receiver.
        Some(TunnelType::Gue) => ipvs::Tunnel::Gue {
            port: tunnel.port.map_or(6080, |it| it.get()),
            checksum,
        },
    }
}
