//! Our nftables table. Nothing here drops packets for being `invalid`: with `vs.conntrack` off the answers of real
//! servers look like that.

use foldhash::HashMap;

use ipnet::IpNet;

use crate::document::{self, Drop, Firewall, ForwardPolicy, Helper, Protocol, Service, Vip, Word};
use crate::ipvs::Family;
use crate::resources::nftables::{Chain, ChainName, Match, NftTable, Policy, Rule, Verdict};

use super::addresses::addresses_of;
use super::node::{Node, networks_of};
use super::problem::{Findings, Problem};
use super::services::{family_of_mark, ports, protocols};

/// The table; `None` when the document asks for no rule of ours.
pub(super) fn table(node: &Node, findings: &mut Findings) -> Option<NftTable> {
    let firewall = node.document.firewall.as_ref();
    let marks = marks(node, findings);
    if firewall.is_none() && marks.is_empty() {
        return None;
    }
    let mut chains: Vec<Chain> = chain(ChainName::Marks, Policy::Accept, marks)
        .into_iter()
        .collect();
    let mut helpers = Vec::new();
    if let Some(firewall) = firewall {
        chains.extend(chain(
            ChainName::Helpers,
            Policy::Accept,
            helper_rules(node, firewall),
        ));
        chains.extend(forward(node, firewall));
        chains.extend(chain(
            ChainName::Masquerade,
            Policy::Accept,
            masquerade(node),
        ));
        helpers = firewall
            .helpers
            .iter()
            .map(|it| it.word().to_string())
            .collect();
    }
    chains.sort_by_key(|it| it.name);
    helpers.sort();
    Some(NftTable {
        chains,
        helpers,
        unknown: Vec::new(),
    })
}

/// Whether inside networks of this family reach the outside under the director's address. For IPv6 there must be one.
pub(super) fn masquerades(node: &Node, family: Family) -> bool {
    let wanted = node
        .document
        .firewall
        .as_ref()
        .is_some_and(|it| it.masquerade.unwrap_or(true));
    let inside = node
        .inside_networks()
        .iter()
        .any(|it| Family::of(it.addr()) == family);
    let outside = node.outside().is_some_and(|it| {
        family == Family::V4 || networks_of(it).any(|net| Family::of(net.addr()) == family)
    });
    wanted && inside && outside
}

/// A chain that accepts and has no rule does nothing, so it is not made.
fn chain(name: ChainName, policy: Policy, rules: Vec<Rule>) -> Option<Chain> {
    let useful = policy == Policy::Drop || !rules.is_empty();
    useful.then_some(Chain {
        name,
        policy,
        rules,
    })
}

/// Drops first, so that inside machines are held by them too.
fn forward(node: &Node, firewall: &Firewall) -> Option<Chain> {
    let mut rules = in_one_order(firewall.drop.iter().flat_map(drops).collect());
    let policy = match firewall.forward_policy.unwrap_or(ForwardPolicy::Drop) {
        ForwardPolicy::Accept => Policy::Accept,
        ForwardPolicy::Drop => {
            rules.extend(accepts(node));
            Policy::Drop
        }
    };
    chain(ChainName::Forward, policy, rules)
}

fn drops(drop: &Drop) -> impl Iterator<Item = Rule> + '_ {
    let ports = ports(Some(drop.port), drop.last_port);
    drop.protocols
        .iter()
        .zip(ports.into_iter().cycle())
        .map(|(protocol, ports)| {
            let matches = vec![Match::Ports {
                protocol: protocol.word().to_string(),
                first: *ports.start(),
                last: *ports.end(),
            }];
            rule(matches, Verdict::Drop)
        })
}

/// What a drop policy lets through. A client's packets to a VIP never come here: IPVS sends them on from the
/// local-input hook. The answers do, as packets of a known connection.
fn accepts(node: &Node) -> Vec<Rule> {
    let inside: Vec<String> = node.inside().map(|it| it.name.to_string()).collect();
    let between = |from: &String, to: &String| {
        let way = vec![
            Match::InInterface(from.clone()),
            Match::OutInterface(to.clone()),
        ];
        rule(way, Verdict::Accept)
    };
    let mut rules: Vec<Rule> = inside
        .iter()
        .flat_map(|from| inside.iter().map(move |to| between(from, to)))
        .collect();
    let known = ["established", "related"].map(String::from).to_vec();
    rules.push(rule(vec![Match::State(known)], Verdict::Accept));
    if let Some(outside) = node.outside() {
        let outside = outside.name.to_string();
        rules.extend(inside.iter().map(|from| between(from, &outside)));
    }
    rules
}

