//! `dhcpd.conf` of ISC dhcpd.

use super::HEADER;
use super::leases::{Reservation, Subnet};
use std::fmt::Write as _;

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
