//! What may be meant, and more often is not.

mod topology;

use super::{
    DropProtocol, ManagedBy, Name, Protocol, Scheduler,
    check::{Index, PortRange, PortRanges},
};
use crate::lint::{Code, Warning};
use foldhash::HashMap;

/// Looks for what is allowed and unusual in a document that has passed its checks.
pub(super) fn warnings(index: &Index<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for rule in RULES {
        rule(index, &mut warnings);
    }
    warnings
}

type Rule = fn(&Index<'_>, &mut Vec<Warning>);

const RULES: &[Rule] = &[
    weights_without_effect,
    tables_without_rules,
    drops_that_hit_services,
    marks_that_take_services,
    dangerous_exports,
    unused_vips,
    unreachable_real_servers,
    closed_installations,
    files_of_everybody,
    topology::foreign_router,
    topology::masquerade_from_afar,
    topology::vips_among_real_servers,
    topology::external_vips,
    topology::strict_reverse_path,
];

/// What root reads, others should not write.
fn files_of_everybody(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    for (at, file) in index.document.files.iter().enumerate() {
        let mode = file.mode.as_ref().filter(|mode| mode.bits() & 0o002 != 0);
        if let Some(mode) = mode {
            let message = format!(
                "with mode {mode} everybody on the director may write {}",
                file.path
            );
            let path = format!("files[{at}].mode");
            let warning = Warning::new(Code::FileOfEverybody, message).at(path);
            warnings.push(warning.about(file.path.as_str()));
        }
    }
}

/// rr, lc and dh look whether a weight is zero, and no further.
fn weights_without_effect(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    for (at, service) in index.services() {
        let Some(scheduler @ (Scheduler::Rr | Scheduler::Lc | Scheduler::Dh)) = service.scheduler
        else {
            continue;
        };
        let own = service
            .weight
            .map(|weight| (format!("services[{at}].weight"), weight));
        let exceptions =
            service
                .destinations
                .iter()
                .enumerate()
                .filter_map(|(position, exception)| {
                    Some((
                        format!("services[{at}].destinations[{position}].weight"),
                        exception.weight?,
                    ))
                });
        for (path, weight) in own
            .into_iter()
            .chain(exceptions)
            .filter(|(_, weight)| weight.get() > 1)
        {
            let message = format!("weight {weight} has no effect under scheduler {scheduler}");
            let warning = Warning::new(Code::WeightWithoutEffect, message).at(path);
            warnings.push(warning.about(service.name.as_str()));
        }
    }
}

/// Policy rules cannot be written yet, so somebody else has to lead packets to another table.
fn tables_without_rules(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    for (at, director) in index.directors() {
        for (position, route) in director.routes.iter().enumerate() {
            if let Some(table) = route
                .table
                .filter(|table| !matches!(table.get(), 253 | 254))
            {
                let path = format!("directors[{at}].routes[{position}].table");
                let message = format!(
                    "nothing here leads packets to table {table}; it needs a rule of your own"
                );
                let warning = Warning::new(Code::TableWithoutRule, message).at(path);
                warnings.push(warning.about(director.name.as_str()));
            }
        }
    }
}

/// The ports of every service with a VIP, with its position in the list.
fn claims<'d>(
    index: &Index<'d>,
) -> impl Iterator<Item = (&'d Name, Protocol, PortRange)> + use<'d> {
    index.services().flat_map(|(at, service)| {
        let claim = service
            .vip
            .as_ref()
            .zip(service.port)
            .filter(|_| service.firewall_mark.is_none());
        let protocols = service.protocols.as_deref().unwrap_or(&[Protocol::Tcp]);
        claim.into_iter().flat_map(move |(vip, port)| {
            let range = (port.get(), service.last_port.unwrap_or(port).get(), at);
            protocols
                .iter()
                .map(move |protocol| (vip, *protocol, range))
        })
    })
}

fn name<'d>(index: &Index<'d>, service: usize) -> &'d str {
    index
        .document
        .services
        .get(service)
        .map_or("", |service| service.name.as_str())
}

/// A packet that is dropped reaches no service.
fn drops_that_hit_services(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    let Some(firewall) = &index.document.firewall else {
        return;
    };
    let of = |wanted: Protocol| {
        let claims = claims(index).filter(|(_, protocol, _)| *protocol == wanted);
        PortRanges::new(claims.map(|(_, _, range)| range).collect())
    };
    let (tcp, udp) = (of(Protocol::Tcp), of(Protocol::Udp));
    for (at, rule) in firewall.drop.iter().enumerate() {
        let (first, last) = (rule.port.get(), rule.last_port.unwrap_or(rule.port).get());
        let hit = rule.protocols.iter().find_map(|protocol| match protocol {
            DropProtocol::Tcp => tcp.overlapping(first, last),
            DropProtocol::Udp => udp.overlapping(first, last),
        });
        if let Some(service) = hit {
            let message = format!(
                "{} names a port of service {}, and keeps nobody from it: IPVS takes its packets before they are forwarded",
                rule.name,
                name(index, service)
            );
            let path = format!("firewall.drop[{at}]");
            let warning = Warning::new(Code::DropHitsService, message).at(path);
            warnings.push(warning.about(rule.name.as_str()));
        }
    }
}

