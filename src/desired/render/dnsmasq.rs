//! What dnsmasq reads of ours: a file in its configuration directory, and one of reservations.

use std::fmt::Write as _;

use crate::document::InterfaceName;

use super::leases::{Reservation, Subnet};
use super::{HEADER, IPXE, Loaded};

/// Set for whoever gets a lease of ours; others may be served by ranges of the administrator.
const TAG: &str = "lvs-reconcile";

/// The file in `/etc/dnsmasq.d`. Of DHCP alone: dnsmasq may serve DNS on this machine, and `interface`, `port` or
/// `bind-interfaces` would speak of that, too. Where DHCP is served is said by the tag that has the interface's name.
pub(in super::super) fn dnsmasq(subnet: &Subnet, hosts: &str) -> String {
    let mut text = String::from(HEADER);
    text.push_str("dhcp-authoritative\n");
    write_ranges(&mut text, subnet);
    let mut option = |name: &str, values: &[String]| {
        let _ = writeln!(
            text,
            "dhcp-option=tag:{TAG},option:{name}{}",
            values.iter().map(|it| format!(",{it}")).collect::<String>()
        );
    };
    let servers: Vec<String> = subnet
        .name_servers
        .iter()
        .map(ToString::to_string)
        .collect();
    option("router", &[subnet.router.to_string()]);
    if let Some(domain) = subnet.domain {
        option("domain-name", &[domain.to_string()]);
    }
    // Without a value: else dnsmasq names itself when it serves DNS.
    option("dns-server", &servers);
    let _ = writeln!(text, "dhcp-hostsfile={hosts}");
    if let Some(loaded) = &subnet.boot {
        write_boot(&mut text, subnet, loaded);
    }
    text
}

/// As for dhcpd: only firmwares are told a file.
fn write_boot(text: &mut String, subnet: &Subnet, loaded: &Loaded) {
    let Loaded {
        bios,
        uefi,
        uefi_arm,
        uefi_http,
        tftp,
    } = loaded;
    let server = subnet.server;
    let _ = write!(
        text,
        "dhcp-userclass=set:ipxe,iPXE\n\
         dhcp-vendorclass=set:pxe,PXEClient\n\
         dhcp-match=set:bios,option:client-arch,0\n\
         dhcp-match=set:efi64,option:client-arch,7\n\
         dhcp-match=set:efi64,option:client-arch,9\n\
         dhcp-match=set:efiarm64,option:client-arch,11\n\
         dhcp-boot=tag:pxe,tag:ipxe,{IPXE},,{server}\n\
         dhcp-boot=tag:pxe,tag:!ipxe,tag:bios,{bios},,{server}\n\
         dhcp-boot=tag:pxe,tag:!ipxe,tag:efi64,{uefi},,{server}\n\
         dhcp-boot=tag:pxe,tag:!ipxe,tag:efiarm64,{uefi_arm},,{server}\n"
    );
    if let Some(url) = uefi_http {
        let _ = write!(
            text,
            "dhcp-vendorclass=set:http,HTTPClient\n\
             dhcp-boot=tag:http,{url}\n\
             dhcp-option-force=tag:http,60,HTTPClient\n"
        );
    }
    if let Some(directory) = tftp {
        write_tftp(text, subnet.interface, directory);
    }
}

/// A file of ours for TFTP alone. Without `port=0` dnsmasq would serve DNS, which it does only where it did before.
pub(in super::super) fn tftp(
    interface: &InterfaceName,
    directory: &str,
    serves_dns: bool,
) -> String {
    let mut text = String::from(HEADER);
    if !serves_dns {
        text.push_str("port=0\n");
    }
    write_tftp(&mut text, interface, directory);
    text
}

fn write_tftp(text: &mut String, interface: &InterfaceName, directory: &str) {
    let _ = writeln!(text, "enable-tftp={interface}\ntftp-root={directory}");
}

/// Reserved addresses are those of the network; without any range there is none, so that one without addresses stands
/// for it.
fn write_ranges(text: &mut String, subnet: &Subnet) {
    let Subnet {
        interface,
        network,
        pools,
        lease_seconds,
        ..
    } = subnet;
    let mask = network.netmask();
    let mut range = |first: String, last: String| {
        let _ = writeln!(
            text,
            "dhcp-range=tag:{interface},set:{TAG},{first},{last},{mask},{lease_seconds}"
        );
    };
    for (first, last) in pools {
        range(first.to_string(), last.to_string());
    }
    if pools.is_empty() {
        range(network.network().to_string(), "static".into());
    }
}

/// The file of reservations, one in a line: read again at SIGHUP, when the other is not.
pub(in super::super) fn dnsmasq_hosts(reservations: &[Reservation]) -> String {
    let mut text = String::from(HEADER);
    for Reservation { name, mac, address } in reservations {
        let _ = writeln!(text, "{mac},{address},{name}");
    }
    text
}
