//! Which DHCP server gets our configuration.

use super::*;
use crate::desired::{Backend, DhcpServer, Origin, Standing};

fn machine(servers: &[(Backend, Standing)]) -> Facts {
    let installed = |(backend, standing): &(Backend, Standing)| DhcpServer {
        standing: *standing,
        ..DhcpServer::installed(*backend, backend.units()[0])
    };
    Facts {
        dhcp: servers.iter().map(installed).collect(),
        origin: Origin::Machine,
        ..Facts::unknown()
    }
}

fn dhcp(more: Value) -> Value {
    let mut dhcp = json!({ "first": "10.0.0.100", "last": "10.0.0.200" });
    for (key, value) in more.as_object().unwrap() {
        dhcp[key] = value.clone();
    }
    json!({ "netboot": { "dhcp": dhcp } })
}

fn choice(more: Value, facts: &Facts) -> String {
    let desired = try_resolve(dhcp(more), facts).unwrap();
    let units: Vec<_> = desired.state.units.iter().map(|it| &it.name).collect();
    assert_eq!(units.len(), 1, "{units:?}");
    desired.choices.join("\n")
}

#[test]
fn whoever_has_it_keeps_it_then_who_runs_then_kea() {
    use Backend::{Dnsmasq, IscDhcpServer, Kea};
    use Standing::{Installed, Ours, Runs};
    let auto = |servers: &[_]| choice(json!({}), &machine(servers));
    assert_eq!(
        auto(&[(Kea, Runs), (IscDhcpServer, Runs), (Dnsmasq, Ours)]),
        "dhcp backend: dnsmasq (ours already; auto)"
    );
    assert_eq!(
        auto(&[
            (Kea, Installed),
            (IscDhcpServer, Runs),
            (Dnsmasq, Installed)
        ]),
        "dhcp backend: isc-dhcp-server (runs; auto)"
    );
    assert_eq!(
        auto(&[
            (Dnsmasq, Installed),
            (IscDhcpServer, Installed),
            (Kea, Installed)
        ]),
        "dhcp backend: kea (installed; auto)"
    );
    let named = json!({ "backend": "dnsmasq" });
    assert_eq!(
        choice(named, &machine(&[(Kea, Ours), (Dnsmasq, Installed)])),
        "dhcp backend: dnsmasq (installed; named)"
    );
}

#[test]
fn a_kea_that_is_too_old_is_not_taken() {
    let mut facts = machine(&[
        (Backend::Kea, Standing::Runs),
        (Backend::IscDhcpServer, Standing::Installed),
    ]);
    facts.dhcp[0].too_old = Some("1.9.11".into());
    assert_eq!(
        choice(json!({}), &facts),
        "dhcp backend: isc-dhcp-server (installed; auto)"
    );
    let named = refused(dhcp(json!({ "backend": "kea" })), &facts);
    assert_eq!(
        named,
        [
            "netboot.dhcp.backend: kea 1.9.11 is installed on dir1, and 2.2 or later is needed; update it, or install \
          isc-dhcp-server or dnsmasq"
        ]
    );
}

#[test]
fn dnsmasq_has_no_shorter_leases_than_two_minutes() {
    let lease = |seconds: u32| dhcp(json!({ "backend": "dnsmasq", "leaseSeconds": seconds }));
    assert!(try_resolve(lease(120), &Facts::unknown()).is_ok());
    assert_eq!(
        refused(lease(119), &Facts::unknown()),
        [
            "netboot.dhcp.leaseSeconds: dnsmasq gives no lease for less than 120 seconds; write 120 or more"
        ]
    );
}

/// A network of which every address is somebody's still has reservations.
#[test]
fn dnsmasq_serves_reservations_without_a_pool() {
    let desired = try_resolve(
        dhcp(json!({ "backend": "dnsmasq", "first": "10.0.0.11", "last": "10.0.0.11" })),
        &Facts::unknown(),
    );
    let desired = desired.unwrap();
    let config = render(&desired).find(|(path, _)| path.ends_with("/lvs-reconcile.conf"));
    let config = config.unwrap().1;
    assert!(
        config.contains(
            "\ndhcp-range=tag:eth1,set:lvs-reconcile,10.0.0.0,static,255.255.255.0,43200\n"
        ),
        "{config}"
    );
}
