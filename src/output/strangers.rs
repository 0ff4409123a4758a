//! `discover`: machines that nobody has named yet, and what brings each in.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::time::{span, utc};
use crate::document::edit::next_names;
use crate::document::{Document, MacAddress, Name, escape};
use crate::host::linux::leases::{Lease, Leases, places};

/// The machines that are in no document, the newest first.
#[derive(Debug)]
pub struct Strangers<'a> {
    pub leases: &'a Leases,
    pub document: &'a Document,
    /// Where the document is, when that has to be said.
    pub path: Option<&'a str>,
    /// In seconds since 1970.
    pub now: u64,
}

impl Strangers<'_> {
    /// Each with the name that it would get, when the names follow a pattern.
    fn each(&self) -> Vec<(&Lease, Option<Name>)> {
        let machines = self.document.real_servers.iter();
        let known: BTreeSet<MacAddress> = machines.filter_map(|it| it.mac).collect();
        let mut names = next_names(self.document);
        let leases = self.leases.all.iter();
        let strangers = leases.filter(|it| !known.contains(&it.mac));
        strangers.map(|it| (it, names.next())).collect()
    }

    /// What to type.
    fn command(&self, lease: &Lease, name: Option<&Name>) -> Vec<String> {
        let name = name.map_or("NAME", Name::as_str);
        let words = [
            "lvs-reconcile",
            "adopt-machine",
            &lease.mac.to_string(),
            "--name",
            name,
        ];
        let words = words.iter().copied().chain(self.path);
        words.map(str::to_owned).collect()
    }

    /// A line each.
    pub fn text(&self) -> String {
        let each = self.each();
        if each.is_empty() {
            return self.nobody();
        }
        let mut rows = vec![
            [
                "MAC",
                "address",
                "host name",
                "asked",
                "lease",
                "to bring it in",
            ]
            .map(str::to_owned),
        ];
        rows.extend(
            each.iter()
                .map(|(lease, name)| self.row(lease, name.as_ref())),
        );
        let width = |column: usize| rows.iter().map(|it| it[column].chars().count()).max();
        let widths = [0, 1, 2, 3, 4].map(|it| width(it).unwrap_or_default());
        let mut out = String::new();
        for [cells @ .., command] in &rows {
            for (cell, width) in cells.iter().zip(widths) {
                // Writing to a String cannot fail.
                let _ = write!(out, "{cell:<width$}  ");
            }
            let _ = writeln!(out, "{command}");
        }
        out
    }

    fn row(&self, lease: &Lease, name: Option<&Name>) -> [String; 6] {
        let ago = |at: u64| format!("{} ago", span(self.now.saturating_sub(at)));
        let dash = || "-".to_owned();
        let ends = match lease.ends {
            Some(at) if lease.has_expired(self.now) => format!("expired {}", ago(at.min(self.now))),
            _ if lease.is_over => "expired".to_owned(),
            Some(at) => format!("ends in {}", span(at - self.now)),
            None => "never ends".to_owned(),
        };
        [
            lease.mac.to_string(),
            lease.address.to_string(),
            lease.host_name.as_deref().map_or_else(dash, escape),
            lease.asked.map_or_else(dash, ago),
            ends,
            shell_words::join(self.command(lease, name)),
        ]
    }

    fn nobody(&self) -> String {
        let files = self.leases.files.join(", ");
        match self.leases.files.is_empty() {
            true => format!(
                "No DHCP server has written down a lease here: there is none of {}\n",
                places().collect::<Vec<_>>().join(", ")
            ),
            false => format!("Nobody: every machine in {files} is in the document\n"),
        }
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let each = self.each();
        let machines = each.iter().map(|(lease, name)| {
            json!({
                "mac": lease.mac, "address": lease.address, "hostName": lease.host_name,
                "asked": lease.asked.map(utc), "ends": lease.ends.map(utc),
                "expired": lease.has_expired(self.now),
                "name": name, "command": self.command(lease, name.as_ref()),
            })
        });
        json!({
            "formatVersion": super::json::FORMAT_VERSION,
            "files": self.leases.files,
            "machines": machines.collect::<Vec<_>>(),
        })
    }
}
