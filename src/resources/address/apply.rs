//! Adds and removes IP addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::AddressMessageBuilder;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol};

use super::observe::{ADDRESS_PROTOCOL, Found, read};
use super::{Address, AddressKey, duplicates};
use crate::delta::Delta;
use crate::host::linux::LinuxHost;
use crate::host::linux::links::Links;
use crate::host::linux::proc_sys::Meanwhile;
use crate::host::linux::rtnl::{Refusal, Reply, Request, WINDOW};
use crate::host::{HostError, Outcome};

/// In order; neighbours that do the same go out together.
pub async fn apply(host: &mut LinuxHost, deltas: &[&Delta<Address>]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(deltas.len());
    let mut replaced = BTreeSet::new();
    for group in deltas.chunk_by(|a, b| a.to().is_some() == b.to().is_some()) {
        let some = match group.first().is_some_and(|delta| delta.to().is_some()) {
            true => add(host, group, &replaced).await,
            false => {
                replaced.extend(group.iter().map(|delta| delta.subject().key.clone()));
                remove(host, group).await
            }
        };
        let complete = some.len() == group.len();
        outcomes.extend(some);
        if !complete || outcomes.iter().any(stops) {
            break;
        }
    }
    outcomes
}

fn stops(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Done | Outcome::AlreadySo)
}

/// Asks for duplicates, adds, waits until the addresses are usable, tells the neighbours.
async fn add(
    host: &mut LinuxHost,
    deltas: &[&Delta<Address>],
    replaced: &BTreeSet<AddressKey>,
) -> Vec<Outcome> {
    let wanted: Vec<&Address> = deltas.iter().filter_map(|delta| delta.to()).collect();
    match try_to_add(host, &wanted, replaced).await {
        Ok(outcomes) => outcomes,
        Err(error) => vec![Outcome::Failed(error)],
    }
}

async fn try_to_add(
    host: &mut LinuxHost,
    wanted: &[&Address],
    replaced: &BTreeSet<AddressKey>,
) -> Result<Vec<Outcome>, HostError> {
    let links = host.links().await?;
    // What was ours a moment ago need not be asked for, and clients wait.
    let new = wanted.iter().filter(|it| !replaced.contains(&it.key));
    let taken = duplicates::probe(&links, new.copied()).await?;
    let free = wanted.iter().take_while(|it| !taken.contains_key(&it.key));
    let free: Vec<&Address> = free.copied().collect();
    let _tells_neighbours = duplicates::announcing(&links, &free)?;
    let (requests, unknown) = requests(&links, &free);
    let known = requests.len();
    let mut outcomes = send_additions(host, &free, requests).await?;
    duplicates::settle(host, &links, &free, &mut outcomes).await?;
    announce(&links, &free, &outcomes).await;
    // What stands in the way of the next one, when all before it went well.
    if outcomes.len() == known && !outcomes.iter().any(stops) {
        let next = wanted.get(known);
        let owned = next.and_then(|it| Some(taken_by(it, taken.get(&it.key)?)));
        outcomes.extend(unknown.or(owned).map(Outcome::Failed));
    }
    Ok(outcomes)
}

/// Nothing more is sent after a window in which something failed.
async fn send_additions(
    host: &mut LinuxHost,
    wanted: &[&Address],
    requests: Vec<Request>,
) -> Result<Vec<Outcome>, HostError> {
    let mut outcomes = Vec::with_capacity(requests.len());
    let mut requests = requests.into_iter().peekable();
    let mut addresses = wanted.iter();
    while requests.peek().is_some() && !outcomes.iter().any(stops) {
        let window = requests.by_ref().take(WINDOW).collect();
        for reply in host.rtnl()?.change(window).await {
            if let Some(address) = addresses.next() {
                outcomes.push(added(host, address, reply).await);
            }
        }
    }
    Ok(outcomes)
}

fn taken_by(address: &Address, owner: &str) -> HostError {
    let action = format!("cannot add address {}", address.key);
    HostError::new(action, format!("the machine with MAC {owner} has it"))
}

/// One request per address, up to the first whose interface does not exist.
fn requests(links: &Links, wanted: &[&Address]) -> (Vec<Request>, Option<HostError>) {
    let mut requests = Vec::with_capacity(wanted.len());
    for address in wanted {
        let action = format!("cannot add address {}", address.key);
        match links.require(&address.key.interface, &action) {
            Err(error) => return (requests, Some(error)),
            Ok(link) => requests.push(Request {
                message: RouteNetlinkMessage::NewAddress(full_message(address, link.index)),
                flags: NLM_F_CREATE | NLM_F_EXCL,
            }),
        }
    }
    (requests, None)
}

/// With the broadcast address that the prefix implies, as ip-address(8) makes it; a prefix of 31 or 32 has none.
fn full_message(address: &Address, index: u32) -> AddressMessage {
    let mut message = bare_message(&address.key, index);
    if let Some(label) = &address.label {
        message
            .attributes
            .push(AddressAttribute::Label(label.clone()));
    }
    let maker = address.theirs.0.unwrap_or(ADDRESS_PROTOCOL);
    if maker != 0 {
        let maker = AddressProtocol::from(maker);
        message.attributes.push(AddressAttribute::Protocol(maker));
    }
    message
}

fn bare_message(key: &AddressKey, index: u32) -> AddressMessage {
    match key.address {
        IpAddr::V4(address) => AddressMessageBuilder::<std::net::Ipv4Addr>::new()
            .index(index)
            .address(address, key.prefix)
            .build(),
        IpAddr::V6(address) => AddressMessageBuilder::<std::net::Ipv6Addr>::new()
            .index(index)
            .address(address, key.prefix)
            .build(),
    }
}

