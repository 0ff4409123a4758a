//! Boot files for whoever loads them: pxelinux, GRUB, iPXE. Values hold no white space and no character that one of
//! them gives a meaning to, but `&` and `?` in URLs, which GRUB gets in quotes.

use std::fmt::Write as _;

use crate::document::{BootFile, MacAddress, Name};

use super::HEADER;

/// One machine that is to install itself.
pub(in super::super) struct Install<'a> {
    pub name: &'a Name,
    pub mac: MacAddress,
    /// URLs.
    pub kernel: String,
    pub initrd: String,
    /// Copies of both, below the directory that is served by TFTP.
    pub copies: Copies,
    pub arguments: Vec<String>,
}

/// Where an installer is for loaders that know no HTTP: pxelinux, and the GRUB that is signed for Secure Boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    pub kernel: String,
    pub initrd: String,
}

impl Copies {
    /// Of a profile.
    pub fn of(profile: &Name) -> Self {
        Self {
            kernel: format!("install/{profile}/vmlinuz"),
            initrd: format!("install/{profile}/initrd"),
        }
    }
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
    let Copies { kernel, initrd } = &machine.copies;
    format!(
        "{}DEFAULT install\nPROMPT 0\nLABEL install\n  KERNEL /{kernel}\n  INITRD /{initrd}\n  APPEND {}\n  IPAPPEND 2\n",
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
    text.push_str(FROM_DISK);
    text
}

/// The loader of the disk is called by us: when GRUB 2.06 exits, a firmware takes it for a success and boots nothing
/// else (UEFI 2.10, 3.1.1).
const FROM_DISK: &str = r#"set arch=x64
if [ "$grub_cpu" = arm64 ]; then
  set arch=aa64
fi
menuentry 'Boot from the local disk' {
  for vendor in redhat rocky almalinux centos fedora debian ubuntu; do
    if search --no-floppy --file "/EFI/$vendor/shim$arch.efi" --set=root; then
      chainloader "/EFI/$vendor/shim$arch.efi"
      boot
    fi
  done
  if search --no-floppy --file "/EFI/BOOT/BOOT$arch.EFI" --set=root; then
    chainloader "/EFI/BOOT/BOOT$arch.EFI"
    boot
  fi
  exit 1
}
"#;

/// The file of a machine, below `grub`.
pub(in super::super) fn grub_name(machine: &Install) -> String {
    format!("grub.cfg-{}", machine.card())
}

/// `grub/grub.cfg-01-MAC`.
pub(in super::super) fn grub(machine: &Install) -> String {
    let Copies { kernel, initrd } = &machine.copies;
    format!(
        "{}set timeout=0\nmenuentry 'Install {}' {{\n  linux /{kernel} {} BOOTIF={}\n  initrd /{initrd}\n}}\n",
        machine.header(),
        machine.name,
        quoted(&machine.arguments),
        machine.card(),
    )
}

fn quoted(arguments: &[String]) -> String {
    let each = arguments.iter().map(|it| format!("'{it}'"));
    each.collect::<Vec<_>>().join(" ")
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
    /// What dnsmasq serves by TFTP; none when others do.
    pub tftp: Option<String>,
}

/// For a client that is an iPXE already, below the served directory.
pub(in super::super) const IPXE: &str = "boot.ipxe";

impl Loaded {
    /// What is named, else what Debian's packages have.
    pub fn file(named: Option<&BootFile>, usual: &str) -> String {
        named.map_or(usual, |it| it.as_str()).to_owned()
    }
}
