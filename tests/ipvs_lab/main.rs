//! The IPVS layer against a real kernel. Needs root and IPVS: `tests/lab/enter BINARY --ignored`.
//! Every test has a network namespace of its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lvs_reconcile::ipvs::{
    Client, Command, Destination, Error, Family, Forwarding, Persistence, Protocol, ReadOptions,
    Refusal, Service, ServiceId, Table, Timeouts, Tunnel, TunnelChecksum,
};
use nix::sched::{CloneFlags, unshare};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

mod churn;
mod cost;
mod kinds;
mod outcomes;

const UNCONFIRMED: ReadOptions = ReadOptions {
    confirm: false,
    old_interface: true,
};
const NETLINK_ONLY: ReadOptions = ReadOptions {
    confirm: true,
    old_interface: false,
};

/// A client in a new network namespace, in which the thread stays.
fn fresh() -> Client {
    unshare(CloneFlags::CLONE_NEWNET).expect("needs root");
    run("ip", &["link", "set", "lo", "up"]);
    Client::open().expect("needs IPVS")
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

fn at(protocol: Protocol, address: &str, port: u16) -> ServiceId {
    ServiceId::Address {
        protocol,
        address: address.parse().unwrap(),
        port,
    }
}

fn tcp4(number: u32) -> ServiceId {
    ServiceId::Address {
        protocol: Protocol::Tcp,
        address: Ipv4Addr::from(0x0a00_0000 + number).into(),
        port: 80,
    }
}

fn tcp6(number: u32) -> ServiceId {
    ServiceId::Address {
        protocol: Protocol::Tcp,
        address: Ipv6Addr::from((0xfd00_u128 << 112) + u128::from(number)).into(),
        port: 80,
    }
}

fn service(id: ServiceId, scheduler: &str) -> Service {
    Service::new(id, scheduler.parse().unwrap())
}

fn real(address: &str, forwarding: Forwarding) -> Destination {
    Destination::new(address.parse().unwrap(), 8080, forwarding, 3)
}

fn masquerade(address: IpAddr) -> Destination {
    Destination::new(address, 80, Forwarding::Masquerade, 1)
}

fn all_done(outcomes: &[Result<(), Refusal>]) {
    let bad: Vec<_> = outcomes.iter().filter(|o| o.is_err()).take(5).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

fn commands(table: &[(Service, Vec<Destination>)]) -> Vec<Command> {
    let mut commands = Vec::new();
    for (service, destinations) in table {
        commands.push(Command::NewService(*service));
        let add = |d: &Destination| Command::NewDestination(service.id, *d);
        commands.extend(destinations.iter().map(add));
    }
    commands
}

fn read(client: &mut Client) -> Table {
    client.read(&mut std::iter::empty()).unwrap()
}
