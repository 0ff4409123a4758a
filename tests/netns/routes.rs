//! Routes: metrics, tables, gateways, and those of others.

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::Change;
use lvs_reconcile::resources::route::{Route, RouteKey};

use crate::space::{alone, refusal, route, sh, state};

fn network() {
    sh("ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up");
    sh("ip addr add 10.0.0.1/24 dev eth0; ip addr add 2001:db8::1/64 dev eth0 nodad");
}

fn in_table(table: u32, metric: u32, it: Route) -> Route {
    Route {
        theirs: Default::default(),
        key: RouteKey {
            table,
            metric,
            ..it.key
        },
        ..it
    }
}

fn create(to: Route) -> Change {
    Change::Route(Delta::Create { to })
}

fn delete(from: Route) -> Change {
    Change::Route(Delta::Delete { from })
}

#[test]
fn routes_of_both_families_tables_and_metrics() {
    alone(async |mut space| {
        network();
        let desired = state(|it| {
            it.routes
                .insert(route("0.0.0.0/0", Some("10.0.0.254"), "eth0"));
            it.routes
                .insert(route("10.1.0.0/16", Some("10.0.0.9"), "eth0"));
            it.routes.insert(in_table(
                254,
                50,
                route("10.1.0.0/16", Some("10.0.0.8"), "eth0"),
            ));
            it.routes
                .insert(in_table(1000, 7, route("10.2.0.0/16", None, "eth0")));
            it.routes.insert(in_table(
                100,
                0,
                route("0.0.0.0/0", Some("10.0.0.7"), "eth0"),
            ));
            it.routes
                .insert(route("::/0", Some("2001:db8::fe"), "eth0"));
            it.routes
                .insert(in_table(254, 30, route("2001:db8:5::/48", None, "eth0")));
            it.routes
                .insert(in_table(1000, 9, route("::/0", Some("fe80::1"), "eth0")));
            it.routes
                .insert(route("192.0.2.7/32", Some("2001:db8::7"), "eth0"));
        });
        space.reach(&desired).await;
        assert!(
            sh("ip route show table 1000")
                .contains("10.2.0.0/16 dev eth0 proto 155 scope link metric 7")
        );
        assert!(
            sh("ip -6 route show default")
                .contains("via 2001:db8::fe dev eth0 proto 155 metric 1024")
        );
        assert!(sh("ip route show 192.0.2.7").contains("via inet6 2001:db8::7"));
        let seen = space.observe(&desired).await;
        assert_eq!(seen.marked.routes.len(), desired.routes.len());
        assert_eq!(seen.state.routes, desired.routes);
    });
}

#[test]
fn a_new_gateway_replaces_in_place() {
    alone(async |mut space| {
        network();
        sh("ip link add eth1 type veth peer name far1; ip link set eth1 up; ip link set far1 up");
        sh("ip addr add 10.5.0.1/24 dev eth1");
        let with = |via, interface| {
            state(|it| {
                it.routes.insert(route("0.0.0.0/0", Some(via), interface));
                it.routes
                    .insert(route("2001:db8:9::/48", Some("2001:db8::9"), "eth0"));
            })
        };
        space.reach(&with("10.0.0.254", "eth0")).await;
        let events = std::env::temp_dir().join(format!("lvs-routes-{}", std::process::id()));
        let file = std::fs::File::create(&events).unwrap();
        let mut watcher = std::process::Command::new("ip")
            .args(["monitor", "route"])
            .stdout(file)
            .spawn()
            .unwrap();
        until_seen(&events, "10.98").await;
        space.reach(&with("10.5.0.254", "eth1")).await;
        until_seen(&events, "10.99").await;
        watcher.kill().unwrap();
        watcher.wait().unwrap();
        let file = events;
        let events = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(
            events.contains("10.5.0.254") && !events.contains("Deleted"),
            "{events}"
        );
    });
}

