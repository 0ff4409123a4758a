use super::*;
use crate::ipvs::{self, Forwarding, Name, Protocol};
use crate::resources::destination::Destination;

/// One service of each family, and so many destinations of the first.
fn cluster(destinations: u8) -> State {
    let at = |vip: &str| ServiceId::Address {
        protocol: Protocol::Tcp,
        address: vip.parse().unwrap(),
        port: 80,
    };
    let (four, six) = (at("192.0.2.80"), at("2001:db8::80"));
    let mut state = State::default();
    for id in [four, six] {
        let service = ipvs::Service::new(id, Name::literal("rr"));
        state.virtual_services.insert(service);
    }
    for last in 1..=destinations {
        let address = [10, 0, 0, last].into();
        state.destinations.insert(Destination {
            service: four,
            at: ipvs::Destination::new(address, 80, Forwarding::Masquerade, 1),
        });
    }
    state
}

fn refused(live: &State, desired: &State, deletions: Deletions) -> Vec<Refusal> {
    mass_deletions(&live.changes_to(desired), live, desired, deletions)
}

fn going(from: u8, to: u8, deletions: Deletions) -> bool {
    !refused(&cluster(from), &cluster(to), deletions).is_empty()
}

#[test]
fn a_large_part_of_many_is_refused() {
    assert!(!going(10, 7, Deletions::Reviewed));
    assert!(going(10, 6, Deletions::Reviewed));
    assert!(!going(9, 0, Deletions::Reviewed), "few are not many");
    assert!(!going(10, 0, Deletions::Allowed));
    assert_eq!(
        refused(&cluster(10), &cluster(6), Deletions::Reviewed),
        [Refusal::MassDeletion {
            kind: Kind::Destination,
            going: 4,
            of: 10
        }]
    );
}

#[test]
fn where_nobody_looks_less_is_enough() {
    assert!(!going(5, 4, Deletions::Unattended));
    assert!(going(5, 3, Deletions::Unattended));
    assert!(going(10, 7, Deletions::Unattended));
    assert!(!going(4, 0, Deletions::Unattended));
}

#[test]
fn what_is_renamed_does_not_count() {
    let mut desired = cluster(10);
    let moved = desired.destinations.iter().map(|it| Destination {
        at: ipvs::Destination::new(it.at.address, 8080, Forwarding::Masquerade, 1),
        ..*it
    });
    desired.destinations = moved.collect();
    assert_eq!(refused(&cluster(10), &desired, Deletions::Unattended), []);
}

#[test]
fn the_last_service_of_a_family_is_refused() {
    let mut desired = cluster(1);
    desired
        .virtual_services
        .retain(|it| it.family() == Family::V4);
    let last = Refusal::LastOfFamily {
        family: Family::V6,
        going: 1,
    };
    assert_eq!(refused(&cluster(1), &desired, Deletions::Reviewed), [last]);
    assert_eq!(refused(&cluster(1), &desired, Deletions::Allowed), []);
    let mut live = cluster(1);
    let one_more = ipvs::Service::new(
        ServiceId::FirewallMark {
            mark: 1,
            family: Family::V6,
        },
        Name::literal("rr"),
    );
    live.virtual_services.insert(one_more);
    assert_eq!(refused(&live, &cluster(1), Deletions::Reviewed), []);
}

#[test]
fn an_empty_document_is_refused() {
    let everything = Refusal::Everything { going: 3 };
    let empty = State::default();
    assert_eq!(
        refused(&cluster(1), &empty, Deletions::Reviewed),
        [everything]
    );
    assert_eq!(refused(&cluster(1), &empty, Deletions::Allowed), []);
    assert_eq!(refused(&empty, &empty, Deletions::Unattended), []);
}