/// The kernel looks for a mark first.
fn marks_that_take_services(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    if index
        .services()
        .all(|(_, service)| service.matches.is_none())
    {
        return;
    }
    let mut lists: HashMap<(&Name, Protocol), Vec<PortRange>> = HashMap::default();
    for (vip, protocol, range) in claims(index) {
        lists.entry((vip, protocol)).or_default().push(range);
    }
    let taken: HashMap<_, _> = lists
        .into_iter()
        .map(|(key, list)| (key, PortRanges::new(list)))
        .collect();
    for (at, service) in index.services() {
        for (position, one) in service.matches.iter().flatten().enumerate() {
            let (first, last) = (one.port.get(), one.last_port.unwrap_or(one.port).get());
            let protocols = one.protocols.as_deref().unwrap_or(&[Protocol::Tcp]);
            let hit =
                |protocol: &Protocol| taken.get(&(&one.vip, *protocol))?.overlapping(first, last);
            if let Some(other) = protocols.iter().find_map(hit) {
                let message = format!(
                    "{} takes what is for service {}",
                    service.name,
                    name(index, other)
                );
                let path = format!("services[{at}].match[{position}]");
                let warning = Warning::new(Code::MarkTakesService, message).at(path);
                warnings.push(warning.about(service.name.as_str()));
            }
        }
    }
}

/// Exports with which a client, or everyone, can do much.
fn dangerous_exports(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    for (at, export) in index.document.exports.iter().enumerate() {
        let path = &export.path;
        if export.root_squash == Some(false) {
            let message = format!("root on every client is root in {path}");
            let path = format!("exports[{at}].rootSquash");
            let warning = Warning::new(Code::RootOfClients, message).at(path);
            warnings.push(warning.about(export.path.as_str()));
        }
        if export.world == Some(true) && export.writable == Some(true) {
            let message = format!("everyone can write to {path}");
            let path = format!("exports[{at}].world");
            let warning = Warning::new(Code::WritableByEveryone, message).at(path);
            warnings.push(warning.about(export.path.as_str()));
        }
    }
}

/// A VIP without a service answers pings and nothing else.
fn unused_vips(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    let mut used = vec![false; index.document.vips.len()];
    let matched = index
        .services()
        .flat_map(|(_, service)| service.matches.iter().flatten())
        .filter_map(|one| index.vip_by_name.get(&one.vip).copied());
    let named = index
        .services()
        .filter_map(|(at, _)| index.vip_position(at));
    for at in named.chain(matched) {
        if let Some(mark) = used.get_mut(at) {
            *mark = true;
        }
    }
    for (at, vip) in index.vips() {
        let ours = vip
            .managed_by
            .is_none_or(|by| by == ManagedBy::LvsReconcile);
        if ours && used.get(at) == Some(&false) {
            let message = format!("no service uses {}", vip.name);
            let warning = Warning::new(Code::UnusedVip, message).at(format!("vips[{at}]"));
            warnings.push(warning.about(vip.name.as_str()));
        }
    }
}

/// A real server that is neither balanced nor on a network that we know is probably a mistyped address.
fn unreachable_real_servers(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    if index.inside.is_empty() || index.is_too_large {
        return;
    }
    let mut selected = vec![false; index.document.real_servers.len()];
    for (service, _) in index.services() {
        for at in index.members(service) {
            if let Some(mark) = selected.get_mut(*at) {
                *mark = true;
            }
        }
    }
    for (at, server) in index.real_servers() {
        if !selected.get(at).copied().unwrap_or_default()
            && !index.inside.contains(server.address.get())
        {
            let message = format!("{} is in no service and in no inside network", server.name);
            let path = format!("realServers[{at}].address");
            let warning = Warning::new(Code::StrayRealServer, message).at(path);
            warnings.push(warning.about(server.name.as_str()));
        }
    }
}

/// A machine that nobody can log in to was installed for nothing, unless a script says otherwise.
fn closed_installations(index: &Index<'_>, warnings: &mut Vec<Warning>) {
    let profiles = index.document.netboot.iter().flat_map(|it| &it.kickstart);
    let ssh = index.document.ssh.as_ref();
    let director = ssh.is_some_and(|it| it.public_key.is_some());
    for (at, profile) in profiles.enumerate() {
        let scripts = !profile.post.is_empty() || !profile.template.is_empty();
        let keys = director || !profile.ssh_keys.is_empty();
        if !scripts && !keys && profile.root_password_file.is_none() {
            let message = "nobody can log in to what it installs: the password of root is locked and there are no sshKeys";
            let path = format!("netboot.kickstart[{at}]");
            let warning = Warning::new(Code::ClosedInstallation, message).at(path);
            warnings.push(warning.about(profile.name.as_str()));
        }
    }
}
