//! Our one nftables table, `inet lvs_reconcile`, as typed rules. It is compared by meaning: what the reader does not
//! recognise becomes `Unknown`, which equals nothing that we would write.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Resource};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
mod canonical;
mod chains;
pub mod observe;
pub mod read;
pub mod render;
pub mod transaction;
pub mod union;

/// The name of our table; the mark by which it is known.
pub const TABLE: &str = "lvs_reconcile";

/// Our table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NftTable {
    pub chains: Vec<Chain>,
    /// Connection tracking helpers, by name (`ftp`).
    pub helpers: Vec<String>,
    /// Objects in our table that are not ours in kind, as nft prints them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// One base chain. There is at most one per hook, named after its job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    pub name: ChainName,
    pub policy: Policy,
    pub rules: Vec<Rule>,
}

/// The base chains; each stands for a type, a hook and a priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainName {
    /// `filter prerouting`, priority mangle (-150): firewall marks.
    Marks,
    /// `filter prerouting`, priority filter (0), after connection tracking: helpers.
    Helpers,
    /// `filter forward`, priority filter (0).
    Forward,
    /// `nat postrouting`, priority srcnat (100).
    Masquerade,
}

/// What happens to a packet that no rule decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    Accept,
    Drop,
}

/// All matches must hold, then the verdict applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    pub matches: Vec<Match>,
    pub verdict: Verdict,
}

/// A condition on a packet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// By name, so that the interface need not exist yet.
    InInterface(String),
    OutInterface(String),
    Source(IpNet),
    Destination(IpNet),
    /// Destination address and nothing else, for mark rules.
    To(IpAddr),
    /// Destination ports, inclusive. `protocol` is `tcp`, `udp` or `sctp`.
    Ports {
        protocol: String,
        first: u16,
        last: u16,
    },
    /// Any of these connection tracking states, sorted.
    State(Vec<String>),
    /// Not something we write; as nft prints it.
    Unknown(String),
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Accept,
    Drop,
    Masquerade,
    /// Sets the firewall mark.
    Mark(u32),
    /// Assigns the connection tracking helper of this name.
    Helper(String),
    /// Not something we write; as nft prints it.
    Unknown(String),
}

/// There is one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TheTable;

impl OnFile for TheTable {}

impl Resource for NftTable {
    type Key = TheTable;

    fn key(&self) -> TheTable {
        TheTable
    }

    /// A change that both permits and forbids goes in two steps: the union of both first, the final one once nothing
    /// uses what it takes away.
    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        match delta {
            Delta::Update { from, to } | Delta::Replace { from, to } => {
                union::steps(from, to, step);
            }
            Delta::Create { .. } => step(Phase::Permit, delta),
            Delta::Delete { .. } => step(Phase::Forbid, delta),
        }
    }
}

impl fmt::Display for TheTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inet {TABLE}")
    }
}
