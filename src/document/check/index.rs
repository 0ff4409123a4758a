//! The document, indexed by what rules ask for.

use super::super::{
    Director, Document, Family, InterfaceName, Name, RealServer, Role, Service, Vip,
};
use super::ranges::Ranges;
use crate::document::limits::DESTINATIONS;
use foldhash::{HashMap, HashSet};
use std::{collections::BTreeMap, net::IpAddr, ops::Range};

/// A document and the look-ups that rules share.
pub(in crate::document) struct Index<'d> {
    pub document: &'d Document,
    pub vip_by_name: HashMap<&'d Name, usize>,
    pub real_server_by_name: HashMap<&'d Name, usize>,
    pub director_by_name: HashMap<&'d Name, usize>,
    tags: BTreeMap<&'d Name, Vec<usize>>,
    everyone: Vec<usize>,
    /// The real servers of the services that name them, one service after the other, and where each begins and ends.
    named: Vec<usize>,
    places: Vec<Range<usize>>,
    /// The VIP of each service.
    vip_of: Vec<Option<usize>>,
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
            tags: by_tag(document),
            everyone: (0..document.real_servers.len()).collect(),
            named: Vec::new(),
            places: Vec::with_capacity(document.services.len()),
            vip_of: Vec::with_capacity(document.services.len()),
            inside: networks(Some(Role::Inside)),
            on_link: networks(None),
            interfaces: document.directors.iter().map(Interfaces::new).collect(),
            is_too_large: false,
        };
        document
            .services
            .iter()
            .for_each(|service| index.look_up(service));
        let destinations = index.services().map(|(at, _)| index.members(at).len());
        index.is_too_large = destinations.fold(0, usize::saturating_add) > DESTINATIONS;
        index
    }

    /// Follows the names in the next service, once: there may be a hundred thousand of them, and many rules.
    fn look_up(&mut self, service: &Service) {
        let first = self.named.len();
        let names = service.real_servers.iter().flatten();
        let found = names.filter_map(|name| self.real_server_by_name.get(name).copied());
        self.named.extend(found);
        self.places.push(first..self.named.len());
        let vip = service.vip.as_ref();
        let vip = vip.and_then(|name| self.vip_by_name.get(name).copied());
        self.vip_of.push(vip);
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

    /// The real servers of the service at a position, as positions in their list. Names and tags that nothing has
    /// select nothing.
    pub fn members(&self, at: usize) -> &[usize] {
        let Some(service) = self.document.services.get(at) else {
            return &[];
        };
        match (&service.real_servers, &service.tag) {
            (Some(_), _) => {
                let place = self.places.get(at).cloned().unwrap_or_default();
                self.named.get(place).unwrap_or_default()
            }
            (None, Some(tag)) => self.tags.get(tag).map_or(&[], Vec::as_slice),
            (None, None) => &self.everyone,
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

    /// The VIP of the service at a position, as a position in their list.
    pub fn vip_position(&self, at: usize) -> Option<usize> {
        self.vip_of.get(at).copied().flatten()
    }

    /// The VIP of the service at a position.
    pub fn vip(&self, at: usize) -> Option<&'d Vip> {
        self.document.vips.get(self.vip_position(at)?)
    }

    /// The address families that the service at a position balances.
    pub fn families(&self, at: usize) -> impl Iterator<Item = Family> + use<> {
        let vip = self.vip(at);
        let service = self.document.services.get(at);
        let marked = service.filter(|it| vip.is_none() && it.firewall_mark.is_some());
        let first = vip.map(|vip| family(vip.address.get()));
        let second = vip.and_then(|vip| vip.address6.map(|_| Family::Ipv6));
        let of_mark = marked.map(|it| it.family.unwrap_or(Family::Ipv4));
        [first, second, of_mark].into_iter().flatten()
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

fn by_tag(document: &Document) -> BTreeMap<&Name, Vec<usize>> {
    let mut tags: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
    for (at, server) in document.real_servers.iter().enumerate() {
        for tag in &server.tags {
            tags.entry(tag).or_default().push(at);
        }
    }
    tags
}

fn by_name<'d>(names: impl Iterator<Item = &'d Name>) -> HashMap<&'d Name, usize> {
    let mut index = HashMap::default();
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
