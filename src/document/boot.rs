//! Booting machines from the network.

use super::values::{AbsolutePath, BootFile, KernelArgument};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How machines boot from the network. Whoever is armed (`lvs-reconcile arm`) installs itself, everybody else boots
/// from his disk.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Boot {
    /// Where the boot loaders are, and our boot files go; served by TFTP. Default: `/srv/tftp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<AbsolutePath>,
    /// What is loaded first, by the firmware of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaders: Option<Loaders>,
    /// Whether dnsmasq serves `directory` by TFTP. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tftp: Option<bool>,
    /// What else nginx serves: install trees. Default: `/srv/http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_root: Option<AbsolutePath>,
    /// Whether nginx serves kickstart files and boot files over HTTP. Default: true; false: kickstart files come over
    /// NFS, from the export `/kickstart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<bool>,
    /// What the installer's kernel is told beside what installing needs, such as `console=ttyS0`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_arguments: Vec<KernelArgument>,
}

/// Files below the directory that is served by TFTP.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Loaders {
    /// For a BIOS, a pxelinux. Default: `pxelinux.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bios: Option<BootFile>,
    /// For a UEFI of x86-64, a GRUB. Default: `grubnetx64.efi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uefi: Option<BootFile>,
    /// For a UEFI of 64-bit ARM, a GRUB. Default: `grubnetaa64.efi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uefi_arm: Option<BootFile>,
    /// For a UEFI of x86-64 that boots over HTTP, an iPXE. Default: `snponly.efi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uefi_http: Option<BootFile>,
}
