//! The document, indexed by what rules ask for.

use super::super::{
    Director, Document, Family, InterfaceName, Name, RealServer, Role, Service, Vip,
};
use super::ranges::Ranges;
use crate::document::limits::DESTINATIONS;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
};

/// A document and the look-ups that rules share.
pub(in crate::document) struct Index<'d> {
    pub document: &'d Document,
    pub vip_by_name: HashMap<&'d Name, usize>,
    pub real_server_by_name: HashMap<&'d Name, usize>,
    pub director_by_name: HashMap<&'d Name, usize>,
    tags: BTreeMap<&'d Name, Vec<usize>>,
    everyone: Vec<usize>,
    /// The networks of inside interfaces, of all directors.
    pub inside: Ranges,
    /// The networks of all interfaces, of all directors.
    pub on_link: Ranges,
    /// The interfaces of each director.
    pub interfaces: Vec<Interfaces>,
    /// Whether there are more destinations than anyone would look at one by one.
    pub is_too_large: bool,
}

impl<'d> Index<'d> {
    pub fn new(document: &'d Document) -> Self {
        let mut tags: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        for (at, server) in document.real_servers.iter().enumerate() {
            for tag in &server.tags {
                tags.entry(tag).or_default().push(at);
            }
        }
        let networks = |role: Option<Role>| {
            let interfaces = document
                .directors
                .iter()
                .flat_map(|director| &director.interfaces);
            let wanted =
                interfaces.filter(move |interface| role.is_none() || interface.role == role);
            Ranges::new(
                wanted
                    .flat_map(|i| i.addresses.iter().chain(&i.external_addresses))
                    .map(|a| a.network()),
            )
        };
        let mut index = Self {
            document,
            vip_by_name: by_name(document.vips.iter().map(|vip| &vip.name)),
            real_server_by_name: by_name(document.real_servers.iter().map(|server| &server.name)),
            director_by_name: by_name(document.directors.iter().map(|director| &director.name)),
            tags,
            everyone: (0..document.real_servers.len()).collect(),
            inside: networks(Some(Role::Inside)),
            on_link: networks(None),
            interfaces: document.directors.iter().map(Interfaces::new).collect(),
            is_too_large: false,
        };
        let destinations = document
            .services
            .iter()
            .map(|service| index.members(service).len());
        index.is_too_large = destinations.fold(0, usize::saturating_add) > DESTINATIONS;
        index
    }

    /// The directors with their positions.
    pub fn directors(&self) -> impl Iterator<Item = (usize, &'d Director)> + use<'d> {
        self.document.directors.iter().enumerate()
    }

    /// The real servers with their positions.
    pub fn real_servers(&self) -> impl Iterator<Item = (usize, &'d RealServer)> + use<'d> {
        self.document.real_servers.iter().enumerate()
    }

    /// The VIPs with their positions.
    pub fn vips(&self) -> impl Iterator<Item = (usize, &'d Vip)> + use<'d> {
        self.document.vips.iter().enumerate()
    }

    /// The services with their positions.
    pub fn services(&self) -> impl Iterator<Item = (usize, &'d Service)> + use<'d> {
        self.document.services.iter().enumerate()
    }

    /// The real servers of a service, as positions in the list. Names and tags that nothing has select nothing.
    pub fn members(&self, service: &Service) -> Cow<'_, [usize]> {
        match (&service.real_servers, &service.tag) {
            (Some(names), _) => names
                .iter()
                .filter_map(|name| self.real_server_by_name.get(name).copied())
                .collect(),
            (None, Some(tag)) => Cow::Borrowed(self.tags.get(tag).map_or(&[], Vec::as_slice)),
            (None, None) => Cow::Borrowed(&self.everyone),
        }
    }

    /// The tags that real servers have.
    pub fn tags(&self) -> impl Iterator<Item = &'d str> {
        self.tags.keys().map(|tag| tag.as_str())
    }

    /// Whether a real server has a tag.
    pub fn has_tag(&self, tag: &Name) -> bool {
        self.tags.contains_key(tag)
    }

    /// The VIP of a service.
    pub fn vip(&self, service: &Service) -> Option<&'d Vip> {
        let at = service
            .vip
            .as_ref()
            .and_then(|name| self.vip_by_name.get(name))?;
        self.document.vips.get(*at)
    }

    /// The address families that a service balances.
    pub fn families(&self, service: &Service) -> Vec<Family> {
        match self.vip(service) {
            Some(vip) => {
                let both = vip.address6.map(|_| Family::Ipv6);
                std::iter::once(family(vip.address.get()))
                    .chain(both)
                    .collect()
            }
            None if service.firewall_mark.is_some() => vec![service.family.unwrap_or(Family::Ipv4)],
            None => Vec::new(),
        }
    }

    /// The directors that a VIP applies to, with their positions.
    pub fn holders(&self, vip: &'d Vip) -> impl Iterator<Item = (usize, &'d Director)> + use<'d> {
        let holds =
            |director: &Director| vip.director.as_ref().is_none_or(|it| *it == director.name);
        self.directors()
            .filter(move |(_, director)| holds(director))
    }
}

/// The interfaces of one director, as far as others ask for them.
pub(in crate::document) struct Interfaces {
    pub names: HashSet<InterfaceName>,
    outside: Vec<InterfaceName>,
    inside: Vec<InterfaceName>,
}

impl Interfaces {
    fn new(director: &Director) -> Self {
        let with = |role: Role| {
            let interfaces = director.interfaces.iter();
            interfaces
                .filter(move |interface| interface.role == Some(role))
                .map(|it| it.name)
        };
        Self {
            names: director
                .interfaces
                .iter()
                .map(|interface| interface.name)
                .collect(),
            outside: with(Role::Outside).collect(),
            inside: with(Role::Inside).collect(),
        }
    }

    /// The interfaces that have a role.
    pub fn with_role(&self, role: Role) -> &[InterfaceName] {
        match role {
            Role::Outside => &self.outside,
            Role::Inside => &self.inside,
        }
    }
}

fn by_name<'d>(names: impl Iterator<Item = &'d Name>) -> HashMap<&'d Name, usize> {
    let mut index = HashMap::new();
    for (at, name) in names.enumerate() {
        // The first keeps the name: the second is a finding of its own.
        index.entry(name).or_insert(at);
    }
    index
}

/// The family of an address.
pub(super) fn family(address: IpAddr) -> Family {
    if address.is_ipv4() {
        Family::Ipv4
    } else {
        Family::Ipv6
    }
}
