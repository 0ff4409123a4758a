//! Sets the timeouts of IPVS.

use super::Timeouts;
use crate::delta::Delta;
use crate::host::Outcome;
use crate::host::linux::{LinuxHost, balancer};
use crate::ipvs::{self, Command};

/// One command each.
pub async fn apply(host: &mut LinuxHost, deltas: &[&Delta<Timeouts>]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(deltas.len());
    for delta in deltas {
        outcomes.extend(match delta.to() {
            Some(to) => balancer::execute(host, &[command(to)]),
            // They came with IPVS; what they were before, nobody knows.
            None => vec![Outcome::AlreadySo],
        });
    }
    outcomes
}

/// A zero leaves a value as it is.
fn command(to: &Timeouts) -> Command {
    Command::SetTimeouts(ipvs::Timeouts {
        tcp: to.tcp_seconds.unwrap_or(0),
        tcp_fin: to.tcp_fin_seconds.unwrap_or(0),
        udp: to.udp_seconds.unwrap_or(0),
    })
}
