//! Adds, replaces and removes routes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteVia,
};

use super::observe::{Found, read};
use super::{ROUTE_PROTOCOL, Route};
use crate::delta::Delta;
use crate::host::linux::LinuxHost;
use crate::host::linux::links::Links;
use crate::host::linux::rtnl::{Refusal, Reply};
use crate::host::{HostError, Outcome};

/// One by one: a route may need the one before it.
pub async fn apply(host: &mut LinuxHost, deltas: &[&Delta<Route>]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(deltas.len());
    for delta in deltas {
        let outcome = match delta {
            Delta::Create { to } => create(host, to).await,
            Delta::Update { to, .. } | Delta::Replace { to, .. } => replace(host, to).await,
            Delta::Delete { from } => remove(host, from).await,
        };
        let outcome = outcome.unwrap_or_else(Outcome::Failed);
        let failed = matches!(outcome, Outcome::Failed(_));
        outcomes.push(outcome);
        if failed {
            break;
        }
    }
    outcomes
}

/// Never over one that somebody else made meanwhile.
async fn create(host: &mut LinuxHost, route: &Route) -> Result<Outcome, HostError> {
    let action = format!("cannot add route {}", route.key);
    match send(host, route, &action, NLM_F_CREATE | NLM_F_EXCL).await? {
        Reply::Refused(refusal) if refusal.errno == libc::EEXIST => {
            let index = host
                .links()
                .await?
                .require(&route.interface, &action)?
                .index;
            let same = |it: &Found| it.via == route.via && it.index == Some(index);
            match find(host, route).await?.is_some_and(|it| same(&it)) {
                true => Ok(Outcome::AlreadySo),
                false => Err(HostError::new(action, "there is another one")),
            }
        }
        reply => outcome_of(reply, route, action),
    }
}

/// In one step: at no moment is there no route.
async fn replace(host: &mut LinuxHost, route: &Route) -> Result<Outcome, HostError> {
    let action = format!("cannot change route {}", route.key);
    let reply = send(host, route, &action, NLM_F_CREATE | NLM_F_REPLACE).await?;
    outcome_of(reply, route, action)
}

async fn send(
    host: &mut LinuxHost,
    route: &Route,
    action: &str,
    flags: u16,
) -> Result<Reply, HostError> {
    let links = host.links().await?;
    let message = message(route, &links, action)?;
    let message = RouteNetlinkMessage::NewRoute(message);
    Ok(host.rtnl()?.change_one(message, flags).await)
}

fn outcome_of(reply: Reply, route: &Route, action: String) -> Result<Outcome, HostError> {
    match reply {
        Reply::Done => Ok(Outcome::Done),
        Reply::Lost => Ok(Outcome::Unknown),
        Reply::Refused(refusal) => Err(HostError::new(action, explained(&refusal, route))),
    }
}

fn explained(refusal: &Refusal, route: &Route) -> String {
    match (refusal.errno, route.via) {
        (libc::ENETUNREACH | libc::EHOSTUNREACH, Some(via)) => {
            format!("{via} is in no network of {} ({refusal})", route.interface)
        }
        (libc::ENETDOWN, _) => format!("{} is down", route.interface),
        _ => refusal.to_string(),
    }
}

/// What the kernel is not told it takes for "any", so a removal says everything.
async fn remove(host: &mut LinuxHost, route: &Route) -> Result<Outcome, HostError> {
    let action = format!("cannot remove route {}", route.key);
    // One that we took over keeps the protocol number of who made it.
    let Some(found) = find(host, route).await? else {
        return Ok(Outcome::AlreadySo);
    };
    let links = host.links().await?;
    let Some(link) = found.index.and_then(|index| links.at(index)) else {
        return Err(HostError::new(action, "it has several next hops by now"));
    };
    let existing = Route {
        interface: link.name.clone(),
        theirs: found.theirs(),
        key: found.key,
        via: found.via,
    };
    let message = message(&existing, &links, &action)?;
    let message = RouteNetlinkMessage::DelRoute(message);
    match host.rtnl()?.change_one(message, 0).await {
        Reply::Refused(refusal) if matches!(refusal.errno, libc::ESRCH | libc::ENOENT) => {
            Ok(Outcome::AlreadySo)
        }
        reply => outcome_of(reply, route, action),
    }
}

/// The route of this identity, as it is now.
async fn find(host: &mut LinuxHost, route: &Route) -> Result<Option<Found>, HostError> {
    let found = read(host, &BTreeSet::from([route.key.table])).await?;
    Ok(found.into_iter().find(|it| it.key == route.key))
}

fn message(route: &Route, links: &Links, action: &str) -> Result<RouteMessage, HostError> {
    let index = links.require(&route.interface, action)?.index;
    let mut message = match route.key.to {
        IpNet::V4(to) => RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(to.network(), to.prefix_len())
            .build(),
        IpNet::V6(to) => RouteMessageBuilder::<Ipv6Addr>::new()
            .destination_prefix(to.network(), to.prefix_len())
            .build(),
    };
    message.header.table = 0;
    let (protocol, source) = match route.theirs.0 {
        Some(theirs) => (theirs.protocol, theirs.source),
        None => (ROUTE_PROTOCOL, None),
    };
    message.header.protocol = RouteProtocol::from(protocol);
    let source = source.map(|it| RouteAttribute::PrefSource(it.into()));
    message.attributes.extend(source);
    message.attributes.extend([
        RouteAttribute::Table(route.key.table),
        RouteAttribute::Priority(route.key.metric),
        RouteAttribute::Oif(index),
    ]);
    match route.via {
        Some(via) => message.attributes.push(next_hop(via, route)),
        // The kernel wants it said that nobody forwards for us (`fib_check_nh` in net/ipv4/fib_semantics.c).
        None if route.key.to.addr().is_ipv4() => message.header.scope = RouteScope::Link,
        None => {}
    }
    Ok(message)
}

fn next_hop(via: IpAddr, route: &Route) -> RouteAttribute {
    match (via, route.key.to) {
        (IpAddr::V6(via), IpNet::V4(_)) => RouteAttribute::Via(RouteVia::Inet6(via)),
        (IpAddr::V4(via), _) => RouteAttribute::Gateway(RouteAddress::Inet(via)),
        (IpAddr::V6(via), _) => RouteAttribute::Gateway(RouteAddress::Inet6(via)),
    }
}
