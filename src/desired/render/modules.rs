//! Our file in `/etc/modules-load.d`.

use crate::delta::Set;
use crate::resources::module::Module;

use super::HEADER;

/// The whole file, a name per line.
pub(in super::super) fn modules(modules: &Set<Module>) -> String {
    let names = modules.iter().map(|it| format!("{}\n", it.name));
    std::iter::once(HEADER.to_string()).chain(names).collect()
}
