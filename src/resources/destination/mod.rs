//! A destination: the place of one real server in one virtual service.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Resource};
use crate::ipvs::{self, ServiceId};
use crate::plan::Phase;

pub mod apply;
pub mod observe;

/// One destination of one virtual service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub service: ServiceId,
    #[serde(flatten)]
    pub at: ipvs::Destination,
}

/// The kernel finds a destination by service, address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DestinationKey {
    pub service: ServiceId,
    pub address: IpAddr,
    pub port: u16,
}

impl Resource for Destination {
    type Key = DestinationKey;

    fn key(&self) -> DestinationKey {
        DestinationKey {
            service: self.service,
            address: self.at.address,
            port: self.at.port,
        }
    }

    /// Weights are raised before others are lowered, so that their sum never passes through zero.
    fn steps(delta: Delta<Self>) -> Vec<(Phase, Delta<Self>)> {
        let phase = match &delta {
            Delta::Create { .. } => Phase::Destination,
            Delta::Delete { .. } => Phase::DestinationRemove,
            Delta::Update { from, to } | Delta::Replace { from, to } => {
                if to.at.weight < from.at.weight {
                    Phase::WeightDown
                } else {
                    Phase::WeightUp
                }
            }
        };
        vec![(phase, delta)]
    }
}

impl fmt::Display for DestinationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = SocketAddr::new(self.address, self.port);
        write!(f, "{} → {at}", self.service)
    }
}
