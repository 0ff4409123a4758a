//! An IP address on an interface: the director's own, or a VIP.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Resource, Theirs};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
mod duplicates;
pub mod observe;

/// One address on one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    #[serde(flatten)]
    pub key: AddressKey,
    /// IPv4 only: the interface's name, or `eth0:50` as old tools show an alias. `None` for IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `IFA_PROTO`, 0 when it says nothing of who made it.
    #[serde(default, skip_serializing_if = "Theirs::is_ours")]
    pub theirs: Theirs<u8>,
}

/// The kernel takes the same address with two prefix lengths for two addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AddressKey {
    pub interface: String,
    pub address: IpAddr,
    pub prefix: u8,
}

impl AddressKey {
    /// A VIP stands alone: /32 or /128. It never becomes primary and never brings a route along.
    pub fn is_vip(&self) -> bool {
        self.prefix == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

impl OnFile for AddressKey {}

impl Resource for Address {
    type Key = AddressKey;

    fn key(&self) -> AddressKey {
        self.key.clone()
    }

    /// The kernel accepts a replace with another label and changes nothing (measured on 6.1 and 6.18).
    fn can_become(&self, _to: &Self) -> bool {
        false
    }

    /// A VIP comes last and goes first: with the VIP up and no service behind it, clients are refused at once.
    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        let vip = delta.subject().key.is_vip();
        let (up, down) = if vip {
            (Phase::Vip, Phase::VipRemove)
        } else {
            (Phase::Address, Phase::AddressRemove)
        };
        match delta {
            Delta::Replace { from, to } => {
                step(up, Delta::Delete { from: *from });
                step(up, Delta::Create { to });
            }
            Delta::Delete { .. } => step(down, delta),
            other => step(up, other),
        }
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.interface, self.address, self.prefix)
    }
}
