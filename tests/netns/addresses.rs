//! Addresses: labels, prefixes, primaries and secondaries, duplicates, announcements.

use std::time::{Duration, Instant};

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::Change;

use crate::space::{Neighbour, add, address, alone, refusal, remove, sh, state};

fn card() {
    sh("ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up");
}

#[test]
fn addresses_with_labels_prefixes_and_broadcast() {
    alone(async |mut space| {
        card();
        let desired = state(|it| {
            it.addresses.insert(address("eth0 10.0.0.1/24"));
            it.addresses.insert(address("eth0 10.0.0.50/32 eth0:50"));
            it.addresses.insert(address("eth0 10.0.9.1/31"));
            it.addresses.insert(address("lo 192.0.2.9/32 lo:9"));
        });
        space.reach(&desired).await;
        let shown = sh("ip -4 -o addr show dev eth0");
        assert!(
            shown.contains("10.0.0.1/24 brd 10.0.0.255 scope global eth0\\"),
            "{shown}"
        );
        assert!(
            shown.contains("10.0.0.50/32 scope global eth0:50\\"),
            "{shown}"
        );
        assert!(shown.contains("10.0.9.1/31 scope global eth0\\"), "{shown}");
        let seen = space.observe(&desired).await;
        assert_eq!(seen.marked.addresses.len(), 4);
    });
}

#[test]
fn built_in_addresses_are_not_seen_and_foreign_ones_are() {
    alone(async |mut space| {
        card();
        sh("ip addr add 10.3.0.1/24 dev eth0; ip addr add 10.4.0.1 peer 10.4.0.2/32 dev eth0");
        let seen = space.observe(&state(|_| ())).await;
        let keys: Vec<String> = seen
            .state
            .addresses
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(keys, ["eth0 10.3.0.1/24"]);
        assert!(seen.marked.addresses.is_empty());
        assert!(
            seen.unreadable[0].contains("10.4.0.1"),
            "{:?}",
            seen.unreadable
        );
    });
}

#[test]
fn a_new_prefix_is_a_new_address() {
    alone(async |mut space| {
        card();
        let before = state(|it| it.addresses.insert(address("eth0 10.0.0.1/24")));
        space.reach(&before).await;
        let after = state(|it| it.addresses.insert(address("eth0 10.0.0.1/16")));
        space.reach(&after).await;
        assert!(!sh("ip addr").contains("10.0.0.1/24"));
    });
}

#[test]
fn a_new_label_replaces_at_once() {
    alone(async |mut space| {
        let neighbour = Neighbour::at("eth0", "far0");
        let with = |label: &str| {
            let text = format!("eth0 10.0.0.50/32 {label}");
            state(|it| it.addresses.insert(address(&text)))
        };
        space.reach(&with("eth0:1")).await;
        // Nobody is asked whether an address is free that was ours a moment ago, for clients wait; else this would fail.
        neighbour.sh("ip addr add 10.0.0.50/24 dev far0");
        space.reach(&with("eth0:2")).await;
        assert!(sh("ip addr").contains("eth0:2"));
    });
}

#[test]
fn renumbering_keeps_secondaries() {
    alone(async |mut space| {
        card();
        sh("ip addr add 10.0.0.1/24 dev eth0; ip addr add 10.0.0.77/24 dev eth0");
        sh("ip addr show dev eth0 | grep -q '10.0.0.77/24.*secondary'");
        let setting = "cat /proc/sys/net/ipv4/conf/eth0/promote_secondaries";
        assert_eq!(sh(setting).trim(), "0");
        assert!(matches!(
            space.apply(remove("eth0 10.0.0.1/24")).await,
            Outcome::Done
        ));
        let shown = sh("ip -4 -o addr show dev eth0");
        assert!(
            shown.contains("10.0.0.77/24") && !shown.contains("10.0.0.1/24"),
            "{shown}"
        );
        assert_eq!(sh(setting).trim(), "0");
    });
}

#[test]
fn what_is_there_already_or_gone_already() {
    alone(async |mut space| {
        card();
        sh("ip addr add 10.0.0.1/24 dev eth0 label eth0:x");
        assert!(matches!(
            space.apply(add("eth0 10.0.0.1/24 eth0:x")).await,
            Outcome::AlreadySo
        ));
        let said = refusal(space.apply(add("eth0 10.0.0.1/24 eth0:y")).await);
        assert!(said.contains("label eth0:x"), "{said}");
        assert!(matches!(
            space.apply(remove("eth0 10.0.0.9/24")).await,
            Outcome::AlreadySo
        ));
        assert!(matches!(
            space.apply(remove("eth9 10.0.0.9/24")).await,
            Outcome::AlreadySo
        ));
        // Another prefix is another address.
        assert!(matches!(
            space.apply(remove("eth0 10.0.0.1/32")).await,
            Outcome::AlreadySo
        ));
        let said = refusal(space.apply(add("eth9 10.0.0.1/24")).await);
        assert!(said.contains("there is no interface eth9"), "{said}");
    });
}

