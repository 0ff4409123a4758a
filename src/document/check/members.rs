//! The real servers of a service: that there are some, and that packets can get to them.

use super::{
    Findings,
    addresses::not_a_machine,
    index::{Index, family},
    names::once,
};
use crate::document::{
    Family, Forwarding, Interface, Name, RealServer, Role, Service, ServiceDestination,
};
use std::collections::HashMap;

/// A service selects at least one real server, in one way.
pub fn selection(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        let path = |field: &str| format!("services[{at}].{field}");
        match (&service.real_servers, &service.tag) {
            (Some(_), Some(_)) => findings.add(
                format!("services[{at}]"),
                "realServers and tag both given",
                "keep one",
            ),
            (Some(names), None) => named(index, findings, &path("realServers"), names),
            (None, Some(tag)) if !index.has_tag(tag) => {
                let fix = findings.suggest(tag.as_str(), index.tags());
                findings
                    .report(path("tag"), "is no real server's tag", fix)
                    .alone()
                    .relying_on(&["realServers"]);
            }
            (None, None) if index.document.real_servers.is_empty() => {
                let message = format!("{} has no real server, the cluster has none", service.name);
                findings
                    .report(format!("services[{at}]"), message, "add one to realServers")
                    .relying_on(&["realServers"]);
            }
            _ => {}
        }
    }
}

fn named(index: &Index<'_>, findings: &mut Findings, path: &str, names: &[Name]) {
    if names.is_empty() {
        findings.add(
            path.to_owned(),
            "the list is empty",
            "name some, or leave the field out to take all",
        );
    }
    once(findings, path, "", names);
    for (at, name) in names
        .iter()
        .enumerate()
        .filter(|(_, name)| !index.real_server_by_name.contains_key(name))
    {
        unknown_real_server(findings, index, format!("{path}[{at}]"), name);
    }
}

/// A real server that nobody declared.
pub(super) fn unknown_real_server(
    findings: &mut Findings,
    index: &Index<'_>,
    path: String,
    name: &Name,
) {
    let fix = findings.suggest(
        name.as_str(),
        index
            .document
            .real_servers
            .iter()
            .map(|server| server.name.as_str()),
    );
    findings
        .report(path, "is no real server", fix)
        .alone()
        .relying_on(&["realServers"]);
}

/// How a service reaches one of its real servers.
pub(super) struct Reach<'d> {
    pub server: &'d RealServer,
    /// What the document states; none when masquerade has to be assumed.
    pub stated: Option<Forwarding>,
}

/// How a service reaches each of its real servers; nothing when the cluster is too large to look at.
pub(super) fn reaches<'d>(index: &Index<'d>, service: &'d Service) -> Vec<Reach<'d>> {
    let exceptions: HashMap<&Name, &ServiceDestination> = service
        .destinations
        .iter()
        .map(|exception| (&exception.real_server, exception))
        .collect();
    let members = index.members(service);
    let servers = members
        .iter()
        .filter_map(|at| index.document.real_servers.get(*at));
    let reach = |server: &'d RealServer| {
        let exception = if exceptions.is_empty() {
            None
        } else {
            exceptions.get(&server.name).copied()
        };
        let stated = exception
            .and_then(|exception| exception.forwarding)
            .or(service.forwarding);
        Reach { server, stated }
    };
    servers.map(reach).collect()
}

/// The real servers have an address of the service's family. A tunnel may cross families.
pub fn families(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services().filter(|_| !index.is_too_large) {
        for wanted in index.families(service) {
            let lacks = |reach: &&Reach<'_>| {
                let tunnelled = reach.stated == Some(Forwarding::Tunnel);
                !tunnelled && !has_family(reach.server, wanted)
            };
            let reaches = reaches(index, service);
            let lacking: Vec<_> = reaches.iter().filter(lacks).collect();
            if lacking.is_empty() {
                continue;
            }
            let (word, fix) = match wanted {
                Family::Ipv4 => ("IPv4", "use a tunnel, or leave it out of the service"),
                Family::Ipv6 => ("IPv6", "give address6, or leave it out of the service"),
            };
            let vip = match &service.vip {
                Some(vip) => format!("VIP {vip}"),
                None => "the mark".to_owned(),
            };
            let message = format!(
                "{vip} is {word}, without an {word} address: {}",
                few(&lacking)
            );
            let finding = findings.report(format!("services[{at}]"), message, fix);
            finding.relying_on(&["realServers", "vips"]);
        }
    }
}

