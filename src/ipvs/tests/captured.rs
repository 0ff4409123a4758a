//! What ipvsadm and the kernel really say.

use super::super::counters::{parse_counters, parse_destination_counters};
use super::super::destination::parse_destination;
use super::super::members::{Members, members};
use super::super::service::{Flaw, parse_service};
use super::super::wire::{self, Attributes, Messages};
use super::super::{Command, Counters, Timeouts};
use super::*;
use std::collections::BTreeMap;

/// Attributes by their path; nests (of services and destinations) are entered.
fn flat(bytes: &[u8], nests: bool) -> BTreeMap<(u16, u16), Vec<u8>> {
    let mut all = BTreeMap::new();
    for item in Attributes(bytes) {
        let (outer, value) = item.unwrap();
        if !nests {
            all.insert((0, outer), value.to_vec());
            continue;
        }
        let inner = Attributes(value).map(Result::unwrap);
        all.extend(inner.map(|(kind, value)| ((outer, kind), value.to_vec())));
    }
    all
}

/// All that we send is what ipvsadm sends; of destinations it repeats the service, and it sends idle tunnel fields.
fn says_what_ipvsadm_says(name: &str, command: Command) {
    let captured = datagrams(&format!("request:{name}"));
    let nests = !matches!(command, Command::SetTimeouts(_));
    let (header, payload) = Messages(&captured[0]).next().unwrap().unwrap();
    assert_eq!(payload[0], command.number(), "{name}");
    assert_eq!(header.flags & 1, 1, "{name}");
    let theirs = flat(wire::generic_body(payload).unwrap(), nests);
    let mut body = Vec::new();
    command.encode(&mut body);
    let ours = flat(&body, nests);
    for (path, value) in &ours {
        assert_eq!(theirs.get(path), Some(value), "{name}, attribute {path:?}");
    }
    let is_destination = matches!(
        command,
        Command::NewDestination(..) | Command::SetDestination(..)
    );
    let unsaid = theirs.iter().filter(|(path, _)| !ours.contains_key(path));
    for ((outer, kind), value) in unsaid {
        let idle_tunnel = *outer == 2 && (13..=15).contains(kind) && value.iter().all(|b| *b == 0);
        let no_engine = *outer == 1 && *kind == 11 && value.iter().all(|b| *b == 0);
        assert!(
            is_destination && *outer == 1 || idle_tunnel || no_engine,
            "{name}: {outer} {kind}"
        );
    }
}

fn tcp() -> Service {
    persistent(service(id(Protocol::Tcp, "10.9.0.1", 80), "wrr"), 50, 24)
}

fn udp() -> Service {
    let plain = service(id(Protocol::Udp, "10.9.0.1", 53), "sh");
    Service {
        one_packet: true,
        scheduler_flags: 0b011,
        ..plain
    }
}

fn sip() -> Service {
    let plain = persistent(service(id(Protocol::Udp, "10.9.0.1", 5060), "rr"), 300, 0);
    Service {
        engine: Some("sip".parse().unwrap()),
        ..plain
    }
}

fn sctp() -> Service {
    service(id(Protocol::Sctp, "10.9.0.1", 9), "nq")
}

fn v6() -> Service {
    let plain = persistent(service(id(Protocol::Tcp, "fd00::1", 443), "mh"), 600, 64);
    Service {
        scheduler_flags: 0b001,
        ..plain
    }
}

fn limited(weight: u32) -> Destination {
    Destination {
        upper_threshold: 100,
        lower_threshold: 50,
        ..destination("192.168.1.1", 8080, Forwarding::Masquerade, weight)
    }
}

#[test]
fn services_are_written_as_ipvsadm_writes_them() {
    let first = Service {
        scheduler: "wlc".parse().unwrap(),
        ..tcp()
    };
    for (name, service) in [
        ("service-tcp-persistent", first),
        ("service-udp-ops", udp()),
        ("service-udp-sip", sip()),
        ("service-sctp", sctp()),
        ("service-v6", v6()),
        ("service-mark", service(mark(Family::V4), "wrr")),
        ("service-mark-v6", service(mark(Family::V6), "wrr")),
    ] {
        says_what_ipvsadm_says(name, Command::NewService(service));
    }
    says_what_ipvsadm_says("edit-service", Command::SetService(tcp()));
}

#[test]
fn destinations_are_written_as_ipvsadm_writes_them() {
    use TunnelChecksum::{None, Remote};
    let marked = mark(Family::V4);
    for (name, id, destination) in [
        ("dest-masq", tcp().id, limited(3)),
        (
            "dest-route",
            tcp().id,
            destination("192.168.1.2", 80, Forwarding::DirectRouting, 0),
        ),
        (
            "dest-ipip",
            marked,
            destination("192.168.1.5", 8080, IPIP, 3),
        ),
        (
            "dest-gue",
            marked,
            destination("192.168.1.6", 8080, gue(6080, None), 3),
        ),
        (
            "dest-gue-remote",
            marked,
            destination("192.168.1.7", 8080, gue(6081, Remote), 3),
        ),
        ("dest-gre", marked, destination("192.168.1.8", 8080, GRE, 3)),
        (
            "dest-v6",
            v6().id,
            destination("fd00::1:1", 8080, Forwarding::Masquerade, 3),
        ),
        // ipvsadm replaces the port of a destination that is not masqueraded by the service's.
        ("dest-mixed", sctp().id, destination("fd00::9", 9, IPIP, 3)),
    ] {
        says_what_ipvsadm_says(name, Command::NewDestination(id, destination));
    }
    says_what_ipvsadm_says("edit-dest", Command::SetDestination(tcp().id, limited(9)));
}

