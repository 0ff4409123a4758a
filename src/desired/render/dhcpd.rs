//! `dhcpd.conf` of ISC dhcpd.

use std::fmt::Write as _;

use super::leases::{Reservation, Subnet};
use super::{HEADER, IPXE, Loaded};

/// The whole file. `server-identifier` and `next-server` are always there: without them dhcpd announces the first
/// address of the interface, which may be a VIP.
pub(in super::super) fn dhcpd(subnet: &Subnet, reservations: &[Reservation]) -> String {
    let mut text = String::from(HEADER);
    let lease = subnet.lease_seconds;
    let _ = write!(
        text,
        "authoritative;\n\
         ddns-update-style none;\n\
         server-identifier {server};\n\
         next-server {server};\n\
         default-lease-time {lease};\n\
         max-lease-time {most};\n\n",
        server = subnet.server,
        most = lease.saturating_mul(2),
    );
    if let Some(loaded) = &subnet.boot {
        write_boot(&mut text, loaded);
    }
    write_subnet(&mut text, subnet);
    // At top level: dhcpd takes a host for global wherever it stands.
    for Reservation { name, mac, address } in reservations {
        let _ = write!(
            text,
            "\nhost {name} {{\n  hardware ethernet {mac};\n  fixed-address {address};\n  option host-name \"{name}\";\n}}\n"
        );
    }
    text
}

/// Only firmwares are told a file: an installer that gets one takes it for its kickstart file. The architectures are
/// those of RFC 4578; a client of HTTP wants its class back (UEFI 2.5, 23.7).
fn write_boot(text: &mut String, loaded: &Loaded) {
    let Loaded {
        bios,
        uefi,
        uefi_arm,
        uefi_http,
        tftp: _,
    } = loaded;
    let _ = write!(
        text,
        "option arch code 93 = unsigned integer 16;\n\n\
         class \"lvs-pxe\" {{\n  \
         match if substring(option vendor-class-identifier, 0, 9) = \"PXEClient\";\n  \
         if exists user-class and option user-class = \"iPXE\" {{\n    filename \"{IPXE}\";\n  \
         }} elsif option arch = 00:07 or option arch = 00:09 {{\n    filename \"{uefi}\";\n  \
         }} elsif option arch = 00:0b {{\n    filename \"{uefi_arm}\";\n  \
         }} else {{\n    filename \"{bios}\";\n  }}\n}}\n\n"
    );
    if let Some(url) = uefi_http {
        let _ = write!(
            text,
            "class \"lvs-httpboot\" {{\n  \
             match if substring(option vendor-class-identifier, 0, 10) = \"HTTPClient\";\n  \
             option vendor-class-identifier \"HTTPClient\";\n  \
             filename \"{url}\";\n}}\n\n"
        );
    }
}

fn write_subnet(text: &mut String, subnet: &Subnet) {
    let Subnet {
        interface: _,
        server: _,
        network,
        pools,
        router,
        name_servers,
        domain,
        lease_seconds: _,
        boot: _,
    } = subnet;
    let (address, mask) = (network.network(), network.netmask());
    let _ = writeln!(text, "subnet {address} netmask {mask} {{");
    for (first, last) in pools {
        let _ = writeln!(text, "  range {first} {last};");
    }
    let _ = writeln!(text, "  option routers {router};");
    let _ = writeln!(text, "  option subnet-mask {mask};");
    if let Some(domain) = domain {
        let _ = writeln!(text, "  option domain-name \"{domain}\";");
    }
    if !name_servers.is_empty() {
        let servers: Vec<String> = name_servers.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "  option domain-name-servers {};", servers.join(", "));
    }
    text.push_str("}\n");
}
