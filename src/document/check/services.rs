//! One service by itself: what is balanced, and how.

use super::{Findings, index::Index, names::once};
use crate::document::{
    Family, PersistenceEngine, Port, Protocol, Scheduler, SchedulerFlag, Service, Threshold,
};
use std::{collections::BTreeSet, fmt::Arguments};

/// A range of ports becomes as many virtual services.
const PORTS: u32 = 1024;

/// A service is a VIP with a port, or a firewall mark.
pub fn what_is_balanced(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        match (&service.vip, service.firewall_mark) {
            (None, None) => {
                findings.add(
                    format_args!("services[{at}]"),
                    "\"vip\" is missing",
                    "name a VIP, or give a \"firewallMark\"",
                );
            }
            (_, Some(_)) => beside_mark(findings, at, service),
            (Some(_), None) => beside_vip(findings, index, at, service),
        }
        if let Some(protocols) = &service.protocols {
            protocol_list(
                findings,
                format_args!("services[{at}].protocols"),
                protocols,
            );
        }
    }
}

/// A list of protocols is not empty, and each stands in it once.
pub(super) fn protocol_list(findings: &mut Findings, path: Arguments<'_>, protocols: &[Protocol]) {
    match protocols {
        [_] => {}
        [] => findings.add(
            path,
            "the list is empty",
            "write [\"tcp\"], or leave the field out",
        ),
        _ => once(findings, path, "", protocols),
    }
}

fn beside_mark(findings: &mut Findings, at: usize, service: &Service) {
    let given = [
        ("vip", service.vip.is_some()),
        ("port", service.port.is_some()),
        ("lastPort", service.last_port.is_some()),
        ("protocols", service.protocols.is_some()),
        ("realServerPort", service.real_server_port.is_some()),
    ];
    if let Some((field, _)) = given.iter().find(|(_, given)| *given) {
        let fix = match *field {
            "realServerPort" => "a mark has no port: remove it",
            _ => "a mark replaces vip and port, or put them under \"match\"",
        };
        findings.add(
            format_args!("services[{at}]"),
            format!("firewallMark and {field}"),
            fix,
        );
    }
}

fn beside_vip(findings: &mut Findings, index: &Index<'_>, at: usize, service: &Service) {
    if let Some(name) = service
        .vip
        .as_ref()
        .filter(|_| index.vip_position(at).is_none())
    {
        unknown_vip(
            findings,
            index,
            format_args!("services[{at}].vip"),
            name.as_str(),
        );
    }
    if service.port.is_none() {
        let fix = "add it, for example \"port\": 80";
        findings.add(format_args!("services[{at}]"), "\"port\" is missing", fix);
    }
    for (field, given) in [
        ("family", service.family.is_some()),
        ("match", service.matches.is_some()),
    ] {
        if given {
            findings.add(
                format_args!("services[{at}]"),
                format!("{field} without firewallMark"),
                format!("remove {field}"),
            );
        }
    }
}

/// A VIP that nobody declared.
pub(super) fn unknown_vip(
    findings: &mut Findings,
    index: &Index<'_>,
    path: Arguments<'_>,
    name: &str,
) {
    let fix = findings.suggest(
        name,
        index.document.vips.iter().map(|vip| vip.name.as_str()),
    );
    findings
        .report(path, "is no VIP", fix)
        .alone()
        .relying_on(&["vips"]);
}

/// Ports and ranges of ports.
pub fn ports(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        let path = format_args!("services[{at}]");
        match (service.port, service.last_port) {
            (Some(port), None) if port.get() == 0 && service.persistence.is_none() => {
                let fix = "write 1 to 65535, or add \"persistence\": {}";
                findings.add(
                    format_args!("{path}.port"),
                    "means any port and needs persistence",
                    fix,
                );
            }
            (None, Some(_)) if service.vip.is_some() => {
                findings.add(
                    format_args!("{path}.lastPort"),
                    "stands without port",
                    "add \"port\"",
                );
            }
            (Some(port), Some(last)) => range(findings, path, port, last),
            _ => {}
        }
    }
}

/// A range of ports starts before it ends, and is not too long.
pub(super) fn range(findings: &mut Findings, path: Arguments<'_>, port: Port, last: Port) {
    let count = u32::from(last.get()) + 1 - u32::from(port.get().min(last.get()));
    if port.get() == 0 {
        findings.add(
            format_args!("{path}.port"),
            "is no start of a range",
            "write 1 to 65535, or remove lastPort",
        );
    } else if last < port {
        findings.add(
            format_args!("{path}.lastPort"),
            format!("is before port {port}"),
            "write the larger one here",
        );
    } else if count > PORTS {
        let fix = format!("write at most {PORTS}, or use one firewallMark with \"match\"");
        findings.add(
            format_args!("{path}.lastPort"),
            format!("makes {count} ports"),
            fix,
        );
    }
}

