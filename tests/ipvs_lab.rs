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

/// One of every kind.
fn zoo() -> Vec<(Service, Vec<Destination>)> {
    let gue = |checksum| {
        Forwarding::Tunnel(Tunnel::Gue {
            port: 6080,
            checksum,
        })
    };
    let gre = |checksum| Forwarding::Tunnel(Tunnel::Gre { checksum });
    let ipip = Forwarding::Tunnel(Tunnel::Ipip);
    let mut limited = real("192.168.1.1", Forwarding::Masquerade);
    (limited.upper_threshold, limited.lower_threshold) = (100, 50);
    let plain = vec![
        limited,
        real("192.168.1.2", Forwarding::DirectRouting),
        real("192.168.1.3", Forwarding::Bypass),
        real("192.168.1.4", Forwarding::Local),
        real("127.0.0.1", Forwarding::DirectRouting),
    ];
    let tunnels = vec![
        real("192.168.1.5", ipip),
        real("192.168.1.6", gue(TunnelChecksum::None)),
        real("192.168.1.7", gue(TunnelChecksum::Remote)),
        real("192.168.1.8", gre(TunnelChecksum::Outer)),
    ];
    let mixed = vec![
        real("192.168.1.9", Forwarding::DirectRouting),
        real("fd00::9", ipip),
    ];
    let six = vec![
        real("fd00::1:1", Forwarding::Masquerade),
        real("fd00::1:2", gre(TunnelChecksum::None)),
    ];
    let idle = Destination {
        weight: 0,
        ..real("192.168.1.1", Forwarding::DirectRouting)
    };

    let mut persistent = service(at(Protocol::Tcp, "10.9.0.1", 80), "wlc");
    persistent.persistence = Some(Persistence {
        timeout_seconds: 50,
        prefix: 24,
    });
    let mut one_packet = service(at(Protocol::Udp, "10.9.0.1", 53), "sh");
    (one_packet.one_packet, one_packet.scheduler_flags) = (true, 0b011);
    let mut sip = service(at(Protocol::Udp, "10.9.0.1", 5060), "rr");
    sip.persistence = Some(Persistence {
        timeout_seconds: 300,
        prefix: 0,
    });
    sip.engine = Some("sip".parse().unwrap());
    let mut six_persistent = service(at(Protocol::Tcp, "fd00::1", 443), "mh");
    six_persistent.persistence = Some(Persistence {
        timeout_seconds: 600,
        prefix: 64,
    });
    six_persistent.scheduler_flags = 0b101;
    let mark = |family| service(ServiceId::FirewallMark { family, mark: 7 }, "wrr");
    vec![
        (persistent, plain),
        (one_packet, vec![idle]),
        (sip, vec![]),
        (service(at(Protocol::Sctp, "10.9.0.1", 9), "nq"), mixed),
        (service(at(Protocol::Sctp, "fd00::1", 9), "none"), vec![]),
        (six_persistent, six),
        (mark(Family::V4), tunnels),
        (mark(Family::V6), vec![]),
    ]
}

fn sorted(mut table: Vec<(Service, Vec<Destination>)>) -> Table {
    table.sort_by_key(|(service, _)| service.id);
    for (_, destinations) in &mut table {
        destinations.sort_by_key(Destination::key);
    }
    Table {
        services: table,
        unreadable: Vec::new(),
    }
}

