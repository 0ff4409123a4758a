//! Services against each other: the kernel knows each address, protocol and port once.

use super::{Findings, index::Index};
use crate::document::{Family, Name, Protocol};
use std::collections::{BTreeMap, HashMap};

/// Ports that a service, or a match, takes of one VIP and protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    first: u16,
    last: u16,
    service: usize,
    /// The match of the service; none for the service itself.
    one: Option<usize>,
}

type Claims<'d> = BTreeMap<(&'d Name, Protocol), Vec<Claim>>;

/// No two services balance the same port.
pub fn virtual_services(index: &Index<'_>, findings: &mut Findings) {
    let mut claims = Claims::new();
    for (service, at) in index.document.services.iter().zip(0..) {
        let (Some(vip), Some(port), None) = (&service.vip, service.port, service.firewall_mark)
        else {
            continue;
        };
        let claim = Claim {
            first: port.get(),
            last: service.last_port.unwrap_or(port).get(),
            service: at,
            one: None,
        };
        claim_ports(&mut claims, vip, service.protocols.as_deref(), claim);
    }
    report(index, findings, claims);
}

/// No two services have one mark, and nothing gets two marks.
pub fn marks(index: &Index<'_>, findings: &mut Findings) {
    let mut marks = HashMap::new();
    let mut claims = Claims::new();
    for (service, at) in index.document.services.iter().zip(0..) {
        let Some(mark) = service.firewall_mark else {
            continue;
        };
        let family = service.family.unwrap_or(Family::Ipv4);
        if let Some(before) = marks.insert((mark, family), at) {
            let message = format!("is services[{before}]'s mark already");
            findings.add(
                format_args!("services[{at}].firewallMark"),
                message,
                "give each service its own",
            );
        }
        for (one, position) in service.matches.iter().flatten().zip(0..) {
            let last = one.last_port.unwrap_or(one.port).get();
            let claim = Claim {
                first: one.port.get(),
                last,
                service: at,
                one: Some(position),
            };
            claim_ports(&mut claims, &one.vip, one.protocols.as_deref(), claim);
        }
    }
    report(index, findings, claims);
}

fn claim_ports<'d>(
    claims: &mut Claims<'d>,
    vip: &'d Name,
    protocols: Option<&[Protocol]>,
    claim: Claim,
) {
    let mut protocols = protocols.unwrap_or(&[Protocol::Tcp]).to_vec();
    protocols.sort_unstable();
    protocols.dedup();
    for protocol in protocols {
        claims.entry((vip, protocol)).or_default().push(claim);
    }
}

/// Reports every claim that overlaps one before it. Port 0 takes only what no other service takes.
fn report(index: &Index<'_>, findings: &mut Findings, claims: Claims<'_>) {
    for (key, mut list) in claims {
        list.sort_unstable();
        let mut open: Option<Claim> = None;
        for claim in list {
            if let Some(before) = open.filter(|before| claim.first <= before.last) {
                let mut both = [before, claim];
                both.sort_by_key(|claim| claim.service);
                clash(index, findings, key, both, claim.first);
            }
            open = open
                .filter(|before| before.last >= claim.last)
                .or(Some(claim));
        }
    }
}

fn clash(
    index: &Index<'_>,
    findings: &mut Findings,
    (vip, protocol): (&Name, Protocol),
    [earlier, later]: [Claim; 2],
    port: u16,
) {
    let service = |claim: Claim| index.document.services.get(claim.service);
    let name = |claim: Claim| service(claim).map_or("", |service| service.name.as_str());
    let path = match later.one {
        Some(one) => format!("services[{}].match[{one}]", later.service),
        None => format!("services[{}]", later.service),
    };
    let what = format!("{protocol} port {port} of VIP {vip}");
    let message = match earlier.service == later.service {
        true => format!("{what} is twice in {}", name(later)),
        false => format!("{what} is in both {} and {}", name(earlier), name(later)),
    };
    findings.add(
        path,
        message,
        "keep one of them, or give them different ports",
    );
}
