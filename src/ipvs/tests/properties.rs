//! What must hold for any value and any bytes.

use super::super::destination::{parse_destination, put_destination};
use super::super::lists::is_whole;
use super::super::netlink::Extent;
use super::super::service::{parse_service, put_service};
use super::super::types::rank;
use super::super::wire::verdict;
use super::super::{Name, misread};
use super::*;
use proptest::prelude::*;
use std::net::IpAddr;

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from)
    ]
}

fn families() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::V4), Just(Family::V6)]
}

fn names() -> impl Strategy<Value = Name> {
    "[!-~]{1,15}".prop_map(|text| text.parse().unwrap())
}

fn ids() -> impl Strategy<Value = ServiceId> {
    let protocols = prop_oneof![
        Just(Protocol::Tcp),
        Just(Protocol::Udp),
        Just(Protocol::Sctp)
    ];
    let by_address = (protocols, addresses(), any::<u16>());
    let by_mark = (families(), 1_u32..);
    prop_oneof![
        by_address.prop_map(|(protocol, address, port)| ServiceId::Address {
            protocol,
            address,
            port
        }),
        by_mark.prop_map(|(family, mark)| ServiceId::FirewallMark { family, mark }),
    ]
}

fn services() -> impl Strategy<Value = Service> {
    let engine = proptest::option::of(names());
    let parts = (ids(), names(), engine, any::<bool>(), 0..8_u8);
    let persistence = proptest::option::of((any::<u32>(), any::<u8>()));
    (parts, persistence).prop_map(
        |((id, scheduler, engine, one_packet, scheduler_flags), keep)| {
            let least = u8::from(id.family() == Family::V6);
            let persistence = keep.map(|(timeout_seconds, prefix)| Persistence {
                timeout_seconds,
                prefix: least + prefix % (id.family().bits() + 1 - least),
            });
            Service {
                id,
                scheduler,
                persistence,
                engine,
                one_packet,
                scheduler_flags,
            }
        },
    )
}

fn forwardings() -> impl Strategy<Value = Forwarding> {
    use TunnelChecksum::{None, Outer, Remote};
    let checksums = prop_oneof![Just(None), Just(Outer), Just(Remote)];
    let gre = |checksum| Forwarding::Tunnel(Tunnel::Gre { checksum });
    prop_oneof![
        Just(Forwarding::Masquerade),
        Just(Forwarding::Local),
        Just(Forwarding::Bypass),
        Just(Forwarding::DirectRouting),
        Just(IPIP),
        checksums.clone().prop_map(gre),
        (1_u16.., checksums).prop_map(|(port, checksum)| gue(port, checksum)),
    ]
}

fn destinations() -> impl Strategy<Value = Destination> {
    let numbers = any::<(u16, u32, u32, u32)>();
    (addresses(), forwardings(), numbers).prop_map(|(address, forwarding, numbers)| {
        let (port, weight, upper_threshold, lower_threshold) = numbers;
        Destination {
            address,
            port,
            forwarding,
            weight,
            upper_threshold,
            lower_threshold,
        }
    })
}

proptest! {
    #[test]
    fn a_service_comes_back_as_it_went(service in services()) {
        let mut bytes = Vec::new();
        put_service(&mut bytes, &service);
        prop_assert_eq!(parse_service(&bytes), Ok(service));
    }

    #[test]
    fn a_destination_comes_back_as_it_went(destination in destinations(), id in ids()) {
        let mut bytes = Vec::new();
        put_destination(&mut bytes, &destination);
        prop_assert_eq!(parse_destination(&bytes, id), Ok(destination));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), flags: u16) {
        let _ = verdict(flags, &bytes);
        prop_assert_eq!(misread(&bytes), None);
    }

    #[test]
    fn one_changed_byte_is_no_panic(at in 0..600_usize, value: u8) {
        for name in ["services", "dests:mark", "error:ext:text", "error:ext-cap:text"] {
            let mut datagram = datagrams(name).swap_remove(0);
            let at = at % datagram.len();
            datagram[at] = value;
            prop_assert_eq!(misread(&datagram), None, "{}", name);
        }
    }

    #[test]
    fn services_sort_as_their_parts_do(a in ids(), b in ids()) {
        let parts = |id: ServiceId| match id {
            ServiceId::Address { protocol, address, port } => (0, Some((protocol, address, port)), None),
            ServiceId::FirewallMark { family, mark } => (1, None, Some((family, mark))),
        };
        prop_assert_eq!(a.cmp(&b), parts(a).cmp(&parts(b)));
        prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
    }

    #[test]
    fn addresses_sort_as_the_standard_library_sorts_them(a in addresses(), b in addresses()) {
        prop_assert_eq!(rank(a).cmp(&rank(b)), a.cmp(&b));
    }

    #[test]
    fn only_one_datagram_with_room_is_whole(datagrams in 0..4_u32, longest in 0..40_000_usize, interrupted: bool) {
        if is_whole(Extent { datagrams, longest, interrupted }) {
            prop_assert!(datagrams < 2 && !interrupted);
            prop_assert!(longest < 3_700 - 400 || (8_192..32_448 - 400).contains(&longest));
        }
    }
}
