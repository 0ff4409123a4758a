//! Exports.

use super::{Findings, index::Index, names::once};
use crate::document::{Export, ExportClient};
use std::fmt::Arguments;

/// Who an export is for is said, and everyone only on purpose.
pub fn exports(index: &Index<'_>, findings: &mut Findings) {
    for (at, export) in index.document.exports.iter().enumerate() {
        let path = format_args!("exports[{at}]");
        match &export.clients {
            None => default_clients(index, findings, path, export),
            Some(clients) if clients.is_empty() => {
                findings.add(
                    format_args!("{path}.clients"),
                    "the list is empty",
                    "name a network, or leave the field out",
                );
            }
            Some(clients) => named_clients(findings, path, export, clients),
        }
    }
}

fn default_clients(
    index: &Index<'_>,
    findings: &mut Findings,
    path: Arguments<'_>,
    export: &Export,
) {
    if export.world != Some(true) && index.inside.is_empty() && !index.document.directors.is_empty()
    {
        let message = "there is no inside network to export to";
        findings
            .report(path, message, "name the \"clients\"")
            .relying_on(&["directors"]);
    }
}

fn named_clients(
    findings: &mut Findings,
    path: Arguments<'_>,
    export: &Export,
    clients: &[ExportClient],
) {
    let everyone = clients
        .iter()
        .position(|client| *client == ExportClient::Everyone);
    match (everyone, export.world) {
        (Some(at), None | Some(false)) => findings.add(
            format_args!("{path}.clients[{at}]"),
            "exports to everyone",
            "add \"world\": true or name a network",
        ),
        (None, Some(true)) => {
            findings.add(
                format_args!("{path}.world"),
                "contradicts the clients",
                "remove it, or write [\"*\"]",
            );
        }
        _ => {}
    }
    once(findings, format_args!("{path}.clients"), "", clients);
}
