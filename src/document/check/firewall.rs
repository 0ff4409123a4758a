//! The firewall.

use super::{Findings, index::Index, names::once};
use crate::document::Role;

/// Drop rules name protocols and ports.
pub fn drops(index: &Index<'_>, findings: &mut Findings) {
    let rules = index
        .document
        .firewall
        .iter()
        .flat_map(|firewall| &firewall.drop);
    for (at, rule) in rules.enumerate() {
        let path = format_args!("firewall.drop[{at}]");
        if rule.protocols.is_empty() {
            findings.add(
                format_args!("{path}.protocols"),
                "the list is empty",
                "write [\"tcp\", \"udp\"]",
            );
        }
        once(
            findings,
            format_args!("{path}.protocols"),
            "",
            &rule.protocols,
        );
        if rule.port.get() == 0 {
            findings.add(
                format_args!("{path}.port"),
                "is no port to drop",
                "write 1 to 65535",
            );
        }
        if let Some(last) = rule.last_port.filter(|last| *last < rule.port) {
            let message = format!("is before port {}", rule.port);
            findings.add(
                format_args!("{path}.lastPort"),
                message,
                format!("write {last} as port"),
            );
        }
    }
}

/// Masquerading needs an inside and an outside.
pub fn masquerade(index: &Index<'_>, findings: &mut Findings) {
    let Some(firewall) = &index.document.firewall else {
        return;
    };
    if firewall.masquerade == Some(false) {
        return;
    }
    for director in &index.document.directors {
        for role in [Role::Outside, Role::Inside] {
            if !director
                .interfaces
                .iter()
                .any(|interface| interface.role == Some(role))
            {
                findings
                    .report(
                        "firewall.masquerade".to_owned(),
                        format!("{} has no \"{role}\" interface", director.name),
                        "give one the role, or write \"masquerade\": false",
                    )
                    .relying_on(&["directors"]);
            }
        }
    }
}
