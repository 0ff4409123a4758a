//! Gateways and routes: the next hop is on a network of the director.

use super::{
    Findings,
    addresses::{edge_of, not_a_machine, whereabouts},
    index::{Index, family},
};
use crate::document::{
    Director, Interface, InterfaceName, Network, Role, Route, Vip, usual_metric,
};
use foldhash::HashMap;
use std::fmt::Arguments;
use std::net::IpAddr;

/// The kernel's main table, and the one that it keeps for itself.
const MAIN: u32 = 254;
const LOCAL: u32 = 255;

/// One director, and the VIPs of the cluster by their addresses.
struct Start<'d> {
    director: &'d Director,
    vips: &'d HashMap<IpAddr, &'d Vip>,
}

fn vips<'d>(index: &Index<'d>) -> HashMap<IpAddr, &'d Vip> {
    let vips = index.document.vips.iter();
    vips.flat_map(|vip| {
        let second = vip.address6.map(IpAddr::from);
        let both = std::iter::once(vip.address.get()).chain(second);
        both.map(move |address| (address, vip))
    })
    .collect()
}

/// The default gateways.
pub fn gateways(index: &Index<'_>, findings: &mut Findings) {
    let vips = &vips(index);
    for (at, director) in index.directors() {
        let start = Start { director, vips };
        let gateways = [
            ("gateway", director.gateway.map(IpAddr::from)),
            ("gateway6", director.gateway6.map(IpAddr::from)),
        ];
        let outside = index.interfaces[at].with_role(Role::Outside).first();
        for (field, gateway) in gateways {
            let Some(gateway) = gateway else { continue };
            // A link-local gateway is on the outside link.
            let judged = match outside.filter(|_| is_link_local(gateway)) {
                Some(name) => start.reached_by(*name),
                None => start.judge(gateway, None),
            };
            report(findings, format_args!("directors[{at}].{field}"), judged);
        }
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// The networks of a director, own and external, with their interfaces.
fn networks(director: &Director) -> impl Iterator<Item = (InterfaceName, IpAddr, Network)> {
    director.interfaces.iter().flat_map(|interface| {
        let addresses = interface
            .addresses
            .iter()
            .chain(&interface.external_addresses);
        addresses.map(|address| (interface.name, address.address(), address.network()))
    })
}

/// What is wrong with a next hop, and what would be right.
type Judgement = Result<(), (String, String)>;

fn report(findings: &mut Findings, path: Arguments<'_>, judged: Judgement) {
    if let Err((message, fix)) = judged {
        let finding = findings.report(path, message, fix);
        finding.alone().relying_on(&["directors"]);
    }
}

fn wrong(message: impl Into<String>, fix: &str) -> Judgement {
    Err((message.into(), fix.to_owned()))
}

impl Start<'_> {
    /// A next hop is another machine on a network of the director, and of the given interface.
    fn judge(&self, hop: IpAddr, by: Option<InterfaceName>) -> Judgement {
        self.judge_address(hop)?;
        let usable = |name: InterfaceName| by.is_none_or(|by| by == name);
        let mut on_link =
            networks(self.director).filter(|(name, _, net)| usable(*name) && net.contains(hop));
        match on_link.next() {
            Some((name, _, network)) => match edge_of(network, hop) {
                Some(edge) => wrong(
                    format!("is the {edge} address of {name}'s {network}"),
                    "write a machine's address",
                ),
                // A device that the route names is judged by itself.
                None if by.is_some() => Ok(()),
                None => self.reached_by(name),
            },
            None if is_link_local(hop) && by.is_some() => Ok(()),
            None => {
                let place = by.map_or_else(|| self.director.name.to_string(), |by| by.to_string());
                let fix = known_networks(self.director, hop, by);
                wrong(format!("is in no network of {place}"), &fix)
            }
        }
    }

    /// Another machine has the address.
    fn judge_address(&self, hop: IpAddr) -> Judgement {
        let name = &self.director.name;
        if networks(self.director).any(|(_, address, _)| address == hop) {
            return wrong(
                format!("is {name}'s own address"),
                "write the next machine's",
            );
        }
        let holds = |vip: &&&Vip| vip.director.as_ref().is_none_or(|it| it == name);
        if let Some(vip) = self.vips.get(&hop).filter(holds) {
            let message = format!("is VIP {}, which {name} holds itself", vip.name);
            return wrong(message, "write the next machine's");
        }
        match not_a_machine(hop).filter(|_| !is_link_local(hop)) {
            Some(reason) => wrong(reason, "write the address of a machine"),
            None => Ok(()),
        }
    }

    /// The kernel takes no route over an interface that is down.
    fn reached_by(&self, name: InterfaceName) -> Judgement {
        if is_up(self.director, name) {
            return Ok(());
        }
        let fix = format!("remove \"up\" from {name}, or remove this");
        wrong(format!("is reached by {name}, which is not up"), &fix)
    }
}

fn is_up(director: &Director, name: InterfaceName) -> bool {
    let mut interfaces = director.interfaces.iter();
    interfaces
        .find(|it| it.name == name)
        .is_none_or(Interface::is_up)
}

/// Where a director is, for whoever wrote a next hop that is somewhere else.
fn known_networks(director: &Director, hop: IpAddr, by: Option<InterfaceName>) -> String {
    let same_family = networks(director).filter(|(name, _, network)| {
        family(network.address()) == family(hop) && by.is_none_or(|by| by == *name)
    });
    whereabouts(same_family.map(|(name, _, network)| (name, network))).unwrap_or_else(|| {
        format!(
            "no interface has an address of its family; add one to {}",
            director.name
        )
    })
}

/// The other routes.
pub fn routes(index: &Index<'_>, findings: &mut Findings) {
    let vips = &vips(index);
    for (at, director) in index.directors() {
        let start = Start { director, vips };
        let mut seen = default_routes(director);
        let connected: HashMap<Network, InterfaceName> = networks(director)
            .map(|(name, _, network)| (network, name))
            .collect();
        for (position, route) in director.routes.iter().enumerate() {
            let path = format_args!("directors[{at}].routes[{position}]");
            way(findings, path, &start, route);
            let table = route.table.map_or(MAIN, |table| table.get());
            let metric = route.metric_of_kernel();
            if let Some(other) = seen.insert((route.to, table, metric), path.to_string()) {
                let message = format!("is in table {table} with metric {metric} already ({other})");
                let fix = match metric == usual_metric(&route.to.get()) && metric > 0 {
                    true => {
                        "write each once, or give one another metric; for IPv6 none and 0 are 1024"
                    }
                    false => "write each once, or give them different metrics",
                };
                findings.add(format_args!("{path}.to"), message, fix);
            }
            if let Some(name) = connected.get(&route.to).filter(|_| table == MAIN) {
                findings.add(
                    format_args!("{path}.to"),
                    format!("is {name}'s own network already"),
                    "remove the route",
                );
            }
            if table == LOCAL {
                findings.add(
                    format_args!("{path}.table"),
                    "is the kernel's own table",
                    "write another, such as 254 or 100",
                );
            }
        }
    }
}

/// The routes that follow from the gateways: an equal one in the list would fight with them.
fn default_routes(director: &Director) -> HashMap<(Network, u32, u32), String> {
    let default = |text: &str, field: &str| {
        let to: Network = text.parse().ok()?;
        Some(((to, MAIN, usual_metric(&to.get())), field.to_owned()))
    };
    let ipv4 = director
        .gateway
        .and_then(|_| default("0.0.0.0/0", "gateway"));
    let ipv6 = director.gateway6.and_then(|_| default("::/0", "gateway6"));
    ipv4.into_iter().chain(ipv6).collect()
}

/// How a route gets to its network.
fn way(findings: &mut Findings, path: Arguments<'_>, start: &Start<'_>, route: &Route) {
    let director = start.director;
    let mut names = director.interfaces.iter().map(|interface| interface.name);
    match (route.via, route.interface) {
        (None, None) => {
            let fix = "give \"via\", \"interface\" or both";
            findings.add(path, "the route has no next hop", fix);
        }
        (_, Some(name)) if !names.any(|known| known == name) => {
            let names = director
                .interfaces
                .iter()
                .map(|interface| interface.name.as_str());
            let fix = findings.suggest(name.as_str(), names);
            let message = format!("is no interface of {}", director.name);
            let finding = findings.report(format_args!("{path}.interface"), message, fix);
            finding.alone().relying_on(&["directors"]);
        }
        (Some(via), _) if family(via.get()) != family(route.to.address()) => {
            let message = format!("is not of the same family as {}", route.to);
            let fix = "write a next hop of the same family";
            findings.add(format_args!("{path}.via"), message, fix);
        }
        (Some(via), by) => {
            let judged = start.judge(via.get(), by);
            report(findings, format_args!("{path}.via"), judged);
        }
        (None, Some(_)) => {}
    }
    if let Some(name) = route.interface.filter(|name| !is_up(director, *name)) {
        let fix = format!("remove \"up\" from {name}, or remove the route");
        let judged = wrong("is not up", &fix);
        report(findings, format_args!("{path}.interface"), judged);
    }
}
