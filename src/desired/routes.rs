//! Routes: the default routes and the others.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::delta::Set;
use crate::document::{self, usual_metric};
use crate::resources::route::{Route, RouteKey};

use super::node::Node;
use super::problem::{Findings, Problem};

/// The main table (`RT_TABLE_MAIN`).
const MAIN: u32 = 254;

/// All routes that we set.
pub(super) fn routes(node: &Node, findings: &mut Findings) -> Set<Route> {
    let gateway = node.director.gateway.map(|it| ("gateway", it.into()));
    let gateway6 = node.director.gateway6.map(|it| ("gateway6", it.into()));
    let defaults = gateway.into_iter().chain(gateway6);
    let defaults = defaults.map(|(field, via)| default_route(node, field, via));
    let others = node.director.routes.iter().enumerate();
    let others = others.map(|(index, route)| other_route(node, index, route));
    let found = defaults.chain(others).filter_map(|route| match route {
        Ok(route) => Some(route),
        Err(problem) => {
            findings.refuse(problem);
            None
        }
    });
    found.collect()
}

fn default_route(node: &Node, field: &str, via: IpAddr) -> Result<Route, Problem> {
    let to = match via {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
    };
    let interface = interface_to(node, via).ok_or_else(|| unreachable(node, field, via))?;
    Ok(Route {
        theirs: Default::default(),
        key: RouteKey {
            table: MAIN,
            to,
            metric: usual_metric(&to),
        },
        via: Some(via),
        interface,
    })
}

fn other_route(node: &Node, index: usize, route: &document::Route) -> Result<Route, Problem> {
    let document::Route {
        to,
        via,
        interface,
        table,
        metric: _,
    } = route;
    let field = format!("routes[{index}].via");
    let via = via.map(|it| it.get());
    let by_gateway = || via.and_then(|via| interface_to(node, via));
    let interface = interface.map(|it| it.to_string()).or_else(by_gateway);
    let to = to.get();
    Ok(Route {
        theirs: Default::default(),
        key: RouteKey {
            table: table.map_or(MAIN, |it| it.get()),
            to,
            metric: route.metric_of_kernel(),
        },
        via,
        interface: interface.ok_or_else(|| unreachable(node, &field, via.unwrap_or(to.addr())))?,
    })
}

/// The interface on whose network the next hop is; a link-local one is taken to be outside.
fn interface_to(node: &Node, via: IpAddr) -> Option<String> {
    let link_local = matches!(via, IpAddr::V6(it) if it.is_unicast_link_local());
    let outside = || node.outside().map(|it| &it.name).filter(|_| link_local);
    node.on_link(via).or_else(outside).map(|it| it.to_string())
}

fn unreachable(node: &Node, field: &str, via: IpAddr) -> Problem {
    let name = &node.director.name;
    Problem::new(
        format!("directors[{}].{field}", node.index),
        format!("{via} is in no network of {name}"),
        "correct it, or give an interface an address in its network",
    )
}
