//! The real servers of a service: that there are some, and that packets can get to them.

use super::{
    Findings,
    addresses::not_a_machine,
    index::{Index, family},
    names::once,
};
use crate::document::{Family, Forwarding, Interface, Name, RealServer, Role, Service};
use std::collections::BTreeSet;
use std::fmt::Arguments;

/// A service selects at least one real server, in one way.
pub fn selection(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        match (&service.real_servers, &service.tag) {
            (Some(_), Some(_)) => findings.add(
                format_args!("services[{at}]"),
                "realServers and tag both given",
                "keep one",
            ),
            (Some(names), None) => named(
                index,
                findings,
                format_args!("services[{at}].realServers"),
                (names, index.members(at)),
            ),
            (None, Some(tag)) if !index.has_tag(tag) => {
                let fix = findings.suggest(tag.as_str(), index.tags());
                findings
                    .report(
                        format_args!("services[{at}].tag"),
                        "is no real server's tag",
                        fix,
                    )
                    .alone()
                    .relying_on(&["realServers"]);
            }
            (None, None) if index.document.real_servers.is_empty() => {
                let message = format!("{} has no real server, the cluster has none", service.name);
                findings
                    .report(
                        format_args!("services[{at}]"),
                        message,
                        "add one to realServers",
                    )
                    .relying_on(&["realServers"]);
            }
            _ => {}
        }
    }
}

fn named(
    index: &Index<'_>,
    findings: &mut Findings,
    path: Arguments<'_>,
    (names, found): (&[Name], &[usize]),
) {
    if names.is_empty() {
        findings.add(
            path,
            "the list is empty",
            "name some, or leave the field out to take all",
        );
    }
    // Usually all are known, and named in the order in which they are declared.
    if found.len() == names.len() && found.is_sorted_by(|a, b| a < b) {
        return;
    }
    once(findings, path, "", names);
    for (at, name) in names
        .iter()
        .enumerate()
        .filter(|(_, name)| !index.real_server_by_name.contains_key(name))
    {
        unknown_real_server(findings, index, format_args!("{path}[{at}]"), name);
    }
}

/// A real server that nobody declared.
pub(super) fn unknown_real_server(
    findings: &mut Findings,
    index: &Index<'_>,
    path: Arguments<'_>,
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
struct Reach<'d> {
    server: &'d RealServer,
    /// What the document states; none when masquerade has to be assumed.
    stated: Option<Forwarding>,
}

/// How a service reaches each of its real servers. What `reaches` held before is forgotten.
fn reach_all<'d>(index: &Index<'d>, at: usize, service: &'d Service, reaches: &mut Vec<Reach<'d>>) {
    let exceptions = service.destinations.iter().filter_map(|exception| {
        let at = index.real_server_by_name.get(&exception.real_server)?;
        Some((*at, exception.forwarding))
    });
    let mut exceptions: Vec<_> = exceptions.collect();
    exceptions.sort_by_key(|(at, _)| *at);
    let exception = |at: usize| {
        let found = exceptions.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        exceptions.get(found)?.1
    };
    let members = index.members(at);
    let reach = |at: &usize| {
        let server = index.document.real_servers.get(*at)?;
        Some(Reach {
            server,
            stated: exception(*at).or(service.forwarding),
        })
    };
    reaches.clear();
    reaches.extend(members.iter().filter_map(reach));
}

/// Packets can get to the real servers: the families fit, masquerade is only assumed where it must work, and direct
/// routing has one link.
pub fn reachability(index: &Index<'_>, findings: &mut Findings) {
    let mut masquerading = BTreeSet::new();
    let mut reaches = Vec::new();
    for (at, service) in index.services().filter(|_| !index.is_too_large) {
        reach_all(index, at, service, &mut reaches);
        let masquerades = |it: &Reach<'_>| matches!(it.stated, None | Some(Forwarding::Masquerade));
        if reaches.iter().any(masquerades) {
            match index.vip(at) {
                Some(vip) => masquerading.extend(index.holders(vip).map(|(holder, _)| holder)),
                None => masquerading.extend(0..index.document.directors.len()),
            }
        }
        families(index, findings, (at, service), &reaches);
        far_masquerade(index, findings, at, &reaches);
        far_direct_routing(index, findings, at, &reaches);
    }
    inside_needed(index, findings, &masquerading);
}

/// The real servers have an address of the service's family. A tunnel may cross families.
fn families(
    index: &Index<'_>,
    findings: &mut Findings,
    (at, service): (usize, &Service),
    reaches: &[Reach<'_>],
) {
    for wanted in index.families(at) {
        let lacks = |reach: &&Reach<'_>| {
            let tunnelled = reach.stated == Some(Forwarding::Tunnel);
            !tunnelled && !has_family(reach.server, wanted)
        };
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
        let finding = findings.report(format_args!("services[{at}]"), message, fix);
        finding.relying_on(&["realServers", "vips"]);
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
    let finding = findings.report(
        format_args!("services[{at}]"),
        message,
        "state \"forwarding\"",
    );
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
        let finding = findings.report(format_args!("services[{at}]"), message, fix);
        finding.relying_on(&["directors", "realServers"]);
    }
}

/// Replies of masqueraded services come back through the director.
fn inside_needed(index: &Index<'_>, findings: &mut Findings, masquerading: &BTreeSet<usize>) {
    for (at, director) in index
        .directors()
        .filter(|(at, _)| masquerading.contains(at))
    {
        let is_inside = |interface: &Interface| interface.role == Some(Role::Inside);
        if !director.interfaces.iter().any(is_inside) {
            let name = &director.name;
            let message = format!("{name} has no \"inside\" interface, and a service masquerades");
            let fix = "give one the role, or state another \"forwarding\"";
            let finding = findings.report(format_args!("directors[{at}]"), message, fix);
            finding.relying_on(&["directors"]);
        }
    }
}
