//! Exceptions for single real servers, ports that change, and tunnels.

use super::{Findings, index::Index, members::unknown_real_server, names::once};
use crate::document::{
    Checksum, Forwarding, Name, Port, Service, ServiceDestination, Tunnel, TunnelType,
};
use std::fmt::Arguments;

/// An exception is about one of the service's real servers, and one only.
pub fn exceptions(index: &Index<'_>, findings: &mut Findings) {
    let services = index.services();
    for (at, service) in services.filter(|(_, service)| !service.destinations.is_empty()) {
        let names = service.destinations.iter().map(|it| &it.real_server);
        let list = format_args!("services[{at}].destinations");
        once(findings, list, "realServer", names.clone());
        let mut members = index.members(at).to_vec();
        members.sort_unstable();
        for (position, name) in names.enumerate() {
            let path = format_args!("services[{at}].destinations[{position}].realServer");
            match index.real_server_by_name.get(name) {
                None => unknown_real_server(findings, index, path, name),
                Some(server) if members.binary_search(server).is_ok() => {}
                Some(_) => not_selected(findings, path, service, name),
            }
        }
    }
}

fn not_selected(findings: &mut Findings, path: Arguments<'_>, service: &Service, name: &Name) {
    let (message, fix) = match &service.tag {
        Some(tag) => (
            format!("is not selected by tag \"{tag}\""),
            format!("tag {name}, or remove this"),
        ),
        None => (
            "is not selected by realServers".to_owned(),
            "add it there, or remove this".to_owned(),
        ),
    };
    findings
        .report(path, message, fix)
        .relying_on(&["realServers"]);
}

/// Only masquerade changes ports.
pub fn changed_ports(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        let differs = service
            .real_server_port
            .is_some_and(|port| Some(port) != service.port);
        if let Some(method) = keeps_service_port(service).filter(|_| differs) {
            let path = format_args!("services[{at}].realServerPort");
            cannot_change(findings, path, service, method);
        }
        for (position, exception) in service.destinations.iter().enumerate() {
            let path = format_args!("services[{at}].destinations[{position}].port");
            exception_port(findings, path, service, exception);
        }
    }
}

/// A forwarding method that is in use with the service's own port and cannot change it.
fn keeps_service_port(service: &Service) -> Option<Forwarding> {
    let keeps = |method: &Forwarding| *method != Forwarding::Masquerade;
    let exceptions = service
        .destinations
        .iter()
        .filter(|exception| exception.port.is_none());
    let stated = std::iter::once(service.forwarding).chain(exceptions.map(|e| e.forwarding));
    stated.flatten().find(keeps)
}

fn exception_port(
    findings: &mut Findings,
    path: Arguments<'_>,
    service: &Service,
    exception: &ServiceDestination,
) {
    let method = exception
        .forwarding
        .or(service.forwarding)
        .unwrap_or(Forwarding::Masquerade);
    match (exception.port.map(Port::get), service.port.map(Port::get)) {
        (None, _) => {}
        (Some(0), _) => findings.add(path, "is no port of a machine", "write 1 to 65535"),
        (_, None | Some(0)) => {
            findings.add(path, "stands in a service without a port", "remove it")
        }
        (Some(port), Some(own)) if port != own && method != Forwarding::Masquerade => {
            cannot_change(findings, path, service, method);
        }
        (Some(port), Some(own)) => range_fits(findings, path, port, service.last_port, own),
    }
}

/// A range of ports keeps its length on a real server that has another first port.
fn range_fits(
    findings: &mut Findings,
    path: Arguments<'_>,
    port: u16,
    last: Option<Port>,
    own: u16,
) {
    let length = last.map_or(0, |last| last.get().saturating_sub(own));
    if port.checked_add(length).is_none() {
        let end = u32::from(port) + u32::from(length);
        let fix = format!("write at most {}", u16::MAX - length);
        findings.add(path, format!("ends at {end} with this range"), fix);
    }
}

fn cannot_change(
    findings: &mut Findings,
    path: Arguments<'_>,
    service: &Service,
    method: Forwarding,
) {
    let port = service.port.map_or(0, Port::get);
    let message = format!("is not {port}, and {method} cannot change ports");
    findings.add(path, message, "remove it or use \"masquerade\"");
}

/// Only a tunnel has a kind.
pub fn tunnels(index: &Index<'_>, findings: &mut Findings) {
    for (at, service) in index.services() {
        let path = format_args!("services[{at}].tunnel");
        let mut exceptions = service
            .destinations
            .iter()
            .map(|exception| exception.forwarding);
        // A service's tunnel may be for its exceptions only.
        let of_exception = exceptions
            .find(|method| *method == Some(Forwarding::Tunnel))
            .flatten();
        tunnel_in_use(
            findings,
            path,
            service.tunnel.as_ref(),
            of_exception.or(service.forwarding),
        );
        for (position, exception) in service.destinations.iter().enumerate() {
            let path = format_args!("services[{at}].destinations[{position}].tunnel");
            let method = exception.forwarding.or(service.forwarding);
            tunnel_in_use(findings, path, exception.tunnel.as_ref(), method);
        }
    }
}

fn tunnel_in_use(
    findings: &mut Findings,
    path: Arguments<'_>,
    tunnel: Option<&Tunnel>,
    method: Option<Forwarding>,
) {
    let Some(tunnel) = tunnel else { return };
    one_tunnel(findings, path, tunnel);
    if method != Some(Forwarding::Tunnel) {
        let fix = "write \"forwarding\": \"tunnel\", or remove it";
        findings.add(path, "a tunnel without the forwarding \"tunnel\"", fix);
    }
}

fn one_tunnel(findings: &mut Findings, path: Arguments<'_>, tunnel: &Tunnel) {
    let kind = tunnel.tunnel_type.unwrap_or(TunnelType::Ipip);
    match (kind, tunnel.port.map(Port::get)) {
        (TunnelType::Gue, None) => {
            let fix = "Linux' fou usually listens on 6080";
            findings.add(path, "type gue needs \"port\"", fix);
        }
        (TunnelType::Gue, Some(0)) => {
            findings.add(
                format_args!("{path}.port"),
                "is no port",
                "write 1 to 65535",
            );
        }
        (TunnelType::Ipip | TunnelType::Gre, Some(_)) => {
            let message = format!("has no meaning for {kind}");
            let fix = "remove it, or write type gue";
            findings.add(format_args!("{path}.port"), message, fix);
        }
        _ => {}
    }
    let fix = match (kind, tunnel.checksum.unwrap_or(Checksum::None)) {
        (TunnelType::Ipip, Checksum::Checksum) => "remove it, or write type gue or gre",
        (TunnelType::Ipip | TunnelType::Gre, Checksum::RemoteChecksum) => {
            "remove it, or write type gue"
        }
        _ => return,
    };
    let message = format!("has no meaning for {kind}");
    findings.add(format_args!("{path}.checksum"), message, fix);
}
