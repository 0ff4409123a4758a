//! Reads routes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage, RouteScope, RouteType};

use super::{MAIN, ROUTE_PROTOCOL, Route, RouteKey, Traits};
use crate::delta::{Set, Theirs};
use crate::host::linux::LinuxHost;
use crate::host::linux::attributes::{Attributes, u16_of, u32_of};
use crate::host::linux::links::Links;
use crate::host::{HostError, Scope};

// include/uapi/linux/rtnetlink.h
const RTMSG: usize = 12;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTN_UNICAST: u8 = 1;
const RTPROT_REDIRECT: u8 = 1;
const RTPROT_KERNEL: u8 = 2;
const RTM_F_CLONED: u32 = 0x200;

/// One route as the kernel holds it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub key: RouteKey,
    pub via: Option<IpAddr>,
    /// `None` when there are several next hops.
    pub index: Option<u32>,
    pub protocol: u8,
    source: Option<IpAddr>,
}

impl Found {
    /// Only what can be a static route: to one host or network, not for one type of service, not a cached exception.
    fn decode(body: &[u8]) -> Option<Self> {
        let &[family, bits, source_bits, tos, table, protocol, _, kind] = body.first_chunk()?;
        let flags = u32_of(body.get(8..)?)?;
        let cached = flags & RTM_F_CLONED != 0;
        if cached || kind != RTN_UNICAST || tos != 0 || source_bits != 0 {
            return None;
        }
        let attributes = Attributes::behind(body, RTMSG);
        let anywhere: IpAddr = match i32::from(family) {
            libc::AF_INET => Ipv4Addr::UNSPECIFIED.into(),
            libc::AF_INET6 => Ipv6Addr::UNSPECIFIED.into(),
            _ => return None,
        };
        let to = attributes.ip(RTA_DST).unwrap_or(anywhere);
        Some(Self {
            key: RouteKey {
                table: attributes.u32(RTA_TABLE).unwrap_or(table.into()),
                to: IpNet::new(to, bits).ok()?,
                metric: attributes.u32(RTA_PRIORITY).unwrap_or(0),
            },
            via: attributes.ip(RTA_GATEWAY).or_else(|| via(attributes)),
            index: attributes.u32(RTA_OIF),
            protocol,
            source: attributes.ip(RTA_PREFSRC),
        })
    }

    pub fn theirs(&self) -> Theirs<Traits> {
        Theirs((self.protocol != ROUTE_PROTOCOL).then_some(Traits {
            protocol: self.protocol,
            source: self.source,
        }))
    }

    /// Made by the kernel itself, for a network of ours or on advice of a router.
    fn is_kernels(&self) -> bool {
        matches!(self.protocol, RTPROT_KERNEL | RTPROT_REDIRECT)
    }
}

/// A next hop of the other family: `struct rtvia` is a family and an address.
fn via(attributes: Attributes<'_>) -> Option<IpAddr> {
    let value = attributes.get(RTA_VIA)?;
    match i32::from(u16_of(value)?) {
        libc::AF_INET6 => value
            .get(2..18)?
            .first_chunk::<16>()
            .copied()
            .map(IpAddr::from),
        libc::AF_INET => value
            .get(2..6)?
            .first_chunk::<4>()
            .copied()
            .map(IpAddr::from),
        _ => None,
    }
}

/// The routes of the main table and of every table that is spoken of. Those that the kernel makes itself only when
/// one is wanted.
pub async fn observe(host: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<Route>, HostError> {
    let keys = scope
        .desired
        .routes
        .keys()
        .chain(&scope.inventory.owned.routes);
    let tables: BTreeSet<u32> = keys.map(|key| key.table).chain([MAIN]).collect();
    let links = host.links().await?;
    let mut routes = Set::default();
    for found in read(host, &tables).await? {
        if found.is_kernels() && !scope.desired.routes.contains(&found.key) {
            continue;
        }
        let key = found.key.clone();
        match in_words(found.clone(), &links) {
            Some(route) => routes.insert(route),
            None => host.note(format!(
                "route {key}: several next hops, or an interface that is new"
            )),
        }
        if found.protocol == ROUTE_PROTOCOL {
            host.mark(|keys| keys.routes.insert(key));
        }
    }
    Ok(routes)
}

fn in_words(found: Found, links: &Links) -> Option<Route> {
    Some(Route {
        interface: links.at(found.index?)?.name.clone(),
        theirs: found.theirs(),
        key: found.key,
        via: found.via,
    })
}

/// Every static route of these tables, as it is now.
pub(super) async fn read(
    host: &mut LinuxHost,
    tables: &BTreeSet<u32>,
) -> Result<Vec<Found>, HostError> {
    let mut routes = Vec::new();
    for table in tables {
        let v4 = RouteMessageBuilder::<Ipv4Addr>::new().build();
        let v6 = RouteMessageBuilder::<Ipv6Addr>::new().build();
        for message in [v4, v6] {
            let request = RouteNetlinkMessage::GetRoute(only(message, *table));
            // A kernel before 4.20 does not filter.
            let wanted = |body: &[u8]| Found::decode(body).filter(|it| it.key.table == *table);
            routes.extend(host.rtnl()?.dump("routes", request, wanted).await?);
        }
    }
    Ok(routes)
}

/// Asks for one table and one type of route; everything else must be zero (`ip_valid_fib_dump_req` in
/// net/ipv4/fib_frontend.c). A machine that speaks BGP has a million others.
fn only(mut message: RouteMessage, table: u32) -> RouteMessage {
    message.header.table = 0;
    message.header.protocol = Default::default();
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes.push(RouteAttribute::Table(table));
    message
}
