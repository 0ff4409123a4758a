//! Reads network interfaces.

use std::collections::BTreeSet;

use super::{Link, LinkKind};
use crate::delta::Set;
use crate::host::linux::LinuxHost;
use crate::host::linux::links::{Links, NetLink};
use crate::host::{HostError, Scope};

/// Bond modes as the kernel numbers and names them (Documentation/networking/bonding.rst).
pub(super) const BOND_MODES: [&str; 7] = [
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
];

/// The interfaces wanted, those that we made, and those whose settings we changed. Others concern nobody: a machine
/// with containers has hundreds.
pub async fn observe(host: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<Link>, HostError> {
    let links = host.links().await?;
    let (desired, inventory) = (&scope.desired.links, scope.inventory);
    let names: BTreeSet<&String> = desired
        .keys()
        .chain(&inventory.owned.links)
        .chain(inventory.prior.links.keys())
        .collect();
    let seen = names.into_iter().filter_map(|name| {
        let wanted = desired
            .get(name)
            .or_else(|| inventory.prior.links.get(name));
        Some(in_words_of(wanted, links.named(name)?, &links))
    });
    Ok(seen.collect())
}

/// What `found` is, leaving out what `wanted` does not speak of.
pub(super) fn in_words_of(wanted: Option<&Link>, found: &NetLink, links: &Links) -> Link {
    let name_at = |index| links.at(index).map(|it| it.name.clone());
    let link = Link {
        name: found.name.clone(),
        kind: kind_of(found, links),
        up: found.is_up(),
        mtu: Some(found.mtu),
        controller: found.controller.and_then(name_at),
    };
    link.in_words_of(wanted)
}

/// Anything that a document cannot declare exists without us.
fn kind_of(found: &NetLink, links: &Links) -> LinkKind {
    match found.kind.as_deref() {
        Some("dummy") => LinkKind::Dummy,
        Some("bridge") => LinkKind::Bridge,
        Some("vlan") => vlan_of(found, links).unwrap_or(LinkKind::Physical),
        Some("bond") => bond_of(found).unwrap_or(LinkKind::Physical),
        _ => LinkKind::Physical,
    }
}

fn vlan_of(found: &NetLink, links: &Links) -> Option<LinkKind> {
    Some(LinkKind::Vlan {
        parent: links.at(found.parent?)?.name.clone(),
        id: found.vlan_id?,
    })
}

fn bond_of(found: &NetLink) -> Option<LinkKind> {
    let mode = BOND_MODES.get(usize::from(found.bond_mode?))?;
    Some(LinkKind::Bond {
        mode: (*mode).to_owned(),
    })
}
