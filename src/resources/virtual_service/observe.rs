//! Reads virtual services.

use super::VirtualService;
use crate::delta::Set;
use crate::host::linux::{LinuxHost, balancer};
use crate::host::{HostError, Scope};

/// All services of the table, whoever made them.
pub async fn observe(
    host: &mut LinuxHost,
    scope: &Scope<'_>,
) -> Result<Set<VirtualService>, HostError> {
    let table = balancer::table(host, scope)?;
    Ok(std::mem::take(&mut table.services))
}
