//! Logging in from the director to the real servers.

use crate::document::{KickstartProfile, SshKey};
use crate::lint::Warning;
use crate::resources::file::File;

use super::facts::{Facts, PublicKey};
use super::files::whole;
use super::node::Node;
use super::problem::{Findings, Problem};
use super::render;

/// Read by ssh before the rest of the system's file, and after the user's own.
pub(super) const CONFIG: &str = "/etc/ssh/ssh_config.d/lvs-reconcile.conf";

/// What tells ssh where the real servers are.
pub(super) fn config(node: &Node) -> Option<File> {
    let ssh = node.document.ssh.as_ref()?;
    let machines = &node.document.real_servers;
    let wanted = ssh.config.unwrap_or(true) && !machines.is_empty();
    let user = ssh.user.as_ref().map_or("root", |it| it.as_str());
    let domain = node.document.domain.as_ref();
    wanted.then(|| whole(CONFIG, render::ssh_config(machines, user, domain)))
}

/// The director's key. What nobody looked at stands there by its name.
pub(super) fn key(node: &Node, facts: &Facts, findings: &mut Findings) -> Option<String> {
    let path = node.document.ssh.as_ref()?.public_key.as_ref()?;
    match &facts.public_key {
        PublicKey::Read(key) => Some(key.to_string()),
        PublicKey::Unknown => {
            findings.warn(Warning::note(format!(
                "the director was not looked at: {path}, its public key, is not known here"
            )));
            Some(format!("(the key in {path})"))
        }
        PublicKey::Unusable { message, fix } => {
            findings.refuse(Problem::new("ssh.publicKey", message, fix));
            None
        }
    }
}

/// The keys of a profile, and the director's unless it is one of them: the same key may have another comment.
pub(super) fn keys(profile: &KickstartProfile, own: Option<&str>) -> Vec<String> {
    let itself = |key: &str| {
        key.split(' ')
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut keys: Vec<String> = profile.ssh_keys.iter().map(SshKey::to_string).collect();
    let own = own.filter(|own| !keys.iter().any(|it| itself(it) == itself(own)));
    keys.extend(own.map(str::to_owned));
    keys
}
