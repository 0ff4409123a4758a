//! What resolving a document needs to know of the machine: which daemons are there, and what they are called.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::document::SshKey;

/// Facts of one machine; recorded in a snapshot, so that an offline plan agrees with one made on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// The DHCP servers that are installed.
    pub dhcp: Vec<DhcpServer>,
    /// The NFS server's unit: `nfs-server` under systemd, `nfs-kernel-server` under sysvinit; `None` when not
    /// installed.
    pub nfs_unit: Option<String>,
    /// The web server's unit: nginx, or none.
    pub web_unit: Option<String>,
    /// A program of this machine serves DNS to others.
    pub serves_dns: bool,
    /// Machines that are to install themselves when they boot next.
    pub armed: BTreeSet<String>,
    /// `/etc/hosts`, beside our lines.
    pub hosts: HostsFile,
    /// The director's public key, which the document names.
    pub public_key: PublicKey,
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

/// What others do to `/etc/hosts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostsFile {
    /// The file in which cloud-init is told to write it anew at every boot.
    pub rewritten_by: Option<String>,
    /// Names outside of our lines, in small letters, each with its address.
    pub others: Vec<(IpAddr, String)>,
}

/// A public key on the machine, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicKey {
    /// Nobody looked.
    Unknown,
    /// It says so.
    Read(SshKey),
    /// There is none that can be used.
    Unusable {
        /// What is wrong.
        message: String,
        /// What would help.
        fix: String,
    },
}

/// A DHCP server, as a distribution installs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DhcpServer {
    /// Which one it is.
    pub backend: Backend,
    /// Its unit, without `.service`.
    pub unit: String,
    /// Its configuration, or the part of it that is ours.
    pub config: String,
    /// Debian's dhcpd: the file that says on which interfaces it listens. Others are told in their configuration, or
    /// listen on those that have a subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<String>,
    /// What speaks for it where several are installed.
    pub standing: Standing,
    /// Its version, when it is too old for what we write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_old: Option<String>,
}

/// The DHCP servers that we configure. Of several that are installed and do not run, the first is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Tests a document against the running server, and takes it up without a restart.
    Kea,
    /// Serves DHCP and nothing else; no longer developed.
    IscDhcpServer,
    /// May be there for DNS alone.
    Dnsmasq,
}

/// What speaks for a server where several are installed: the first does most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It has a configuration of ours: leases are with it, and it never changes by itself.
    Ours,
    /// It serves DHCP now.
    Runs,
    /// It is there.
    Installed,
}

/// The first version of Kea that has all that we write.
pub const OLDEST_KEA: (u32, u32) = (2, 2);

impl Backend {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kea, Self::IscDhcpServer, Self::Dnsmasq];

    /// As the document calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kea => "kea",
            Self::IscDhcpServer => "isc-dhcp-server",
            Self::Dnsmasq => "dnsmasq",
        }
    }

    /// The program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Kea => "kea-dhcp4",
            Self::IscDhcpServer => "dhcpd",
            Self::Dnsmasq => "dnsmasq",
        }
    }

    /// Its unit: Debian's name, then Red Hat's.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Self::Kea => &["kea-dhcp4-server", "kea-dhcp4"],
            Self::IscDhcpServer => &["isc-dhcp-server", "dhcpd"],
            Self::Dnsmasq => &["dnsmasq"],
        }
    }

    /// What brings it: Debian's package, then Red Hat's.
    pub(super) fn packages(self) -> &'static str {
        match self {
            Self::Kea => "kea-dhcp4-server (Debian) or kea (Red Hat)",
            Self::IscDhcpServer => "isc-dhcp-server (Debian) or dhcp-server (Red Hat)",
            Self::Dnsmasq => "dnsmasq",
        }
    }
}

impl DhcpServer {
    /// One that is installed, with the unit that its distribution gives it.
    pub fn installed(backend: Backend, unit: &str) -> Self {
        let config = match backend {
            Backend::Kea => "/etc/kea/kea-dhcp4.conf",
            Backend::IscDhcpServer => "/etc/dhcp/dhcpd.conf",
            // Debian's init script and Red Hat's main file both name this directory.
            Backend::Dnsmasq => "/etc/dnsmasq.d/lvs-reconcile.conf",
        };
        let debian = (unit == "isc-dhcp-server").then(|| "/etc/default/isc-dhcp-server".into());
        Self {
            backend,
            unit: unit.into(),
            config: config.into(),
            interfaces: debian,
            standing: Standing::Installed,
            too_old: None,
        }
    }
}

impl Facts {
    /// For work without the machine: what a Debian director has, with any DHCP server that a document names.
    pub fn unknown() -> Self {
        let debian = |it: &Backend| DhcpServer::installed(*it, it.units()[0]);
        let mut dhcp: Vec<_> = Backend::ALL.iter().map(debian).collect();
        for server in &mut dhcp {
            if server.backend == Backend::IscDhcpServer {
                server.standing = Standing::Runs;
            }
        }
        Self {
            dhcp,
            nfs_unit: Some("nfs-server".into()),
            web_unit: Some("nginx".into()),
            serves_dns: false,
            armed: BTreeSet::new(),
            hosts: HostsFile::default(),
            public_key: PublicKey::Unknown,
            origin: Origin::Assumed,
        }
    }
}
