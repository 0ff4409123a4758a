//! The IPVS control interface of the Linux kernel, typed and synchronous.
//!
//! ```text
//! types         what a virtual service and a destination are
//! client        the public entry: open, execute, ask        error         what can go wrong
//! table         a consistent reading of everything          counters      traffic, apart from the table
//! lists         the destinations of a service, whole        members       who is in it, from /proc/net/ip_vs
//! command       one modification: shown, checked, encoded
//! service       a service as attributes, and back           destination   the same for destinations
//! batch         many requests in one send                   netlink       one socket: batches, replies, dumps
//! sockopt       the old, fast interface for IPv4            wire          bytes as attributes and messages
//! text          the identity of a service as text
//! sys           the system calls, all `unsafe` of the module
//! anything      every reader at once, for tests with any bytes
//! ```
//!
//! It speaks generic netlink (family `IPVS`) and, for reading IPv4, the older `getsockopt` interface, which is an
//! order of magnitude faster and returns each list from one critical section. It needs `CAP_NET_ADMIN` in the
//! initial user namespace even for reading. Tables are per network namespace; a [`Client`] keeps the one its
//! thread was in when it was opened.
//!
//! Sources: `include/uapi/linux/ip_vs.h`, `net/netfilter/ipvs/ip_vs_ctl.c`, ipvsadm(8).
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use lvs_reconcile::ipvs;
//! let mut client = ipvs::Client::open()?;
//! let id = ipvs::ServiceId::Address { protocol: ipvs::Protocol::Tcp, address: "192.0.2.10".parse()?, port: 80 };
//! let service = ipvs::Service::new(id, "wlc".parse()?);
//! for outcome in client.execute(&[ipvs::Command::NewService(service)]) {
//!     outcome?;
//! }
//! for (service, destinations) in client.read(&mut [id].into_iter())?.services {
//!     println!("{}: {} destinations", service.id, destinations.len());
//! }
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod anything;
mod batch;
mod client;
mod command;
mod counters;
mod destination;
mod error;
mod lists;
mod members;
mod name;
mod netlink;
mod service;
mod sockopt;
mod sys;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod types;
mod wire;

pub use anything::misread;
pub use client::{Client, Version};
pub use command::Command;
pub use counters::{Counters, ServiceCounters};
pub use error::{Error, Refusal};
pub use name::{Name, NameError};
pub use table::{ReadOptions, Table};
pub use text::{ServiceIdError, Text, from_text, socket};
pub use types::{
    Destination, Family, Forwarding, Persistence, Protocol, Service, ServiceId, Timeouts, Tunnel,
    TunnelChecksum,
};
