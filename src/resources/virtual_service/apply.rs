//! Adds, edits and removes virtual services.

use super::VirtualService;
use crate::delta::Delta;
use crate::host::Outcome;
use crate::host::linux::{LinuxHost, balancer};
use crate::ipvs::Command;

/// A whole run at once.
pub async fn apply(host: &mut LinuxHost, deltas: &[&Delta<VirtualService>]) -> Vec<Outcome> {
    let commands: Vec<Command> = deltas.iter().map(|delta| command(delta)).collect();
    balancer::execute(host, &commands)
}

fn command(delta: &Delta<VirtualService>) -> Command {
    match delta {
        Delta::Create { to } => Command::NewService(*to),
        Delta::Update { to, .. } | Delta::Replace { to, .. } => Command::SetService(*to),
        Delta::Delete { from } => Command::DeleteService(from.id),
    }
}
