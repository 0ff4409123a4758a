//! Which DHCP server gets our configuration. It never changes by itself: whoever has it keeps it.

use crate::document::{Dhcp, DhcpBackend};

use super::facts::{Backend, DhcpServer, Facts, OLDEST_KEA, Origin, Standing};
use super::node::Node;
use super::problem::Problem;

/// The server, and why this one, as a plan says it.
pub(super) fn chosen<'f>(
    node: &Node,
    dhcp: &Dhcp,
    facts: &'f Facts,
) -> Result<(&'f DhcpServer, String), Problem> {
    let wanted = named(dhcp.backend.unwrap_or(DhcpBackend::Auto));
    let candidates = facts
        .dhcp
        .iter()
        .filter(|it| wanted.is_none_or(|named| it.backend == named));
    let server = candidates
        .clone()
        .filter(|it| it.too_old.is_none())
        .min_by_key(|it| (it.standing, it.backend));
    let Some(server) = server else {
        let old = candidates.clone().find_map(|it| it.too_old.as_deref());
        return Err(match (wanted, old) {
            (_, Some(old)) => too_old(node, old),
            (Some(named), None) => not_installed(node, named, facts),
            (None, None) => none_installed(node),
        });
    };
    let standing = match (facts.origin, server.standing) {
        (Origin::Assumed, _) => "assumed",
        (_, Standing::Ours) => "ours already",
        (_, Standing::Runs) => "runs",
        (_, Standing::Installed) => "installed",
    };
    let how = wanted.map_or("auto", |_| "named");
    let word = server.backend.word();
    Ok((server, format!("dhcp backend: {word} ({standing}; {how})")))
}

/// None: it is left to us.
fn named(backend: DhcpBackend) -> Option<Backend> {
    match backend {
        DhcpBackend::Auto => None,
        DhcpBackend::IscDhcpServer => Some(Backend::IscDhcpServer),
        DhcpBackend::Kea => Some(Backend::Kea),
        DhcpBackend::Dnsmasq => Some(Backend::Dnsmasq),
    }
}

fn not_installed(node: &Node, named: Backend, facts: &Facts) -> Problem {
    let others = facts.dhcp.iter().filter(|it| it.too_old.is_none());
    let others: Vec<_> = others
        .map(|it| format!("\"{}\"", it.backend.word()))
        .collect();
    let instead = match others.is_empty() {
        true => String::new(),
        false => format!(", or name one that is: {}, \"auto\"", others.join(", ")),
    };
    Problem::new(
        "netboot.dhcp.backend",
        format!(
            "{} is not installed on {}",
            named.word(),
            node.director.name
        ),
        format!("install {}{instead}", named.packages()),
    )
}

fn too_old(node: &Node, version: &str) -> Problem {
    let (major, minor) = OLDEST_KEA;
    Problem::new(
        "netboot.dhcp.backend",
        format!(
            "kea {version} is installed on {}, and {major}.{minor} or later is needed",
            node.director.name
        ),
        "update it, or install isc-dhcp-server or dnsmasq",
    )
}

fn none_installed(node: &Node) -> Problem {
    let [kea, isc, dnsmasq] = Backend::ALL.map(Backend::packages);
    Problem::new(
        "netboot.dhcp",
        format!("no DHCP server is installed on {}", node.director.name),
        format!("install {kea}, {isc}, or {dnsmasq}; or remove netboot.dhcp"),
    )
}
