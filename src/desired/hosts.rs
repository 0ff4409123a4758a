//! Our block in `/etc/hosts`: every node by name.

use foldhash::HashMap;
use std::net::IpAddr;

use crate::document::{Director, Name, Role};
use crate::ipvs::Family;
use crate::lint::{Code, Warning};
use crate::resources::file::{Content, File, FileKey, Form};

use super::facts::{Facts, HostsFile};
use super::machines::address_in;
use super::node::Node;
use super::problem::Findings;
use super::render;

/// The block; without a word of the document it comes with `netboot`.
pub(super) fn block(node: &Node, facts: &Facts, findings: &mut Findings) -> Option<File> {
    let document = node.document;
    if !document.wants_hosts() {
        return None;
    }
    point_out_others(node, &facts.hosts, findings);
    let directors = document
        .directors
        .iter()
        .flat_map(|director| addresses_of(director).map(move |it| (it, &director.name)));
    let machines = document.real_servers.iter().flat_map(|machine| {
        let addresses = [Family::V4, Family::V6].map(|family| address_in(machine, family));
        addresses
            .into_iter()
            .flatten()
            .map(|it| (it, &machine.name))
    });
    let entries: Vec<(IpAddr, &Name)> = directors.chain(machines).collect();
    Some(File {
        key: place(),
        content: Content::text(render::hosts(&entries, document.domain.as_ref())),
        mode: None,
        owner: None,
        untouched_default: false,
    })
}

/// Our block, between the lines of others.
pub(super) fn place() -> FileKey {
    FileKey {
        path: "/etc/hosts".into(),
        form: Form::Block,
    }
}

/// Programs take the first address of a name, and ours come last. A director's own name is left out: Debian gives it
/// 127.0.1.1, which is right for itself.
fn point_out_others(node: &Node, hosts: &HostsFile, findings: &mut Findings) {
    if let Some(by) = &hosts.rewritten_by {
        let message = format!(
            "cloud-init writes /etc/hosts anew at every boot, without our lines; set manage_etc_hosts to false in {by}"
        );
        findings.warn(Warning::new(Code::HostsRewritten, message));
    }
    let mut addresses: HashMap<&str, Vec<IpAddr>> = HashMap::default();
    for (address, name) in &hosts.others {
        addresses.entry(name).or_default().push(*address);
    }
    if addresses.is_empty() {
        return;
    }
    for machine in &node.document.real_servers {
        let own = [Family::V4, Family::V6].map(|family| address_in(machine, family));
        let full = render::full_name(&machine.name, node.document.domain.as_ref());
        let named = [machine.name.as_str(), &full].map(|it| addresses.get(it));
        let mut others = named.into_iter().flatten().flatten();
        if let Some(other) = others.find(|it| !own.contains(&Some(**it))) {
            let message = format!(
                "/etc/hosts has {other} for {} beside our lines, and whoever asks may get that; remove it",
                machine.name
            );
            findings.warn(Warning::new(Code::HostsDisagree, message).about(machine.name.as_str()));
        }
    }
}

/// Where the nodes of the cluster reach a director: its first inside address of each family, or else outside.
pub(super) fn addresses_of(director: &Director) -> impl Iterator<Item = IpAddr> {
    let with_role = |role| {
        director
            .interfaces
            .iter()
            .filter(move |it| it.role == Some(role))
    };
    let addresses = with_role(Role::Inside).chain(with_role(Role::Outside));
    let mut addresses = addresses
        .flat_map(|it| &it.addresses)
        .map(|it| it.address());
    let first = [
        addresses.clone().find(IpAddr::is_ipv4),
        addresses.find(IpAddr::is_ipv6),
    ];
    first.into_iter().flatten()
}
