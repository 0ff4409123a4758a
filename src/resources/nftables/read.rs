//! Understands what `nft -j list table` prints, by meaning. nft's versions differ in how they spell the same rule; what
//! is not understood becomes `Unknown` and equals nothing that we would write. Pure.
//!
//! The format is that of libnftables-json(5).

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::render::protocol_of;
use super::{Chain, ChainName, Match, NftTable, Policy, Rule, Verdict};

/// Longer texts of what is unknown are cut: somebody may have put a set of thousands into our table.
const LONGEST_TEXT: usize = 300;

/// Our table, with what is needed to edit it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    pub chains: Vec<ListedChain>,
    pub helpers: Vec<String>,
    pub unknown: Vec<String>,
}

/// A chain and the kernel's numbers of its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedChain {
    pub chain: Chain,
    pub handles: Vec<Option<u32>>,
}

impl Listing {
    /// The table without the kernel's numbers.
    pub fn table(&self) -> NftTable {
        NftTable {
            chains: self.chains.iter().map(|it| it.chain.clone()).collect(),
            helpers: self.helpers.clone(),
            unknown: self.unknown.clone(),
        }
    }

    fn take(&mut self, object: &Value) {
        let Some((kind, body)) = object.as_object().and_then(|it| it.iter().next()) else {
            return self.unknown.push(text(object));
        };
        match kind.as_str() {
            "metainfo" => {}
            // A dormant table does nothing.
            "table" if body.get("flags").is_none() => {}
            "chain" => match chain(body) {
                Some(chain) => self.chains.push(chain),
                None => self.unknown.push(text(object)),
            },
            "rule" => self.take_rule(body),
            "ct helper" => match helper(body) {
                Some(name) => self.helpers.push(name),
                None => self.unknown.push(text(object)),
            },
            _ => self.unknown.push(text(object)),
        }
    }

    /// A rule of a chain that is none of ours is told by that chain.
    fn take_rule(&mut self, body: &Value) {
        let name = body.get("chain").and_then(Value::as_str);
        let Some(name) = name.and_then(ChainName::of) else {
            return;
        };
        if let Some(listed) = self.chains.iter_mut().find(|it| it.chain.name == name) {
            let handle = body.get("handle").and_then(Value::as_u64);
            listed.chain.rules.push(rule(name, body));
            listed
                .handles
                .push(handle.and_then(|it| it.try_into().ok()));
        }
    }
}

/// What nft printed of our table; an error when that is not what nft prints.
pub fn read(json: &str) -> Result<Listing, serde_json::Error> {
    let document: Value = serde_json::from_str(json)?;
    let objects = document.get("nftables").and_then(Value::as_array);
    let mut listing = Listing::default();
    objects
        .into_iter()
        .flatten()
        .for_each(|it| listing.take(it));
    listing.chains.sort_by_key(|it| it.chain.name);
    listing.helpers.sort();
    Ok(listing)
}

