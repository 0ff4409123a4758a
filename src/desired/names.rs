//! What the document calls things. For output only: identity is the kernel's key.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::document::Name;
use crate::ipvs::ServiceId;

use super::node::Node;

/// Names by what the kernel knows things by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    services: BTreeMap<ServiceId, Name>,
    machines: BTreeMap<IpAddr, Name>,
    vips: BTreeMap<IpAddr, Name>,
}

impl Names {
    pub(super) fn of(node: &Node, services: Vec<(ServiceId, Name)>) -> Self {
        Self {
            services: services.into_iter().collect(),
            machines: machines(node),
            vips: vips(node),
        }
    }

    /// Names from before, for what has none now.
    pub fn extend(&mut self, before: Self) {
        for (id, name) in before.services {
            self.services.entry(id).or_insert(name);
        }
        for (address, name) in before.machines {
            self.machines.entry(address).or_insert(name);
        }
        for (address, name) in before.vips {
            self.vips.entry(address).or_insert(name);
        }
    }

    /// The name of a virtual service; one name may stand for several of them.
    pub fn service(&self, id: &ServiceId) -> Option<&str> {
        self.services.get(id).map(Name::as_str)
    }

    /// The name of the node with this address.
    pub fn machine(&self, address: IpAddr) -> Option<&str> {
        self.machines.get(&address).map(Name::as_str)
    }

    /// The name of the VIP with this address.
    pub fn vip(&self, address: IpAddr) -> Option<&str> {
        self.vips.get(&address).map(Name::as_str)
    }
}

fn machines(node: &Node) -> BTreeMap<IpAddr, Name> {
    let mut names = BTreeMap::new();
    for director in &node.document.directors {
        let interfaces = director.interfaces.iter();
        let addresses = interfaces.flat_map(|it| &it.addresses);
        names.extend(addresses.map(|it| (it.address(), director.name.clone())));
    }
    for machine in &node.document.real_servers {
        names.extend(machine.address6.map(|it| (it.into(), machine.name.clone())));
        names.insert(machine.address.get(), machine.name.clone());
    }
    names
}

fn vips(node: &Node) -> BTreeMap<IpAddr, Name> {
    let mut names = BTreeMap::new();
    for vip in &node.document.vips {
        names.extend(super::addresses::addresses_of(vip).map(|it| (it, vip.name.clone())));
    }
    names
}
