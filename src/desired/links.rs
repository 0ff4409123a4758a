//! Links: the declared interfaces, and the members of bonds and bridges.

use std::collections::BTreeMap;

use crate::delta::Set;
use crate::document::{BondMode, Interface, InterfaceName, Word};
use crate::resources::link::{Link, LinkKind};

use super::node::Node;

/// Every interface that the document names on this node.
pub(super) fn links(node: &Node) -> Set<Link> {
    let controllers = controllers(node);
    let interfaces = &node.director.interfaces;
    let parents = interfaces
        .iter()
        .filter_map(|it| it.vlan.as_ref())
        .map(|it| &it.parent);
    let named = controllers.keys().copied().chain(parents).map(undeclared);
    // Last, because what is declared says more.
    let mut links: Set<Link> = named.chain(interfaces.iter().map(link)).collect();
    for (name, controller) in controllers {
        if let Some(mut link) = links.remove(&name.to_string()) {
            link.controller = Some(controller.to_string());
            links.insert(link);
        }
    }
    links
}

/// Which bond or bridge an interface is a member of.
fn controllers<'a>(node: &Node<'a>) -> BTreeMap<&'a InterfaceName, &'a InterfaceName> {
    let mut controllers = BTreeMap::new();
    for interface in &node.director.interfaces {
        let bond = interface.bond.iter().flat_map(|it| &it.members);
        let bridge = interface.bridge.iter().flat_map(|it| &it.members);
        controllers.extend(bond.chain(bridge).map(|it| (it, &interface.name)));
    }
    controllers
}

fn link(interface: &Interface) -> Link {
    Link {
        name: interface.name.to_string(),
        kind: kind(interface),
        up: interface.is_up(),
        mtu: interface.mtu.map(|it| it.get()),
        controller: None,
    }
}

/// Members and parents need not be declared: to be of use they are up, and that is all there is to say of them.
fn undeclared(name: &InterfaceName) -> Link {
    Link {
        name: name.to_string(),
        kind: LinkKind::Physical,
        up: true,
        mtu: None,
        controller: None,
    }
}

fn kind(interface: &Interface) -> LinkKind {
    if let Some(vlan) = &interface.vlan {
        return LinkKind::Vlan {
            parent: vlan.parent.to_string(),
            id: vlan.id.get(),
        };
    }
    if let Some(bond) = &interface.bond {
        let mode = bond.mode.unwrap_or(BondMode::BalanceRr);
        return LinkKind::Bond {
            mode: mode.word().to_string(),
        };
    }
    match (&interface.bridge, &interface.dummy) {
        (Some(_), _) => LinkKind::Bridge,
        (None, Some(_)) => LinkKind::Dummy,
        (None, None) => LinkKind::Physical,
    }
}