#[test]
fn many_at_once_stop_at_the_first_refusal() {
    alone(async |mut space| {
        card();
        sh("ip addr add 10.8.0.200/24 dev eth0 label eth0:x");
        let run: Vec<Change> = (1..=250)
            .map(|n| add(&format!("eth0 10.8.0.{n}/24")))
            .collect();
        let outcomes = space.apply_all(run).await;
        assert_eq!(outcomes.len(), 250);
        assert!(outcomes[..199].iter().all(|it| matches!(it, Outcome::Done)));
        assert!(matches!(outcomes[199], Outcome::Failed(_)));
        assert!(
            matches!(outcomes[249], Outcome::Done),
            "was on its way: {:?}",
            outcomes[249]
        );
        let all: Vec<Change> = (1..=250)
            .map(|n| remove(&format!("eth0 10.8.0.{n}/24")))
            .collect();
        assert!(
            space
                .apply_all(all)
                .await
                .iter()
                .all(|it| matches!(it, Outcome::Done))
        );
    });
}

#[test]
fn a_vip_that_another_machine_has_is_refused_with_its_mac() {
    alone(async |mut space| {
        let neighbour = Neighbour::at("eth0", "far0");
        sh("ip addr add 10.0.0.1/24 dev eth0");
        neighbour
            .sh("ip link set far0 address 02:00:00:00:00:99; ip addr add 10.0.0.50/24 dev far0");
        let run = [
            "eth0 10.0.0.40/32",
            "eth0 10.0.0.50/32",
            "eth0 10.0.0.60/32",
        ];
        let started = Instant::now();
        let outcomes = space.apply_all(run.map(add).to_vec()).await;
        assert!(
            started.elapsed() < Duration::from_millis(2000),
            "{:?}",
            started.elapsed()
        );
        let [first, second, third] = <[Outcome; 3]>::try_from(outcomes).unwrap();
        assert!(matches!(
            (first, third),
            (Outcome::Done, Outcome::NotAttempted)
        ));
        let said = refusal(second);
        assert!(said.contains("02:00:00:00:00:99"), "{said}");
        assert!(!sh("ip addr").contains("10.0.0.50"));
    });
}

#[test]
fn many_vips_are_asked_for_together() {
    alone(async |mut space| {
        let _neighbour = Neighbour::at("eth0", "far0");
        let run: Vec<Change> = (1..=200)
            .map(|n| add(&format!("eth0 10.9.0.{n}/32")))
            .collect();
        let started = Instant::now();
        let outcomes = space.apply_all(run).await;
        assert!(outcomes.iter().all(|it| matches!(it, Outcome::Done)));
        assert!(
            started.elapsed() < Duration::from_millis(3000),
            "{:?}",
            started.elapsed()
        );
    });
}

#[test]
fn a_new_vip_is_announced() {
    alone(async |mut space| {
        let neighbour = Neighbour::at("eth0", "far0");
        sh("ip link set eth0 address 02:00:00:00:00:01");
        // The neighbour believes the VIP to be elsewhere, as after a failover.
        neighbour.sh("ip addr add 10.0.0.2/24 dev far0");
        neighbour.sh("ip neigh replace 10.0.0.50 dev far0 lladdr 02:00:00:00:00:77 nud stale");
        assert!(matches!(
            space.apply(add("eth0 10.0.0.50/32")).await,
            Outcome::Done
        ));
        let known = neighbour.sh("ip neigh show 10.0.0.50 dev far0");
        assert!(known.contains("02:00:00:00:00:01"), "{known}");
    });
}

#[test]
fn an_address_that_is_no_vip_is_not_asked_for() {
    alone(async |mut space| {
        let neighbour = Neighbour::at("eth0", "far0");
        neighbour.sh("ip addr add 10.0.0.1/24 dev far0");
        assert!(matches!(
            space.apply(add("eth0 10.0.0.1/24")).await,
            Outcome::Done
        ));
    });
}

