//! Reads kernel settings.

use std::collections::BTreeSet;

use super::Sysctl;
use crate::delta::Set;
use crate::host::linux::{LinuxHost, proc_sys};
use crate::host::{HostError, Scope};

/// The settings wanted, and those that we changed before. One that the kernel does not have (yet) is absent.
pub async fn observe(_: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<Sysctl>, HostError> {
    let prior = scope.inventory.prior.sysctls.keys();
    let keys: BTreeSet<_> = scope.desired.sysctls.keys().chain(prior).collect();
    let mut settings = Set::default();
    for key in keys {
        if let Some(value) = proc_sys::read(key.path())? {
            let key = key.clone();
            settings.insert(Sysctl { key, value });
        }
    }
    Ok(settings)
}
