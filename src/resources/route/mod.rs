//! A static route.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Resource, Theirs};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
pub mod observe;

/// `RTA_PROTOCOL` of the routes we make: the mark by which they are known (values from 5 up are for user space,
/// include/uapi/linux/rtnetlink.h).
pub const ROUTE_PROTOCOL: u8 = 155;

/// The table that `ip route` shows (include/uapi/linux/rtnetlink.h).
pub const MAIN: u32 = 254;

/// Where packets for one destination go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    #[serde(flatten)]
    pub key: RouteKey,
    /// The next hop; `None` when the destination is on the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<IpAddr>,
    pub interface: String,
    #[serde(default, skip_serializing_if = "Theirs::is_ours")]
    pub theirs: Theirs<Traits>,
}

/// What a route of somebody else has that ours have not.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Traits {
    /// `RTA_PROTOCOL`: who made it.
    pub protocol: u8,
    /// `RTA_PREFSRC`: the address that packets of our own get.
    pub source: Option<IpAddr>,
}

/// What the kernel tells routes apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouteKey {
    /// `MAIN`, or another.
    pub table: u32,
    /// `0.0.0.0/0` or `::/0` is the default route.
    pub to: IpNet,
    /// Lower wins. The kernel makes 1024 of an IPv6 metric of 0.
    pub metric: u32,
}

impl OnFile for RouteKey {}

impl Resource for Route {
    type Key = RouteKey;

    fn key(&self) -> RouteKey {
        self.key.clone()
    }

    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        let phase = match &delta {
            Delta::Delete { .. } => Phase::RouteRemove,
            _ => Phase::Route,
        };
        step(phase, delta);
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            to if to.prefix_len() > 0 => write!(f, "{to}")?,
            IpNet::V4(_) => f.write_str("default")?,
            IpNet::V6(_) => f.write_str("default (IPv6)")?,
        }
        if self.table != 254 {
            write!(f, " table {}", self.table)?;
        }
        let usual = if self.to.addr().is_ipv4() { 0 } else { 1024 };
        if self.metric != usual {
            write!(f, " metric {}", self.metric)?;
        }
        Ok(())
    }
}
