//! The edge: the only seam between pure code and the machine.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ownership::Inventory;
use crate::plan::Step;
use crate::resources::destination::DestinationKey;
use crate::resources::{Keys, State};

pub mod followed;
pub mod linux;
pub mod memory;

/// A machine that we can look at and change.
#[allow(
    async_fn_in_trait,
    reason = "used with one runtime thread, never as an object"
)]
pub trait Host {
    /// Reads everything in `scope`, as it is now.
    async fn observe(&mut self, scope: &Scope<'_>) -> Result<Observation, HostError>;

    /// Performs a run of steps of one kind and phase, in order; one outcome each. Nothing is attempted after a
    /// failure but what was already on its way.
    async fn apply(&mut self, run: &[Step]) -> Vec<Outcome>;

    /// Tries what can be tried without changing anything: the packet filter's own check, the daemons' own checks on
    /// staged candidates. All refusals at once.
    async fn check(&mut self, steps: &[Step]) -> Result<(), Vec<HostError>>;

    /// How many connections each destination holds now. Read apart from the state, so that two reads of a quiet
    /// machine are equal.
    async fn connections(&mut self) -> Result<BTreeMap<DestinationKey, Connections>, HostError>;

    /// The names of all network interfaces, for messages.
    async fn interfaces(&mut self) -> Result<Vec<String>, HostError>;
}

/// What to look at: the objects wanted, those we made, and all others of the same kinds that stand beside them.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub desired: &'a State,
    pub inventory: &'a Inventory,
    /// When this look follows another that a moment ago saw everything.
    pub since: Option<Since<'a>>,
}

/// What a look saw, and the steps made since. Where reading everything is dear, a host may read again only what the
/// steps touched.
#[derive(Debug, Clone, Copy)]
pub struct Since<'a> {
    pub state: &'a State,
    pub steps: &'a [Step],
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// In the document's words: what the kernel adds, and what the document does not manage, is taken out.
    pub state: State,
    /// Of these, the ones that carry our mark (a route's protocol number, the name of our table): they are ours even
    /// when the inventory was lost.
    pub marked: Keys,
    /// What exists and cannot be expressed, such as a service with protocol 254.
    pub unreadable: Vec<String>,
}

/// Connections of one destination, as `ipvsadm -L -n` counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Established.
    pub active: u64,
    /// Closing, or not yet open, or of a protocol that has no state.
    pub inactive: u64,
}

/// What became of a step. After anything but `Done` we look again before we judge.
#[derive(Debug)]
pub enum Outcome {
    Done,
    /// Somebody else had done it already, or the object that was to go was gone.
    AlreadySo,
    Failed(HostError),
    NotAttempted,
    /// The answer was lost.
    Unknown,
}

/// What the machine said no to: what was tried, on what, and why it failed.
#[derive(Debug, Clone, thiserror::Error)]
pub struct HostError {
    /// Such as `cannot replace /etc/exports`.
    pub action: String,
    /// Such as `read-only file system`.
    pub reason: String,
}

impl HostError {
    /// `action` failed because of `reason`.
    pub fn new(action: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self {
            action: action.into(),
            reason: reason.to_string(),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action, self.reason)
    }
}
