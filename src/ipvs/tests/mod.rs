//! Tests without a kernel. Those with one are in `tests/ipvs_lab.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod captured;
mod parts;
mod properties;

use super::{Destination, Family, Forwarding, Persistence, Protocol, Service, ServiceId, Tunnel};
use super::{TunnelChecksum, wire};

const TEXT: &str = include_str!("../captured/messages.txt");

/// Captured datagrams of this name. Made on Linux 6.1.0-48-amd64 with ipvsadm 1.31: requests by nlmon, the rest as
/// a socket got it.
fn datagrams(name: &str) -> Vec<Vec<u8>> {
    let named = TEXT.lines().filter_map(|line| line.split_once(' '));
    let wanted = named.filter(|(its, _)| *its == name);
    let list: Vec<_> = wanted.map(|(_, hex)| unhex(hex)).collect();
    assert!(!list.is_empty(), "nothing captured as {name}");
    list
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The attributes of every message of these datagrams, without the closing one.
fn bodies(datagrams: &[Vec<u8>]) -> Vec<&[u8]> {
    let messages = datagrams.iter().flat_map(|d| wire::Messages(d));
    let kept = messages.map(Result::unwrap).filter(|(h, _)| h.kind > 15);
    kept.map(|(_, payload)| wire::generic_body(payload).unwrap())
        .collect()
}

fn id(protocol: Protocol, address: &str, port: u16) -> ServiceId {
    let address = address.parse().unwrap();
    ServiceId::Address {
        protocol,
        address,
        port,
    }
}

const fn mark(family: Family) -> ServiceId {
    ServiceId::FirewallMark { family, mark: 7 }
}

fn service(id: ServiceId, scheduler: &str) -> Service {
    Service::new(id, scheduler.parse().unwrap())
}

fn persistent(service: Service, timeout_seconds: u32, prefix: u8) -> Service {
    let persistence = Some(Persistence {
        timeout_seconds,
        prefix,
    });
    Service {
        persistence,
        ..service
    }
}

fn destination(address: &str, port: u16, forwarding: Forwarding, weight: u32) -> Destination {
    Destination::new(address.parse().unwrap(), port, forwarding, weight)
}

const fn gue(port: u16, checksum: TunnelChecksum) -> Forwarding {
    Forwarding::Tunnel(Tunnel::Gue { port, checksum })
}

const GRE: Forwarding = Forwarding::Tunnel(Tunnel::Gre {
    checksum: TunnelChecksum::Outer,
});
const IPIP: Forwarding = Forwarding::Tunnel(Tunnel::Ipip);
