//! Files of the author's own, and what ssh is told.

use lvs_reconcile::document::{Document, PlainFile};

use super::daemons::lines;

const SSH: &str = "/etc/ssh/ssh_config.d/lvs-reconcile.conf";

/// False when it is neither.
pub fn assert_read(document: &Document, path: &str, text: &str) -> bool {
    let plain = document.files.iter().find(|it| it.path.as_str() == path);
    match plain {
        Some(plain) => assert_content(plain, text),
        None if path == SSH => assert_ssh(document, text),
        None => return false,
    }
    true
}

/// Whether a file may have any text at all.
pub fn is_free(document: &Document, path: &str) -> bool {
    let mut files = document.files.iter();
    path.starts_with("/kickstart/") || files.any(|it| it.path.as_str() == path)
}

/// To the letter; what a template makes is its author's.
fn assert_content(plain: &PlainFile, text: &str) {
    if let Some(content) = &plain.content {
        let wanted: String = content.iter().map(|it| format!("{it}\n")).collect();
        assert_eq!(text, wanted, "{}", plain.path);
    }
}

/// ssh_config(5): a keyword and its arguments on a line; a block for each machine, in their order.
fn assert_ssh(document: &Document, text: &str) {
    let ssh = document.ssh.as_ref().expect("the section");
    let user = ssh.user.as_ref().map_or("root", |it| it.as_str());
    let mut lines = lines(text).map(|it| it.split_ascii_whitespace().collect::<Vec<_>>());
    for machine in &document.real_servers {
        let name = machine.name.as_str();
        let full = document.domain.as_ref().map(|it| format!("{name}.{it}"));
        let names: Vec<&str> = ["Host", name].into_iter().chain(full.as_deref()).collect();
        assert_eq!(lines.next().expect("a block"), names);
        let address = machine.address.to_string();
        assert_eq!(lines.next().expect("an address"), ["HostName", &address]);
        assert_eq!(lines.next().expect("a user"), ["User", user]);
    }
    assert_eq!(lines.next(), None);
}
