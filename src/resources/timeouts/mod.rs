//! How long IPVS remembers a connection: one set of timeouts for the whole table.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Nature, Resource};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
pub mod observe;

/// Seconds of silence after which a connection is forgotten (`ipvsadm --set`); `None` is left to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    pub tcp_seconds: Option<u32>,
    /// After a FIN was seen.
    pub tcp_fin_seconds: Option<u32>,
    pub udp_seconds: Option<u32>,
}

impl Timeouts {
    /// Only what `wanted` speaks of.
    pub fn in_words_of(self, wanted: &Self) -> Self {
        Self {
            tcp_seconds: wanted.tcp_seconds.and(self.tcp_seconds),
            tcp_fin_seconds: wanted.tcp_fin_seconds.and(self.tcp_fin_seconds),
            udp_seconds: wanted.udp_seconds.and(self.udp_seconds),
        }
    }
}

/// There is one set of timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TheTimeouts;

impl OnFile for TheTimeouts {}

impl Resource for Timeouts {
    type Key = TheTimeouts;

    fn key(&self) -> TheTimeouts {
        TheTimeouts
    }

    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        step(Phase::Timeouts, delta);
    }

    fn nature(&self) -> Nature {
        Nature::Set
    }
}

impl fmt::Display for TheTimeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ipvs")
    }
}
