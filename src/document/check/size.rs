//! How large a cluster may be: what a person writes is far below, and what is above could keep us busy for hours.

use super::{Findings, index::Index};
use crate::document::{
    Port, Service,
    limits::{DESTINATIONS, DIRECTORS, FILES, INTERFACES, VIRTUAL_SERVICES},
};

/// The lists that other rules walk through again and again.
pub fn lists(index: &Index<'_>, findings: &mut Findings) {
    if index.document.directors.len() > DIRECTORS {
        let message = format!("more than {DIRECTORS} directors");
        findings.add("directors".to_owned(), message, "split the cluster");
    }
    if index.document.files.len() > FILES {
        let message = format!("more than {FILES} files");
        findings.add(
            "files".to_owned(),
            message,
            "put them into a package of your own",
        );
    }
    for (at, director) in index.directors() {
        if director.interfaces.len() > INTERFACES {
            let message = format!("more than {INTERFACES} interfaces");
            let path = format_args!("directors[{at}].interfaces");
            findings.add(path, message, "leave out those that we need not touch");
        }
    }
}

/// The kernel's table has a size that a machine can bear.
pub fn table(index: &Index<'_>, findings: &mut Findings) {
    let mut total = (0usize, 0usize);
    for (at, service) in index.services() {
        let before = total;
        let virtual_services = entries(index, at, service);
        let members = index.members(at).len();
        total = (
            before.0 + virtual_services,
            before
                .1
                .saturating_add(virtual_services.saturating_mul(members)),
        );
        let limits = [
            ("virtual services", before.0, total.0, VIRTUAL_SERVICES),
            ("destinations", before.1, total.1, DESTINATIONS),
        ];
        for (what, before, now, limit) in limits {
            if before <= limit && now > limit {
                let message = format!("with {} there are more than {limit} {what}", service.name);
                findings.add(
                    format_args!("services[{at}]"),
                    message,
                    "use a firewallMark for ranges, or split the cluster",
                );
            }
        }
    }
}

/// How many virtual services of the kernel a service becomes.
pub(super) fn entries(index: &Index<'_>, at: usize, service: &Service) -> usize {
    let families = index.families(at).count();
    if service.firewall_mark.is_some() {
        return families;
    }
    let first = service.port.map_or(0, Port::get);
    let last = service.last_port.map_or(first, Port::get).max(first);
    let ports = usize::from(last - first) + 1;
    families * ports * service.protocols.as_ref().map_or(1, Vec::len)
}
