//! Our nftables table: counters, foreign rules, tables of others, removal.

use std::time::{Duration, Instant};

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::{Host as _, Outcome};
use lvs_reconcile::plan::{Phase, Plan, Step};
use lvs_reconcile::resources::nftables::{
    Chain, ChainName, Match, NftTable, Policy, Rule, Verdict,
};
use lvs_reconcile::resources::{Change, State};

use crate::space::{alone, refusal, sh, state};

fn rule(matches: Vec<Match>, verdict: Verdict) -> Rule {
    Rule { matches, verdict }
}

fn port(port: u16) -> Rule {
    let ports = Match::Ports {
        protocol: "tcp".into(),
        first: port,
        last: port,
    };
    rule(vec![ports], Verdict::Accept)
}

fn forward(rules: Vec<Rule>) -> NftTable {
    let chain = Chain {
        name: ChainName::Forward,
        policy: Policy::Accept,
        rules,
    };
    NftTable {
        chains: vec![chain],
        helpers: Vec::new(),
        unknown: Vec::new(),
    }
}

fn desired(table: NftTable) -> State {
    state(|it| it.nftables.insert(table))
}

/// Rules of the forward chain as nft shows them.
fn listed() -> Vec<String> {
    let text = sh("nft list chain inet lvs_reconcile lvs_forward");
    text.lines()
        .map(str::trim)
        .filter(|it| it.contains("counter"))
        .map(str::to_owned)
        .collect()
}

/// Has packets counted by the forward rule for a port, by setting its counter.
fn count(port: u16) {
    let handle = sh(&format!(
        "nft -a list chain inet lvs_reconcile lvs_forward | sed -n 's/.*dport {port} .*handle //p'"
    ));
    sh(&format!(
        "nft replace rule inet lvs_reconcile lvs_forward handle {} tcp dport {port} counter packets {port} bytes 1 accept",
        handle.trim()
    ));
}

#[test]
fn a_table_is_made_changed_and_removed() {
    alone(async |mut space| {
        space.reach(&desired(forward(vec![port(80)]))).await;
        assert!(space.observe(&State::default()).await.marked.nftables.len() == 1);
        space.reach(&desired(forward(vec![port(443)]))).await;
        assert!(listed()[0].contains("443"));
        let gone = Change::Nftables(Delta::Delete {
            from: forward(vec![]),
        });
        assert!(matches!(space.apply(gone.clone()).await, Outcome::Done));
        assert!(matches!(space.apply(gone).await, Outcome::AlreadySo));
        assert!(space.look(&State::default()).await.nftables.is_empty());
    });
}

#[test]
fn rules_that_stay_keep_their_counters() {
    alone(async |mut space| {
        space
            .reach(&desired(forward([1, 2, 3, 4].map(port).to_vec())))
            .await;
        [1, 2, 3, 4].into_iter().for_each(count);
        // Nothing to do leaves everything as it is.
        space
            .reach(&desired(forward([1, 2, 3, 4].map(port).to_vec())))
            .await;
        assert!(
            listed().iter().all(|it| !it.contains("packets 0")),
            "{:?}",
            listed()
        );
        // New ones in front, between and behind; one gone; the policy changed.
        let mut table = forward([10, 11, 1, 12, 13, 3, 4, 14, 15].map(port).to_vec());
        table.chains[0].policy = Policy::Drop;
        space.reach(&desired(table)).await;
        let counted = listed()
            .iter()
            .filter(|it| !it.contains("packets 0"))
            .count();
        assert_eq!(counted, 3, "{:?}", listed());
        assert!(sh("nft list table inet lvs_reconcile").contains("policy drop"));
    });
}

#[test]
fn rules_are_in_the_order_of_the_document() {
    alone(async |mut space| {
        for ports in [
            vec![1, 2, 3],
            vec![3, 2, 1],
            vec![2, 4, 1, 3],
            vec![5, 6],
            vec![6, 1, 5, 2],
        ] {
            space
                .reach(&desired(forward(ports.iter().copied().map(port).collect())))
                .await;
            let shown = listed();
            let order: Vec<bool> = ports
                .iter()
                .zip(&shown)
                .map(|(port, line)| line.contains(&format!("dport {port} ")))
                .collect();
            assert!(
                order.len() == ports.len() && order.iter().all(|it| *it),
                "{ports:?} {shown:?}"
            );
        }
    });
}

#[test]
fn a_foreign_rule_is_a_difference_and_goes() {
    alone(async |mut space| {
        let table = desired(forward(vec![port(80)]));
        for foreign in [
            "insert rule inet lvs_reconcile lvs_forward tcp dport 22 drop",
            "add rule inet lvs_reconcile lvs_forward ip saddr != 10.0.0.1 log prefix \"x\" accept",
            "add rule inet lvs_reconcile lvs_forward tcp dport { 22, 23 } accept",
            "add rule inet lvs_reconcile lvs_forward ct mark 7 limit rate 5/second accept",
            "add chain inet lvs_reconcile mine { type filter hook input priority 0; policy drop; }",
            "add set inet lvs_reconcile s { type ipv4_addr; elements = { 10.0.0.1 } }",
            "add counter inet lvs_reconcile c",
            "chain inet lvs_reconcile lvs_forward { policy drop; }",
        ] {
            space.reach(&table).await;
            sh(&format!("nft '{foreign}'"));
            assert_eq!(space.missing(&table).await.len(), 1, "{foreign}");
        }
        space.reach(&table).await;
        sh(
            "nft 'delete table inet lvs_reconcile; add table inet lvs_reconcile { flags dormant; }'",
        );
        assert_eq!(space.missing(&table).await.len(), 1);
        space.reach(&table).await;
    });
}

