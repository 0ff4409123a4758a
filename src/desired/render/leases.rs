//! What a DHCP server is told, whichever it is: three renderers, the same leases.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::document::{DomainName, InterfaceName, MacAddress, Name};

use super::super::pools::Pool;
use super::Loaded;

/// The one subnet that is served.
pub(in super::super) struct Subnet<'a> {
    /// Where clients are heard.
    pub interface: &'a InterfaceName,
    /// The director's own address: what clients renew with.
    pub server: Ipv4Addr,
    pub network: Ipv4Net,
    pub pools: Vec<Pool>,
    pub router: Ipv4Addr,
    pub name_servers: Vec<Ipv4Addr>,
    pub domain: Option<&'a DomainName>,
    pub lease_seconds: u32,
    /// For machines that boot from the network.
    pub boot: Option<Loaded>,
}

/// An address that belongs to one machine.
pub(in super::super) struct Reservation<'a> {
    pub name: &'a Name,
    pub mac: MacAddress,
    pub address: Ipv4Addr,
}
