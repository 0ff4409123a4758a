//! Which of the wanted modules are there. Looking loads none.

use super::{Module, ModuleName};
use crate::delta::Set;
use crate::host::linux::{LinuxHost, modules};
use crate::host::{HostError, Scope};

/// Loaded modules and those that are part of the kernel, of the wanted ones only: nobody asks about the rest.
pub async fn observe(_: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<Module>, HostError> {
    let wanted = scope.desired.modules.keys().map(|name| name.0.as_str());
    let present = modules::present(wanted);
    Ok(present
        .into_iter()
        .map(|name| Module {
            name: ModuleName(name.to_owned()),
        })
        .collect())
}
