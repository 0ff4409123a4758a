//! Interfaces: bridges and their members, MTU, up and down.

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::Host as _;
use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::Change;
use lvs_reconcile::resources::link::{Link, LinkKind};

use crate::space::{alone, link, refusal, sh, state};

fn two_cards() {
    sh("ip link add eth0 type veth peer name eth1");
}

#[test]
fn a_bridge_with_members_is_made_changed_and_removed() {
    alone(async |mut space| {
        two_cards();
        let member = |name: &str| Link {
            controller: Some("br0".into()),
            ..link(name, LinkKind::Physical)
        };
        let mut desired = state(|it| {
            it.links.insert(Link {
                mtu: Some(1400),
                ..link("br0", LinkKind::Bridge)
            });
            it.links.insert(member("eth0"));
            it.links.insert(member("eth1"));
        });
        space.reach(&desired).await;
        assert!(sh("ip -o link show master br0").lines().count() == 2);

        desired.links.insert(Link {
            mtu: Some(1300),
            ..link("br0", LinkKind::Bridge)
        });
        desired.links.insert(Link {
            up: false,
            ..member("eth1")
        });
        space.reach(&desired).await;
        assert!(sh("ip link show br0").contains("mtu 1300"));

        desired.links.remove(&"br0".to_owned());
        space.inventory.owned.links.insert("br0".into());
        desired.links.insert(Link {
            controller: None,
            ..member("eth0")
        });
        desired.links.insert(Link {
            controller: None,
            up: false,
            ..member("eth1")
        });
        space.reach(&desired).await;
        assert!(!sh("ip link").contains("br0"));
    });
}

#[test]
fn a_member_leaves_when_the_change_is_taken_back() {
    alone(async |mut space| {
        two_cards();
        sh("ip link add br0 type bridge; ip link set br0 up");
        let desired = state(|it| {
            it.links.insert(link("br0", LinkKind::Bridge));
            it.links.insert(Link {
                controller: Some("br0".into()),
                ..link("eth0", LinkKind::Physical)
            });
        });
        let changes = space.missing(&desired).await;
        let back: Vec<Change> = changes.iter().cloned().map(Change::inverse).collect();
        space.reach(&desired).await;
        assert!(matches!(space.apply_all(back).await[0], Outcome::Done));
        let shown = sh("ip link show eth0");
        assert!(
            !shown.contains("master") && shown.contains("state DOWN"),
            "{shown}"
        );
    });
}

#[test]
fn what_the_document_leaves_open_is_not_seen() {
    alone(async |mut space| {
        two_cards();
        sh("ip link set eth0 mtu 1234 up");
        let open = state(|it| it.links.insert(link("eth0", LinkKind::Physical)));
        assert_eq!(space.look(&open).await.links, open.links);
        let stated = state(|it| {
            it.links.insert(Link {
                mtu: Some(9000),
                ..link("eth0", LinkKind::Physical)
            });
        });
        let seen = space.look(&stated).await;
        assert_eq!(seen.links.iter().next().unwrap().mtu, Some(1234));
    });
}

#[test]
fn a_bridge_declared_as_a_card_is_a_card() {
    alone(async |mut space| {
        sh("ip link add br7 type bridge; ip link set br7 up");
        let desired = state(|it| it.links.insert(link("br7", LinkKind::Physical)));
        assert_eq!(space.missing(&desired).await, []);
        let desired = state(|it| it.links.insert(link("br7", LinkKind::Dummy)));
        assert_eq!(
            space.look(&desired).await.links.iter().next().unwrap().kind,
            LinkKind::Bridge
        );
    });
}

#[test]
fn a_missing_card_is_refused_with_those_that_exist() {
    alone(async |mut space| {
        two_cards();
        let create = |link| Change::Link(Delta::Create { to: link });
        let outcome = space.apply(create(link("eth7", LinkKind::Physical))).await;
        let said = refusal(outcome);
        assert!(
            said.contains("eth7") && said.contains("there are lo, eth1, eth0"),
            "{said}"
        );
        let tag = LinkKind::Vlan {
            parent: "eth9".into(),
            id: 5,
        };
        let said = refusal(space.apply(create(link("eth9.5", tag))).await);
        assert!(said.contains("there is no interface eth9"), "{said}");
        assert_eq!(space.host.interfaces().await.unwrap().len(), 3);
    });
}

#[test]
fn creating_what_exists_is_judged_by_what_it_is() {
    alone(async |mut space| {
        sh("ip link add br0 type bridge; ip link set br0 mtu 1400");
        let down = Link {
            up: false,
            ..link("br0", LinkKind::Bridge)
        };
        let create = |link: &Link| Change::Link(Delta::Create { to: link.clone() });
        assert!(matches!(
            space.apply(create(&down)).await,
            Outcome::AlreadySo
        ));
        let other = Link {
            mtu: Some(1500),
            ..down.clone()
        };
        assert!(refusal(space.apply(create(&other)).await).contains("another one"));
        let delete = Change::Link(Delta::Delete { from: down });
        assert!(matches!(space.apply(delete.clone()).await, Outcome::Done));
        assert!(matches!(space.apply(delete).await, Outcome::AlreadySo));
    });
}

#[test]
fn a_card_is_never_removed() {
    alone(async |mut space| {
        two_cards();
        let from = link("eth0", LinkKind::Physical);
        refusal(space.apply(Change::Link(Delta::Delete { from })).await);
        assert!(sh("ip link").contains("eth0"));
    });
}

#[test]
fn the_kernels_own_words_explain_a_refusal() {
    alone(async |mut space| {
        two_cards();
        let from = link("eth0", LinkKind::Physical);
        let to = Link {
            mtu: Some(70_000),
            ..from.clone()
        };
        let said = refusal(
            space
                .apply(Change::Link(Delta::Update {
                    from: Box::new(from),
                    to,
                }))
                .await,
        );
        assert!(said.contains("MTU of eth0 to 70000"), "{said}");
        assert!(said.contains("mtu greater than device maximum"), "{said}");
    });
}
