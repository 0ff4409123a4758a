//! Small parts: names, batches, replies, refusals, doubt.

use super::super::batch::{Batch, Target};
use super::super::lists::{Doubt, Reading};
use super::super::members::Members;
use super::super::netlink::{Gap, Reply, deliver};
use super::super::sockopt::layout;
use super::super::wire::{self, Header, Messages, get_u32};
use super::super::{Command, Name, NameError, Refusal};
use super::*;

#[test]
fn names_are_short_and_printable() {
    assert_eq!("wlc".parse::<Name>().unwrap().to_string(), "wlc");
    assert_eq!(
        "abcdefghijklmno".parse::<Name>().unwrap().as_str().len(),
        15
    );
    for bad in ["", "abcdefghijklmnop", "w lc", "wlc\0", "wlc\n", "é"] {
        assert_eq!(bad.parse::<Name>(), Err(NameError), "{bad:?}");
    }
}

#[test]
fn identities_are_shown_as_an_operator_writes_them() {
    assert_eq!(
        id(Protocol::Tcp, "192.0.2.10", 80).to_string(),
        "tcp 192.0.2.10:80"
    );
    assert_eq!(
        id(Protocol::Udp, "fd00::1", 53).to_string(),
        "udp [fd00::1]:53"
    );
    assert_eq!(mark(Family::V4).to_string(), "fwmark 7");
    assert_eq!(mark(Family::V6).to_string(), "fwmark 7 IPv6");
    let real = destination("10.0.0.2", 80, Forwarding::Masquerade, 1);
    let add = Command::NewDestination(id(Protocol::Tcp, "192.0.2.10", 80), real);
    assert_eq!(
        add.to_string(),
        "add destination tcp 192.0.2.10:80 → 10.0.0.2:80"
    );
}

#[test]
fn types_are_small() {
    assert!(size_of::<Service>() <= 80, "{}", size_of::<Service>());
    assert!(
        size_of::<Destination>() <= 40,
        "{}",
        size_of::<Destination>()
    );
}

#[test]
#[cfg(target_pointer_width = "64")]
fn layouts_are_those_of_the_kernel() {
    assert_eq!(size_of::<layout::Service>(), 104);
    assert_eq!(size_of::<layout::Destination>(), 96);
    assert_eq!(std::mem::offset_of!(layout::Services, entries), 8);
    assert_eq!(std::mem::offset_of!(layout::Destinations, entries), 24);
}

/// The longest command there is.
fn longest() -> Command {
    let name = || "abcdefghijklmno".parse().unwrap();
    let id = id(Protocol::Tcp, "fd00::1", 443);
    let service = Service {
        engine: Some(name()),
        ..persistent(Service::new(id, name()), 1, 64)
    };
    let real = destination("fd00::2", 443, gue(6080, TunnelChecksum::Remote), 1);
    let length = |command: &Command| {
        let mut body = Vec::new();
        command.encode(&mut body);
        body.len()
    };
    let all = [
        Command::NewService(service),
        Command::NewDestination(id, real),
    ];
    all.into_iter().max_by_key(length).unwrap()
}

#[test]
fn a_batch_is_bounded_numbered_and_asks_for_one_acknowledgement() {
    let mut batch = Batch::default();
    let target = Target {
        family: 32,
        command: 5,
    };
    while !batch.is_full() {
        batch.push(target, |out| longest().encode(out));
    }
    assert_eq!(batch.count(), 64);
    batch.seal(u32::MAX - 9);
    assert!(batch.bytes().len() <= 32 << 10);
    let headers: Vec<_> = Messages(batch.bytes()).map(|m| m.unwrap().0).collect();
    for (number, header) in headers.iter().enumerate() {
        assert_eq!(header.sequence, (u32::MAX - 9).wrapping_add(number as u32));
        assert_eq!(header.flags, if number == 63 { 5 } else { 1 });
        assert_eq!(header.kind, 32);
    }
    batch.clear();
    assert_eq!(batch.count(), 0);
}

/// An error or acknowledgement as the kernel sends it with NETLINK_CAP_ACK.
fn verdict(sequence: u32, errno: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&36_u32.to_ne_bytes());
    bytes.extend_from_slice(&[2, 0, 0, 1]);
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(-errno).to_ne_bytes());
    bytes.extend_from_slice(&[0; 16]);
    bytes
}

#[test]
fn replies_go_to_their_request_and_strangers_to_nobody() {
    let mut seen = Vec::new();
    let mut take = |index, reply: Reply<'_>| {
        let Reply::Refused(errno, text) = reply else {
            panic!("{reply:?}")
        };
        seen.push((index, errno, text));
    };
    let datagram = [verdict(9, 17), verdict(12, 3), verdict(13, 1)].concat();
    assert!(
        deliver(&datagram, 10, 3, &mut take).unwrap(),
        "12 is the last"
    );
    assert!(deliver(&verdict(12, 0), 10, 3, &mut take).unwrap());
    assert_eq!(seen, [(2, 3, None)]);
}

