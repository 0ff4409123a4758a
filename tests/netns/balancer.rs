//! IPVS through the host: run in the lab, with `--ignored`.

use lvs_reconcile::delta::{Delta, Resource as _};
use lvs_reconcile::host::{Host as _, Outcome, Scope, Since};
use lvs_reconcile::ipvs::{self, Forwarding, Protocol, Service, ServiceId};
use lvs_reconcile::plan::Plan;
use lvs_reconcile::resources::destination::Destination;
use lvs_reconcile::resources::module::{Module, ModuleName};
use lvs_reconcile::resources::timeouts::Timeouts;
use lvs_reconcile::resources::{Change, State};

use crate::space::{alone, refusal, sh, state};

fn id(port: u16) -> ServiceId {
    ServiceId::Address {
        protocol: Protocol::Tcp,
        address: "192.0.2.10".parse().unwrap(),
        port,
    }
}

fn service(port: u16, scheduler: &str) -> Service {
    Service::new(id(port), scheduler.parse().unwrap())
}

fn destination(port: u16, last: u8, weight: u32) -> Destination {
    let address = [10, 0, 0, last].into();
    Destination {
        service: id(port),
        at: ipvs::Destination::new(address, port, Forwarding::Masquerade, weight),
    }
}

fn module() -> Module {
    Module {
        name: ModuleName("ip_vs".into()),
    }
}

fn timeouts(tcp: Option<u32>, udp: Option<u32>) -> Timeouts {
    Timeouts {
        tcp_seconds: tcp,
        tcp_fin_seconds: None,
        udp_seconds: udp,
    }
}

/// All in one, because the first part needs a machine on which nobody used IPVS before.
#[test]
#[ignore = "needs a kernel with IPVS"]
fn services_destinations_and_timeouts() {
    let loaded = || std::path::Path::new("/sys/module/ip_vs").exists();
    assert!(!loaded(), "run this test alone, on a fresh machine");
    alone(async move |mut space| {
        let mut desired = state(|it| {
            it.timeouts.insert(timeouts(Some(600), None));
            it.virtual_services.insert(service(80, "wrr"));
            it.destinations.insert(destination(80, 1, 3));
        });
        let seen = space.look(&desired).await;
        assert!(seen.timeouts.is_empty() && seen.virtual_services.is_empty());
        assert!(space.host.connections().await.unwrap().is_empty());
        assert!(!loaded(), "looking has loaded IPVS");

        desired.modules.insert(module());
        space.reach(&desired).await;
        assert!(loaded());
        desired.timeouts.insert(timeouts(Some(500), Some(33)));
        desired.virtual_services.insert(service(80, "mh"));
        desired.destinations.insert(destination(80, 2, 1));
        desired.destinations.insert(destination(80, 1, 7));
        space.reach(&desired).await;
        let table = sh("ipvsadm -Sn");
        assert!(table.contains("-A -t 192.0.2.10:80 -s mh"), "{table}");
        assert!(table.contains("-r 10.0.0.1:80 -m -w 7"), "{table}");
        assert!(sh("ipvsadm -L --timeout").contains("500 120 33"));
        let connections = space.host.connections().await.unwrap();
        assert!(connections.contains_key(&destination(80, 2, 1).key()));
        known_already(&mut space).await;
        a_second_look_reads_what_was_touched(&mut space).await;
    });
}

async fn known_already(space: &mut crate::space::Space) {
    let create = |it| Change::VirtualService(Delta::Create { to: it });
    let delete = |it| Change::VirtualService(Delta::Delete { from: it });
    let place = |it| Change::Destination(Delta::Create { to: it });
    let take = |it| Change::Destination(Delta::Delete { from: it });
    let same = space.apply(create(service(80, "mh"))).await;
    assert!(matches!(same, Outcome::AlreadySo));
    let said = refusal(space.apply(create(service(80, "rr"))).await);
    assert!(said.contains("exists already"), "{said}");
    let same = space.apply(place(destination(80, 1, 7))).await;
    assert!(matches!(same, Outcome::AlreadySo));
    let said = refusal(space.apply(place(destination(80, 1, 9))).await);
    assert!(
        said.contains("cannot add destination tcp 192.0.2.10:80"),
        "{said}"
    );
    assert!(matches!(
        space.apply(delete(service(81, "rr"))).await,
        Outcome::AlreadySo
    ));
    assert!(matches!(
        space.apply(take(destination(80, 9, 1))).await,
        Outcome::AlreadySo
    ));
    assert!(matches!(
        space.apply(take(destination(81, 9, 1))).await,
        Outcome::AlreadySo
    ));
    let said = refusal(space.apply(create(service(82, "nosuch"))).await);
    assert!(said.contains("nosuch"), "{said}");
    many(space).await;
}

