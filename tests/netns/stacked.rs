//! Interfaces that build machines often lack: run in the lab, with `--ignored`.

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::Change;
use lvs_reconcile::resources::link::{Link, LinkKind};

use crate::space::{address, alone, link, refusal, sh, state};

fn tag(name: &str, parent: &str, id: u16) -> Link {
    let parent = parent.to_owned();
    link(name, LinkKind::Vlan { parent, id })
}

fn bond(name: &str, mode: &str) -> Link {
    let mode = mode.to_owned();
    link(name, LinkKind::Bond { mode })
}

#[test]
#[ignore = "needs a kernel with dummy, VLAN and bonding"]
fn a_bond_of_two_with_tags_on_it() {
    alone(async |mut space| {
        sh("ip link add eth0 type veth peer name far0; ip link set far0 up; ip link set eth0 up");
        sh("ip link add eth1 type veth peer name far1; ip link set far1 up");
        let member = |name: &str| Link {
            controller: Some("bond0".into()),
            ..link(name, LinkKind::Physical)
        };
        let mut desired = state(|it| {
            it.links.insert(bond("bond0", "active-backup"));
            it.links.insert(member("eth0"));
            it.links.insert(member("eth1"));
            // Sorts before what it stands on.
            it.links.insert(tag("a.7", "bond0", 7));
            it.links.insert(Link {
                mtu: Some(1400),
                ..tag("bond0.100", "bond0", 100)
            });
            it.links.insert(link("dummy7", LinkKind::Dummy));
            it.addresses.insert(address("a.7 10.7.0.1/24"));
            it.addresses.insert(address("dummy7 192.0.2.9/32"));
        });
        space.reach(&desired).await;
        assert_eq!(sh("ip -o link show master bond0").lines().count(), 2);
        let shown = sh("ip -d link show bond0");
        assert!(
            shown.contains("mode active-backup") && shown.contains("miimon 100"),
            "{shown}"
        );

        // Another tag, another mode: made anew.
        desired.links.insert(tag("a.7", "bond0", 8));
        // With the interface its address goes, which only the look afterwards tells.
        space.make(&desired).await;
        space.reach(&desired).await;
        assert!(sh("ip -d link show a.7").contains("id 8"));

        desired = state(|it| {
            it.links.insert(Link {
                up: false,
                controller: None,
                ..member("eth0")
            });
        });
        space.reach(&desired).await;
        assert_eq!(sh("ip -o link show type bond"), "");
        assert_eq!(sh("ip -o link show type vlan"), "");
    });
}

#[test]
#[ignore = "needs a kernel with bonding"]
fn every_mode_of_a_bond_comes_back_as_it_went() {
    alone(async |mut space| {
        for (n, mode) in [
            "balance-rr",
            "active-backup",
            "balance-xor",
            "broadcast",
            "802.3ad",
            "balance-tlb",
            "balance-alb",
        ]
        .into_iter()
        .enumerate()
        {
            let desired = state(|it| it.links.insert(bond(&format!("bnd{n}"), mode)));
            space.reach(&desired).await;
        }
        let create = Change::Link(Delta::Create {
            to: bond("bnd9", "round-trip"),
        });
        assert!(refusal(space.apply(create).await).contains("no bond mode round-trip"));
    });
}

#[test]
#[ignore = "needs a kernel with dummy and bonding"]
fn a_member_of_a_bond_stays_down_when_it_shall_be() {
    alone(async |mut space| {
        let desired = state(|it| {
            it.links.insert(bond("bond0", "balance-rr"));
            it.links.insert(Link {
                up: false,
                controller: Some("bond0".into()),
                ..link("dummy7", LinkKind::Dummy)
            });
        });
        space.reach(&desired).await;
    });
}

#[test]
#[ignore = "needs a kernel with dummy"]
fn a_vip_on_a_dummy_asks_nobody() {
    alone(async |mut space| {
        let desired = state(|it| it.links.insert(link("dummy7", LinkKind::Dummy)));
        space.reach(&desired).await;
        let add = crate::space::add("dummy7 192.0.2.9/32");
        assert!(matches!(space.apply(add).await, Outcome::Done));
    });
}
