//! Our file in `/etc/sysctl.d`.

use crate::delta::{Delta, Resource, Set};
use crate::plan::Phase;
use crate::resources::sysctl::{Sysctl, SysctlKey};

use super::HEADER;

/// The whole file, in the order in which a plan sets them: forwarding rewrites the settings of interfaces.
pub(in super::super) fn sysctls(sysctls: &Set<Sysctl>) -> String {
    let mut sorted: Vec<&Sysctl> = sysctls.iter().collect();
    sorted.sort_by_key(|it| phase(it));
    let lines = sorted.into_iter().map(|it| {
        let ignored = if exists_at_boot(&it.key) { "" } else { "-" };
        format!("{ignored}{} = {}\n", it.key, it.value)
    });
    std::iter::once(HEADER.to_string()).chain(lines).collect()
}

fn phase(sysctl: &Sysctl) -> Option<Phase> {
    let mut found = None;
    Sysctl::steps(Delta::Create { to: sysctl.clone() }, |phase, _| {
        found = Some(phase);
    });
    found
}

/// What comes with a module or an interface may not be there yet, and must not fail the others.
fn exists_at_boot(key: &SysctlKey) -> bool {
    let path = key.path();
    let of_module = path.starts_with("net/ipv4/vs/") || path.starts_with("net/netfilter/");
    let mut parts = path
        .split('/')
        .skip_while(|it| !matches!(*it, "conf" | "neigh"));
    let of_interface = parts
        .nth(1)
        .is_some_and(|it| !matches!(it, "all" | "default"));
    !of_module && !of_interface
}
