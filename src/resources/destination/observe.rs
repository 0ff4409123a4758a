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
    Ok(std::mem::take(&mut table.destinations))
}