fn text(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((cut, _)) = text.char_indices().nth(LONGEST_TEXT) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// One of ours, if it is what it should be in every respect.
fn chain(body: &Value) -> Option<ListedChain> {
    let word = |key: &str| body.get(key).and_then(Value::as_str);
    let name = ChainName::of(word("name")?)?;
    let definition = name.definition();
    let spelt = |it: Result<Value, _>| it.ok()?.as_str().map(str::to_owned);
    let same_place = word("type") == spelt(serde_json::to_value(definition.kind)).as_deref()
        && word("hook") == spelt(serde_json::to_value(definition.hook)).as_deref()
        && body.get("prio")?.as_i64() == Some(definition.priority.into());
    let policy = match word("policy")? {
        "accept" => Policy::Accept,
        "drop" => Policy::Drop,
        _ => return None,
    };
    same_place.then(|| ListedChain {
        chain: Chain {
            name,
            policy,
            rules: Vec::new(),
        },
        handles: Vec::new(),
    })
}

/// A helper is named after its type, so one word says it all. Without /etc/protocols nft numbers the protocol.
fn helper(body: &Value) -> Option<String> {
    let word = |key: &str| body.get(key).and_then(Value::as_str);
    let name = word("name")?;
    let protocol = match body.get("protocol")?.as_u64() {
        Some(6) => Some("tcp"),
        Some(17) => Some("udp"),
        _ => word("protocol"),
    };
    let usual = word("type") == Some(name)
        && protocol == Some(protocol_of(name))
        && word("l3proto") == Some("ip");
    usual.then(|| name.to_owned())
}

/// One statement of a rule.
enum Part {
    Match(Match),
    /// `meta l4proto` and `meta nfproto`: implied by a match on what it names.
    Implied(String, Value),
    Verdict(Verdict),
    Nothing,
}

fn rule(chain: ChainName, body: &Value) -> Rule {
    let statements = body.get("expr").and_then(Value::as_array);
    let (mut matches, mut implied, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
    for statement in statements.into_iter().flatten() {
        match part(chain, statement) {
            // Behind a verdict it would not limit it.
            Part::Match(_) | Part::Implied(..) if !verdicts.is_empty() => {
                verdicts.push(Verdict::Unknown(text(statement)));
            }
            Part::Match(it) => matches.push(it),
            Part::Implied(name, value) => implied.push((name, value)),
            Part::Verdict(it) => verdicts.push(it),
            Part::Nothing => {}
        }
    }
    let needless = |name: &String| matches.iter().any(|it| implies(it, name));
    implied.retain(|(name, _)| !needless(name));
    matches.extend(implied.iter().map(|(_, value)| Match::Unknown(text(value))));
    let verdict = match <[Verdict; 1]>::try_from(verdicts) {
        Ok([verdict]) => verdict,
        Err(_) => Verdict::Unknown(body.get("expr").map(text).unwrap_or_default()),
    };
    Rule { matches, verdict }
}

fn implies(it: &Match, name: &str) -> bool {
    match it {
        Match::Ports { protocol, .. } => protocol == name,
        Match::Source(network) | Match::Destination(network) => family(network.addr()) == name,
        Match::To(address) => family(*address) == name,
        _ => false,
    }
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ipv4" } else { "ipv6" }
}

fn part(chain: ChainName, statement: &Value) -> Part {
    let unknown = || Part::Verdict(Verdict::Unknown(text(statement)));
    let Some((kind, body)) = statement.as_object().and_then(|it| it.iter().next()) else {
        return unknown();
    };
    match (kind.as_str(), body) {
        ("counter", _) => Part::Nothing,
        ("match", body) => {
            a_match(chain, body).unwrap_or_else(|| Part::Match(Match::Unknown(text(statement))))
        }
        ("accept", _) => Part::Verdict(Verdict::Accept),
        ("drop", _) => Part::Verdict(Verdict::Drop),
        ("masquerade", Value::Null) => Part::Verdict(Verdict::Masquerade),
        ("ct helper", Value::String(name)) => Part::Verdict(Verdict::Helper(name.clone())),
        ("mangle", body) => mark(body).map_or_else(unknown, Part::Verdict),
        _ => unknown(),
    }
}

fn mark(body: &Value) -> Option<Verdict> {
    let key = body.pointer("/key/meta/key")?.as_str()?;
    let value = body.get("value")?;
    let number = value.as_u64().or_else(|| number_in_text(value))?;
    (key == "mark").then_some(Verdict::Mark(number.try_into().ok()?))
}

/// Some versions print marks as text, such as `0x00000001`.
fn number_in_text(value: &Value) -> Option<u64> {
    let text = value.as_str()?;
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn a_match(chain: ChainName, body: &Value) -> Option<Part> {
    let (left, right) = (body.get("left")?, single(body.get("right")?));
    let operator = body.get("op")?.as_str()?;
    if left.pointer("/ct/key").and_then(Value::as_str) == Some("state") {
        let plain = left.pointer("/ct/dir").is_none() && matches!(operator, "in" | "==");
        return plain.then(|| states(right)).flatten().map(Part::Match);
    }
    if operator != "==" {
        return None;
    }
    if let Some(key) = left.pointer("/meta/key").and_then(Value::as_str) {
        return meta(key, right, body);
    }
    let protocol = left.pointer("/payload/protocol")?.as_str()?;
    let field = left.pointer("/payload/field")?.as_str()?;
    let found = match (protocol, field) {
        ("ip" | "ip6", "saddr") => Match::Source(network(right)?),
        ("ip" | "ip6", "daddr") => destination(chain, network(right)?),
        ("tcp" | "udp" | "sctp", "dport") => ports(protocol, right)?,
        _ => return None,
    };
    Some(Part::Match(found))
}

/// A set of one is that one.
fn single(right: &Value) -> &Value {
    match right
        .get("set")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([only]) => only,
        _ => right,
    }
}

fn meta(key: &str, right: &Value, whole: &Value) -> Option<Part> {
    let value = right.as_str()?.to_owned();
    Some(match key {
        "iifname" => Part::Match(Match::InInterface(value)),
        "oifname" => Part::Match(Match::OutInterface(value)),
        "l4proto" | "nfproto" => Part::Implied(value, whole.clone()),
        _ => return None,
    })
}

fn states(right: &Value) -> Option<Match> {
    let word = |it: &Value| it.as_str().map(str::to_owned);
    let list = right.as_array().or_else(|| right.get("set")?.as_array());
    let mut states = match list {
        Some(list) => list.iter().map(word).collect::<Option<Vec<_>>>()?,
        None => vec![word(right)?],
    };
    states.sort();
    states.dedup();
    Some(Match::State(states))
}

fn network(right: &Value) -> Option<IpNet> {
    if let Some(text) = right.as_str() {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    }
    let address = right.pointer("/prefix/addr")?.as_str()?.parse().ok()?;
    let bits = right.pointer("/prefix/len")?.as_u64()?;
    IpNet::new(address, bits.try_into().ok()?).ok()
}

/// Where rules are about one address, that address is what they are about.
fn destination(chain: ChainName, network: IpNet) -> Match {
    let one = network.prefix_len() == network.max_prefix_len();
    match chain {
        ChainName::Marks | ChainName::Helpers if one => Match::To(network.addr()),
        _ => Match::Destination(network),
    }
}

fn ports(protocol: &str, right: &Value) -> Option<Match> {
    let port = |it: &Value| it.as_u64().and_then(|it| u16::try_from(it).ok());
    let (first, last) = match right
        .get("range")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([first, last]) => (port(first)?, port(last)?),
        Some(_) => return None,
        None => (port(right)?, port(right)?),
    };
    Some(Match::Ports {
        protocol: protocol.to_owned(),
        first,
        last,
    })
}

#[cfg(test)]
mod tests;
