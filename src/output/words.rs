//! One change in words: what it is about, and what changes from what to what.

use crate::delta::{Delta, Nature, Verb};
use crate::desired::Names;
use crate::ipvs::{Forwarding, Persistence, Service, ServiceId, Tunnel, TunnelChecksum};
use crate::output::escaped;
use crate::resources::Change;
use crate::resources::address::Address;
use crate::resources::destination::Destination;
use crate::resources::file::{File, Form, Owner};
use crate::resources::link::{Link, LinkKind};
use crate::resources::nftables::{ChainName, NftTable, Policy};
use crate::resources::route::Route;
use crate::resources::sysctl::Sysctl;
use crate::resources::timeouts::Timeouts;
use crate::resources::unit::{OnChange, Unit};
use crate::resources::virtual_service::VirtualService;

/// `+`, `~`, `±` or `-`.
pub fn symbol(verb: Verb) -> char {
    match verb {
        Verb::Create => '+',
        Verb::Update => '~',
        Verb::Replace => '±',
        Verb::Delete => '-',
    }
}

/// The object, with what the document calls it.
pub fn name(change: &Change, names: &Names) -> String {
    let name = escaped(&change.name());
    match change {
        Change::VirtualService(delta) => named_service(&delta.subject().id, name, names),
        Change::Destination(delta) => match names.machine(delta.subject().at.address) {
            Some(machine) => format!("{name} ({machine})"),
            None => name,
        },
        _ => name,
    }
}

fn named_service(id: &ServiceId, name: String, names: &Names) -> String {
    match names.service(id) {
        Some(called) => format!("{name} ({called})"),
        None => name,
    }
}

/// What it is or was, or what changes from what to what.
pub fn what(change: &Change, names: &Names) -> String {
    let text = match change {
        Change::Module(_) => String::new(),
        Change::Link(delta) => both(delta, link, link_edit),
        Change::Nftables(delta) => both(delta, table, table_edit),
        Change::Sysctl(delta) => both(delta, |it| it.value.clone(), sysctl_edit),
        Change::Address(delta) => both(
            delta,
            |it| address(it, names),
            |from, to| after_vip(from, names, &labels(from, to)),
        ),
        Change::Route(delta) => both(delta, route, |a, b| format!("{} → {}", route(a), route(b))),
        Change::Timeouts(delta) => both(delta, timeouts, |a, b| {
            format!("{} → {}", timeouts(a), timeouts(b))
        }),
        Change::VirtualService(delta) => both(delta, service, service_edit),
        Change::Destination(delta) => both(delta, destination, destination_edit),
        Change::File(delta) => both(delta, file, file_edit),
        Change::Unit(delta) => unit(delta),
    };
    // Only a plan without a machine does not know what that was.
    let is_given_back = change.verb() == Verb::Delete && change.nature() == Nature::Set;
    let then = if is_given_back {
        " → as it was before"
    } else {
        ""
    };
    escaped(&text) + then
}

/// One value in words, or the edit from one to the other.
fn both<T>(
    delta: &Delta<T>,
    one: impl Fn(&T) -> String,
    edit: impl Fn(&T, &T) -> String,
) -> String {
    match (delta.from(), delta.to()) {
        (Some(from), Some(to)) => edit(from, to),
        _ => one(delta.subject()),
    }
}

