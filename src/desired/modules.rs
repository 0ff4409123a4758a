//! Kernel modules that the rest of the state needs.

use crate::delta::Set;
use crate::document::{Helper, Interface, PersistenceEngine, Scheduler, Word};
use crate::resources::module::{Module, ModuleName};

use super::node::Node;
use super::services::Balanced;

/// The modules to load, now and at boot. `ip_vs` brings `nf_conntrack` along wherever `vs.conntrack` exists: both come
/// from `CONFIG_IP_VS_NFCT`.
pub(super) fn modules(node: &Node, table: &Balanced) -> Set<Module> {
    let names = for_ipvs(node, table)
        .into_iter()
        .chain(for_helpers(node))
        .chain(for_settings(node))
        .chain(node.director.interfaces.iter().filter_map(for_interface));
    names.map(module).collect()
}

/// All that any document may ask for.
pub fn of_any_document() -> Set<Module> {
    let schedulers = Scheduler::ALL.iter().map(|it| it.word());
    let engines = PersistenceEngine::ALL.iter().map(|it| format!("pe_{it}"));
    let parts = schedulers.map(str::to_owned).chain(engines);
    let balancing = parts.map(|it| format!("ip_vs_{it}"));
    let helpers = Helper::ALL.iter().flat_map(|it| of_helper(*it));
    let others = [
        "ip_vs",
        "nf_conntrack",
        "8021q",
        "bonding",
        "bridge",
        "dummy",
    ];
    let names = balancing.chain(helpers).chain(others.map(str::to_owned));
    names.map(module).collect()
}

fn module(name: String) -> Module {
    Module {
        name: ModuleName(name),
    }
}

/// The kernel loads schedulers and engines itself when a service asks for them, but not where modules are locked
/// after boot. A director that tunnels by gue needs no `fou`: that is the receiver's.
fn for_ipvs(node: &Node, table: &Balanced) -> Vec<String> {
    let timeouts = node.document.ipvs.as_ref().and_then(super::timeouts);
    if table.services.is_empty() && timeouts.is_none() {
        return Vec::new();
    }
    let named = table.parts.iter().map(|part| format!("ip_vs_{part}"));
    std::iter::once("ip_vs".to_string()).chain(named).collect()
}

/// Following the second connection, and rewriting its address where it is masqueraded.
fn for_helpers(node: &Node) -> impl Iterator<Item = String> {
    let helpers = node.document.firewall.iter().flat_map(|it| &it.helpers);
    helpers.flat_map(|it| of_helper(*it))
}

fn of_helper(helper: Helper) -> [String; 2] {
    let name = helper.word();
    [format!("nf_conntrack_{name}"), format!("nf_nat_{name}")]
}

/// Settings of connection tracking and of IPVS exist once their module is loaded.
fn for_settings(node: &Node) -> impl Iterator<Item = String> {
    let settings = node.director.sysctls.iter().map(|it| it.name.path());
    settings.filter_map(|path| match path {
        path if path.starts_with("net/netfilter/nf_conntrack") => Some("nf_conntrack".into()),
        path if path.starts_with("net/ipv4/vs/") => Some("ip_vs".into()),
        _ => None,
    })
}

fn for_interface(interface: &Interface) -> Option<String> {
    let Interface {
        vlan,
        bond,
        bridge,
        dummy,
        ..
    } = interface;
    let name = match () {
        () if vlan.is_some() => "8021q",
        () if bond.is_some() => "bonding",
        () if bridge.is_some() => "bridge",
        () if dummy.is_some() => "dummy",
        () => return None,
    };
    Some(name.to_string())
}
