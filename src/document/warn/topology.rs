//! Networks in which each part is right, and replies go astray.

use crate::document::check::{Index, Ranges};
use crate::document::{
    Address6, Director, Forwarding, Interface, InterfaceName, ManagedBy, Name, Network, RealServer,
    Role, Service, Vip,
};
use crate::lint::{Code, Warning};
use foldhash::HashMap;
use std::net::IpAddr;

/// The real servers that a service reaches by masquerading.
fn masqueraded<'i, 'd>(
    index: &'i Index<'d>,
    at: usize,
    service: &'d Service,
) -> impl Iterator<Item = (usize, &'d RealServer)> + use<'i, 'd> {
    let exceptions = service.destinations.iter();
    let exceptions: HashMap<&Name, Forwarding> = exceptions
        .filter_map(|it| Some((&it.real_server, it.forwarding?)))
        .collect();
    let forwarding = service.forwarding.unwrap_or(Forwarding::Masquerade);
    let servers = &index.document.real_servers;
    let members = index.members(at).iter();
    members
        .filter_map(move |at| Some((*at, servers.get(*at)?)))
        .filter(move |(_, server)| {
            let own = exceptions.get(&server.name).copied();
            own.unwrap_or(forwarding) == Forwarding::Masquerade
        })
}

/// The services, unless they have more destinations than anyone would look at one by one.
fn services<'d>(index: &Index<'d>) -> impl Iterator<Item = (usize, &'d Service)> + use<'d> {
    let is_looked_at = !index.is_too_large;
    index.services().filter(move |_| is_looked_at)
}

fn interfaces<'d>(index: &Index<'d>) -> impl Iterator<Item = &'d Interface> + use<'d> {
    index.directors().flat_map(|(_, it)| &it.interfaces)
}

/// The networks of an interface, whoever sets its addresses there.
fn networks(interface: &Interface) -> impl Iterator<Item = Network> {
    let addresses = interface
        .addresses
        .iter()
        .chain(&interface.external_addresses);
    addresses.map(|it| it.network())
}

/// Masqueraded replies have to pass the director, and machines send them to the gateway that DHCP told them.
pub(super) fn foreign_router(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    let dhcp = index.document.netboot.as_ref();
    let router = dhcp.and_then(|it| it.dhcp.as_ref()?.router);
    let Some(router) = router.filter(|it| !is_director(index, (*it).into())) else {
        return;
    };
    let reserved = services(index).find_map(|(at, service)| {
        let mut servers = masqueraded(index, at, service);
        let (_, server) = servers.find(|(_, it)| it.mac.is_some())?;
        Some((service, server))
    });
    if let Some((service, server)) = reserved {
        let message = format!(
            "{router} is no director's address: what {} answers to clients of {} does not come back through one",
            server.name, service.name
        );
        warnings.push(Warning::new(Code::ForeignRouter, message).at("netboot.dhcp.router"));
    }
}

/// An inside address of one, its own or one that moves, or a VIP that it holds inside.
fn is_director(index: &Index<'_>, router: IpAddr) -> bool {
    let inside = interfaces(index).filter(|it| it.role == Some(Role::Inside));
    let mut addresses = inside.flat_map(|interface| {
        interface
            .addresses
            .iter()
            .chain(&interface.external_addresses)
    });
    let mut vips = index.vips().map(|(_, vip)| vip.address.get());
    addresses.any(|it| it.address() == router) || vips.any(|it| it == router)
}

/// Beyond the inside networks nothing says that replies come back; a route shows that somebody thought of the way there.
pub(super) fn masquerade_from_afar(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    let routes = index.directors().flat_map(|(_, it)| &it.routes);
    let routed = Ranges::new(routes.map(|it| it.to));
    let far = |server: &RealServer| {
        let address = server.address.get();
        !index.inside.contains(address) && !routed.contains(address)
    };
    let far: Vec<bool> = index.real_servers().map(|(_, it)| far(it)).collect();
    if index.inside.is_empty() || !far.contains(&true) {
        return;
    }
    for (at, service) in services(index) {
        let mut servers = masqueraded(index, at, service);
        let lost = servers.find(|(position, _)| far.get(*position) == Some(&true));
        if let Some((_, server)) = lost {
            let message = format!(
                "{} masquerades to {}, which is in no inside network: its replies come back only if its routes lead \
                 through the director",
                service.name, server.name
            );
            let warning = Warning::new(Code::MasqueradeFromAfar, message);
            let warning = warning.at(format!("services[{at}]"));
            warnings.push(warning.about(service.name.as_str()));
        }
    }
}

