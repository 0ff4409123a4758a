//! What is written comes back, of every kind.

use super::*;

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
