//! The document: exactly what may be written, nothing resolved.
//!
//! A field that was not written is `None` or an empty list here; what that means is decided in `desired`, and only
//! there. Everything in this module is pure: it reads no file, no clock and no environment.

mod boot;
pub mod check;
mod director;
pub mod edit;
mod explain;
mod files;
pub mod limits;
mod load;
mod netboot;
mod problem;
mod schema;
mod services;
mod silence;
mod ssh;
mod strict;
pub mod values;
mod warn;

pub use boot::{Boot, Loaders};
pub use director::{
    Bond, Bridge, Director, Dummy, Interface, Route, SysctlSetting, Vlan, usual_metric,
};
pub use files::PlainFile;
pub use load::{examine, load};
pub use netboot::{
    Dhcp, Export, InstallException, Installer, KickstartProfile, Netboot, NfsMount, Partition,
    Repository,
};
pub use problem::{Cut, Problem, Problems, escape};
pub use schema::schema;
pub use services::{
    Drop, Firewall, Ipvs, Match, Persistence, RealServer, Service, ServiceDestination, Timeouts,
    Tunnel, Vip,
};
pub use silence::Silence;
pub use ssh::Ssh;
pub(crate) use values::SECTIONS;
pub use values::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One load-balanced cluster: its directors, its real servers, and what the directors do for them.
///
/// A section that is absent is not managed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "lvs-reconcile document")]
pub struct Document {
    /// Where this schema is; for editors, ignored by lvs-reconcile.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaReference>,
    /// The version of the document format: 1.
    pub version: Version,
    /// The DNS domain of the nodes. Required with `netboot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainName>,
    /// The machines that balance: facts of one machine stand here and nowhere else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directors: Vec<Director>,
    /// The machines of the pool. Adding a machine is one entry here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub real_servers: Vec<RealServer>,
    /// The service addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vips: Vec<Vip>,
    /// What is balanced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Packet filter and masquerading, in a table of our own. Absent: no table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<Firewall>,
    /// Settings of IPVS as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipvs: Option<Ipvs>,
    /// Directories offered by NFS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<Export>,
    /// DHCP and installation of the real servers. Absent: both are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netboot: Option<Netboot>,
    /// Whether `/etc/hosts` gets a block with the nodes. Default: true with `netboot`, else false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etc_hosts: Option<bool>,
    /// Logging in from the directors to the real servers. Absent: left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// Files of your own on the directors, each the same on all of them but for what its template makes of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PlainFile>,
    /// Warnings that are meant to be, each with its reason: they are counted, and no longer shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silence: Vec<Silence>,
}

impl Document {
    /// Whether `/etc/hosts` is to have a block of ours.
    pub fn wants_hosts(&self) -> bool {
        self.etc_hosts.unwrap_or(self.netboot.is_some())
    }
}