/// A client in the network of the real servers gets its replies from them, and not from the VIP that it asked.
pub(super) fn vips_among_real_servers(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    let vips: HashMap<&Name, Vec<usize>> = index
        .vips()
        .map(|(_, vip)| (&vip.name, inside(index, vip.address.get(), vip.address6)))
        .filter(|(_, positions)| !positions.is_empty())
        .collect();
    if vips.is_empty() {
        return;
    }
    for (at, service) in services(index) {
        let matched = service.matches.iter().flatten().map(|it| &it.vip);
        let named = service.vip.iter().chain(matched);
        let around: HashMap<usize, &Name> = named
            .flat_map(|vip| {
                vips.get(vip)
                    .into_iter()
                    .flatten()
                    .map(move |it| (*it, vip))
            })
            .collect();
        if let Some((vip, server)) = among(index, (at, service), &around) {
            let message = format!(
                "VIP {vip} and {} are in one inside network: a client there gets its replies from {}, and resets them",
                server.name, server.name
            );
            let warning = Warning::new(Code::VipAmongRealServers, message);
            let warning = warning.at(format!("services[{at}]"));
            warnings.push(warning.about(service.name.as_str()));
        }
    }
}

/// The inside networks that addresses are in.
fn inside(index: &Index<'_>, first: IpAddr, second: Option<Address6>) -> Vec<usize> {
    let addresses = std::iter::once(first).chain(second.map(IpAddr::from));
    addresses
        .filter_map(|it| index.inside.position(it))
        .collect()
}

fn among<'d>(
    index: &Index<'d>,
    (at, service): (usize, &'d Service),
    around: &HashMap<usize, &'d Name>,
) -> Option<(&'d Name, &'d RealServer)> {
    if around.is_empty() {
        return None;
    }
    masqueraded(index, at, service).find_map(|(_, server)| {
        let positions = inside(index, server.address.get(), server.address6);
        let vip = positions.iter().find_map(|it| around.get(it))?;
        Some((*vip, server))
    })
}

/// A VIP that others move is theirs alone, and brings no network with it.
pub(super) fn external_vips(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    let external = index
        .vips()
        .map(|(_, vip)| vip)
        .filter(|vip| vip.managed_by == Some(ManagedBy::External));
    let vips: HashMap<IpAddr, &Vip> = external
        .flat_map(|vip| {
            let second = vip.address6.map(IpAddr::from);
            let all = std::iter::once(vip.address.get()).chain(second);
            all.map(move |it| (it, vip))
        })
        .collect();
    if vips.is_empty() {
        return;
    }
    for (at, director) in index.directors() {
        for (position, interface) in director.interfaces.iter().enumerate() {
            let path = format!("directors[{at}].interfaces[{position}]");
            kept(&vips, (director, interface), &path, warnings);
            wide(&vips, interface, &path, warnings);
        }
    }
}

fn kept(
    vips: &HashMap<IpAddr, &Vip>,
    (director, interface): (&Director, &Interface),
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    for (nth, address) in interface.addresses.iter().enumerate() {
        let Some(vip) = vips.get(&address.address()) else {
            continue;
        };
        let message = format!(
            "{} is \"external\", and {} sets it here and never lets it go",
            vip.name, director.name
        );
        let warning = Warning::new(Code::KeptExternalVip, message);
        let warning = warning.at(format!("{path}.addresses[{nth}]"));
        warnings.push(warning.about(vip.name.as_str()));
    }
}

