//! One director's part of the document, and the questions everything else asks about it.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::document::{Director, Document, Interface, InterfaceAddress, InterfaceName, Role, Vip};

use super::problem::Problem;

/// The document, seen from one director.
pub(super) struct Node<'a> {
    pub document: &'a Document,
    pub director: &'a Director,
    /// Where it stands in `directors`.
    pub index: usize,
}

impl<'a> Node<'a> {
    /// The part of the director with this name.
    pub fn find(document: &'a Document, name: &str) -> Result<Self, Problem> {
        let mut directors = document.directors.iter().enumerate();
        let (index, director) = directors
            .find(|(_, it)| it.name.as_str() == name)
            .ok_or_else(|| unknown(document, name))?;
        Ok(Self {
            document,
            director,
            index,
        })
    }

    /// The interface towards the clients.
    pub fn outside(&self) -> Option<&'a Interface> {
        self.with_role(Role::Outside).next()
    }

    /// The interfaces towards the real servers.
    pub fn inside(&self) -> impl Iterator<Item = &'a Interface> + Clone + use<'a> {
        self.with_role(Role::Inside)
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = &'a Interface> + Clone + use<'a> {
        let interfaces = self.director.interfaces.iter();
        interfaces.filter(move |it| it.role == Some(role))
    }

    /// The networks of the inside interfaces, each once.
    pub fn inside_networks(&self) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for network in self.inside().flat_map(networks_of) {
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        networks
    }

    /// The interface on whose network `address` is; the most exact network wins.
    pub fn on_link(&self, address: IpAddr) -> Option<&'a InterfaceName> {
        let interfaces = self.director.interfaces.iter();
        interfaces
            .flat_map(|it| networks_of(it).map(move |network| (network, &it.name)))
            .filter(|(network, _)| network.contains(&address))
            .max_by_key(|(network, _)| network.prefix_len())
            .map(|(_, name)| name)
    }

    /// Whether the VIP lives here too; with VRRP it does on all directors.
    pub fn holds(&self, vip: &Vip) -> bool {
        vip.director
            .as_ref()
            .is_none_or(|it| *it == self.director.name)
    }

    /// The interface that holds the VIP.
    pub fn interface_of(&self, vip: &'a Vip) -> Option<&'a InterfaceName> {
        let role = vip.role.unwrap_or(Role::Outside);
        let by_role = || self.with_role(role).next().map(|it| &it.name);
        vip.interface.as_ref().or_else(by_role)
    }
}

/// Its addresses, ours and those that others set.
pub(super) fn all_addresses(
    interface: &Interface,
) -> impl Iterator<Item = InterfaceAddress> + Clone + '_ {
    let external = &interface.external_addresses;
    interface.addresses.iter().chain(external).copied()
}

/// The networks that an interface is in. A /32 or /128 is in none.
pub(super) fn networks_of(interface: &Interface) -> impl Iterator<Item = IpNet> + Clone + '_ {
    let networks = all_addresses(interface).map(|it| it.network().get());
    networks.filter(|it| it.prefix_len() < it.max_prefix_len())
}

fn unknown(document: &Document, name: &str) -> Problem {
    let names: Vec<_> = document
        .directors
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let first = names.first().copied().unwrap_or_default();
    Problem::new(
        "",
        format!("no director is called {name:?}"),
        format!("directors: {}; use --node {first}", names.join(", ")),
    )
}
