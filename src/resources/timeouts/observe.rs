//! Reads the timeouts of IPVS.

use super::{TheTimeouts, Timeouts};
use crate::delta::Set;
use crate::host::linux::{LinuxHost, balancer};
use crate::host::{HostError, Scope};

/// The timeouts, when somebody asks for them; of each only what is asked for.
pub async fn observe(host: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<Timeouts>, HostError> {
    let desired = scope.desired.timeouts.get(&TheTimeouts);
    let Some(wanted) = desired.or(scope.inventory.prior.timeouts.get(&TheTimeouts)) else {
        return Ok(Set::default());
    };
    let live = balancer::timeouts(host)?.map(|live| Timeouts {
        tcp_seconds: Some(live.tcp),
        tcp_fin_seconds: Some(live.tcp_fin),
        udp_seconds: Some(live.udp),
    });
    Ok(live.map(|it| it.in_words_of(wanted)).into_iter().collect())
}