#[test]
fn a_name_that_kills_nft_is_healed() {
    alone(async |mut space| {
        let table = desired(forward(vec![port(80)]));
        space.reach(&table).await;
        sh(
            "n=$(printf 'b\\377d'); nft add rule inet lvs_reconcile lvs_forward iifname \"\\\"$n\\\"\" accept",
        );
        assert_eq!(space.missing(&table).await.len(), 1);
        space.reach(&table).await;
    });
}

#[test]
fn a_union_goes_before_what_it_unites() {
    alone(async |mut space| {
        space.reach(&desired(forward(vec![port(80)]))).await;
        let changes = space.missing(&desired(forward(vec![port(443)]))).await;
        let steps = Plan::of(changes).steps;
        assert_eq!(
            steps.iter().map(|it| it.phase).collect::<Vec<_>>(),
            [Phase::Permit, Phase::Forbid]
        );
        space.host.check(&steps).await.unwrap();
        assert!(matches!(
            space.host.apply(&steps[..1]).await[..],
            [Outcome::Done]
        ));
        assert_eq!(listed().len(), 2);
        assert!(matches!(
            space.host.apply(&steps[1..]).await[..],
            [Outcome::Done]
        ));
        assert_eq!(listed().len(), 1);
    });
}

#[test]
fn a_check_refuses_and_changes_nothing() {
    alone(async |mut space| {
        space.reach(&desired(forward(vec![port(80)]))).await;
        let mut bad = forward(vec![rule(vec![], Verdict::Helper("nonesuch".into()))]);
        let update = Change::Nftables(Delta::Update {
            from: Box::new(forward(vec![port(80)])),
            to: bad.clone(),
        });
        let refused = space
            .host
            .check(&[Step::new(Phase::Permit, update.clone())])
            .await;
        assert_eq!(refused.unwrap_err().len(), 1);
        let said = refusal(space.apply(update.clone()).await);
        assert!(
            said.starts_with("cannot change the nftables table inet lvs_reconcile"),
            "{said}"
        );
        assert_eq!(listed().len(), 1);
        bad.chains[0].rules[0] = rule(vec![Match::Unknown("x".into())], Verdict::Accept);
        let update = Change::Nftables(Delta::Create { to: bad });
        assert!(refusal(space.apply(update).await).contains("not ours"));
        let good = Change::Nftables(Delta::Create {
            to: forward(vec![port(81)]),
        });
        space
            .host
            .check(&[Step::new(Phase::Permit, good)])
            .await
            .unwrap();
        assert!(listed()[0].contains("dport 80"));
    });
}

#[test]
fn tables_of_others_are_not_listed() {
    alone(async |mut space| {
        let elements: Vec<String> = (0..40_000)
            .map(|n| format!("10.{}.{}.{}", n / 65536, n / 256 % 256, n % 256))
            .collect();
        let huge = format!(
            "table ip huge {{ set s {{ type ipv4_addr; elements = {{ {} }}\n }}\n }}\n",
            elements.join(",")
        );
        let file = std::env::temp_dir().join(format!("lvs-huge-{}", std::process::id()));
        std::fs::write(&file, huge).unwrap();
        let table = desired(forward(vec![port(80)]));
        space.reach(&table).await;
        let without = time_of_a_first_look(&table).await;
        sh(&format!("nft -f {}", file.display()));
        std::fs::remove_file(&file).unwrap();
        let with = time_of_a_first_look(&table).await;
        assert!(with < without * 5, "{without:?} {with:?}");
    });
}

/// The fastest of a few, by hosts that remember nothing.
async fn time_of_a_first_look(table: &State) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let mut space = crate::space::Space::default();
        let start = Instant::now();
        space.look(table).await;
        fastest = fastest.min(start.elapsed());
    }
    fastest
}

#[test]
fn a_second_look_starts_no_program_and_notices_every_change() {
    alone(async |mut space| {
        let table = desired(forward(vec![port(80)]));
        space.reach(&table).await;
        let first = time_of_a_first_look(&table).await;
        space.look(&table).await;
        let start = Instant::now();
        for _ in 0..20 {
            space.look(&table).await;
        }
        assert!(
            start.elapsed() < first * 10,
            "{first:?} {:?}",
            start.elapsed()
        );
        sh("nft add table ip other");
        assert_eq!(space.missing(&table).await, []);
        sh("nft flush table inet lvs_reconcile");
        assert_eq!(space.missing(&table).await.len(), 1);
        sh("nft delete table inet lvs_reconcile");
        assert!(space.look(&table).await.nftables.is_empty());
    });
}