async fn added(host: &mut LinuxHost, address: &Address, reply: Reply) -> Outcome {
    let action = format!("cannot add address {}", address.key);
    match reply {
        Reply::Done => Outcome::Done,
        Reply::Lost => Outcome::Unknown,
        Reply::Refused(refusal) if refusal.errno == libc::EEXIST => {
            match judge_existing(host, address, &refusal).await {
                Ok(()) => Outcome::AlreadySo,
                Err(reason) => Outcome::Failed(HostError::new(action, reason)),
            }
        }
        Reply::Refused(refusal) => Outcome::Failed(HostError::new(action, refusal)),
    }
}

/// Somebody was faster; what counts is whether it is what we want.
async fn judge_existing(
    host: &mut LinuxHost,
    address: &Address,
    refusal: &Refusal,
) -> Result<(), String> {
    let links = host.links().await.map_err(|error| error.to_string())?;
    let found = read(host).await.map_err(|error| error.to_string())?;
    let link = links.named(&address.key.interface);
    let existing = link.and_then(|link| found.iter().find(|it| it.is(&address.key, link.index)));
    match existing {
        Some(it) if it.is_duplicate() => {
            Err("it is there, but another machine has it too".to_owned())
        }
        Some(it) if address.label.is_none() || it.label == address.label => Ok(()),
        Some(it) => Err(format!(
            "it exists with label {}",
            it.label.as_deref().unwrap_or_default().escape_debug()
        )),
        None => Err(refusal.to_string()),
    }
}

/// Those that were really added, so that switches and neighbours send to us from now on.
async fn announce(links: &Links, added: &[&Address], outcomes: &[Outcome]) {
    let done = added.iter().zip(outcomes);
    let done = done.filter(|(_, outcome)| matches!(outcome, Outcome::Done));
    duplicates::announce(links, done.map(|(address, _)| *address)).await;
}

async fn remove(host: &mut LinuxHost, deltas: &[&Delta<Address>]) -> Vec<Outcome> {
    match try_to_remove(host, deltas).await {
        Ok(outcomes) => outcomes,
        Err(error) => vec![Outcome::Failed(error)],
    }
}

async fn try_to_remove(
    host: &mut LinuxHost,
    deltas: &[&Delta<Address>],
) -> Result<Vec<Outcome>, HostError> {
    let links = host.links().await?;
    let found = read(host).await?;
    let keys: Vec<&AddressKey> = deltas.iter().map(|delta| &delta.subject().key).collect();
    let _secondaries_survive = promote_secondaries(&links, &found, &keys)?;
    let mut outcomes = Vec::with_capacity(keys.len());
    for window in keys.chunks(WINDOW) {
        outcomes.extend(remove_window(host, &links, window).await?);
        if outcomes.iter().any(stops) {
            break;
        }
    }
    Ok(outcomes)
}

async fn remove_window(
    host: &mut LinuxHost,
    links: &Links,
    keys: &[&AddressKey],
) -> Result<Vec<Outcome>, HostError> {
    // With its interface gone, an address is gone.
    let index_of = |key: &AddressKey| links.named(&key.interface).map(|link| link.index);
    let request = |key: &&AddressKey| {
        let message = RouteNetlinkMessage::DelAddress(bare_message(key, index_of(key)?));
        Some(Request { message, flags: 0 })
    };
    let requests = keys.iter().filter_map(request).collect();
    let mut replies = host.rtnl()?.change(requests).await.into_iter();
    let outcome = |key: &&AddressKey| match index_of(key) {
        Some(_) => removed(key, &replies.next().unwrap_or(Reply::Lost)),
        None => Outcome::AlreadySo,
    };
    Ok(keys.iter().map(outcome).collect())
}

/// With its primary address the kernel removes all secondary ones of the same network, unless told to promote one of
/// them (Documentation/networking/ip-sysctl.rst). They are VIPs as often as not.
fn promote_secondaries(
    links: &Links,
    found: &[Found],
    keys: &[&AddressKey],
) -> Result<Vec<Meanwhile>, HostError> {
    let mut interfaces = BTreeSet::new();
    for key in keys.iter().filter(|key| key.address.is_ipv4()) {
        let Some(link) = links.named(&key.interface) else {
            continue;
        };
        let primary = found
            .iter()
            .any(|it| it.is(key, link.index) && !it.is_secondary());
        let shadowed = found
            .iter()
            .any(|it| it.index == link.index && it.is_secondary());
        if primary && shadowed {
            interfaces.insert(&link.name);
        }
    }
    let mut meanwhile = Vec::new();
    for name in interfaces {
        let path = format!("net/ipv4/conf/{name}/promote_secondaries");
        meanwhile.extend(Meanwhile::on(path)?);
    }
    Ok(meanwhile)
}

fn removed(key: &AddressKey, reply: &Reply) -> Outcome {
    const GONE: [i32; 3] = [libc::EADDRNOTAVAIL, libc::ENOENT, libc::ENODEV];
    match reply {
        Reply::Done => Outcome::Done,
        Reply::Lost => Outcome::Unknown,
        Reply::Refused(refusal) if GONE.contains(&refusal.errno) => Outcome::AlreadySo,
        Reply::Refused(refusal) => {
            let action = format!("cannot remove address {key}");
            Outcome::Failed(HostError::new(action, refusal))
        }
    }
}
