//! The part of the director's ssh_config(5) that names the real servers.

use std::fmt::Write as _;

use crate::document::{DomainName, RealServer};

use super::{HEADER, full_name};

/// One block for each. The address goes without brackets, whatever its family.
pub(in super::super) fn ssh_config(
    machines: &[RealServer],
    user: &str,
    domain: Option<&DomainName>,
) -> String {
    let mut text = String::from(HEADER);
    for machine in machines {
        let name = &machine.name;
        let _ = match domain {
            Some(_) => writeln!(text, "\nHost {name} {}", full_name(name, domain)),
            None => writeln!(text, "\nHost {name}"),
        };
        let _ = writeln!(text, "  HostName {}\n  User {user}", machine.address);
    }
    text
}
