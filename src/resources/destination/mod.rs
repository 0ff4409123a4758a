//! A destination: the place of one real server in one virtual service.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::delta::{Delta, Resource};
use crate::ipvs::{self, ServiceId, Text};
use crate::plan::Phase;

pub mod apply;
mod file;
pub mod observe;

/// One destination of one virtual service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub service: ServiceId,
    #[serde(flatten)]
    pub at: ipvs::Destination,
}

/// The kernel finds a destination by service, address and port.
///
/// On file it is one text, as it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
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
        step(phase, delta);
    }
}

impl DestinationKey {
    fn text(&self) -> Text {
        let mut text = self.service.text();
        text.push(" → ");
        text.push_socket(self.address, self.port);
        text
    }
}

impl fmt::Display for DestinationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// Reads what it prints.
impl FromStr for DestinationKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let problem = "a destination is `tcp 192.0.2.10:80 → 10.0.0.2:80`";
        let (service, at) = text.split_once('→').ok_or(problem)?;
        let (service, at) = (service.strip_suffix(' '), at.strip_prefix(' '));
        let (address, port) = at.and_then(ipvs::socket).ok_or(problem)?;
        let service = service.and_then(|it| it.parse().ok()).ok_or(problem)?;
        Ok(Self {
            service,
            address,
            port,
        })
    }
}

impl Serialize for DestinationKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl<'de> Deserialize<'de> for DestinationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ipvs::from_text(deserializer)
    }
}
