//! Services against each other: the kernel knows each address, protocol and port once.

use super::{Findings, index::Index};
use crate::document::{Family, Protocol};
use foldhash::HashMap;

/// Ports that a service, or a match, takes of one VIP and protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    first: u16,
    last: u16,
    service: usize,
    /// The match of the service; none for the service itself.
    one: Option<usize>,
}

/// With whose ports they are: the position of a VIP, and a protocol.
type Claims = Vec<((usize, Protocol), Claim)>;

/// No two services balance the same port.
pub fn virtual_services(index: &Index<'_>, findings: &mut Findings) {
    let mut claims = Claims::new();
    for (service, at) in index.document.services.iter().zip(0..) {
        // That there is no such VIP is a finding of its own.
        let vip = index.vip_position(at);
        let (Some(vip), Some(port), None) = (vip, service.port, service.firewall_mark) else {
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
    let mut marks = HashMap::default();
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
            if let Some(vip) = index.vip_by_name.get(&one.vip) {
                claim_ports(&mut claims, *vip, one.protocols.as_deref(), claim);
            }
        }
    }
    report(index, findings, claims);
}

fn claim_ports(claims: &mut Claims, vip: usize, protocols: Option<&[Protocol]>, claim: Claim) {
    let stated = protocols.unwrap_or(&[Protocol::Tcp]);
    let repeats = |at: usize| stated[..at].contains(&stated[at]);
    for at in (0..stated.len()).filter(|at| !repeats(*at)) {
        let protocol = stated[at];
        claims.push(((vip, protocol), claim));
    }
}

/// Reports every claim that overlaps one before it. Port 0 takes only what no other service takes.
fn report(index: &Index<'_>, findings: &mut Findings, mut claims: Claims) {
    claims.sort_unstable();
    for list in claims.chunk_by(|(a, _), (b, _)| a == b) {
        let mut open: Option<Claim> = None;
        for &(key, claim) in list {
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
    (vip, protocol): (usize, Protocol),
    [earlier, later]: [Claim; 2],
    port: u16,
) {
    let service = |claim: Claim| index.document.services.get(claim.service);
    let name = |claim: Claim| service(claim).map_or("", |service| service.name.as_str());
    let path = match later.one {
        Some(one) => format!("services[{}].match[{one}]", later.service),
        None => format!("services[{}]", later.service),
    };
    let vip = index
        .document
        .vips
        .get(vip)
        .map_or("", |vip| vip.name.as_str());
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
