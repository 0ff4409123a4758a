//! Networks in which each part is right, and replies go astray.

use crate::document::check::Index;
use crate::document::{
    Director, Forwarding, Interface, InterfaceName, ManagedBy, Name, Network, RealServer, Role,
    Service, Vip,
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
    let directors = || index.directors().map(|(_, it)| it);
    let routed = |address: IpAddr| {
        let mut routes = directors().flat_map(|it| &it.routes);
        routes.any(|it| it.to.contains(address))
    };
    let far = |server: &RealServer| {
        let address = server.address.get();
        !index.inside.contains(address) && !routed(address)
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
    let around: HashMap<&Name, Vec<Network>> = index
        .vips()
        .map(|(_, vip)| (&vip.name, around(index, vip)))
        .filter(|(_, networks)| !networks.is_empty())
        .collect();
    if around.is_empty() {
        return;
    }
    for (at, service) in services(index) {
        let matched = service.matches.iter().flatten().map(|it| &it.vip);
        for vip in service.vip.iter().chain(matched) {
            let networks = around.get(vip).map_or(&[][..], Vec::as_slice);
            if let Some((network, server)) = among(index, (at, service), networks) {
                let message = format!(
                    "VIP {vip} is in {network}, and so is {}: a client in that network gets its replies from there, \
                     and resets them",
                    server.name
                );
                let warning = Warning::new(Code::VipAmongRealServers, message);
                let warning = warning.at(format!("services[{at}]"));
                warnings.push(warning.about(service.name.as_str()));
                break;
            }
        }
    }
}

/// The inside networks that a VIP is in.
fn around(index: &Index<'_>, vip: &Vip) -> Vec<Network> {
    let second = vip.address6.map(IpAddr::from);
    let addresses: Vec<IpAddr> = std::iter::once(vip.address.get()).chain(second).collect();
    let is_inside = |address: &IpAddr| index.inside.contains(*address);
    if !addresses.iter().any(is_inside) {
        return Vec::new();
    }
    let inside = interfaces(index).filter(|it| it.role == Some(Role::Inside));
    let holds = |network: &Network| addresses.iter().any(|it| network.contains(*it));
    inside.flat_map(networks).filter(holds).collect()
}

fn among<'d>(
    index: &Index<'d>,
    (at, service): (usize, &'d Service),
    networks: &[Network],
) -> Option<(Network, &'d RealServer)> {
    if networks.is_empty() {
        return None;
    }
    masqueraded(index, at, service).find_map(|(_, server)| {
        let second = server.address6.map(IpAddr::from);
        let mut addresses = std::iter::once(server.address.get()).chain(second);
        let found = addresses.find_map(|it| networks.iter().find(|net| net.contains(it)));
        found.map(|network| (*network, server))
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
        let Some(gateway) = director.gateway.map(IpAddr::from) else {
            continue;
        };
        for interface in &director.interfaces {
            let name = interface.name;
            let Some(setting) = strict(director, name) else {
                continue;
            };
            let Some(vip) = carried(index, director, interface) else {
                continue;
            };
            if interface.role == Some(Role::Inside) || leads_out(director, interface, gateway) {
                continue;
            }
            let message = format!(
                "strict on {name}, which carries VIP {}, while the default route leaves elsewhere: packets of clients \
                 beyond {name}'s own network are dropped",
                vip.name
            );
            let warning = Warning::new(Code::StrictReversePath, message);
            let warning = warning.at(format!("directors[{at}].sysctls[{setting}]"));
            warnings.push(warning.about(director.name.as_str()));
        }
    }
}

/// The setting by which an interface is strict: of its own and that of all, the greater one counts.
fn strict(director: &Director, name: InterfaceName) -> Option<usize> {
    let stated = |wanted: &str| {
        let mut settings = director.sysctls.iter().enumerate();
        let (at, setting) = settings.find(|(_, it)| {
            let parts: Vec<&str> = it.name.parts().collect();
            parts == ["net", "ipv4", "conf", wanted, "rp_filter"]
        })?;
        Some((setting.value.as_str().to_owned(), at))
    };
    let both = stated("all").into_iter().chain(stated(name.as_str()));
    let (value, at) = both.max()?;
    (value == "1").then_some(at)
}

/// A VIP of IPv4 that an interface of a director carries.
fn carried<'d>(index: &Index<'d>, director: &Director, interface: &Interface) -> Option<&'d Vip> {
    let by_role = |vip: &Vip| Some(vip.role.unwrap_or(Role::Outside)) == interface.role;
    let on = |vip: &Vip| match vip.interface {
        Some(name) => name == interface.name,
        None => by_role(vip),
    };
    let held = |vip: &Vip| vip.director.as_ref().is_none_or(|it| *it == director.name);
    let mut vips = index.vips().map(|(_, vip)| vip);
    vips.find(|vip| vip.address.get().is_ipv4() && held(vip) && on(vip))
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