#[test]
fn an_overrun_is_a_gap() {
    let mut out = Vec::new();
    let header = Header {
        kind: 4,
        flags: 0,
        sequence: 1,
    };
    wire::message(&mut out, header, 0, |_| {});
    let gap = deliver(&out, 1, 1, &mut |_, _| {}).unwrap_err();
    assert!(matches!(gap, Gap::Failed(e) if e.raw_os_error() == Some(libc::ENOBUFS)));
}

#[test]
fn what_the_kernel_would_misread_is_not_sent() {
    let plain = service(id(Protocol::Tcp, "10.0.0.1", 80), "rr");
    let zero = ServiceId::FirewallMark {
        family: Family::V4,
        mark: 0,
    };
    let real = destination("10.0.0.2", 80, Forwarding::Masquerade, 1);
    let bad = [
        Command::DeleteService(zero),
        Command::NewService(Service::new(zero, plain.scheduler)),
        Command::DeleteDestination(zero, real.address, 80),
        Command::NewService(persistent(plain, 60, 33)),
        Command::SetService(persistent(service(mark(Family::V6), "rr"), 60, 0)),
        Command::SetService(Service {
            scheduler_flags: 8,
            ..plain
        }),
        Command::NewDestination(
            plain.id,
            Destination {
                weight: 1 << 31,
                ..real
            },
        ),
        Command::NewDestination(
            plain.id,
            Destination {
                lower_threshold: 1,
                ..real
            },
        ),
        Command::SetDestination(
            plain.id,
            Destination {
                forwarding: gue(0, TunnelChecksum::None),
                ..real
            },
        ),
    ];
    for command in bad {
        assert!(command.check().is_err(), "{command}");
    }
    for command in [
        Command::NewService(persistent(plain, 60, 0)),
        Command::NewDestination(plain.id, real),
    ] {
        assert_eq!(command.check(), Ok(()), "{command}");
    }
}

#[test]
fn the_same_number_means_different_things() {
    let engine = Some("sip".parse().unwrap());
    let plain = service(id(Protocol::Udp, "10.0.0.1", 53), "rr");
    let real = destination("10.0.0.2", 80, Forwarding::Masquerade, 1);
    let refused = Refusal::Kernel {
        errno: libc::ENOENT,
        message: Some("why".to_owned()),
    };
    let new = Command::NewService(Service { engine, ..plain });
    assert!(
        refused.explain(&new).contains("ip_vs_pe_sip) (why)"),
        "{}",
        refused.explain(&new)
    );
    let edit = Command::SetDestination(plain.id, real);
    assert_eq!(
        refused.explain(&edit),
        "there is no such destination in the service (why)"
    );
    assert_eq!(
        refused.to_string(),
        "No such file or directory (os error 2) (why)"
    );
    assert_eq!(Refusal::NotAttempted.explain(&edit), "not attempted");
    let odd = Refusal::Kernel {
        errno: libc::EIO,
        message: None,
    };
    assert_eq!(odd.explain(&edit), odd.to_string());
}

#[test]
fn doubt_ends_when_every_member_was_seen() {
    let id = id(Protocol::Tcp, "fd00::1", 443);
    let real = |n: u16| destination(&format!("fd00::{n}"), 443, Forwarding::Masquerade, 1);
    let doubt = || {
        let mut seen = Reading::default();
        seen.list.extend([real(2), real(3)]);
        Doubt::new(id, seen)
    };
    let members =
        |list: &[u16]| Members::from([(id, list.iter().map(|n| real(*n).key()).collect())]);
    assert!(
        doubt().judged_by(Some(&members(&[2, 3, 4]))).is_err(),
        "4 was missed"
    );
    assert!(
        doubt().judged_by(Some(&Members::new())).is_err(),
        "the service was missed"
    );
    assert!(doubt().judged_by(None).is_err(), "one reading is not two");
    let settled = doubt().judged_by(Some(&members(&[3]))).unwrap();
    assert_eq!(settled.seen.list, [real(3)], "2 has gone");
}

#[test]
fn a_counter_is_read_in_both_widths() {
    assert_eq!(wire::get_counter(&7_u32.to_ne_bytes()), Ok(7));
    assert_eq!(wire::get_counter(&(1_u64 << 40).to_ne_bytes()), Ok(1 << 40));
    assert!(wire::get_counter(&[1]).is_err());
    assert!(get_u32(&[1, 2, 3]).is_err());
}