fn masquerade(node: &Node) -> Vec<Rule> {
    let Some(outside) = node.outside() else {
        return Vec::new();
    };
    let wanted = |it: &IpNet| masquerades(node, Family::of(it.addr()));
    let networks = node.inside_networks().into_iter().filter(wanted);
    let rules = networks.map(|network| {
        let out = Match::OutInterface(outside.name.to_string());
        rule(vec![Match::Source(network), out], Verdict::Masquerade)
    });
    rules.collect()
}

/// Only what starts inside is followed: a helper opens ports at the word of whoever it listens to.
fn helper_rules(node: &Node, firewall: &Firewall) -> Vec<Rule> {
    let rules = firewall.helpers.iter().flat_map(|helper| {
        let (protocol, port) = control_port(*helper);
        node.inside().map(move |interface| {
            let ports = Match::Ports {
                protocol: protocol.to_string(),
                first: port,
                last: port,
            };
            let from = Match::InInterface(interface.name.to_string());
            rule(
                vec![from, ports],
                Verdict::Helper(helper.word().to_string()),
            )
        })
    });
    rules.collect()
}

/// Where the first connection of a protocol goes.
fn control_port(helper: Helper) -> (&'static str, u16) {
    match helper {
        Helper::Ftp => ("tcp", 21),
        Helper::Tftp => ("udp", 69),
        Helper::Sip => ("udp", 5060),
        Helper::Irc => ("tcp", 6667),
        Helper::Amanda => ("udp", 10080),
        Helper::Pptp => ("tcp", 1723),
    }
}

fn marks(node: &Node, findings: &mut Findings) -> Vec<Rule> {
    let vips: HashMap<&str, &Vip> = node
        .document
        .vips
        .iter()
        .map(|it| (it.name.as_str(), it))
        .collect();
    let mut rules = Vec::new();
    for (index, service) in node.document.services.iter().enumerate() {
        for (nth, wanted) in service.matches.iter().flatten().enumerate() {
            let Some(vip) = vips.get(wanted.vip.as_str()).filter(|it| node.holds(it)) else {
                continue;
            };
            let before = rules.len();
            rules.extend(mark_rules(service, wanted, vip));
            if rules.len() == before {
                findings.refuse(markless(index, nth, service, vip));
            }
        }
    }
    in_one_order(rules)
}

fn mark_rules(service: &Service, wanted: &document::Match, vip: &Vip) -> Vec<Rule> {
    let Some(mark) = service.firewall_mark else {
        return Vec::new();
    };
    let family = family_of_mark(service);
    let addresses = addresses_of(vip).filter(|it| Family::of(*it) == family);
    let rules = addresses.flat_map(|address| {
        let each = protocols(wanted.protocols.as_deref()).iter();
        each.filter_map(move |protocol| {
            let matches = vec![Match::To(address), mark_ports(*protocol, wanted)?];
            Some(rule(matches, Verdict::Mark(mark.get())))
        })
    });
    rules.collect()
}

fn mark_ports(protocol: Protocol, wanted: &document::Match) -> Option<Match> {
    let ports = ports(Some(wanted.port), wanted.last_port)?;
    Some(Match::Ports {
        protocol: protocol.word().to_string(),
        first: *ports.start(),
        last: *ports.end(),
    })
}

/// Of rules that never decide about the same packet in two ways. The document may name them in any order.
fn in_one_order(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.sort();
    rules
}

fn rule(matches: Vec<Match>, verdict: Verdict) -> Rule {
    Rule { matches, verdict }
}

fn markless(index: usize, nth: usize, service: &Service, vip: &Vip) -> Problem {
    let path = format!("services[{index}].match[{nth}].vip");
    if service.firewall_mark.is_none() {
        return Problem::new(path, "match without firewallMark", "add firewallMark");
    }
    let family = service.family.unwrap_or(document::Family::Ipv4);
    Problem::new(
        path,
        format!("{} has no {family} address", vip.name),
        "state \"family\", or name another VIP",
    )
}
