//! Kickstart files: one per real server with a MAC, under two names.

use std::net::IpAddr;

use crate::document::{KickstartProfile, RealServer};
use crate::resources::file::File;

use super::files::with_content;
use super::machines::Machines;
use super::node::Node;
use super::ports::OpenPorts;
use super::problem::Findings;
use super::render;
use super::services::Balanced;

/// Where they are exported from; installers that are told nothing look for `/kickstart/ADDRESS-kickstart`.
pub(super) const DIRECTORY: &str = "/kickstart";

/// All kickstart files.
pub(super) fn files(
    node: &Node,
    machines: &Machines,
    table: &Balanced,
    findings: &mut Findings,
) -> Vec<File> {
    let profiles: Vec<&KickstartProfile> = profiles(node).collect();
    if profiles.is_empty() {
        return Vec::new();
    }
    profiles.iter().for_each(|it| point_out_hash(it, findings));
    let open = OpenPorts::of(node, table);
    let installed = machines.all.iter().filter_map(|machine| {
        let profile = profile_of(machine, &profiles)?;
        let mac = machine.mac?;
        let open = open.of_machine(machine);
        let domain = node.document.domain.as_ref();
        Some((
            machine,
            render::kickstart(profile, &machine.name, mac, domain, &open),
        ))
    });
    let named = installed.flat_map(|(machine, content)| {
        let paths = paths(machine).into_iter();
        paths.map(move |path| with_content(path, content.clone()))
    });
    named.collect()
}

/// What real servers can be installed as.
pub(super) fn profiles<'a>(node: &Node<'a>) -> impl Iterator<Item = &'a KickstartProfile> {
    node.document.netboot.iter().flat_map(|it| &it.kickstart)
}

/// The one it names, or the only one there is.
pub(super) fn profile_of<'a>(
    machine: &RealServer,
    profiles: &[&'a KickstartProfile],
) -> Option<&'a KickstartProfile> {
    match (&machine.kickstart, profiles) {
        (Some(name), _) => profiles.iter().find(|it| it.name == *name).copied(),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

/// The kickstart file of a machine.
pub(super) fn path(machine: &RealServer) -> String {
    format!("{DIRECTORY}/{}.cfg", machine.name)
}

fn paths(machine: &RealServer) -> Vec<String> {
    let by_name = path(machine);
    match machine.address.get() {
        IpAddr::V4(address) => vec![by_name, format!("{DIRECTORY}/{address}-kickstart")],
        IpAddr::V6(_) => vec![by_name],
    }
}

/// An installer has no credentials: it reads the file as nobody, over NFS or HTTP, and so can anybody else.
fn point_out_hash(profile: &KickstartProfile, findings: &mut Findings) {
    if profile.root_password_file.is_some() {
        findings.warn(format!(
            "kickstart profile {}: whoever can reach {DIRECTORY} can read the hash of root's password; \
             without rootPasswordFile the password is locked",
            profile.name
        ));
    }
}
