//! Reads destinations.

use super::Destination;
use crate::delta::Set;
use crate::host::linux::{LinuxHost, balancer};
use crate::host::{HostError, Scope};

/// All destinations of all services, from the same reading as the services.
pub async fn observe(
    host: &mut LinuxHost,
    scope: &Scope<'_>,
) -> Result<Set<Destination>, HostError> {
    let table = balancer::table(host, scope)?;
    let all = table.services.iter().flat_map(|(service, destinations)| {
        destinations.iter().map(|at| Destination {
            service: service.id,
            at: *at,
        })
    });
    Ok(all.collect())
}
