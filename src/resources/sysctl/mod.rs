//! One kernel setting under `/proc/sys`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Nature, Resource};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
pub mod observe;

/// The path below `/proc/sys`, such as `net/ipv4/conf/eth0.100/rp_filter`. Never split on dots: interface names
/// contain them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SysctlKey(String);

/// A setting and its value, white space folded to single blanks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctl {
    pub key: SysctlKey,
    pub value: String,
}

impl SysctlKey {
    /// From the path below `/proc/sys`.
    pub fn from_path(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The path below `/proc/sys`.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// Switches forwarding as a whole, and with it every `conf/*/forwarding`
    /// (Documentation/networking/ip-sysctl.rst).
    pub fn is_forwarding(&self) -> bool {
        matches!(
            self.path(),
            "net/ipv4/ip_forward" | "net/ipv6/conf/all/forwarding"
        )
    }

    /// Whether router advertisements are accepted while forwarding.
    pub fn is_accept_ra(&self) -> bool {
        self.path().starts_with("net/ipv6/") && self.path().ends_with("/accept_ra")
    }
}

impl OnFile for SysctlKey {}

impl Resource for Sysctl {
    type Key = SysctlKey;

    fn key(&self) -> SysctlKey {
        self.key.clone()
    }

    /// `accept_ra` before forwarding, because forwarding makes the kernel drop the routes it learned; forwarding
    /// before the rest, because it rewrites them.
    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        let on = delta.to().is_some_and(|it| it.value != "0");
        let key = &delta.subject().key;
        let phase = match () {
            () if key.is_accept_ra() => Phase::AcceptAdvertisements,
            () if key.is_forwarding() && on => Phase::ForwardingOn,
            () if key.is_forwarding() => Phase::ForwardingOff,
            () => Phase::Sysctl,
        };
        step(phase, delta);
    }

    fn nature(&self) -> Nature {
        Nature::Set
    }
}

/// As sysctl(8) writes it: dots between components, and a slash for a dot inside one.
impl fmt::Display for SysctlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '/' => f.write_str("."),
            '.' => f.write_str("/"),
            other => write!(f, "{other}"),
        })
    }
}

impl From<String> for SysctlKey {
    fn from(path: String) -> Self {
        Self(path)
    }
}

impl From<SysctlKey> for String {
    fn from(key: SysctlKey) -> Self {
        key.0
    }
}
