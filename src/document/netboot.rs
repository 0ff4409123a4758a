//! What the director serves to the real servers: exports, DHCP, kickstart.

use super::boot::Boot;
use super::values::{
    AbsolutePath, Address4, DhcpBackend, DiskName, ExportClient, Keyboard, KickstartTarget,
    Language, LeaseSeconds, MountPoint, Name, PackageName, SizeMiB, TimeZone, Url,
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
    /// Profiles of kickstart files; each real server with a `mac` gets one file.
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

/// How a real server is installed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KickstartProfile {
    /// What real servers call it.
    pub name: Name,
    /// What is installed; it decides which commands the file may use.
    pub target: KickstartTarget,
    /// Where the installer gets its packages.
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
    /// The file that holds root's password hash, as crypt(3) writes it. Absent: root's password is locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_password_file: Option<AbsolutePath>,
    /// The disk that is erased and used. Default: `sda`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskName>,
    /// The partitions, beside those that booting needs. Default: the installer decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// Packages, groups (`@development`) and environments (`@^minimal-environment`). Default: the target's core.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageName>,
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
