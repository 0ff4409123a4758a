//! What resolving a document needs to know of the machine: which daemons are there, and what they are called.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Facts of one machine; recorded in a snapshot, so that an offline plan agrees with one made on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// The DHCP server; `None` when none is installed.
    pub dhcp: Option<DhcpServer>,
    /// The NFS server's unit: `nfs-server` under systemd, `nfs-kernel-server` under sysvinit; `None` when not
    /// installed.
    pub nfs_unit: Option<String>,
    /// Machines that are to install themselves when they boot next.
    pub armed: BTreeSet<String>,
    /// Where the above comes from.
    pub origin: Origin,
}

/// How we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Looked at.
    Machine,
    /// Nobody looked: what Debian has is assumed, and said so.
    Assumed,
}

/// An ISC dhcpd, as a distribution installs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DhcpServer {
    /// Its unit, without `.service`.
    pub unit: String,
    /// Its configuration.
    pub config: String,
    /// The file that says on which interfaces it listens; `None` where it listens on those that have a subnet.
    pub interfaces: Option<String>,
}

impl DhcpServer {
    /// The package `isc-dhcp-server` of Debian and its relatives.
    pub fn debian() -> Self {
        Self {
            unit: "isc-dhcp-server".into(),
            config: "/etc/dhcp/dhcpd.conf".into(),
            interfaces: Some("/etc/default/isc-dhcp-server".into()),
        }
    }

    /// The package `dhcp-server` of Red Hat Enterprise Linux and its relatives, up to version 9.
    pub fn red_hat() -> Self {
        Self {
            unit: "dhcpd".into(),
            config: "/etc/dhcp/dhcpd.conf".into(),
            interfaces: None,
        }
    }
}

impl Facts {
    /// For work without the machine: what a Debian director has.
    pub fn unknown() -> Self {
        Self {
            dhcp: Some(DhcpServer::debian()),
            nfs_unit: Some("nfs-server".into()),
            armed: BTreeSet::new(),
            origin: Origin::Assumed,
        }
    }
}