/// More than one send, some of which are there already, and one that is refused.
async fn many(space: &mut crate::space::Space) {
    sh("ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.20:80 -m -w 1");
    let place = |n| {
        Change::Destination(Delta::Create {
            to: destination(80, n, 1),
        })
    };
    let outcomes = space.apply_all((10..=250).map(place).collect()).await;
    assert!(matches!(outcomes[10], Outcome::AlreadySo));
    let done = outcomes
        .iter()
        .filter(|it| matches!(it, Outcome::Done))
        .count();
    assert_eq!((done, outcomes.len()), (240, 241));
    let live = space.look(&State::default()).await;
    assert_eq!(live.destinations.len(), 243);
    sh("ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.3:80 -m -w 1");
    let wrong = Change::Destination(Delta::Create {
        to: destination(80, 3, 9),
    });
    let run = std::iter::once(wrong)
        .chain((10..=250).map(place))
        .collect();
    let outcomes = space.apply_all(run).await;
    assert!(matches!(outcomes[0], Outcome::Failed(_)));
    assert!(matches!(outcomes[241], Outcome::NotAttempted));
}

/// After a few steps in a large table only their services are read again, and the result is the same.
async fn a_second_look_reads_what_was_touched(space: &mut crate::space::Space) {
    sh("ipvsadm -C");
    let all = state(|it| {
        it.modules.insert(module());
        for port in 1000..1200 {
            it.virtual_services.insert(service(port, "rr"));
            it.destinations.insert(destination(port, 1, 1));
        }
    });
    space.make(&all).await;
    let before = space.look(&all).await;
    let mut next = all.clone();
    next.destinations.insert(destination(1000, 1, 9));
    next.destinations.insert(destination(1001, 2, 1));
    next.destinations.remove(&destination(1002, 1, 1).key());
    next.virtual_services.remove(&id(1002));
    next.virtual_services.insert(service(1003, "wlc"));
    next.virtual_services.insert(service(1300, "rr"));
    let mut changes = before.changes_to(&next);
    changes.retain(|it| matches!(it, Change::VirtualService(_) | Change::Destination(_)));
    let plan = Plan::of(changes);
    for run in plan.runs() {
        let outcomes = space.host.apply(run).await;
        assert!(outcomes.iter().all(|it| matches!(it, Outcome::Done)));
    }
    let again = space.look_after(&next, &before, &plan).await;
    assert_eq!(again.virtual_services, next.virtual_services);
    assert_eq!(again.destinations, next.destinations);
    let whole = space.look(&next).await;
    assert_eq!(again.destinations, whole.destinations);

    // What others do elsewhere is for the next look at everything.
    sh("ipvsadm -E -t 192.0.2.10:1100 -s wlc");
    let again = space.look_after(&next, &before, &plan).await;
    assert_eq!(again.virtual_services, next.virtual_services);
    let whole = space.look(&next).await;
    assert_ne!(whole.virtual_services, next.virtual_services);
}

impl crate::space::Space {
    /// The look that follows the steps of `plan`, of which `before` was the state.
    async fn look_after(&mut self, desired: &State, before: &State, plan: &Plan) -> State {
        let since = Since {
            state: before,
            steps: &plan.steps,
        };
        let scope = Scope {
            desired,
            inventory: &self.inventory,
            since: Some(since),
        };
        self.host.observe(&scope).await.unwrap().state
    }
}
