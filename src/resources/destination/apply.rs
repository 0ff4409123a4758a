//! Adds, edits and removes destinations.

use super::Destination;
use crate::delta::Delta;
use crate::host::Outcome;
use crate::host::linux::{LinuxHost, balancer};
use crate::ipvs::Command;

/// A whole run at once.
pub async fn apply(host: &mut LinuxHost, deltas: &[&Delta<Destination>]) -> Vec<Outcome> {
    let commands: Vec<Command> = deltas.iter().map(|delta| command(delta)).collect();
    balancer::execute(host, &commands)
}

fn command(delta: &Delta<Destination>) -> Command {
    match delta {
        Delta::Create { to } => Command::NewDestination(to.service, to.at),
        Delta::Update { to, .. } | Delta::Replace { to, .. } => {
            Command::SetDestination(to.service, to.at)
        }
        Delta::Delete { from } => {
            Command::DeleteDestination(from.service, from.at.address, from.at.port)
        }
    }
}