fn has_family(server: &RealServer, wanted: Family) -> bool {
    family(server.address.get()) == wanted || (wanted == Family::Ipv6 && server.address6.is_some())
}

/// A few names of many.
fn few(reaches: &[&Reach<'_>]) -> String {
    const SHOWN: usize = 4;
    let names = reaches.iter().map(|reach| reach.server.name.as_str());
    let names: Vec<&str> = names.take(SHOWN).collect();
    match reaches.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// Masquerade is only assumed where it must work, and direct routing needs the same link.
pub fn forwarding(index: &Index<'_>, findings: &mut Findings) {
    let mut masquerades = false;
    for (at, service) in index.services().filter(|_| !index.is_too_large) {
        let reaches = reaches(index, service);
        let method = |reach: &Reach<'_>| reach.stated.unwrap_or(Forwarding::Masquerade);
        masquerades |= reaches
            .iter()
            .any(|reach| method(reach) == Forwarding::Masquerade);
        far_masquerade(index, findings, at, &reaches);
        far_direct_routing(index, findings, at, &reaches);
    }
    if masquerades {
        inside_needed(index, findings);
    }
}

fn far_masquerade(index: &Index<'_>, findings: &mut Findings, at: usize, reaches: &[Reach<'_>]) {
    let is_far = |reach: &&Reach<'_>| {
        let address = reach.server.address.get();
        // That nobody has such an address is a finding of its own.
        reach.stated.is_none()
            && !index.inside.contains(address)
            && not_a_machine(address).is_none()
    };
    let far: Vec<_> = reaches.iter().filter(is_far).collect();
    let who = match far.as_slice() {
        [] => return,
        // That there is no inside at all is a finding of its own.
        _ if index.inside.is_empty() => return,
        [one] => format!("{} ({}) is", one.server.name, one.server.address),
        several => format!("{} are", few(several)),
    };
    let message = format!("{who} in no inside network, so masquerade cannot be assumed");
    let finding = findings.report(format!("services[{at}]"), message, "state \"forwarding\"");
    finding.relying_on(&["directors", "realServers"]);
}

fn far_direct_routing(
    index: &Index<'_>,
    findings: &mut Findings,
    at: usize,
    reaches: &[Reach<'_>],
) {
    let is_far = |reach: &&Reach<'_>| {
        let direct = reach.stated == Some(Forwarding::DirectRouting);
        direct && !index.on_link.contains(reach.server.address.get())
    };
    let far: Vec<_> = reaches.iter().filter(is_far).collect();
    if !far.is_empty() {
        let message = "direct routing needs one link, and in no network of a director is:";
        let fix = "use \"tunnel\" or \"masquerade\" for it";
        let message = format!("{message} {}", few(&far));
        let finding = findings.report(format!("services[{at}]"), message, fix);
        finding.relying_on(&["directors", "realServers"]);
    }
}

/// Replies of masqueraded services come back through the director.
fn inside_needed(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let is_inside = |interface: &Interface| interface.role == Some(Role::Inside);
        if !director.interfaces.iter().any(is_inside) {
            let name = &director.name;
            let message = format!("{name} has no \"inside\" interface, and a service masquerades");
            let fix = "give one the role, or state another \"forwarding\"";
            let finding = findings.report(format!("directors[{at}]"), message, fix);
            finding.relying_on(&["directors"]);
        }
    }
}
