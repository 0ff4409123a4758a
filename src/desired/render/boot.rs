//! Boot files for whoever loads them: pxelinux, GRUB, iPXE. Values hold no white space and no character that one of
//! them gives a meaning to, but `&` and `?` in URLs, which GRUB gets in quotes.

use std::fmt::Write as _;

use crate::document::{BootFile, MacAddress, Name};

use super::HEADER;

/// One machine that is to install itself.
pub(in super::super) struct Install<'a> {
    pub name: &'a Name,
    pub mac: MacAddress,
    /// URLs, of `http`.
    pub kernel: String,
    pub initrd: String,
    pub arguments: Vec<String>,
}

impl Install<'_> {
    /// As pxelinux names a network card: the type, 01 for Ethernet, then the address.
    pub fn card(&self) -> String {
        format!("01-{}", dashed(self.mac))
    }

    fn header(&self) -> String {
        format!("{} for {}\n", HEADER.trim_end(), self.name)
    }

    fn arguments(&self) -> String {
        self.arguments.join(" ")
    }
}

/// `02-00-00-00-00-11`.
pub(in super::super) fn dashed(mac: MacAddress) -> String {
    mac.to_string().replace(':', "-")
}

/// `pxelinux.cfg/default`: back to the BIOS, which tries the next device.
pub(in super::super) fn pxelinux_default() -> String {
    format!("{HEADER}DEFAULT local\nPROMPT 0\nTIMEOUT 10\nLABEL local\n  LOCALBOOT -1\n")
}

/// `pxelinux.cfg/01-MAC`. `IPAPPEND 2` adds `BOOTIF`.
pub(in super::super) fn pxelinux(machine: &Install) -> String {
    let Install { kernel, initrd, .. } = machine;
    format!(
        "{}DEFAULT install\nPROMPT 0\nLABEL install\n  KERNEL {kernel}\n  INITRD {initrd}\n  APPEND {}\n  IPAPPEND 2\n",
        machine.header(),
        machine.arguments()
    )
}

/// `grub/grub.cfg`: Debian's image looks for no file of a machine by itself.
pub(in super::super) fn grub_default(armed: &[Install]) -> String {
    let mut text = format!("{HEADER}set timeout=1\n");
    for machine in armed {
        let _ = write!(
            text,
            "if [ \"$net_default_mac\" = '{}' ]; then\n  configfile \"$prefix/{}\"\nfi\n",
            machine.mac,
            grub_name(machine)
        );
    }
    text.push_str("menuentry 'Boot from the local disk' {\n  exit 1\n}\n");
    text
}

/// The file of a machine, below `grub`.
pub(in super::super) fn grub_name(machine: &Install) -> String {
    format!("grub.cfg-{}", machine.card())
}

/// `grub/grub.cfg-01-MAC`.
pub(in super::super) fn grub(machine: &Install) -> String {
    format!(
        "{}set timeout=0\nmenuentry 'Install {}' {{\n  linux '{}' {} BOOTIF={}\n  initrd '{}'\n}}\n",
        machine.header(),
        machine.name,
        grub_place(&machine.kernel),
        quoted(&machine.arguments),
        machine.card(),
        grub_place(&machine.initrd)
    )
}

fn quoted(arguments: &[String]) -> String {
    let each = arguments.iter().map(|it| format!("'{it}'"));
    each.collect::<Vec<_>>().join(" ")
}

/// `http://HOST/PATH` as GRUB writes it.
fn grub_place(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("(http,{host})/{path}")
}

/// `boot.ipxe`: whoever has no file of his own boots from the next device.
pub(in super::super) fn ipxe_default() -> String {
    format!("#!ipxe\n{HEADER}chain ipxe/${{mac:hexhyp}}.ipxe || exit 1\n")
}

/// `ipxe/MAC.ipxe`.
pub(in super::super) fn ipxe(machine: &Install) -> String {
    format!(
        "#!ipxe\n{}kernel {} initrd=initrd {} BOOTIF={}\ninitrd --name initrd {}\nboot\n",
        machine.header(),
        machine.kernel,
        machine.arguments(),
        machine.card(),
        machine.initrd
    )
}

/// What DHCP hands to whom, by the firmware that asks.
pub(in super::super) struct Loaded {
    pub bios: String,
    pub uefi: String,
    pub uefi_arm: String,
    /// A URL; none without an HTTP server.
    pub uefi_http: Option<String>,
}

/// For a client that is an iPXE already, below the served directory.
pub(in super::super) const IPXE: &str = "boot.ipxe";

impl Loaded {
    /// What is named, else what Debian's packages have.
    pub fn file(named: Option<&BootFile>, usual: &str) -> String {
        named.map_or(usual, |it| it.as_str()).to_owned()
    }
}