/// Where the port of the real servers may differ. Whether the forwarding can change it, is judged with the members.
pub fn real_server_ports(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        let Some(target) = service.real_server_port else {
            continue;
        };
        let path = format_args!("services[{at}].realServerPort");
        let Some(port) = service.port else { continue };
        let last = service.last_port.unwrap_or(port);
        let longest = u32::from(target.get()) + u32::from(last.get().saturating_sub(port.get()));
        if port.get() == 0 {
            let fix = "remove it, or write 1 to 65535 in both";
            findings.add(path, "cannot go with any port (0)", fix);
        } else if target.get() == 0 {
            let fix = format!("remove it to keep port {port}, or write 1 to 65535");
            findings.add(path, "is no port of a machine", fix);
        } else if longest > u32::from(u16::MAX) {
            findings.add(
                path,
                format!("ends at {longest} with this range"),
                "write a smaller one",
            );
        }
    }
}

/// Flags belong to their scheduler.
pub fn scheduling(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index
        .services()
        .filter(|(_, service)| !service.scheduler_flags.is_empty())
    {
        let scheduler = service.scheduler.unwrap_or(Scheduler::Wlc);
        let list = format_args!("services[{at}].schedulerFlags");
        for (position, flag) in service.scheduler_flags.iter().enumerate() {
            let needed = match flag {
                SchedulerFlag::ShFallback | SchedulerFlag::ShPort => Scheduler::Sh,
                SchedulerFlag::MhFallback | SchedulerFlag::MhPort => Scheduler::Mh,
            };
            if needed != scheduler {
                let message = format!("belongs to scheduler {needed}, this is {scheduler}");
                findings.add(
                    format_args!("{list}[{position}]"),
                    message,
                    format!("remove it, or write \"{needed}\""),
                );
            }
        }
        once(findings, list, "", &service.scheduler_flags);
    }
}

/// Persistence fits the family and the protocols.
pub fn persistence(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        let Some(persistence) = &service.persistence else {
            continue;
        };
        let path = format_args!("services[{at}].persistence");
        let is_ipv4 = index.families(at).any(|family| family == Family::Ipv4);
        if persistence.prefix.is_some_and(|prefix| prefix.get() > 32) && is_ipv4 {
            let place = match &service.vip {
                Some(vip) => format!("IPv4 VIP {vip}"),
                None => "an IPv4 mark".to_owned(),
            };
            findings
                .report(
                    format_args!("{path}.prefix"),
                    format!("is too long on {place}"),
                    "write at most 32",
                )
                .relying_on(&["vips"]);
        }
        if persistence.engine == Some(PersistenceEngine::Sip) {
            udp_only(findings, format_args!("{path}.engine"), service);
        }
    }
}

/// One-packet scheduling is for datagrams.
pub fn one_packet(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index
        .services()
        .filter(|(_, service)| service.one_packet_scheduling == Some(true))
    {
        let path = format_args!("services[{at}].onePacketScheduling");
        udp_only(findings, path, service);
    }
}

/// What only datagrams have. Whose mark somebody else sets, we do not know.
fn udp_only(findings: &mut Findings, path: Arguments<'_>, service: &Service) {
    let protocols = protocols(service);
    if protocols.iter().all(|it| *it == Protocol::Udp) {
        return;
    }
    let words: Vec<_> = protocols.iter().map(Protocol::to_string).collect();
    let message = format!("is for udp; protocols are {}", words.join(", "));
    let fix = match service.matches {
        None => "write \"protocols\": [\"udp\"], or split the service",
        Some(_) => "write \"protocols\": [\"udp\"] in each match, or split the service",
    };
    findings.add(path, message, fix);
}

/// The protocols that are balanced, as far as the document says it; each once.
fn protocols(service: &Service) -> BTreeSet<Protocol> {
    let matches = service.matches.iter().flatten();
    let marked = matches.map(|it| it.protocols.as_deref());
    let own = service
        .vip
        .is_some()
        .then_some(service.protocols.as_deref());
    let stated = own.into_iter().chain(marked);
    stated
        .flat_map(|it| it.unwrap_or(&[Protocol::Tcp]))
        .copied()
        .collect()
}

/// Thresholds of services and of their destinations.
pub fn thresholds(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        pair(
            findings,
            format_args!("services[{at}]"),
            service.upper_threshold,
            service.lower_threshold,
        );
        for (position, exception) in service.destinations.iter().enumerate() {
            if exception
                .upper_threshold
                .or(exception.lower_threshold)
                .is_some()
            {
                let upper = exception.upper_threshold.or(service.upper_threshold);
                let lower = exception.lower_threshold.or(service.lower_threshold);
                pair(
                    findings,
                    format_args!("services[{at}].destinations[{position}]"),
                    upper,
                    lower,
                );
            }
        }
    }
}

fn pair(
    findings: &mut Findings,
    path: Arguments<'_>,
    upper: Option<Threshold>,
    lower: Option<Threshold>,
) {
    let lower = lower.map_or(0, |threshold| threshold.get());
    match upper.map_or(0, |threshold| threshold.get()) {
        0 if lower > 0 => {
            findings.add(
                path,
                format!("lowerThreshold {lower} without upperThreshold"),
                "give both",
            );
        }
        upper if upper < lower => {
            let message = format!("lowerThreshold {lower} is above upperThreshold {upper}");
            findings.add(path, message, "write the larger one as upperThreshold");
        }
        _ => {}
    }
}
