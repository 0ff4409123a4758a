//! One modification of the table: shown, checked, encoded.

use super::destination::{put_destination, put_key};
use super::service::{put_id, put_service};
use super::types::{Destination, Forwarding, Service, ServiceId, Timeouts, Tunnel};
use super::wire::{nest, put_u32};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

const SERVICE: u16 = 1;
const DESTINATION: u16 = 2;
const TIMEOUT_TCP: u16 = 4;
const TIMEOUT_TCP_FIN: u16 = 5;
const TIMEOUT_UDP: u16 = 6;

/// One modification of the IPVS table. There is none that removes more than one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Creates a service. `EEXIST` if there is one, `ENOENT` if there is no such scheduler or engine.
    NewService(Service),
    /// Edits a service in place: no connection is lost, but a change of the scheduler has a short gap for new ones.
    SetService(Service),
    /// Removes a service with its destinations. `ESRCH` if there is none.
    DeleteService(ServiceId),
    /// Adds a destination. `ESRCH` without the service, `EEXIST` if there is one, `EINVAL` if the address is not
    /// unicast with the addresses configured at this moment.
    NewDestination(ServiceId, Destination),
    /// Edits a destination in place. `ESRCH` without the service, `ENOENT` without the destination.
    SetDestination(ServiceId, Destination),
    /// Removes a destination. `ESRCH` without the service, `ENOENT` without the destination.
    DeleteDestination(ServiceId, IpAddr, u16),
    /// Sets the timeouts of the network namespace; a 0 leaves a value as it is.
    SetTimeouts(Timeouts),
}

impl Command {
    /// `IPVS_CMD_*`.
    pub(super) const fn number(&self) -> u8 {
        match self {
            Self::NewService(_) => 1,
            Self::SetService(_) => 2,
            Self::DeleteService(_) => 3,
            Self::NewDestination(..) => 5,
            Self::SetDestination(..) => 6,
            Self::DeleteDestination(..) => 7,
            Self::SetTimeouts(_) => 12,
        }
    }

    /// Appends the attributes.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::NewService(service) | Self::SetService(service) => {
                nest(out, SERVICE, |out| put_service(out, service));
            }
            Self::DeleteService(id) => service_only(out, *id),
            Self::NewDestination(id, destination) | Self::SetDestination(id, destination) => {
                service_only(out, *id);
                nest(out, DESTINATION, |out| put_destination(out, destination));
            }
            Self::DeleteDestination(id, address, port) => {
                service_only(out, *id);
                nest(out, DESTINATION, |out| put_key(out, *address, *port));
            }
            Self::SetTimeouts(Timeouts { tcp, tcp_fin, udp }) => {
                put_u32(out, TIMEOUT_TCP, *tcp);
                put_u32(out, TIMEOUT_TCP_FIN, *tcp_fin);
                put_u32(out, TIMEOUT_UDP, *udp);
            }
        }
    }

    /// What the kernel would misread or silently cut.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::NewService(service) | Self::SetService(service) => check_service(service),
            Self::DeleteService(id) => check_id(*id),
            Self::NewDestination(id, destination) | Self::SetDestination(id, destination) => {
                check_id(*id)?;
                check_destination(destination)
            }
            Self::DeleteDestination(id, ..) => check_id(*id),
            Self::SetTimeouts(_) => Ok(()),
        }
    }
}

/// Appends the nest that finds a service.
pub(super) fn service_only(out: &mut Vec<u8>, id: ServiceId) {
    nest(out, SERVICE, |out| put_id(out, id));
}

/// With mark 0 the kernel would take the service for one found by the address 0.0.0.0.
fn check_id(id: ServiceId) -> Result<(), &'static str> {
    match id {
        ServiceId::FirewallMark { mark: 0, .. } => Err("a firewall mark is not 0"),
        _ => Ok(()),
    }
}

fn check_service(service: &Service) -> Result<(), &'static str> {
    check_id(service.id)?;
    if service.scheduler_flags > 7 {
        return Err("the flags of a scheduler are three bits");
    }
    let Some(persistence) = service.persistence else {
        return Ok(());
    };
    let bits = service.id.family().bits();
    let least = u8::from(bits == 128);
    match (least..=bits).contains(&persistence.prefix) {
        true => Ok(()),
        false => Err("the persistence prefix is 0 to 32 for IPv4 and 1 to 128 for IPv6"),
    }
}

fn check_destination(destination: &Destination) -> Result<(), &'static str> {
    if destination.weight > i32::MAX as u32 {
        return Err("a weight is at most 2147483647");
    }
    if destination.lower_threshold > destination.upper_threshold {
        return Err("the lower threshold is not above the upper one");
    }
    match destination.forwarding {
        Forwarding::Tunnel(Tunnel::Gue { port: 0, .. }) => Err("the port of a GUE tunnel is not 0"),
        _ => Ok(()),
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewService(service) => write!(f, "add service {}", service.id),
            Self::SetService(service) => write!(f, "edit service {}", service.id),
            Self::DeleteService(id) => write!(f, "delete service {id}"),
            Self::NewDestination(id, d) => destination(f, "add", id, d.address, d.port),
            Self::SetDestination(id, d) => destination(f, "edit", id, d.address, d.port),
            Self::DeleteDestination(id, address, port) => {
                destination(f, "delete", id, *address, *port)
            }
            Self::SetTimeouts(t) => {
                write!(
                    f,
                    "set timeouts tcp {} tcp-fin {} udp {}",
                    t.tcp, t.tcp_fin, t.udp
                )
            }
        }
    }
}

fn destination(
    f: &mut fmt::Formatter<'_>,
    verb: &str,
    id: &ServiceId,
    address: IpAddr,
    port: u16,
) -> fmt::Result {
    write!(
        f,
        "{verb} destination {id} → {}",
        SocketAddr::new(address, port)
    )
}
