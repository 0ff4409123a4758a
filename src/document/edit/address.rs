//! The next address that is free.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::document::{Document, Interface, Network, RealServer, Role};

/// An address that nobody has.
pub(super) struct Free {
    pub address: IpAddr,
    /// What was passed over, when that is worth a word.
    pub note: Option<String>,
}

/// The next one for a machine like `model`: in the network that DHCP serves, else in its neighbour's, else in the first
/// inside one.
pub(super) fn next(document: &Document, model: Option<&RealServer>) -> Option<Free> {
    let served = pool(document).and_then(|(first, _)| network_of(document, first));
    let beside = || model.and_then(|it| network_of(document, it.address.get()));
    let inside = || networks(document, |it| it.role == Some(Role::Inside)).next();
    next_in(document, served.or_else(beside).or_else(inside)?)
}

/// The network of a director that an address is in: an inside one if any.
pub(super) fn network_of(document: &Document, address: IpAddr) -> Option<Network> {
    let is_inside = |it: &Interface| it.role == Some(Role::Inside);
    let mut networks = networks(document, is_inside).chain(networks(document, |_| true));
    networks.find(|it| it.contains(address))
}

fn networks(document: &Document, of: fn(&Interface) -> bool) -> impl Iterator<Item = Network> {
    let interfaces = document.directors.iter().flat_map(|it| &it.interfaces);
    interfaces.filter(move |it| of(it)).flat_map(|it| {
        let addresses = it.addresses.iter().chain(&it.external_addresses);
        addresses.map(|it| it.network())
    })
}

/// What DHCP hands out.
fn pool(document: &Document) -> Option<(IpAddr, IpAddr)> {
    let dhcp = document.netboot.as_ref()?.dhcp.as_ref()?;
    Some((dhcp.first.get().into(), dhcp.last.get().into()))
}

/// After the highest of the real servers that are in the network, and when there is none, from its beginning on.
///
/// What DHCP hands out may be somebody's until his lease ends, even when it is reserved for another from now on: one of
/// those is only taken where real servers have such addresses already, or when there is no other.
pub(super) fn next_in(document: &Document, network: Network) -> Option<Free> {
    let pool = pool(document).filter(|it| network.contains(it.0));
    let in_pool = |it: IpAddr| pool.is_some_and(|(first, last)| (first..=last).contains(&it));
    let mut search = Search::of(document, network)?;
    if !machines(document).any(in_pool) {
        search.pool = pool.map(|(first, last)| (number(first), number(last)));
    }
    let from = search.from;
    let found = search.next().or_else(|| {
        search.pool = None;
        search.next()
    })?;
    let address = search.address(found);
    let passed = search.pool.is_some_and(|it| from <= it.1 && it.0 < found);
    let note = match (in_pool(address), pool) {
        (true, _) => Some(format!(
            "{address} is one of those that DHCP hands out: who has it now, keeps it until his lease ends \
             (`lvs-reconcile discover`)"
        )),
        (false, Some((first, last))) if passed => Some(format!(
            "{first} to {last}, which DHCP hands out, are passed over; --address takes one of them"
        )),
        _ => None,
    };
    Some(Free { address, note })
}

/// The addresses of a network as numbers, and which of them are taken.
struct Search {
    first: u128,
    last: u128,
    /// Behind the highest of the real servers.
    from: u128,
    taken: BTreeSet<u128>,
    pool: Option<(u128, u128)>,
    is_ipv4: bool,
}

impl Search {
    fn of(document: &Document, network: Network) -> Option<Self> {
        let net = network.get();
        let is_ipv4 = net.network().is_ipv4();
        let here = |it: &IpAddr| network.contains(*it);
        let highest = machines(document).filter(here).map(number).max();
        let first = number(net.network()).checked_add(1)?;
        Some(Self {
            first,
            last: number(net.broadcast()).checked_sub(u128::from(is_ipv4))?,
            from: highest.map_or(Some(first), |it| it.checked_add(1))?,
            taken: machines(document)
                .chain(others(document))
                .filter(here)
                .map(number)
                .collect(),
            pool: None,
            is_ipv4,
        })
    }

    fn next(&self) -> Option<u128> {
        let before = || self.first_free(self.first, self.from.checked_sub(1)?);
        self.first_free(self.from, self.last).or_else(before)
    }

    fn first_free(&self, first: u128, last: u128) -> Option<u128> {
        let mut candidate = first;
        while candidate <= last {
            candidate = match self.pool {
                Some((from, to)) if (from..=to).contains(&candidate) => to.checked_add(1)?,
                _ if self.is_free(candidate) => return Some(candidate),
                _ => candidate.checked_add(1)?,
            };
        }
        None
    }

    /// Machines that take an address of a large network for the edge of a small one still exist.
    fn is_free(&self, candidate: u128) -> bool {
        let looks_like_an_edge = self.is_ipv4 && matches!(candidate & 0xff, 0 | 0xff);
        !self.taken.contains(&candidate) && !looks_like_an_edge
    }

    fn address(&self, number: u128) -> IpAddr {
        match u32::try_from(number) {
            Ok(bits) if self.is_ipv4 => Ipv4Addr::from_bits(bits).into(),
            _ => Ipv6Addr::from_bits(number).into(),
        }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(it) => it.to_bits().into(),
        IpAddr::V6(it) => it.to_bits(),
    }
}

fn machines(document: &Document) -> impl Iterator<Item = IpAddr> {
    document.real_servers.iter().flat_map(|it| {
        let second = it.address6.map(IpAddr::from);
        [Some(it.address.get()), second].into_iter().flatten()
    })
}

/// The addresses of everything that is no real server.
fn others(document: &Document) -> impl Iterator<Item = IpAddr> {
    let directors = document.directors.iter().flat_map(|it| {
        let gateways = [it.gateway.map(IpAddr::from), it.gateway6.map(IpAddr::from)];
        let routers = it.routes.iter().filter_map(|it| it.via);
        let interfaces = it.interfaces.iter();
        let own = interfaces.flat_map(|it| it.addresses.iter().chain(&it.external_addresses));
        gateways
            .into_iter()
            .flatten()
            .chain(routers.map(IpAddr::from))
            .chain(own.map(|it| it.address()))
    });
    let vips = document.vips.iter().flat_map(|it| {
        let second = it.address6.map(IpAddr::from);
        [Some(it.address.get()), second].into_iter().flatten()
    });
    let dhcp = document.netboot.iter().filter_map(|it| it.dhcp.as_ref());
    let told = dhcp.flat_map(|it| {
        let servers = it.name_servers.iter().flatten();
        it.router.iter().chain(servers).map(|it| IpAddr::from(*it))
    });
    directors.chain(vips).chain(told)
}
