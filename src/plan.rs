//! The ordered list of steps between two states. Pure.

use serde::{Deserialize, Serialize};

use crate::delta::Verb;
use crate::resources::Change;
use crate::sealed;

/// When a step happens. The order is this list, and each line says why it stands where it does:
/// make before break, from the inside out when adding, from the outside in when removing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    // --- building up ---
    /// The `vs` sysctls and the schedulers exist only once their modules are loaded.
    Module,
    /// Made down: nothing leaks before the rules stand.
    LinkCreate,
    /// Accepts and masquerade stand before anything is forwarded, and together with a drop policy.
    Permit,
    /// Forwarding makes the kernel forget routes from router advertisements unless this is 2.
    AcceptAdvertisements,
    /// Rewrites every `conf/*/forwarding`, so it comes before the settings of single interfaces.
    ForwardingOn,
    /// Connections are tracked, or not, from the first packet on: before any service.
    Sysctl,
    /// An address on a link that is down has no route.
    LinkUp,
    /// The kernel refuses a destination that it takes for a broadcast address: networks before destinations.
    Address,
    /// A gateway must be reachable through an address.
    Route,
    /// Before the first connection is counted.
    Timeouts,
    /// A service without its VIP is invisible, so it costs nothing.
    Service,
    /// With its final weight, before anybody can reach the service.
    Destination,
    /// The sum of weights never passes through zero.
    WeightUp,
    /// Scheduler, flags, persistence; `mh` once its destinations are there.
    ServiceEdit,
    /// After others were raised.
    WeightDown,
    /// Last: with the VIP up and no service behind it, clients are refused at once.
    Vip,
    /// A machine that boots by a new file must already find routes, forwarding and exports.
    File,
    /// Who gives way goes first: two DHCP servers cannot have one port. Of what is torn down this is the first, too:
    /// nobody is invited any more, no lease, no export.
    UnitStop,
    /// What is read because it stands in a directory: a daemon that reads its files again would go on with it.
    DropInRemove,
    /// A daemon starts, or reads its files again, when all of them stand, and no other.
    Unit,
    // --- tearing down ---
    /// Where a package's own file comes back, ours could not take its place again if a daemon failed.
    FileRemove,
    /// Stops new clients. Those connected freeze, and continue should it come back.
    VipRemove,
    /// Drained, or told not to wait.
    DestinationRemove,
    ServiceRemove,
    /// What a removed service needed is forbidden once it is gone.
    Forbid,
    ForwardingOff,
    RouteRemove,
    AddressRemove,
    LinkDown,
    LinkRemove,
}

/// One atomic operation on the host and the phase it belongs to: what is sent, shown, counted and undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub phase: Phase,
    #[serde(flatten)]
    pub change: Change,
}

/// Steps in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    pub steps: Vec<Step>,
}

impl Plan {
    /// What tells this plan from any other: the first 128 bits of the SHA-256 of its steps, in order. Of a secret it
    /// says only that it changes: one that is short could be guessed from more.
    pub fn digest(&self) -> String {
        sealed::digest(&self.steps)
    }

    /// Puts the steps of `changes` in order: by phase, and within a phase as they came.
    pub fn of(changes: Vec<Change>) -> Self {
        let mut steps = Vec::with_capacity(changes.len());
        for change in changes {
            change.add_steps(&mut steps);
        }
        steps.sort_by_key(|step| step.phase);
        Self { steps }
    }

    /// The steps in runs of one kind and phase, as a host takes them.
    pub fn runs(&self) -> impl Iterator<Item = &[Step]> {
        self.steps
            .chunk_by(|a, b| a.phase == b.phase && a.change.kind() == b.change.kind())
    }

    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// How many changes there are of each verb.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
}

impl Count {
    /// Counts the changes; what is removed and made again counts as an update.
    pub fn of(changes: &[Change]) -> Self {
        let mut count = Self::default();
        for change in changes {
            match change.verb() {
                Verb::Create => count.create += 1,
                Verb::Update | Verb::Replace => count.update += 1,
                Verb::Delete => count.delete += 1,
            }
        }
        count
    }

    /// All of them.
    pub fn total(self) -> usize {
        self.create + self.update + self.delete
    }
}
