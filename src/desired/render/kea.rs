//! `kea-dhcp4.conf` of Kea, in the shape that its versions 2.2 to 3.0 read.

use serde_json::{Value, json};

use super::leases::{Reservation, Subnet};
use super::{IPXE, Loaded};

/// The whole file: plain JSON, so no comment; the mark stands in a user context. Everything is written as Kea's
/// `config-get` prints it, so that what runs can be compared with what stands here. `subnet4[].id` is required from 2.6
/// on; a list of control sockets, the word of 3.0, is unknown to 2.2.
pub(in super::super) fn kea(subnet: &Subnet, reservations: &[Reservation]) -> String {
    let lease = subnet.lease_seconds;
    let server = subnet.server;
    let mut config = json!({ "Dhcp4": {
        "user-context": { "written-by": "lvs-reconcile" },
        // With the address: a raw socket for each address of the interface would answer each client several times.
        "interfaces-config": { "interfaces": [format!("{}/{server}", subnet.interface)] },
        // The names that Debian's AppArmor profile allows, and the only directories that 3.0 does.
        "control-socket": { "socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket" },
        "lease-database": {
            "type": "memfile",
            "persist": true,
            "name": "/var/lib/kea/kea-leases4.csv",
            "lfc-interval": 3600,
        },
        "authoritative": true,
        "valid-lifetime": lease,
        "renew-timer": lease / 2,
        "rebind-timer": lease - lease / 8,
        "host-reservation-identifiers": ["hw-address"],
        "next-server": server,
        "subnet4": [{
            "id": 1,
            "subnet": subnet.network,
            "interface": subnet.interface,
            "pools": pools(subnet),
            "reservations-global": false,
            "reservations-in-subnet": true,
            "reservations-out-of-pool": true,
            "option-data": options(subnet),
            "reservations": reservations.iter().map(reservation).collect::<Vec<_>>(),
        }],
    }});
    // An empty list is none to Kea.
    if let Some(loaded) = &subnet.boot {
        config["Dhcp4"]["client-classes"] = classes(loaded).into();
    }
    format!("{config:#}\n")
}

/// As for dhcpd: only firmwares are told a file. A test is an expression of Kea's: no value has a place in it.
fn classes(loaded: &Loaded) -> Vec<Value> {
    let Loaded {
        bios,
        uefi,
        uefi_arm,
        uefi_http,
        tftp: _,
    } = loaded;
    const PXE: &str = "substring(option[60].hex,0,9) == 'PXEClient'";
    let class = |name: &str, test: String, file: &str| json!({ "name": name, "test": test, "boot-file-name": file });
    let of_arch = |name: &str, arch: &str, file: &str| {
        class(
            name,
            format!("{PXE} and {arch} and not member('ipxe')"),
            file,
        )
    };
    let mut classes = vec![
        class("ipxe", format!("{PXE} and option[77].hex == 'iPXE'"), IPXE),
        of_arch("bios", "option[93].hex == 0x0000", bios),
        of_arch(
            "uefi-x64",
            "(option[93].hex == 0x0007 or option[93].hex == 0x0009)",
            uefi,
        ),
        of_arch("uefi-arm64", "option[93].hex == 0x000b", uefi_arm),
    ];
    classes.extend(uefi_http.as_ref().map(|url| {
        let mut http = class("uefi-http", "substring(option[60].hex,0,10) == 'HTTPClient'".into(), url);
        http["option-data"] = json!([{ "name": "vendor-class-identifier", "data": "HTTPClient", "always-send": true }]);
        http
    }));
    classes
}

fn pools(subnet: &Subnet) -> Vec<Value> {
    let pools = subnet.pools.iter();
    pools
        .map(|(first, last)| json!({ "pool": format!("{first} - {last}") }))
        .collect()
}

/// Their data is a list with commas in Kea's reading, also where a name is meant: no value of ours holds one.
fn options(subnet: &Subnet) -> Vec<Value> {
    let servers: Vec<String> = subnet
        .name_servers
        .iter()
        .map(ToString::to_string)
        .collect();
    let stated = [
        ("routers", Some(subnet.router.to_string())),
        ("domain-name", subnet.domain.map(ToString::to_string)),
        (
            "domain-name-servers",
            Some(servers.join(", ")).filter(|it| !it.is_empty()),
        ),
    ];
    let stated = stated
        .into_iter()
        .filter_map(|(name, data)| Some((name, data?)));
    stated
        .map(|(name, data)| json!({ "name": name, "data": data }))
        .collect()
}

fn reservation(reservation: &Reservation) -> Value {
    let Reservation { name, mac, address } = reservation;
    json!({ "hw-address": mac, "ip-address": address, "hostname": name })
}