/// The parts that differ, each as `word from → to`.
fn edits<const N: usize>(parts: [(&str, String, String); N]) -> String {
    let changed = parts.into_iter().filter(|(_, from, to)| from != to);
    let shown = changed.map(|(word, from, to)| {
        let blank = if word.is_empty() { "" } else { " " };
        format!("{word}{blank}{from} → {to}")
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn up(link: &Link) -> String {
    if link.up { "up" } else { "down" }.to_owned()
}

fn mtu(link: &Link) -> String {
    link.mtu
        .map_or_else(|| "any".to_owned(), |it| it.to_string())
}

fn link(link: &Link) -> String {
    let kind = match &link.kind {
        LinkKind::Physical => "physical".to_owned(),
        LinkKind::Dummy => "dummy".to_owned(),
        LinkKind::Vlan { parent, id } => format!("vlan {id} on {parent}"),
        LinkKind::Bridge => "bridge".to_owned(),
        LinkKind::Bond { mode } => format!("bond {mode}"),
    };
    let mtu = link
        .mtu
        .map_or_else(String::new, |it| format!(", mtu {it}"));
    format!("{kind}{mtu}, {}", up(link))
}

fn link_edit(from: &Link, to: &Link) -> String {
    let member = |it: &Link| it.controller.clone().unwrap_or_else(|| "none".to_owned());
    if from.kind != to.kind {
        return format!("{} → {}", link(from), link(to));
    }
    edits([
        ("", up(from), up(to)),
        ("mtu", mtu(from), mtu(to)),
        ("member of", member(from), member(to)),
    ])
}

fn table(table: &NftTable) -> String {
    let parts = table.chains.iter().map(|chain| {
        let count = chain.rules.len();
        let rules = format!("{count} rule{}", if count == 1 { "" } else { "s" });
        match (chain.name, chain.policy) {
            (ChainName::Forward, Policy::Drop) => format!("forward policy drop, {rules}"),
            (ChainName::Forward, Policy::Accept) => format!("forward policy accept, {rules}"),
            (ChainName::Masquerade, _) => format!("masquerade, {rules}"),
            (ChainName::Marks, _) => format!("marks, {rules}"),
            (ChainName::Helpers, _) => format!("helpers {}", table.helpers.join(", ")),
        }
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn table_edit(from: &NftTable, to: &NftTable) -> String {
    let rules = |it: &NftTable| {
        it.chains
            .iter()
            .flat_map(|chain| chain.rules.iter().map(|rule| (chain.name, rule.clone())))
            .collect::<Vec<_>>()
    };
    let (old, new) = (rules(from), rules(to));
    let added = new.iter().filter(|it| !old.contains(it)).count();
    let removed = old.iter().filter(|it| !new.contains(it)).count();
    let policy = |it: &NftTable| {
        let forward = it.chains.iter().find(|it| it.name == ChainName::Forward);
        forward.map_or("none", |it| match it.policy {
            Policy::Accept => "accept",
            Policy::Drop => "drop",
        })
    };
    let policies = edits([("forward policy", policy(from).into(), policy(to).into())]);
    let comma = if policies.is_empty() { "" } else { ", " };
    format!("{policies}{comma}+{added} −{removed} rules")
}

fn sysctl_edit(from: &Sysctl, to: &Sysctl) -> String {
    format!("{} → {}", from.value, to.value)
}

fn address(address: &Address, names: &Names) -> String {
    let label = alias(address).map(|it| format!("label {it}"));
    after_vip(address, names, &label.unwrap_or_default())
}

/// A label beyond the one that every IPv4 address has, its interface's name.
fn alias(address: &Address) -> Option<&str> {
    let label = address.label.as_deref();
    label.filter(|it| *it != address.key.interface)
}

/// An address is only ever edited in its label.
fn labels(from: &Address, to: &Address) -> String {
    let shown = |it| alias(it).unwrap_or("none").to_owned();
    edits([("label", shown(from), shown(to))])
}

/// The VIP's name, when it is one, before what there is to say of the address.
fn after_vip(address: &Address, names: &Names, said: &str) -> String {
    let vip = address.key.is_vip().then(|| names.vip(address.key.address));
    let vip = vip.flatten().map(|name| format!("VIP {name}"));
    let parts = vip.iter().map(String::as_str).chain([said]);
    let parts: Vec<_> = parts.filter(|it| !it.is_empty()).collect();
    parts.join(", ")
}

fn route(route: &Route) -> String {
    match route.via {
        Some(via) => format!("via {via} dev {}", route.interface),
        None => format!("dev {}", route.interface),
    }
}

fn timeouts(it: &Timeouts) -> String {
    let shown = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |it| format!("{it} s"));
    format!(
        "tcp {}, tcpfin {}, udp {}",
        shown(it.tcp_seconds),
        shown(it.tcp_fin_seconds),
        shown(it.udp_seconds)
    )
}

/// The parts of a service beside its identity, each alone.
fn service_parts(it: &VirtualService) -> [(&'static str, String); 5] {
    let persistent = it
        .persistence
        .map_or_else(|| "none".to_owned(), persistence);
    let engine = it
        .engine
        .map_or_else(|| "none".to_owned(), |it| it.to_string());
    [
        ("scheduler", it.scheduler.to_string()),
        ("flags", flags(it)),
        ("persistence", persistent),
        ("engine", engine),
        (
            "one-packet",
            if it.one_packet { "on" } else { "off" }.to_owned(),
        ),
    ]
}

fn persistence(it: Persistence) -> String {
    match it.prefix {
        32 | 128 => format!("{} s", it.timeout_seconds),
        prefix => format!("{} s per /{prefix}", it.timeout_seconds),
    }
}

/// As ipvsadm calls them.
fn flags(service: &Service) -> String {
    let scheduler = service.scheduler;
    let named = [(1, "fallback"), (2, "port")]
        .into_iter()
        .filter(|(bit, _)| service.scheduler_flags & bit != 0)
        .map(|(_, word)| format!("{scheduler}-{word}"));
    let text = named.collect::<Vec<_>>().join(",");
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

fn service(it: &VirtualService) -> String {
    let [scheduler, rest @ ..] = service_parts(it);
    let said = rest
        .into_iter()
        .filter(|(_, value)| value != "none" && value != "off")
        .map(|(word, value)| format!(", {word} {value}"));
    scheduler.1 + &said.collect::<String>()
}

fn service_edit(from: &VirtualService, to: &VirtualService) -> String {
    let mut index = 0;
    edits(service_parts(from).map(|(word, value)| {
        let after = service_parts(to)[index].1.clone();
        index += 1;
        (word, value, after)
    }))
}

/// As the document says it.
pub fn forwarding(it: Forwarding) -> String {
    let sum = |checksum: TunnelChecksum| match checksum {
        TunnelChecksum::None => "",
        TunnelChecksum::Outer => " checksum",
        TunnelChecksum::Remote => " remote-checksum",
    };
    match it {
        Forwarding::Masquerade => "masquerade".to_owned(),
        Forwarding::DirectRouting => "direct-routing".to_owned(),
        Forwarding::Local => "local".to_owned(),
        Forwarding::Bypass => "bypass".to_owned(),
        Forwarding::Tunnel(Tunnel::Ipip) => "tunnel".to_owned(),
        Forwarding::Tunnel(Tunnel::Gue { port, checksum }) => {
            format!("tunnel gue:{port}{}", sum(checksum))
        }
        Forwarding::Tunnel(Tunnel::Gre { checksum }) => format!("tunnel gre{}", sum(checksum)),
    }
}

fn thresholds(it: &Destination) -> String {
    match (it.at.lower_threshold, it.at.upper_threshold) {
        (0, 0) => String::new(),
        (lower, upper) => format!(", thresholds {lower}-{upper}"),
    }
}

fn destination(it: &Destination) -> String {
    format!(
        "{}, weight {}{}",
        forwarding(it.at.forwarding),
        it.at.weight,
        thresholds(it)
    )
}

fn destination_edit(from: &Destination, to: &Destination) -> String {
    edits([
        (
            "weight",
            from.at.weight.to_string(),
            to.at.weight.to_string(),
        ),
        (
            "",
            forwarding(from.at.forwarding),
            forwarding(to.at.forwarding),
        ),
        (
            "upper threshold",
            from.at.upper_threshold.to_string(),
            to.at.upper_threshold.to_string(),
        ),
        (
            "lower threshold",
            from.at.lower_threshold.to_string(),
            to.at.lower_threshold.to_string(),
        ),
    ])
}

fn file(it: &File) -> String {
    let lines = it.content.shown().lines().count();
    let block = if it.key.form == Form::Block {
        "our block, "
    } else {
        ""
    };
    let secret = if it.content.secrets().next().is_some() {
        " (root password: secret)"
    } else {
        ""
    };
    format!("{block}{lines} lines{secret}")
}

fn file_edit(from: &File, to: &File) -> String {
    let (added, removed) = crate::output::diff::counts(&from.content.shown(), &to.content.shown());
    let dress = dress(from, to);
    let taken = if from.untouched_default {
        "replaces the package's own; "
    } else {
        ""
    };
    match (added, removed) {
        (0, 0) if dress.is_empty() => format!("{taken}(secret changed)"),
        (0, 0) => dress,
        _ if dress.is_empty() => format!("{taken}+{added} −{removed} lines"),
        _ => format!("{taken}+{added} −{removed} lines, {dress}"),
    }
}

/// What is different beside the content.
fn dress(from: &File, to: &File) -> String {
    let mode = |it: &File| it.mode.map_or_else(String::new, |it| format!("{it:04o}"));
    let owner = |it: &File| {
        it.owner
            .as_deref()
            .map_or_else(String::new, Owner::to_string)
    };
    edits([
        ("mode", mode(from), mode(to)),
        ("owner", owner(from), owner(to)),
    ])
}

fn unit(delta: &Delta<Unit>) -> String {
    match (delta, delta.way()) {
        (Delta::Create { .. }, _) => "start".to_owned(),
        (Delta::Delete { .. }, _) => "stop".to_owned(),
        (_, OnChange::Restart) => "restart (its configuration changed)".to_owned(),
        (_, OnChange::Reexport) => "export again (its configuration changed)".to_owned(),
        (_, OnChange::Reload) => "reload (its configuration changed)".to_owned(),
        (_, OnChange::Renew) => "reload (its configuration changed)".to_owned(),
        (_, OnChange::Hangup) => "read again (its reservations changed)".to_owned(),
    }
}
