//! What the director serves to the real servers: exports, DHCP, installations.

use super::boot::Boot;
use super::values::{
    AbsolutePath, Address, Address4, DhcpBackend, DiskName, ExportClient, Keyboard,
    KickstartTarget, Language, LeaseSeconds, MountPoint, Name, PackageName, RepositoryName,
    ScriptLine, ServerName, SizeMiB, SshKey, TemplateLine, TimeZone, UnitName, Url,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One directory offered by NFS.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Export {
    /// The directory.
    pub path: AbsolutePath,
    /// Who may mount it. Default: the inside networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub clients: Option<Vec<ExportClient>>,
    /// Whether clients may write. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writable: Option<bool>,
    /// Whether a client's root is nobody here. Default: true; false lets every client's root write as root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_squash: Option<bool>,
    /// Must be true to export to everyone (`*`). Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<bool>,
}

/// Installing real servers over the network.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Netboot {
    /// The DHCP server. Absent: it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dhcp: Option<Dhcp>,
    /// Profiles of installations, which real servers share. Each real server with a `mac` gets files under `/kickstart`:
    /// a kickstart file, a preseed file or one for autoinstall, as the profile's target reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kickstart: Vec<KickstartProfile>,
    /// Booting from the network, for machines that have a `mac`. Absent: boot files are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<Boot>,
}

/// The DHCP server on the inside network.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dhcp {
    /// The first address that may be handed out. Reservations, VIPs and the directors' addresses are taken out for you.
    pub first: Address4,
    /// The last address that may be handed out, in the same inside network.
    pub last: Address4,
    /// The clients' gateway. Default: the director's inside address; to be stated when directors differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router: Option<Address4>,
    /// The clients' name servers. Default: the director's inside address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_servers: Option<Vec<Address4>>,
    /// Which DHCP server gets our configuration. Default: `auto`, the one that is installed. Of several: the one that
    /// has our configuration, else the one that runs, else Kea.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<DhcpBackend>,
    /// How long a lease lasts, in seconds; with dnsmasq at least 120. Default: 43200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<LeaseSeconds>,
}

/// How real servers are installed. What differs between two of them stands at the real server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KickstartProfile {
    /// What real servers call it.
    pub name: Name,
    /// What is installed; it decides which installer reads the file: Anaconda (RHEL, Fedora), Debian's or Ubuntu's.
    pub target: KickstartTarget,
    /// Where the installer gets its packages: a tree of RHEL or Fedora, a mirror of Debian or Ubuntu.
    pub url: Url,
    /// The locale. Default: `en_US.UTF-8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The keyboard layout. Default: `us`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<Keyboard>,
    /// The time zone. Default: `UTC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<TimeZone>,
    /// Where the machine gets its time. Default: as the installer decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ntp_servers: Vec<ServerName>,
    /// Repositories beside `url`. RHEL and Fedora only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<Repository>,
    /// The file that holds root's password hash, as `lvs-reconcile hash-password` writes it. Absent: root's password
    /// is locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_password_file: Option<AbsolutePath>,
    /// The public keys that may log in as root over ssh.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<SshKey>,
    /// The disk that is erased and used. Default: `sda`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskName>,
    /// The partitions, beside those that booting needs. RHEL and Fedora only. Default: the installer decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// Packages; for RHEL and Fedora also groups (`@development`) and environments (`@^minimal-environment`). Default:
    /// the target's core.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageName>,
    /// Units of systemd that start with the machine, beside those that their packages enable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enabled_services: Vec<UnitName>,
    /// Exports of the director that the machine mounts, always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<NfsMount>,
    /// A shell script that runs before the installation, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre: Vec<ScriptLine>,
    /// A shell script that runs in the installed system after everything else, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post: Vec<ScriptLine>,
    /// The whole file, line by line, in place of the one that we would write: kickstart or preseed with `<%= machine.name %>`,
    /// `<% for %>`, `<% if %>`. It may use `machine`, `profile`, `director`, `domain`, `realServers`, `vips`, `openPorts` and
    /// `rootPassword`; `| ks` quotes a value. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub template: Vec<TemplateLine>,
}

/// What reads the files of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installer {
    /// Kickstart.
    Anaconda,
    /// Preseed.
    Debian,
    /// Autoinstall.
    Subiquity,
}

impl KickstartTarget {
    /// What installs it.
    pub fn installer(self) -> Installer {
        match self {
            Self::Rhel7 | Self::Rhel8 | Self::Rhel9 | Self::Rhel10 => Installer::Anaconda,
            Self::Fedora43 | Self::Fedora44 | Self::Fedora45 => Installer::Anaconda,
            Self::Debian12 | Self::Debian13 => Installer::Debian,
            Self::Ubuntu2204 | Self::Ubuntu2404 | Self::Ubuntu2604 => Installer::Subiquity,
        }
    }
}

/// One more repository.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Repository {
    /// What the installer calls it.
    pub name: RepositoryName,
    /// Where it is.
    pub url: Url,
}

/// A directory of the director, mounted by NFS.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NfsMount {
    /// The directory: one of `exports`, or below one.
    pub export: AbsolutePath,
    /// Where the machine mounts it. Default: the same path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<AbsolutePath>,
    /// Who serves it. Default: the director's inside address; to be stated when there are several directors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Address>,
}

/// What is different about the installation of one real server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct InstallException {
    /// The disk, instead of the profile's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskName>,
    /// The partitions, instead of the profile's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<Partition>>,
    /// Packages beside the profile's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_packages: Vec<PackageName>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Partition {
    /// Where it goes: an absolute path, `swap` or `biosboot`.
    pub mount: MountPoint,
    /// Its size, or with `grow` its least size, in MiB.
    #[serde(rename = "sizeMiB")]
    pub size_mib: SizeMiB,
    /// Whether it takes the space that is left. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grow: Option<bool>,
}
