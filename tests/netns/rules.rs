//! Every form of rule, there and back: what nft and the kernel make of our table is our table.

use std::net::IpAddr;

use ipnet::IpNet;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use lvs_reconcile::resources::State;
use lvs_reconcile::resources::nftables::{
    Chain, ChainName, Match, NftTable, Policy, Rule, Verdict,
};

use crate::space::{alone, sh, state};

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from)
    ]
}

fn network() -> impl Strategy<Value = IpNet> {
    (address(), any::<u8>()).prop_map(|(address, bits)| {
        let longest = IpNet::from(address).max_prefix_len();
        IpNet::new(address, bits % (longest + 1)).unwrap().trunc()
    })
}

fn interface() -> impl Strategy<Value = String> {
    "[a-z][a-zA-Z0-9_.-]{0,13}"
}

fn ports() -> impl Strategy<Value = Match> {
    let protocol = prop_oneof![Just("tcp"), Just("udp"), Just("sctp")];
    (protocol, any::<(u16, u16)>(), any::<bool>()).prop_map(|(protocol, (a, b), one)| {
        Match::Ports {
            protocol: protocol.into(),
            first: a.min(b),
            last: if one { a.min(b) } else { a.max(b) },
        }
    })
}

fn states() -> impl Strategy<Value = Match> {
    let all = ["established", "invalid", "new", "related", "untracked"];
    proptest::sample::subsequence(all.to_vec(), 1..=all.len())
        .prop_map(|some| Match::State(some.into_iter().map(String::from).collect()))
}

/// At most one address of each direction, of one family: anything else matches nothing, and nft refuses it.
fn matches(helpful: bool) -> BoxedStrategy<Vec<Match>> {
    let maybe = proptest::option::of::<BoxedStrategy<Match>>;
    // One address is spelt differently where rules are about one.
    let to = move |it: IpNet| match it.prefix_len() == it.max_prefix_len() {
        true if helpful => Match::To(it.addr()),
        _ => Match::Destination(it),
    };
    let target = prop_oneof![network(), address().prop_map(IpNet::from)].prop_map(to);
    (
        maybe(interface().prop_map(Match::InInterface).boxed()),
        maybe(network().prop_map(Match::Source).boxed()),
        maybe(target.boxed()),
        maybe(ports().boxed()),
        maybe(states().boxed()),
    )
        .prop_map(|(input, source, destination, ports, states)| {
            let mut all: Vec<Match> = [input, source, destination, ports, states]
                .into_iter()
                .flatten()
                .collect();
            let mut family = None;
            all.retain(|it| match is_ipv4(it) {
                None => true,
                Some(it) => *family.get_or_insert(it) == it,
            });
            all
        })
        .prop_shuffle()
        .boxed()
}

fn is_ipv4(it: &Match) -> Option<bool> {
    match it {
        Match::Source(it) | Match::Destination(it) => Some(it.addr().is_ipv4()),
        Match::To(it) => Some(it.is_ipv4()),
        _ => None,
    }
}

fn rules(name: ChainName) -> BoxedStrategy<Vec<Rule>> {
    let verdict = match name {
        ChainName::Marks => any::<u32>().prop_map(Verdict::Mark).boxed(),
        ChainName::Helpers => Just(Verdict::Helper("ftp".into())).boxed(),
        ChainName::Forward => prop_oneof![Just(Verdict::Accept), Just(Verdict::Drop)].boxed(),
        ChainName::Masquerade => Just(Verdict::Masquerade).boxed(),
    };
    let helpful = matches!(name, ChainName::Marks | ChainName::Helpers);
    let rule = (matches(helpful), verdict).prop_map(|(matches, verdict)| Rule { matches, verdict });
    proptest::collection::vec(rule, 0..6).boxed()
}

fn chain(name: ChainName) -> impl Strategy<Value = Chain> {
    let policy = match name {
        ChainName::Forward => prop_oneof![Just(Policy::Accept), Just(Policy::Drop)].boxed(),
        _ => Just(Policy::Accept).boxed(),
    };
    (policy, rules(name)).prop_map(move |(policy, rules)| Chain {
        name,
        policy,
        rules,
    })
}