#[test]
fn a_vip_on_a_link_without_carrier_is_added_at_once() {
    alone(async |mut space| {
        sh("ip link add eth0 type veth peer name far0; ip link set eth0 up");
        let started = Instant::now();
        assert!(matches!(
            space.apply(add("eth0 10.0.0.50/32")).await,
            Outcome::Done
        ));
        assert!(matches!(
            space.apply(add("eth0 2001:db8::50/128")).await,
            Outcome::Done
        ));
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
    });
}

#[test]
fn an_ipv6_address_is_usable_when_it_is_done() {
    alone(async |mut space| {
        let _neighbour = Neighbour::at("eth0", "far0");
        let desired = state(|it| {
            it.addresses.insert(address("eth0 2001:db8::1/64"));
            it.addresses.insert(address("eth0 2001:db8::50/128"));
        });
        space.reach(&desired).await;
        let shown = sh("ip -6 addr show dev eth0 scope global");
        assert!(!shown.contains("tentative"), "{shown}");
        assert_eq!(shown.matches("inet6").count(), 2, "{shown}");
        assert_eq!(
            sh("cat /proc/sys/net/ipv6/conf/eth0/ndisc_notify").trim(),
            "0"
        );
    });
}

#[test]
fn an_ipv6_address_that_another_machine_has_is_refused_and_taken_back() {
    alone(async |mut space| {
        let neighbour = Neighbour::at("eth0", "far0");
        neighbour.sh("ip addr add 2001:db8::50/64 dev far0 nodad");
        let run = ["eth0 2001:db8::40/128", "eth0 2001:db8::50/128"]
            .map(add)
            .to_vec();
        let [first, second] = <[Outcome; 2]>::try_from(space.apply_all(run).await).unwrap();
        assert!(matches!(first, Outcome::Done), "{first:?}");
        let said = refusal(second);
        assert!(said.contains("another machine has it"), "{said}");
        let shown = sh("ip -6 addr show dev eth0");
        assert!(
            shown.contains("2001:db8::40/128") && !shown.contains("2001:db8::50"),
            "{shown}"
        );
    });
}

#[test]
fn an_ipv6_duplicate_made_by_others_counts_as_absent() {
    alone(async |mut space| {
        let neighbour = Neighbour::at("eth0", "far0");
        neighbour.sh("ip addr add 2001:db8::50/64 dev far0 nodad");
        sh("ip addr add 2001:db8::50/128 dev eth0");
        let shown = || sh("ip -6 addr show dev eth0");
        let deadline = Instant::now() + Duration::from_secs(5);
        while !shown().contains("dadfailed") {
            assert!(Instant::now() < deadline, "{}", shown());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let desired = state(|it| it.addresses.insert(address("eth0 2001:db8::50/128")));
        let seen = space.observe(&desired).await;
        assert!(seen.state.addresses.is_empty());
        assert!(
            seen.unreadable[0].contains("another machine has it"),
            "{:?}",
            seen.unreadable
        );
        let said = refusal(space.apply(add("eth0 2001:db8::50/128")).await);
        assert!(said.contains("another machine"), "{said}");
    });
}

#[test]
fn an_ipv6_vip_is_announced() {
    alone(async |mut space| {
        let neighbour = Neighbour::at("eth0", "far0");
        sh("ip link set eth0 address 02:00:00:00:00:01");
        neighbour.sh("ip addr add 2001:db8::2/64 dev far0 nodad");
        neighbour.sh("ip neigh replace 2001:db8::50 dev far0 lladdr 02:00:00:00:00:77 nud stale");
        assert!(matches!(
            space.apply(add("eth0 2001:db8::50/128")).await,
            Outcome::Done
        ));
        let known = neighbour.sh("ip neigh show 2001:db8::50 dev far0");
        assert!(known.contains("02:00:00:00:00:01"), "{known}");
    });
}

#[test]
fn a_replacement_in_the_middle_of_a_run_keeps_the_order() {
    alone(async |mut space| {
        card();
        sh("ip addr add 10.0.0.1/32 dev eth0");
        let outcomes = space
            .apply_all(vec![
                remove("eth0 10.0.0.1/32"),
                add("eth0 10.0.0.1/32 eth0:new"),
                remove("eth0 10.0.0.2/32"),
                Change::Address(Delta::Create {
                    to: address("eth9 10.0.0.3/32"),
                }),
                add("eth0 10.0.0.4/32"),
            ])
            .await;
        let shape: String = outcomes
            .iter()
            .map(|it| match it {
                Outcome::Done => 'd',
                Outcome::AlreadySo => 's',
                Outcome::Failed(_) => 'f',
                Outcome::NotAttempted => 'n',
                Outcome::Unknown => 'u',
            })
            .collect();
        assert_eq!(shape, "ddsfn");
    });
}