fn wide(
    vips: &HashMap<IpAddr, &Vip>,
    interface: &Interface,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    for (nth, address) in interface.external_addresses.iter().enumerate() {
        let own = address.network().get();
        let is_wide = own.prefix_len() < own.max_prefix_len();
        let Some(vip) = vips.get(&address.address()).filter(|_| is_wide) else {
            continue;
        };
        let message = format!(
            "VIP {} comes with the network {own}; a VIP is a /{}",
            vip.name,
            own.max_prefix_len()
        );
        let warning = Warning::new(Code::VipWithNetwork, message);
        let warning = warning.at(format!("{path}.externalAddresses[{nth}]"));
        warnings.push(warning.about(vip.name.as_str()));
    }
}

/// The kernel drops what comes in where it would not send the answer; through a VIP's interface come clients from
/// everywhere.
pub(super) fn strict_reverse_path(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    for (at, director) in index.directors() {
        let strict = strict(director);
        let Some(gateway) = director
            .gateway
            .map(IpAddr::from)
            .filter(|_| !strict.is_empty())
        else {
            continue;
        };
        let carried = carried(index, at, director);
        for interface in &director.interfaces {
            let name = interface.name.as_str();
            let found = strict
                .get(name)
                .or(strict.get("all"))
                .zip(carried.get(&interface.name));
            let Some(((value, setting), vip)) = found else {
                continue;
            };
            let elsewhere =
                interface.role != Some(Role::Inside) && !leads_out(director, interface, gateway);
            if *value != "1" || !elsewhere {
                continue;
            }
            let message = format!(
                "strict on {name}, which carries VIP {vip}, while the default route leaves elsewhere: packets of clients \
                 beyond {name}'s own network are dropped"
            );
            let warning = Warning::new(Code::StrictReversePath, message);
            let warning = warning.at(format!("directors[{at}].sysctls[{setting}]"));
            warnings.push(warning.about(director.name.as_str()));
        }
    }
}

/// What filters each interface that a setting names, and `all`, which counts where it is the greater one: the value and
/// where it stands.
fn strict(director: &Director) -> HashMap<&str, (&str, usize)> {
    let mut settings: HashMap<&str, (&str, usize)> = HashMap::default();
    for (at, setting) in director.sysctls.iter().enumerate() {
        let mut parts = setting.name.parts();
        let is_filter = setting.name.path().starts_with("net/ipv4/conf/")
            && setting.name.path().ends_with("/rp_filter");
        if let Some(interface) = parts.nth(3).filter(|_| is_filter) {
            settings.insert(interface, (setting.value.as_str(), at));
        }
    }
    if let Some(all) = settings.get("all").copied() {
        settings.values_mut().for_each(|it| *it = all.max(*it));
    }
    settings
}

/// The interfaces of a director that carry VIPs of IPv4, each with the name of one.
fn carried<'d>(
    index: &Index<'d>,
    at: usize,
    director: &Director,
) -> HashMap<InterfaceName, &'d str> {
    let mut carried = HashMap::default();
    let held = |vip: &Vip| vip.director.as_ref().is_none_or(|it| *it == director.name);
    let vips = index.vips().map(|(_, vip)| vip);
    for vip in vips.filter(|it| it.address.get().is_ipv4() && held(it)) {
        let of_role = index.interfaces[at].with_role(vip.role.unwrap_or(Role::Outside));
        if let Some(name) = vip.interface.or_else(|| of_role.first().copied()) {
            carried.entry(name).or_insert(vip.name.as_str());
        }
    }
    carried
}

/// Whether the default route, or another one, leaves by an interface.
fn leads_out(director: &Director, interface: &Interface, gateway: IpAddr) -> bool {
    let on_link = |hop: IpAddr| networks(interface).any(|it| it.contains(hop));
    let mut routes = director.routes.iter();
    on_link(gateway)
        || routes.any(|it| {
            let by = it.interface.map(|name| name == interface.name);
            by.unwrap_or_else(|| it.via.is_some_and(|via| on_link(via.get())))
        })
}
