//! What the document calls things. For output only: identity is the kernel's key.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::ipvs::ServiceId;

use super::node::Node;

/// Names by what the kernel knows things by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    services: BTreeMap<ServiceId, Arc<str>>,
    machines: BTreeMap<IpAddr, Arc<str>>,
    vips: BTreeMap<IpAddr, Arc<str>>,
}

impl Names {
    pub(super) fn of(node: &Node, services: Vec<(ServiceId, Arc<str>)>) -> Self {
        Self {
            services: services.into_iter().collect(),
            machines: machines(node),
            vips: vips(node),
        }
    }

    /// The name of a virtual service; one name may stand for several of them.
    pub fn service(&self, id: &ServiceId) -> Option<&str> {
        self.services.get(id).map(AsRef::as_ref)
    }

    /// The name of the node with this address.
    pub fn machine(&self, address: IpAddr) -> Option<&str> {
        self.machines.get(&address).map(AsRef::as_ref)
    }

    /// The name of the VIP with this address.
    pub fn vip(&self, address: IpAddr) -> Option<&str> {
        self.vips.get(&address).map(AsRef::as_ref)
    }
}

fn machines(node: &Node) -> BTreeMap<IpAddr, Arc<str>> {
    let mut names = BTreeMap::new();
    for director in &node.document.directors {
        let name: Arc<str> = director.name.as_str().into();
        let interfaces = director.interfaces.iter();
        let addresses = interfaces.flat_map(|it| &it.addresses);
        names.extend(addresses.map(|it| (it.address(), name.clone())));
    }
    for machine in &node.document.real_servers {
        let name: Arc<str> = machine.name.as_str().into();
        names.extend(machine.address6.map(|it| (it.into(), name.clone())));
        names.insert(machine.address.get(), name);
    }
    names
}

fn vips(node: &Node) -> BTreeMap<IpAddr, Arc<str>> {
    let mut names = BTreeMap::new();
    for vip in &node.document.vips {
        let name: Arc<str> = vip.name.as_str().into();
        names.extend(super::addresses::addresses_of(vip).map(|it| (it, name.clone())));
    }
    names
}
