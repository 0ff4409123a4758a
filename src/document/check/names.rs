//! Names: each once, and none that another program takes for something else.

use super::{Findings, index::Index};
use crate::document::Name;
use foldhash::HashMap;
use std::fmt::Arguments;
use std::{fmt::Display, hash::Hash};

/// A name stands for one thing.
pub fn unique_names(index: &Index<'_>, findings: &mut Findings) {
    let document = index.document;
    let mut names = |list: &str, names: Vec<&Name>| once(findings, list, "name", names);
    names(
        "directors",
        document.directors.iter().map(|it| &it.name).collect(),
    );
    names(
        "realServers",
        document.real_servers.iter().map(|it| &it.name).collect(),
    );
    names("vips", document.vips.iter().map(|it| &it.name).collect());
    names(
        "services",
        document.services.iter().map(|it| &it.name).collect(),
    );
    if let Some(netboot) = &document.netboot {
        let profiles = netboot.kickstart.iter();
        names("netboot.kickstart", profiles.map(|it| &it.name).collect());
    }
    if let Some(firewall) = &document.firewall {
        names(
            "firewall.drop",
            firewall.drop.iter().map(|it| &it.name).collect(),
        );
        once(findings, "firewall.helpers", "", &firewall.helpers);
    }
    let paths = document.exports.iter().map(|it| &it.path);
    once(findings, "exports", "path", paths);
    let paths = document.files.iter().map(|it| &it.path);
    once(findings, "files", "path", paths);
}

/// Interfaces and settings of a director stand there once.
pub fn unique_in_directors(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        let interfaces = director.interfaces.iter().map(|it| &it.name);
        once(
            findings,
            format_args!("directors[{at}].interfaces"),
            "name",
            interfaces,
        );
        let settings = director.sysctls.iter().map(|it| &it.name);
        once(
            findings,
            format_args!("directors[{at}].sysctls"),
            "name",
            settings,
        );
    }
}

/// Reports every value of a list that stands in it before. Without a field, the entries are the values themselves.
pub(super) fn once<T: Hash + Eq>(
    findings: &mut Findings,
    list: impl Display,
    field: &str,
    values: impl IntoIterator<Item = T>,
) {
    for (before, at) in repeated(values.into_iter().collect()) {
        let (path, message) = match field {
            "" => (
                format_args!("{list}[{at}]"),
                "stands in the list already".to_owned(),
            ),
            _ => (
                format_args!("{list}[{at}].{field}"),
                format!("is {list}[{before}]'s already"),
            ),
        };
        findings.report(path, message, "write each once").alone();
    }
}

/// The positions of values that stand in a list before, each after the position of the first.
fn repeated<T: Hash + Eq>(values: Vec<T>) -> Vec<(usize, usize)> {
    // Most lists are short, and comparing is cheaper than hashing.
    const SHORT: usize = 8;
    if values.len() <= SHORT {
        let first = |at: usize| {
            values
                .iter()
                .position(|value| *value == values[at])
                .unwrap_or(at)
        };
        let firsts = (0..values.len()).map(|at| (first(at), at));
        return firsts.filter(|(first, at)| first < at).collect();
    }
    let mut firsts = HashMap::with_capacity_and_hasher(values.len(), Default::default());
    let positions = values.into_iter().enumerate();
    let firsts = positions.map(|(at, value)| (*firsts.entry(value).or_insert(at), at));
    firsts.filter(|(first, at)| first < at).collect()
}

/// A node's name is a host name: in `/etc/hosts`, and in the DHCP servers' own languages.
pub fn host_names(index: &Index<'_>, findings: &mut Findings) {
    let document = index.document;
    for (at, director) in document.directors.iter().enumerate() {
        host_name(
            findings,
            format_args!("directors[{at}].name"),
            &director.name,
            index,
        );
    }
    for (at, server) in document.real_servers.iter().enumerate() {
        let path = format_args!("realServers[{at}].name");
        host_name(findings, path, &server.name, index);
        if let Some(director) = index.director_by_name.get(&server.name) {
            findings.add(
                path,
                format!("is also directors[{director}]'s name"),
                "give each node its own name",
            );
        }
    }
}

fn host_name(findings: &mut Findings, path: Arguments<'_>, name: &Name, index: &Index<'_>) {
    if is_reserved(name) {
        let message =
            "is no host name for every DHCP server: some read it as a lease time or as an order";
        findings.add(path, message, "write another name, such as \"rs1\"");
    }
    let domain = index
        .document
        .domain
        .as_ref()
        .map_or(0, |domain| domain.as_str().len());
    let length = name.as_str().len() + 1 + domain;
    if domain > 0 && length > 253 {
        findings.add(
            path,
            format!("has {length} characters with the domain"),
            "write at most 253 together",
        );
    }
}

/// Words and lease times of dnsmasq, and the machine itself.
fn is_reserved(name: &Name) -> bool {
    let text = name.as_str();
    let number = text.strip_suffix(['s', 'm', 'h', 'd', 'w']).unwrap_or(text);
    let is_lease_time = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_lease_time || matches!(text, "ignore" | "infinite" | "localhost")
}
