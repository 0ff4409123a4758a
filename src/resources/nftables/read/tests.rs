//! Spellings that no nft at hand writes.

use serde_json::json;

use super::*;

fn rule_of(chain: ChainName, statements: Value) -> Rule {
    rule(chain, &json!({ "expr": statements }))
}

fn match_of(statement: Value) -> Match {
    let rule = rule_of(ChainName::Forward, json!([statement, { "accept": null }]));
    rule.matches.into_iter().next().unwrap()
}

#[test]
fn states_in_every_spelling() {
    let left = json!({ "ct": { "key": "state" } });
    let both = Match::State(vec!["established".into(), "related".into()]);
    for (op, right) in [
        ("in", json!(["related", "established"])),
        ("==", json!({ "set": ["established", "related"] })),
    ] {
        let statement = json!({ "match": { "op": op, "left": left, "right": right } });
        assert_eq!(match_of(statement), both);
    }
    let one = json!({ "match": { "op": "in", "left": left, "right": "new" } });
    assert_eq!(match_of(one), Match::State(vec!["new".into()]));
    let not = json!({ "match": { "op": "!=", "left": left, "right": "new" } });
    assert!(matches!(match_of(not), Match::Unknown(_)));
}

#[test]
fn helpers_where_protocols_have_no_names() {
    let written = |name: &str, protocol: Value| {
        helper(&json!({ "name": name, "type": name, "protocol": protocol, "l3proto": "ip" }))
    };
    assert_eq!(written("ftp", json!("tcp")), Some("ftp".to_owned()));
    assert_eq!(written("ftp", json!(6)), Some("ftp".to_owned()));
    assert_eq!(written("tftp", json!(17)), Some("tftp".to_owned()));
    assert_eq!(written("ftp", json!(17)), None);
}

#[test]
fn marks_in_every_spelling() {
    let key = json!({ "meta": { "key": "mark" } });
    for value in [json!(17), json!("0x11"), json!("0x00000011"), json!("17")] {
        let statement = json!({ "mangle": { "key": key, "value": value } });
        let rule = rule_of(ChainName::Marks, json!([statement]));
        assert_eq!(rule.verdict, Verdict::Mark(17));
    }
    let other = json!({ "mangle": { "key": { "ct": { "key": "mark" } }, "value": 17 } });
    let rule = rule_of(ChainName::Marks, json!([other]));
    assert!(matches!(rule.verdict, Verdict::Unknown(_)));
}

#[test]
fn what_is_implied_is_needless_and_anything_else_is_not() {
    let protocol = json!({ "match": { "op": "==", "left": { "meta": { "key": "l4proto" } }, "right": "tcp" } });
    let port = json!({ "match": { "op": "==", "left": { "payload": { "protocol": "tcp", "field": "dport" } }, "right": 80 } });
    let accept = json!({ "accept": null });
    let both = rule_of(ChainName::Forward, json!([protocol, port, accept]));
    assert_eq!(both.matches.len(), 1);
    let alone = rule_of(ChainName::Forward, json!([protocol, accept]));
    assert!(matches!(alone.matches[..], [Match::Unknown(_)]));
}

#[test]
fn a_rule_has_one_verdict_and_it_is_last() {
    let from = json!({ "match": { "op": "==", "left": { "meta": { "key": "iifname" } }, "right": "eth0" } });
    let counter = json!({ "counter": { "packets": 1, "bytes": 1 } });
    for statements in [
        json!([counter]),
        json!([{ "accept": null }, { "drop": null }]),
        json!([{ "drop": null }, from]),
        json!([from, { "jump": { "target": "x" } }]),
        json!([{ "masquerade": { "flags": "random" } }]),
        json!(["notrack"]),
        json!([{ "xt": null }]),
    ] {
        let rule = rule_of(ChainName::Forward, statements);
        assert!(matches!(rule.verdict, Verdict::Unknown(_)), "{rule:?}");
    }
}

#[test]
fn addresses_are_what_they_are_about() {
    let to = |right: Value| json!([{ "match": { "op": "==", "left": { "payload": { "protocol": "ip", "field": "daddr" } }, "right": right } }, { "accept": null }]);
    let host = to(json!("192.0.2.10"));
    let network = to(json!({ "prefix": { "addr": "192.0.2.0", "len": 24 } }));
    let first = |chain, statements: &Value| rule_of(chain, statements.clone()).matches[0].clone();
    let address: IpAddr = "192.0.2.10".parse().unwrap();
    assert_eq!(first(ChainName::Marks, &host), Match::To(address));
    assert_eq!(
        first(ChainName::Forward, &host),
        Match::Destination(address.into())
    );
    let wanted = Match::Destination("192.0.2.0/24".parse().unwrap());
    assert_eq!(first(ChainName::Marks, &network), wanted);
}

#[test]
fn a_chain_that_is_elsewhere_is_not_ours() {
    let listing = |priority: i64| {
        let chain = json!({ "chain": { "name": "lvs_forward", "type": "filter", "hook": "forward", "prio": priority, "policy": "drop" } });
        read(&json!({ "nftables": [chain] }).to_string()).unwrap()
    };
    assert_eq!(listing(0).chains.len(), 1);
    assert_eq!((listing(1).chains.len(), listing(1).unknown.len()), (0, 1));
}

#[test]
fn nonsense_is_unknown_and_long_nonsense_is_cut() {
    let huge = json!({ "set": { "elem": "x".repeat(10_000) } });
    let listing = read(&json!({ "nftables": [huge, 7, {}] }).to_string()).unwrap();
    assert_eq!(listing.unknown.len(), 3);
    assert!(listing.unknown.iter().all(|it| it.len() < 400));
    assert!(read("nonsense").is_err());
    assert_eq!(read("[]").unwrap(), Listing::default());
}
