//! Kernel settings: those that follow from the document, and those it states.

use crate::delta::Set;
use crate::document::ForwardPolicy;
use crate::ipvs::Family;
use crate::resources::sysctl::{Sysctl, SysctlKey};

use super::firewall::masquerades;
use super::node::Node;
use super::services::Balanced;

/// All settings of this node.
pub(super) fn sysctls(node: &Node, table: &Balanced) -> Set<Sysctl> {
    let stated = node.director.sysctls.iter().map(|it| {
        // As /proc/sys shows it: fields separated by one blank.
        let fields: Vec<&str> = it.value.as_str().split_whitespace().collect();
        sysctl(it.name.path(), &fields.join(" "))
    });
    derived(node, table).into_iter().chain(stated).collect()
}

fn derived(node: &Node, table: &Balanced) -> Vec<Sysctl> {
    let mut sysctls = Vec::new();
    if forwards(node, table, Family::V4) {
        sysctls.push(sysctl("net/ipv4/ip_forward", "1"));
    }
    if forwards(node, table, Family::V6) {
        sysctls.push(sysctl("net/ipv6/conf/all/forwarding", "1"));
        sysctls.extend(accept_advertisements(node));
    }
    if needs_tracking(node, table) {
        sysctls.push(sysctl("net/ipv4/vs/conntrack", "1"));
    }
    sysctls
}

/// Answers of masqueraded services, and whatever inside sends out, pass through the director.
fn forwards(node: &Node, table: &Balanced, family: Family) -> bool {
    table.masquerades(family) || masquerades(node, family)
}

/// A router no longer listens to routers, unless this is 2: it would lose the default route it learned from them.
fn accept_advertisements(node: &Node) -> Option<Sysctl> {
    let outside = node
        .outside()
        .filter(|_| node.director.gateway6.is_none())?;
    let path = format!("net/ipv6/conf/{}/accept_ra", outside.name);
    Some(sysctl(&path, "2"))
}

/// Without it connection tracking does not know the answers of real servers, and a drop policy that accepts known
/// connections drops them.
fn needs_tracking(node: &Node, table: &Balanced) -> bool {
    let Some(firewall) = &node.document.firewall else {
        return false;
    };
    let drops = firewall.forward_policy.unwrap_or(ForwardPolicy::Drop) == ForwardPolicy::Drop;
    drops && (table.masquerades(Family::V4) || table.masquerades(Family::V6))
}

fn sysctl(path: &str, value: &str) -> Sysctl {
    Sysctl {
        key: SysctlKey::from_path(path),
        value: value.to_string(),
    }
}