fn read(client: &mut Client) -> Table {
    client.read(&mut std::iter::empty()).unwrap()
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn every_kind_comes_back_as_it_went() {
    let mut client = fresh();
    all_done(&client.execute(&commands(&zoo())));
    let want = sorted(zoo());
    assert!(
        client.has_old_interface(),
        "the next reading would show nothing about it"
    );
    assert_eq!(read(&mut client), want);
    let by_netlink = client.read_with(&mut std::iter::empty(), NETLINK_ONLY);
    assert_eq!(by_netlink.unwrap(), want);
    let mut ids: Vec<_> = want.services.iter().map(|(s, _)| s.id).collect();
    ids.push(tcp4(1));
    assert_eq!(client.read_only(&ids).unwrap(), want);
    let seen: Vec<_> = client
        .counters()
        .unwrap()
        .into_iter()
        .map(|(id, ..)| id)
        .collect();
    assert_eq!(seen, ids[..ids.len() - 1]);
    let shown = run("ipvsadm", &["-Sn"]);
    for line in [
        "-A -t 10.9.0.1:80 -s wlc -p 50 -M 255.255.255.0",
        "-A -u 10.9.0.1:53 -s sh -o -b sh-fallback,sh-port",
        "-A -u 10.9.0.1:5060 -s rr -p 300 -M 0.0.0.0 --pe sip",
        "-A -t [fd00::1]:443 -s mh -p 600 -M 64 -b mh-fallback",
        "-a -f 7 -r 192.168.1.7:8080 -i -w 3 --tun-type gue --tun-port 6080 --tun-remcsum",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn edits_change_in_place_and_deletes_remove() {
    let mut client = fresh();
    let mut table = zoo();
    all_done(&client.execute(&commands(&table)));
    let mut edits = Vec::new();
    for (service, destinations) in &mut table {
        service.scheduler = "wrr".parse().unwrap();
        service.scheduler_flags = 0;
        service.engine = None;
        service.persistence = match service.persistence {
            Some(_) => None,
            None => Some(Persistence {
                timeout_seconds: 7,
                prefix: 17,
            }),
        };
        edits.push(Command::SetService(*service));
        for destination in destinations.iter_mut() {
            destination.weight = 0;
            (destination.upper_threshold, destination.lower_threshold) = (9, 4);
            edits.push(Command::SetDestination(service.id, *destination));
        }
    }
    all_done(&client.execute(&edits));
    assert_eq!(read(&mut client), sorted(table.clone()));
    let mut deletes = Vec::new();
    for (service, destinations) in &table {
        let delete = |d: &Destination| Command::DeleteDestination(service.id, d.address, d.port);
        deletes.extend(destinations.iter().map(delete));
        deletes.push(Command::DeleteService(service.id));
    }
    all_done(&client.execute(&deletes));
    assert_eq!(read(&mut client), Table::default());
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn timeouts_and_version() {
    let mut client = fresh();
    let set = |tcp| Timeouts {
        tcp,
        tcp_fin: 60,
        udp: 120,
    };
    all_done(&client.execute(&[Command::SetTimeouts(set(600)), Command::SetTimeouts(set(0))]));
    assert_eq!(client.timeouts().unwrap(), set(600));
    let version = client.info().unwrap();
    assert_eq!(version.ipvs, [1, 2, 1]);
    assert!(version.connection_table_size.is_power_of_two());
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn a_refusal_says_what_it_means_for_its_command() {
    let mut client = fresh();
    let known = service(tcp4(1), "rr");
    let nat = masquerade("192.168.1.1".parse().unwrap());
    all_done(&client.execute(&[
        Command::NewService(known),
        Command::NewDestination(known.id, nat),
    ]));
    let cross = masquerade("fd00::7".parse().unwrap());
    let multicast = masquerade("224.0.0.9".parse().unwrap());
    let cases = [
        (
            Command::NewService(known),
            libc::EEXIST,
            "the service exists already",
        ),
        (
            Command::NewService(service(tcp4(2), "nosuch")),
            libc::ENOENT,
            "no module for scheduler \"nosuch\"",
        ),
        (
            Command::SetService(service(tcp4(2), "rr")),
            libc::ESRCH,
            "no such service",
        ),
        (
            Command::DeleteService(tcp6(2)),
            libc::ESRCH,
            "no such service",
        ),
        (
            Command::NewDestination(known.id, nat),
            libc::EEXIST,
            "the destination exists already",
        ),
        (
            Command::NewDestination(tcp4(2), nat),
            libc::ESRCH,
            "no such service",
        ),
        (
            Command::DeleteDestination(known.id, nat.address, 81),
            libc::ENOENT,
            "no such destination",
        ),
        (
            Command::NewDestination(known.id, multicast),
            libc::EINVAL,
            "not unicast",
        ),
        (
            Command::NewDestination(known.id, cross),
            libc::EINVAL,
            "needs forwarding by tunnel",
        ),
    ];
    let sent: Vec<_> = cases.iter().map(|(command, ..)| *command).collect();
    for ((command, errno, text), outcome) in cases.iter().zip(client.execute(&sent)) {
        let refusal = outcome.expect_err(&command.to_string());
        assert_eq!(refusal.errno(), Some(*errno), "{command}: {refusal}");
        let explained = refusal.explain(command);
        assert!(explained.contains(text), "{command}: {explained}");
    }
    assert_eq!(read(&mut client).services, [(known, vec![nat])]);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn each_of_5000_pipelined_commands_has_its_own_outcome() {
    let mut client = fresh();
    let mut sent = Vec::new();
    for number in 0..5000_u32 {
        sent.push(match number % 7 {
            3 => Command::NewService(service(tcp4(number - 1), "rr")),
            5 => Command::DeleteDestination(tcp4(number - 1), [192, 168, 1, 1].into(), 80),
            6 => Command::NewService(service(
                ServiceId::FirewallMark {
                    family: Family::V4,
                    mark: 0,
                },
                "rr",
            )),
            _ => Command::NewService(service(tcp4(number), "rr")),
        });
    }
    let outcomes = client.execute(&sent);
    assert_eq!(outcomes.len(), 5000);
    for (number, outcome) in outcomes.iter().enumerate() {
        match (number % 7, outcome) {
            (3, Err(refusal)) => assert_eq!(refusal.errno(), Some(libc::EEXIST)),
            (5, Err(refusal)) => assert_eq!(refusal.errno(), Some(libc::ENOENT)),
            (6, outcome) => assert!(matches!(outcome, Err(Refusal::Invalid(_)))),
            (0 | 1 | 2 | 4, Ok(())) => {}
            (_, outcome) => panic!("{number}: {outcome:?}"),
        }
    }
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(read(&mut client).services.len(), done);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn until_error_stops_after_the_batch_and_tells_the_truth_about_it() {
    let mut client = fresh();
    let mut sent: Vec<_> = (0..300)
        .map(|n| Command::NewService(service(tcp4(n), "rr")))
        .collect();
    sent[70] = sent[69];
    let outcomes = client.execute_until_error(&sent);
    assert_eq!(
        outcomes[70].as_ref().unwrap_err().errno(),
        Some(libc::EEXIST)
    );
    assert!(outcomes[71..128].iter().all(Result::is_ok));
    assert!(
        outcomes[128..]
            .iter()
            .all(|o| *o == Err(Refusal::NotAttempted))
    );
    assert_eq!(read(&mut client).services.len(), 127);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn lost_answers_are_unknown_and_never_done() {
    let mut client = fresh();
    let sent: Vec<_> = (0..200).map(|n| Command::DeleteService(tcp4(n))).collect();
    client.shrink_receive_buffer(2304).unwrap();
    let start = Instant::now();
    let outcomes = client.execute(&sent);
    assert!(
        start.elapsed().as_secs() < 5,
        "it must not wait for what was thrown away"
    );
    assert!(
        outcomes[..64]
            .iter()
            .any(|o| matches!(o, Err(Refusal::Unknown(_)))),
        "{:?}",
        &outcomes[..3]
    );
    assert!(
        outcomes[..64].iter().all(Result::is_err),
        "nothing of it was done"
    );
    assert!(
        outcomes[64..]
            .iter()
            .all(|o| *o == Err(Refusal::NotAttempted))
    );
    client.shrink_receive_buffer(1 << 20).unwrap();
    let again = client.execute(&sent);
    assert!(
        again
            .iter()
            .all(|o| o.as_ref().unwrap_err().errno() == Some(libc::ESRCH))
    );
}

/// Adds a service by hand, with a protocol that our types do not have.
fn add_protocol_254() {
    let script = r#"
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
def attr(kind, value): return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)
def ask(family, command, body):
    s.send(struct.pack("=IHHIIBBH", 20 + len(body), family, 5, 1, 0, command, 1, 0) + body)
    return s.recv(65536)
reply = ask(16, 3, attr(2, b"IPVS\0"))
rest = reply[20:]
while rest:
    length, kind = struct.unpack_from("=HH", rest)
    if kind == 1: family, = struct.unpack_from("=H", rest, 4)
    rest = rest[(length + 3) // 4 * 4:]
s.recv(65536)
body = attr(1, struct.pack("=H", 2)) + attr(2, struct.pack("=H", 254)) + attr(3, bytes([10, 9, 9, 9]) + bytes(12)) + attr(4, struct.pack(">H", 80))
body += attr(6, b"rr\0") + attr(7, struct.pack("=II", 0, 0xffffffff)) + attr(8, bytes(4)) + attr(9, b"\xff" * 4)
assert struct.unpack_from("=i", ask(family, 1, attr(1 | 0x8000, body)), 16)[0] == 0
"#;
    run("python3", &["-c", script]);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn what_cannot_be_expressed_is_listed_and_the_rest_is_read() {
    let mut client = fresh();
    let plain = service(tcp4(1), "rr");
    all_done(&client.execute(&[Command::NewService(plain)]));
    add_protocol_254();
    run(
        "ipvsadm",
        &[
            "-A",
            "-t",
            "10.9.9.9:443",
            "-s",
            "rr",
            "-p",
            "60",
            "-M",
            "255.0.255.0",
        ],
    );
    for options in [ReadOptions::default(), NETLINK_ONLY] {
        let table = client
            .read_with(&mut [plain.id].into_iter(), options)
            .unwrap();
        assert_eq!(table.services, [(plain, vec![])]);
        assert_eq!(table.unreadable.len(), 2, "{:?}", table.unreadable);
        assert!(
            table.unreadable[0].contains("protocol 254 10.9.9.9:80"),
            "{:?}",
            table.unreadable
        );
        assert!(
            table.unreadable[1].contains("10.9.9.9:443: its netmask has holes"),
            "{:?}",
            table.unreadable
        );
    }
    assert_eq!(client.counters().unwrap().len(), 1);
}

/// Another process, as far as the kernel can tell: adds and deletes the given objects until told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Writer {
    /// Its socket belongs to the namespace of the calling thread.
    fn start(add: Vec<Command>, delete: Vec<Command>) -> Self {
        let mut client = Client::open().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut rounds = 0;
            while !stopped.load(Ordering::Relaxed) {
                all_done(&client.execute(&add));
                all_done(&client.execute(&delete));
                rounds += 1;
            }
            rounds
        });
        Self { stop, thread }
    }

    fn stop(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// 500 stable services of each family, even numbers; odd ones come and go.
fn churn() -> (Vec<(Service, Vec<Destination>)>, Writer, Client) {
    let mut client = fresh();
    let stable: Vec<_> = (0..500)
        .flat_map(|n| [tcp4(2 * n), tcp6(2 * n)])
        .map(|id| {
            let reals = (1..=2_u16).map(|n| {
                masquerade(match id.family() {
                    Family::V4 => Ipv4Addr::from(0xac10_0000 + u32::from(n)).into(),
                    Family::V6 => Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 0, n).into(),
                })
            });
            (service(id, "rr"), reals.collect())
        })
        .collect();
    all_done(&client.execute(&commands(&stable)));
    let moving: Vec<_> = (0..500)
        .flat_map(|n| [tcp4(2 * n + 1), tcp6(2 * n + 1)])
        .collect();
    let add = moving
        .iter()
        .map(|id| Command::NewService(service(*id, "rr")))
        .collect();
    let delete = moving
        .iter()
        .rev()
        .map(|id| Command::DeleteService(*id))
        .collect();
    (stable, Writer::start(add, delete), client)
}

/// How many stable services a reading lacks or shows with other destinations.
fn lost(table: &Table, stable: &[(Service, Vec<Destination>)]) -> usize {
    let seen: BTreeMap<_, _> = table.services.iter().map(|(s, d)| (s.id, (s, d))).collect();
    assert_eq!(
        seen.len(),
        table.services.len(),
        "a service is listed twice"
    );
    let differs = |(service, destinations): &&(Service, Vec<Destination>)| {
        seen.get(&service.id) != Some(&(service, destinations))
    };
    stable.iter().filter(differs).count()
}

fn read_under_churn(options: ReadOptions, readings: u32) -> u32 {
    let (stable, writer, mut client) = churn();
    let (mut bad, mut least, mut most) = (0, usize::MAX, 0);
    for _ in 0..readings {
        let mut wanted = stable.iter().map(|(service, _)| service.id);
        let table = client.read_with(&mut wanted, options).unwrap();
        bad += u32::from(lost(&table, &stable) > 0);
        (least, most) = (
            least.min(table.services.len()),
            most.max(table.services.len()),
        );
    }
    let rounds = writer.stop();
    println!(
        "{options:?}: {bad} of {readings} readings lost something; {rounds} rounds of the writer, {least} to {most} services seen"
    );
    assert!(
        rounds > 0 && most > stable.len(),
        "the writer did not get to write"
    );
    bad
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn nothing_stable_is_lost_while_another_process_writes() {
    assert_eq!(read_under_churn(ReadOptions::default(), 300), 0);
    assert_eq!(read_under_churn(NETLINK_ONLY, 100), 0);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn without_confirmation_something_is_lost() {
    assert!(read_under_churn(UNCONFIRMED, 100) > 0);
}

/// 150 stable destinations of one IPv6 service do not fit into one datagram; 60 others come and go.
fn destination_churn(options: ReadOptions) -> (u32, u32) {
    let mut client = fresh();
    let one = service(tcp6(1), "rr");
    let of = |n: u16| masquerade(Ipv6Addr::new(0xfd02, 0, 0, 0, 0, 0, 0, n).into());
    let stable: Vec<_> = (0..150).map(|n| of(2 * n + 2)).collect();
    all_done(&client.execute(&commands(&[(one, stable.clone())])));
    let add = (0..60)
        .map(|n| Command::NewDestination(one.id, of(2 * n + 1)))
        .collect();
    let delete = (0..60)
        .map(|n| Command::DeleteDestination(one.id, of(2 * n + 1).address, 80))
        .collect();
    let writer = Writer::start(add, delete);
    let (mut torn, mut bad) = (0, 0);
    for _ in 0..200 {
        match client.read_with(&mut [one.id].into_iter(), options) {
            Err(Error::Torn(_)) => torn += 1,
            Err(e) => panic!("{e}"),
            Ok(table) => {
                let seen = &table.services[0].1;
                bad += u32::from(stable.iter().any(|d| !seen.contains(d)));
            }
        }
    }
    let rounds = writer.stop();
    println!(
        "{options:?}: {bad} of 200 lost a destination, {torn} gave up; {rounds} rounds of the writer"
    );
    (bad, torn)
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn a_torn_list_of_destinations_is_never_taken_for_whole() {
    let (bad, _) = destination_churn(ReadOptions::default());
    assert_eq!(bad, 0);
    let (bad, _) = destination_churn(UNCONFIRMED);
    assert!(bad > 0, "the test shows nothing");
}

/// A figure of `/proc/self/status`, in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Prints what large tables cost; with `VM_ICOUNT=1` a nanosecond is an instruction.
#[test]
#[ignore = "a measurement: tests/lab/enter"]
fn cost_of_large_tables() {
    let mut client = fresh();
    // Loads the scheduler's module.
    all_done(&client.execute(&[
        Command::NewService(service(tcp4(20_000), "wlc")),
        Command::DeleteService(tcp4(20_000)),
    ]));
    let timed = |what: &str, start: Instant| {
        println!("COST {what} {:.1} ms", start.elapsed().as_secs_f64() * 1e3)
    };
    for id in [tcp4, tcp6] {
        let table: Vec<_> = (0..10_000)
            .map(|n| {
                let reals = (1..=4_u16).map(|r| {
                    masquerade(match id(n).family() {
                        Family::V4 => Ipv4Addr::from(0xac10_0000 + u32::from(r)).into(),
                        Family::V6 => Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 0, r).into(),
                    })
                });
                (service(id(n), "wlc"), reals.collect())
            })
            .collect();
        let sent = commands(&table);
        let start = Instant::now();
        all_done(&client.execute(&sent));
        timed("execute 50,000 commands", start);
    }
    let start = Instant::now();
    let mut wanted = (0..10_000).map(tcp4);
    let table = client.read(&mut wanted).unwrap();
    timed(
        "read 10,000 IPv4 and 10,000 IPv6 services with 4 destinations each",
        start,
    );
    assert_eq!(table.services.len(), 20_000);
    let sent: Vec<_> = (0..10_000)
        .map(|n| Command::DeleteService(tcp6(n)))
        .collect();
    all_done(&client.execute(&sent));
    drop(table);
    for options in [ReadOptions::default(), NETLINK_ONLY] {
        // From here on the high-water mark counts anew, and what was freed is given back.
        // SAFETY: it may be called at any time.
        unsafe { libc::malloc_trim(0) };
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory("VmRSS:");
        let start = Instant::now();
        let table = client
            .read_with(&mut (0..10_000).map(tcp4), options)
            .unwrap();
        timed(
            &format!("read 10,000 IPv4 services with 4 destinations each, {options:?}"),
            start,
        );
        assert_eq!(table.services.len(), 10_000);
        println!("COST at most {} KiB more memory", memory("VmHWM:") - before);
    }
    let start = Instant::now();
    client.read_only(&[tcp4(77)]).unwrap();
    timed("read one service of 10,000", start);
}
