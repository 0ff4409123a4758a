//! What dnsmasq reads of ours: a file in its configuration directory, and one of reservations.

use std::fmt::Write as _;

use super::HEADER;
use super::leases::{Reservation, Subnet};

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
    text
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