fn table() -> impl Strategy<Value = NftTable> {
    let maybe = |name| proptest::option::of(chain(name));
    let chains = (
        maybe(ChainName::Marks),
        maybe(ChainName::Helpers),
        maybe(ChainName::Forward),
        maybe(ChainName::Masquerade),
    );
    chains.prop_map(|(a, b, c, d)| {
        let chains: Vec<Chain> = [a, b, c, d].into_iter().flatten().collect();
        let helps = chains
            .iter()
            .any(|it| it.name == ChainName::Helpers && !it.rules.is_empty());
        NftTable {
            helpers: if helps {
                vec!["ftp".into()]
            } else {
                Vec::new()
            },
            chains,
            unknown: Vec::new(),
        }
    })
}

fn desired(table: NftTable) -> State {
    state(|it| it.nftables.insert(table))
}

#[test]
fn every_table_comes_back_as_it_went() {
    alone(async |mut space| {
        let mut runner = TestRunner::new(Config::default());
        for _ in 0..60 {
            let table = table().new_tree(&mut runner).unwrap().current();
            let wanted = desired(table.clone());
            // From whatever the round before left there, so that every edit is tried too.
            space.reach(&wanted).await;
            // And without the help of knowing what was wanted.
            let seen = space.look(&State::default()).await;
            assert_eq!(seen.nftables, wanted.nftables);
        }
    });
}

#[test]
fn helpers_of_every_protocol() {
    alone(async |mut space| {
        let rule = |name: &str| Rule {
            matches: vec![Match::InInterface("eth1".into())],
            verdict: Verdict::Helper(name.into()),
        };
        let names = ["amanda", "ftp", "irc", "pptp", "sip", "tftp"];
        let with = |names: &[&str]| NftTable {
            chains: vec![Chain {
                name: ChainName::Helpers,
                policy: Policy::Accept,
                rules: names.iter().map(|it| rule(it)).collect(),
            }],
            helpers: names.iter().map(|it| (*it).to_owned()).collect(),
            unknown: Vec::new(),
        };
        // Which of them this kernel has is its own affair.
        let has = |name: &&&str| {
            let protocol = if matches!(**name, "ftp" | "irc" | "pptp") {
                "tcp"
            } else {
                "udp"
            };
            std::process::Command::new("nft")
                .args([
                    "-c",
                    &format!(
                        "table inet t {{ ct helper h {{ type \"{name}\" protocol {protocol}; }}; }}"
                    ),
                ])
                .output()
                .unwrap()
                .status
                .success()
        };
        let some: Vec<&str> = names.iter().filter(has).copied().collect();
        assert!(some.contains(&"ftp"), "{some:?}");
        space.reach(&desired(with(&some))).await;
        space.reach(&desired(with(&["ftp"]))).await;
        assert!(!sh("nft list table inet lvs_reconcile").contains("tftp"));
    });
}

/// The same rules as other versions of nft, or a person, would write them.
#[test]
fn other_spellings_are_understood() {
    alone(async |mut space| {
        let ports = |first, last| Match::Ports {
            protocol: "tcp".into(),
            first,
            last,
        };
        let rule = |matches: Vec<Match>| Rule {
            matches,
            verdict: Verdict::Accept,
        };
        let words = |some: &[&str]| Match::State(some.iter().map(|it| (*it).to_owned()).collect());
        let table = NftTable {
            chains: vec![Chain {
                name: ChainName::Forward,
                policy: Policy::Accept,
                rules: vec![
                    rule(vec![ports(80, 80)]),
                    rule(vec![ports(22, 22)]),
                    rule(vec![words(&["established", "related"])]),
                    rule(vec![words(&["new"])]),
                    rule(vec![Match::Source("10.0.0.1/32".parse().unwrap())]),
                    rule(vec![Match::Destination("10.0.0.0/24".parse().unwrap())]),
                    rule(vec![Match::InInterface("eth0".into())]),
                ],
            }],
            helpers: Vec::new(),
            unknown: Vec::new(),
        };
        sh("nft 'table inet lvs_reconcile {
        chain lvs_forward { type filter hook forward priority filter; policy accept;
            meta l4proto tcp tcp dport { 80 } accept
            tcp dport ssh counter accept comment \"by hand\"
            ct state { related, established } accept
            ct state new counter packets 5 bytes 7 accept
            meta nfproto ipv4 ip saddr 10.0.0.1/32 accept
            ip daddr 10.0.0.77/24 accept
            iifname { \"eth0\" } accept
        }
        }'");
        assert_eq!(space.missing(&desired(table)).await, []);
    });
}
