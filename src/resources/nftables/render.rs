//! Words our table as `nft -j -f -` takes it. Values are data there; no text is ever parsed. Pure.

use std::borrow::Cow;

use ipnet::IpNet;
use nftables::expr::{
    CT, Expression, Meta, MetaKey, NamedExpression, Payload, PayloadField, Prefix, Range,
};
use nftables::schema::{self, NfListObject};
use nftables::stmt::{self, Counter, Mangle, Operator, Statement};
use nftables::types::{NfChainPolicy, NfFamily};

use super::{ChainName, Match, Policy, Rule, TABLE, Verdict};

/// A rule that somebody else made, and that cannot be written back.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign(pub String);

/// Our table, empty.
pub fn table<'a>() -> NfListObject<'a> {
    NfListObject::Table(schema::Table {
        family: NfFamily::INet,
        name: TABLE.into(),
        handle: None,
    })
}

/// A chain, empty.
pub fn chain<'a>(name: ChainName, policy: Policy) -> NfListObject<'a> {
    let definition = name.definition();
    NfListObject::Chain(schema::Chain {
        family: NfFamily::INet,
        table: TABLE.into(),
        name: definition.name.into(),
        _type: Some(definition.kind),
        hook: Some(definition.hook),
        prio: Some(definition.priority),
        policy: Some(match policy {
            Policy::Accept => NfChainPolicy::Accept,
            Policy::Drop => NfChainPolicy::Drop,
        }),
        ..Default::default()
    })
}

/// A helper for connections of IPv4, named after its type.
pub fn helper<'a>(name: &str) -> NfListObject<'a> {
    NfListObject::CTHelper(schema::CTHelper {
        family: NfFamily::INet,
        table: TABLE.into(),
        name: name.to_owned().into(),
        handle: None,
        _type: name.to_owned().into(),
        protocol: Some(protocol_of(name).into()),
        l3proto: Some("ip".into()),
    })
}

/// Over what the connections go that a helper listens to (the `nf_conntrack_helper` definitions in net/netfilter).
pub fn protocol_of(helper: &str) -> &'static str {
    match helper {
        "amanda" | "netbios-ns" | "RAS" | "sip" | "snmp" | "tftp" => "udp",
        _ => "tcp",
    }
}

/// A rule; `handle` is that of the rule it is about, or beside which it goes.
pub fn rule(
    chain: ChainName,
    rule: &Rule,
    handle: Option<u32>,
) -> Result<schema::Rule<'_>, Foreign> {
    Ok(schema::Rule {
        expr: statements(rule)?.into(),
        ..bare_rule(chain, handle)
    })
}

/// Names a rule without its content.
pub fn bare_rule<'a>(chain: ChainName, handle: Option<u32>) -> schema::Rule<'a> {
    schema::Rule {
        family: NfFamily::INet,
        table: TABLE.into(),
        chain: chain.definition().name.into(),
        expr: Cow::Borrowed(&[]),
        handle,
        index: None,
        comment: None,
    }
}

/// Each rule counts, behind its matches.
fn statements(rule: &Rule) -> Result<Vec<Statement<'_>>, Foreign> {
    let mut statements = rule
        .matches
        .iter()
        .map(a_match)
        .collect::<Result<Vec<_>, _>>()?;
    statements.push(Statement::Counter(Counter::Anonymous(None)));
    statements.push(verdict(&rule.verdict)?);
    Ok(statements)
}

fn a_match(it: &Match) -> Result<Statement<'_>, Foreign> {
    let host = |address| IpNet::from(address);
    Ok(match it {
        Match::InInterface(name) => equals(meta(MetaKey::Iifname), text(name)),
        Match::OutInterface(name) => equals(meta(MetaKey::Oifname), text(name)),
        Match::Source(network) => equals(address_field("saddr", network), network_value(network)),
        Match::Destination(network) => {
            equals(address_field("daddr", network), network_value(network))
        }
        Match::To(address) => {
            let network = host(*address);
            equals(address_field("daddr", &network), network_value(&network))
        }
        Match::Ports {
            protocol,
            first,
            last,
        } => equals(payload(protocol, "dport"), ports(*first, *last)),
        Match::State(states) => state(states),
        Match::Unknown(text) => return Err(Foreign(text.clone())),
    })
}

fn verdict(verdict: &Verdict) -> Result<Statement<'_>, Foreign> {
    Ok(match verdict {
        Verdict::Accept => Statement::Accept(None),
        Verdict::Drop => Statement::Drop(None),
        Verdict::Masquerade => Statement::Masquerade(None),
        Verdict::Mark(mark) => Statement::Mangle(Mangle {
            key: meta(MetaKey::Mark),
            value: Expression::Number(*mark),
        }),
        Verdict::Helper(name) => Statement::CTHelper(name.as_str().into()),
        Verdict::Unknown(text) => return Err(Foreign(text.clone())),
    })
}

fn equals<'a>(left: Expression<'a>, right: Expression<'a>) -> Statement<'a> {
    let op = Operator::EQ;
    Statement::Match(stmt::Match { left, right, op })
}

fn state(states: &[String]) -> Statement<'_> {
    Statement::Match(stmt::Match {
        left: Expression::Named(NamedExpression::CT(CT {
            key: "state".into(),
            family: None,
            dir: None,
        })),
        right: Expression::List(states.iter().map(|it| text(it)).collect()),
        op: Operator::IN,
    })
}

fn meta(key: MetaKey) -> Expression<'static> {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

fn text(text: &str) -> Expression<'_> {
    Expression::String(text.into())
}

fn payload<'a>(protocol: &'a str, field: &'a str) -> Expression<'a> {
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(
        PayloadField {
            protocol: protocol.into(),
            field: field.into(),
        },
    )))
}

fn address_field(field: &'static str, network: &IpNet) -> Expression<'static> {
    let protocol = match network {
        IpNet::V4(_) => "ip",
        IpNet::V6(_) => "ip6",
    };
    payload(protocol, field)
}

fn network_value(network: &IpNet) -> Expression<'static> {
    let address = Expression::String(network.network().to_string().into());
    if network.prefix_len() == network.max_prefix_len() {
        return address;
    }
    Expression::Named(NamedExpression::Prefix(Prefix {
        addr: Box::new(address),
        len: network.prefix_len().into(),
    }))
}

fn ports(first: u16, last: u16) -> Expression<'static> {
    let number = |port: u16| Expression::Number(port.into());
    if first == last {
        return number(first);
    }
    Expression::Range(Box::new(Range {
        range: [number(first), number(last)],
    }))
}
