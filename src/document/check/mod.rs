//! Rules across fields: what no single value can know.
//!
//! Every rule looks at the whole document and reports everything that it finds. Each is near-linear in the size of
//! the document, because a document may hold tens of thousands of services.

mod addresses;
mod clashes;
mod destinations;
mod exports;
mod files;
mod firewall;
mod index;
mod interfaces;
mod kickstart_nfs;
mod links;
mod marks;
mod members;
mod names;
mod netboot;
mod profiles;
mod ranges;
mod real_servers;
mod routes;
mod services;
mod silence;
mod size;
mod ssh;
mod sysctls;
mod vips;

use super::Document;
pub(super) use index::Index;
pub(super) use ranges::{PortRange, PortRanges, Ranges};
use std::fmt::Display;
pub use sysctls::may_be_set;

/// Something wrong with a document whose place is a path, not yet a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place: `services[0].port`. It may name a field that is absent.
    pub path: String,
    /// What is wrong, as the rest of a sentence that starts with the value at the place.
    pub message: String,
    /// What would be right.
    pub fix: String,
    /// The sections that must be complete for this to be true: that nothing is called `web` there, say.
    pub relies_on: &'static [&'static str],
    /// How much of the entry around it must be right for this to be true.
    pub extent: Extent,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The whole entry: with another field of it repaired, it might vanish.
    Entry,
    /// The value alone.
    Value,
}

impl Finding {
    /// Only true when these sections are complete.
    fn relying_on(&mut self, sections: &'static [&'static str]) {
        self.relies_on = sections;
    }

    /// True whatever stands beside the value.
    fn alone(&mut self) -> &mut Self {
        self.extent = Extent::Value;
        self
    }
}

/// Checks the rules across fields, and returns everything that breaks one.
pub fn check(document: &Document) -> Vec<Finding> {
    findings(&Index::new(document))
}

/// The same, of a document that is indexed already.
pub(super) fn findings(index: &Index<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    size::lists(index, &mut findings);
    if findings.found.is_empty() {
        RULES.iter().for_each(|rule| rule(index, &mut findings));
    }
    findings.found
}

type Rule = fn(&Index<'_>, &mut Findings);

const RULES: &[Rule] = &[
    names::unique_names,
    names::unique_in_directors,
    names::host_names,
    interfaces::roles,
    interfaces::addresses,
    interfaces::own_addresses,
    interfaces::networks_apart,
    links::one_kind,
    links::lower_interfaces,
    links::mtus,
    routes::gateways,
    routes::routes,
    sysctls::sysctls,
    real_servers::addresses,
    real_servers::macs,
    real_servers::tags,
    vips::addresses,
    vips::second_addresses,
    vips::holders,
    vips::carriers,
    vips::labels,
    services::what_is_balanced,
    services::ports,
    services::real_server_ports,
    services::scheduling,
    services::persistence,
    services::one_packet,
    services::thresholds,
    marks::matches,
    members::selection,
    members::reachability,
    destinations::exceptions,
    destinations::changed_ports,
    destinations::tunnels,
    clashes::virtual_services,
    clashes::marks,
    size::table,
    firewall::drops,
    firewall::masquerade,
    exports::exports,
    files::contents,
    files::places,
    files::nested,
    ssh::ssh,
    silence::subjects,
    netboot::domain,
    netboot::dhcp,
    netboot::boot,
    kickstart_nfs::kickstart_over_nfs,
    netboot::reservations,
    profiles::profiles,
    profiles::chosen_profiles,
    profiles::exceptions,
];

/// What the rules found so far; bounded, because a wrong document can be wrong a million times.
#[derive(Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    const MOST: usize = 1000;

    fn add(&mut self, path: impl Display, message: impl Into<String>, fix: impl Into<String>) {
        self.report(path, message, fix);
    }

    /// Adds a finding of which more can be said.
    fn report(
        &mut self,
        path: impl Display,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> &mut Finding {
        self.found.truncate(Self::MOST);
        self.found.push(Finding {
            path: path.to_string(),
            message: message.into(),
            fix: fix.into(),
            relies_on: &[],
            extent: Extent::Entry,
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// What was probably meant by a name that nothing has.
    fn suggest<'n>(&self, name: &str, names: impl Iterator<Item = &'n str>) -> String {
        // Looking for the nearest name costs a look at each.
        let names: Vec<&str> = if self.found.len() < 100 {
            names.take(1000).collect()
        } else {
            Vec::new()
        };
        match super::values::nearest(name, &names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if names.is_empty() => "there is none".to_owned(),
            None if names.len() <= 8 => format!("there are: {}", names.join(", ")),
            None => format!("there are: {}, ...", names[..8].join(", ")),
        }
    }
}
