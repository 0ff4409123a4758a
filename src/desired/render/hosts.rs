//! The lines of our block in `/etc/hosts`, without its markers.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::document::{DomainName, Name};

use super::full_name;

/// One line per address: the full name first, as gethostbyaddr(3) answers with the first.
pub(in super::super) fn hosts(entries: &[(IpAddr, &Name)], domain: Option<&DomainName>) -> String {
    let mut text = String::new();
    for (address, name) in entries {
        let _ = match domain {
            Some(_) => writeln!(text, "{address}\t{} {name}", full_name(name, domain)),
            None => writeln!(text, "{address}\t{name}"),
        };
    }
    text
}
