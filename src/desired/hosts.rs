//! Our block in `/etc/hosts`: every node by name.

use std::net::IpAddr;

use crate::document::{Director, Name, Role};
use crate::ipvs::Family;
use crate::resources::file::{Content, File, FileKey, Form};

use super::machines::address_in;
use super::node::Node;
use super::render;

/// The block; without a word of the document it comes with `netboot`.
pub(super) fn block(node: &Node) -> Option<File> {
    let document = node.document;
    let wanted = document.etc_hosts.unwrap_or(document.netboot.is_some());
    let directors = document.directors.iter().flat_map(own);
    let machines = document.real_servers.iter().flat_map(|machine| {
        let addresses = [Family::V4, Family::V6].map(|family| address_in(machine, family));
        addresses
            .into_iter()
            .flatten()
            .map(|it| (it, &machine.name))
    });
    let entries: Vec<(IpAddr, &Name)> = directors.chain(machines).collect();
    wanted.then(|| File {
        key: FileKey {
            path: "/etc/hosts".into(),
            form: Form::Block,
        },
        content: Content::text(render::hosts(&entries, document.domain.as_ref())),
        mode: None,
        untouched_default: false,
    })
}

/// Where the nodes of the cluster reach a director: its first inside address of each family, or else outside.
fn own(director: &Director) -> impl Iterator<Item = (IpAddr, &Name)> {
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
    first.into_iter().flatten().map(|it| (it, &director.name))
}
