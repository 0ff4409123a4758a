//! Is an address free, does the kernel agree, and do the neighbours know? Questions around adding one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::future::join_all;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use tokio::time::{Instant, sleep};

use super::observe::read;
use super::{Address, AddressKey};
use crate::host::linux::arp::{self, Mac};
use crate::host::linux::links::{Links, NetLink};
use crate::host::linux::proc_sys::Meanwhile;
use crate::host::linux::{LinuxHost, rtnl::Reply};
use crate::host::{HostError, Outcome};

/// Duplicate address detection takes a second and some for a single probe (RFC 4862, 5.4).
const PATIENCE: Duration = Duration::from_secs(3);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The IPv4 VIPs of `wanted` by the interface on whose wire they are to be.
type ByLink<'a> = BTreeMap<u32, (&'a NetLink, Mac, Vec<Ipv4Addr>)>;

/// Of `wanted`, the IPv4 VIPs that somebody else has, with that machine's hardware address. All are asked for at the
/// same time. Where nobody speaks ARP there is nobody to ask.
pub(super) async fn probe<'a>(
    links: &Links,
    wanted: impl Iterator<Item = &'a Address>,
) -> Result<BTreeMap<AddressKey, String>, HostError> {
    let ours: Vec<Mac> = links.iter().filter_map(NetLink::mac).collect();
    let by_link = vips_by_link(links, wanted);
    let questions = by_link.values().map(async |(link, own, addresses)| {
        let answers = arp::probe(link.index, *own, &ours, addresses).await;
        answers.map(|taken| (link, taken)).map_err(|error| {
            let action = format!("cannot ask on {} whether addresses are free", link.name);
            HostError::new(action, error)
        })
    });
    let mut all = BTreeMap::new();
    for answer in join_all(questions).await {
        let (link, taken) = answer?;
        all.extend(taken.into_iter().map(|(address, mac)| {
            let interface = link.name.clone();
            let address = IpAddr::V4(address);
            (
                AddressKey {
                    interface,
                    address,
                    prefix: 32,
                },
                arp::written(mac),
            )
        }));
    }
    Ok(all)
}

/// Tells the neighbours where the IPv4 VIPs among `added` are now. They would find out by themselves in time, so a
/// failure is no failure of the address.
pub(super) async fn announce<'a>(links: &Links, added: impl Iterator<Item = &'a Address>) {
    let by_link = vips_by_link(links, added);
    let news = by_link.values().map(async |(link, own, addresses)| {
        if let Err(error) = arp::announce(link.index, *own, addresses).await {
            tracing::warn!(interface = link.name, %error, "cannot announce addresses");
        }
    });
    join_all(news).await;
}

fn vips_by_link<'a, 'l>(
    links: &'l Links,
    addresses: impl Iterator<Item = &'a Address>,
) -> ByLink<'l> {
    let mut by_link = ByLink::new();
    for key in addresses.map(|it| &it.key).filter(|key| key.is_vip()) {
        let link = links.named(&key.interface).filter(|it| it.has_carrier());
        if let (IpAddr::V4(address), Some(link)) = (key.address, link)
            && let Some(own) = link.mac()
        {
            let entry = by_link.entry(link.index).or_insert((link, own, Vec::new()));
            entry.2.push(address);
        }
    }
    by_link
}

/// Has the kernel tell the neighbours of IPv6 VIPs once it found them free (`ndisc_notify` in
/// Documentation/networking/ip-sysctl.rst), for as long as the result is kept.
pub(super) fn announcing(links: &Links, wanted: &[&Address]) -> Result<Vec<Meanwhile>, HostError> {
    let keys = wanted.iter().map(|it| &it.key);
    let vips = keys.filter(|key| key.is_vip() && key.address.is_ipv6());
    let names: BTreeSet<&String> = vips.map(|key| &key.interface).collect();
    let mut meanwhile = Vec::new();
    for name in names.into_iter().filter(|name| links.named(name).is_some()) {
        let path = format!("net/ipv6/conf/{name}/ndisc_notify");
        meanwhile.extend(Meanwhile::on(path)?);
    }
    Ok(meanwhile)
}

/// Waits until the kernel is done with duplicate address detection for the IPv6 addresses that were just added, and
/// takes those back that turned out to be somebody else's. Where there is no carrier, the kernel asks later.
pub(super) async fn settle(
    host: &mut LinuxHost,
    links: &Links,
    added: &[&Address],
    outcomes: &mut [Outcome],
) -> Result<(), HostError> {
    let mut waiting: BTreeMap<usize, (u32, &AddressKey)> = BTreeMap::new();
    for (place, (address, outcome)) in added.iter().zip(outcomes.iter()).enumerate() {
        let link = links
            .named(&address.key.interface)
            .filter(|it| it.has_carrier());
        if let (Some(link), Outcome::Done) = (link, outcome)
            && address.key.address.is_ipv6()
        {
            waiting.insert(place, (link.index, &address.key));
        }
    }
    let deadline = Instant::now() + PATIENCE;
    while !waiting.is_empty() && Instant::now() < deadline {
        for (place, outcome) in judge(host, &mut waiting).await? {
            if let Some(it) = outcomes.get_mut(place) {
                *it = outcome;
            }
        }
        if !waiting.is_empty() {
            sleep(BETWEEN_LOOKS).await;
        }
    }
    // Still asking: whoever looks next will know.
    for place in waiting.into_keys() {
        if let Some(it) = outcomes.get_mut(place) {
            *it = Outcome::Unknown;
        }
    }
    Ok(())
}

/// Takes out of `waiting` what is decided, and says how it went wrong where it did.
async fn judge(
    host: &mut LinuxHost,
    waiting: &mut BTreeMap<usize, (u32, &AddressKey)>,
) -> Result<Vec<(usize, Outcome)>, HostError> {
    let found = read(host).await?;
    let state_of =
        |(index, key): &(u32, &AddressKey)| found.iter().find(|it| it.is(key, *index)).cloned();
    let mut failed = Vec::new();
    waiting.retain(|place, it| match state_of(it) {
        Some(state) if state.is_tentative() => true,
        Some(state) if !state.is_duplicate() => false,
        // With `accept_dad=2` the kernel removes a duplicate itself.
        _ => {
            failed.push((*place, *it));
            false
        }
    });
    let mut outcomes = Vec::with_capacity(failed.len());
    for (place, (index, key)) in failed {
        withdraw(host, index, key).await?;
        let action = format!("cannot add address {key}");
        let error = HostError::new(
            action,
            "another machine has it (duplicate address detection)",
        );
        outcomes.push((place, Outcome::Failed(error)));
    }
    Ok(outcomes)
}

async fn withdraw(host: &mut LinuxHost, index: u32, key: &AddressKey) -> Result<(), HostError> {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.prefix_len = key.prefix;
    message.header.index = index;
    message
        .attributes
        .push(AddressAttribute::Local(key.address));
    let message = RouteNetlinkMessage::DelAddress(message);
    match host.rtnl()?.change_one(message, 0).await {
        Reply::Done => Ok(()),
        Reply::Refused(refusal) if refusal.errno == libc::EADDRNOTAVAIL => Ok(()),
        Reply::Refused(refusal) => {
            let action = format!("cannot take back address {key}");
            Err(HostError::new(action, refusal))
        }
        Reply::Lost => Ok(()),
    }
}