#[test]
fn timeouts_are_written_as_ipvsadm_writes_them() {
    let timeouts = Timeouts {
        tcp: 600,
        tcp_fin: 60,
        udp: 120,
    };
    says_what_ipvsadm_says("timeouts", Command::SetTimeouts(timeouts));
}

/// The values of one attribute in all messages.
fn values(name: &str, wanted: u16) -> Vec<Vec<u8>> {
    let captured = datagrams(name);
    let items = bodies(&captured)
        .into_iter()
        .flat_map(Attributes)
        .map(Result::unwrap);
    items
        .filter(|(kind, _)| *kind == wanted)
        .map(|(_, value)| value.to_vec())
        .collect()
}

#[test]
fn the_kernels_services_are_read() {
    let read = |value: Vec<u8>| parse_service(&value).unwrap();
    let mut services: Vec<_> = values("services", 1).into_iter().map(read).collect();
    services.sort_by_key(|service| service.id);
    let marks = [mark(Family::V4), mark(Family::V6)].map(|id| service(id, "wrr"));
    assert_eq!(
        services,
        [&[tcp(), v6(), udp(), sip(), sctp()], marks.as_slice()].concat()
    );
    assert_eq!(parse_service(&values("get-service", 1)[0]), Ok(tcp()));
}

#[test]
fn the_kernels_destinations_are_read() {
    use TunnelChecksum::{None, Remote};
    let read = |name: &str, id| -> Vec<_> {
        let parsed = |value: Vec<u8>| parse_destination(&value, id).unwrap();
        values(name, 2).into_iter().map(parsed).collect()
    };
    // Newest first.
    let routed = destination("192.168.1.2", 80, Forwarding::DirectRouting, 0);
    assert_eq!(read("dests:tcp", tcp().id), [routed, limited(9)]);
    let tunnels = [
        destination("192.168.1.8", 8080, GRE, 3),
        destination("192.168.1.7", 8080, gue(6081, Remote), 3),
        destination("192.168.1.6", 8080, gue(6080, None), 3),
        destination("192.168.1.5", 8080, IPIP, 3),
    ];
    assert_eq!(read("dests:mark", mark(Family::V4)), tunnels);
    let six = destination("fd00::1:1", 8080, Forwarding::Masquerade, 3);
    assert_eq!(read("dests:v6", v6().id), [six]);
    let mixed = destination("fd00::9", 9, IPIP, 3);
    assert_eq!(read("dests:sctp", sctp().id), [mixed]);
    assert_eq!(read("dests:none", id(Protocol::Tcp, "10.9.0.1", 81)), []);
}

#[test]
fn counters_of_a_new_table_are_zero() {
    assert_eq!(
        parse_counters(&values("get-service", 1)[0]),
        Ok(Counters::default())
    );
    for value in values("dests:tcp", 2) {
        assert_eq!(parse_destination_counters(&value), Ok(Counters::default()));
    }
}

#[test]
fn verdicts_are_read_with_and_without_echo_and_text() {
    for kind in ["plain", "ext", "ext-cap"] {
        let verdict = |name: &str| {
            let captured = datagrams(&format!("error:{kind}:{name}"));
            let (header, payload) = Messages(&captured[0]).next().unwrap().unwrap();
            wire::verdict(header.flags, payload).unwrap()
        };
        assert_eq!(verdict("ack"), (0, None), "{kind}");
        assert_eq!(verdict("esrch"), (libc::ESRCH, None), "{kind}");
        let text = (kind != "plain").then(|| "Attribute failed policy validation".to_owned());
        assert_eq!(verdict("text"), (libc::ERANGE, text), "{kind}");
    }
}

#[test]
fn what_is_cut_short_is_an_error_and_never_something_else() {
    for line in super::TEXT.lines() {
        let whole = unhex(line.split_once(' ').unwrap().1);
        let messages = Messages(&whole).count();
        for length in 1..whole.len() {
            let cut: Vec<_> = Messages(&whole[..length]).collect();
            assert!(
                cut.len() <= messages && (cut.len() < messages || cut.last().unwrap().is_err())
            );
        }
    }
    for value in values("services", 1) {
        let whole = parse_service(&value);
        for length in 0..value.len() {
            let cut = parse_service(&value[..length]);
            assert!(
                cut == whole || matches!(cut, Err(Flaw::Malformed(_))),
                "{length}"
            );
        }
    }
    for value in values("dests:mark", 2) {
        let whole = parse_destination(&value, mark(Family::V4));
        for length in 0..value.len() {
            let cut = parse_destination(&value[..length], mark(Family::V4));
            assert!(
                cut == whole || matches!(cut, Err(Flaw::Malformed(_))),
                "{length}"
            );
        }
    }
}

#[test]
fn the_member_file_is_read() {
    let text = include_str!("../captured/proc_net_ip_vs.txt");
    let ids = [v6().id, sctp().id, mark(Family::V4), mark(Family::V6)];
    let mut sorted = ids;
    sorted.sort_unstable();
    let key = |address: &str, port| (address.parse().unwrap(), port);
    let marked = [5, 6, 7, 8].map(|n| key(&format!("192.168.1.{n}"), 8080));
    let want = Members::from([
        (v6().id, vec![key("fd00::1:1", 8080)]),
        (sctp().id, vec![key("fd00::9", 9)]),
        (mark(Family::V4), marked.to_vec()),
    ]);
    assert_eq!(members(text.as_bytes(), &sorted).unwrap(), want);
    assert!(
        members(&b"TCP  0A090001:0050 rr\n  -> here\n"[..], &[])
            .unwrap()
            .is_empty()
    );
    let unclear = members(&b"SCTP  0A090001:0009 rr\n  -> here\n"[..], &sorted);
    assert!(unclear.unwrap_err().to_string().contains("-> here"));
}
