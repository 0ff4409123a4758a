//! Services on a firewall mark: what gets the mark.

use super::{
    Findings,
    index::{Index, family},
    services::{protocol_list, range, unknown_vip},
};
use crate::document::{Family, Match, Service, Vip};
use std::fmt::Arguments;
use std::net::IpAddr;

/// Every match names a VIP of the service's family, and ports.
pub fn matches(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        let Some(matches) = &service.matches else {
            continue;
        };
        if matches.is_empty() {
            let fix = "add one, or leave the field out when something else sets the mark";
            findings.add(
                format_args!("services[{at}].match"),
                "the list is empty",
                fix,
            );
        }
        for (position, one) in matches.iter().enumerate() {
            one_match(
                index,
                findings,
                format_args!("services[{at}].match[{position}]"),
                service,
                one,
            );
        }
    }
}

fn one_match(
    index: &Index<'_>,
    findings: &mut Findings,
    path: Arguments<'_>,
    service: &Service,
    one: &Match,
) {
    let vip = format_args!("{path}.vip");
    match index.vip_by_name.get(&one.vip) {
        None => unknown_vip(findings, index, vip, one.vip.as_str()),
        Some(at) => wrong_family(findings, vip, service, &index.document.vips[*at]),
    }
    if let Some(protocols) = &one.protocols {
        protocol_list(findings, format_args!("{path}.protocols"), protocols);
    }
    match one.last_port {
        Some(last) => range(findings, path, one.port, last),
        None if one.port.get() == 0 => {
            let message = "is no port to match";
            findings.add(format_args!("{path}.port"), message, "write 1 to 65535");
        }
        None => {}
    }
}

fn wrong_family(findings: &mut Findings, path: Arguments<'_>, service: &Service, vip: &Vip) {
    let wanted = service.family.unwrap_or(Family::Ipv4);
    if !has_family(vip, wanted) {
        let message = format!("has no {wanted} address, and the mark is {wanted}");
        let fix = "name another VIP, or give the service its \"family\"";
        findings.add(path, message, fix);
    }
}

fn has_family(vip: &Vip, wanted: Family) -> bool {
    let addresses = std::iter::once(vip.address.get()).chain(vip.address6.map(IpAddr::from));
    addresses.map(family).any(|family| family == wanted)
}