/// Makes a route until whoever writes `events` has seen it, and with it all that went before.
async fn until_seen(events: &std::path::Path, network: &str) {
    let mut third = 0;
    while !std::fs::read_to_string(events).unwrap().contains(network) {
        sh(&format!("ip route add {network}.{third}.0/24 dev eth0"));
        third += 1;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[test]
fn removal_hits_exactly_one() {
    alone(async |mut space| {
        network();
        sh("ip route add 10.1.0.0/16 via 10.0.0.9 metric 200 proto static");
        let ours = in_table(254, 100, route("10.1.0.0/16", Some("10.0.0.9"), "eth0"));
        let plain = route("10.1.0.0/16", Some("10.0.0.9"), "eth0");
        assert!(matches!(
            space.apply(create(ours.clone())).await,
            Outcome::Done
        ));
        // A metric of 0 means "any" to the kernel.
        assert!(matches!(
            space.apply(delete(plain.clone())).await,
            Outcome::AlreadySo
        ));
        assert_eq!(sh("ip route show 10.1.0.0/16").lines().count(), 2);
        assert!(matches!(
            space.apply(delete(ours.clone())).await,
            Outcome::Done
        ));
        assert!(matches!(
            space.apply(delete(ours)).await,
            Outcome::AlreadySo
        ));
        assert!(sh("ip route show 10.1.0.0/16").contains("metric 200"));
    });
}

#[test]
fn one_taken_over_is_removed_though_its_protocol_is_not_ours() {
    alone(async |mut space| {
        network();
        sh("ip route add 10.1.0.0/16 via 10.0.0.9 proto static");
        let it = route("10.1.0.0/16", Some("10.0.0.9"), "eth0");
        assert!(matches!(space.apply(delete(it)).await, Outcome::Done));
        assert_eq!(sh("ip route show 10.1.0.0/16"), "");
    });
}

#[test]
fn routes_of_others_are_seen_and_their_tables_are_not() {
    alone(async |mut space| {
        network();
        sh("ip route add default via 10.0.0.254 proto dhcp metric 100");
        sh("ip route add 10.7.0.0/16 via 10.0.0.3 table 77");
        sh("ip route add blackhole 10.8.0.0/16; ip route add 10.9.0.0/16 tos 0x10 via 10.0.0.3");
        sh("ip route add 10.6.0.0/16 nexthop via 10.0.0.3 nexthop via 10.0.0.4");
        let seen = space.observe(&state(|_| ())).await;
        let keys: Vec<String> = seen.state.routes.keys().map(ToString::to_string).collect();
        assert_eq!(keys, ["default metric 100"], "{:?}", seen.state.routes);
        assert!(seen.marked.routes.is_empty());
        assert!(
            seen.unreadable.iter().any(|it| it.contains("10.6.0.0/16")),
            "{:?}",
            seen.unreadable
        );
    });
}

#[test]
fn a_route_of_the_kernel_is_seen_when_it_is_wanted() {
    alone(async |mut space| {
        network();
        let desired = state(|it| it.routes.insert(route("10.0.0.0/24", None, "eth0")));
        assert_eq!(space.missing(&desired).await, []);
    });
}

#[test]
fn what_is_there_already_is_judged_by_where_it_leads() {
    alone(async |mut space| {
        network();
        sh("ip route add 10.1.0.0/16 via 10.0.0.9");
        let same = route("10.1.0.0/16", Some("10.0.0.9"), "eth0");
        assert!(matches!(
            space.apply(create(same)).await,
            Outcome::AlreadySo
        ));
        let other = route("10.1.0.0/16", Some("10.0.0.8"), "eth0");
        assert!(refusal(space.apply(create(other)).await).contains("another one"));
        assert!(sh("ip route show 10.1.0.0/16").contains("10.0.0.9"));
    });
}

#[test]
fn refusals_say_why() {
    alone(async |mut space| {
        network();
        let far = route("10.1.0.0/16", Some("172.16.0.1"), "eth0");
        let said = refusal(space.apply(create(far)).await);
        assert!(
            said.contains("cannot add route 10.1.0.0/16")
                && said.contains("172.16.0.1 is in no network of eth0"),
            "{said}"
        );
        sh("ip link set far0 down; ip link set eth0 down");
        let said = refusal(
            space
                .apply(create(route("10.1.0.0/16", None, "eth0")))
                .await,
        );
        assert!(said.contains("eth0 is down"), "{said}");
        let said = refusal(
            space
                .apply(create(route("10.1.0.0/16", None, "eth9")))
                .await,
        );
        assert!(said.contains("there is no interface eth9"), "{said}");
    });
}
