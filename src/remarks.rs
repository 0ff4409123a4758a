//! What a look at the machine tells beside the state: who else is at work there, and what others have yet to do.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use crate::cycle::Turn;
use crate::desired::Desired;
use crate::host::linux::facts::hears;
use crate::host::linux::rivals::{keepalived, network_manager, networkd, nftables};
use crate::host::linux::sockets::Socket;
use crate::ipvs::ServiceId;
use crate::lint::{Code, Warning};
use crate::surroundings::transport;

/// An inventory that was set aside.
pub fn lost_inventory(file: &str) -> Warning {
    let message = format!(
        "an inventory cannot be read, {file}: what carries no mark of ours counts as somebody else's until \
         `lvs-reconcile adopt`; remove the file when that is done"
    );
    Warning::new(Code::LostInventory, message)
}

/// Addresses that somebody else sets and that are not there: a warning, never a change.
pub fn missing(desired: &Desired, turn: &Turn) -> Option<Warning> {
    let there: BTreeSet<IpAddr> = turn
        .seen
        .state
        .addresses
        .keys()
        .map(|it| it.address)
        .collect();
    let absent = desired.external.iter().map(|it| it.address);
    let absent: Vec<_> = absent.filter(|it| !there.contains(it)).collect();
    let named = some_of(absent.iter().map(ToString::to_string))?;
    let message = format!("not on this machine now, and left to those who set it: {named}");
    Some(Warning::new(Code::MissingAddress, message))
}

/// Services on whose VIP and port a program of this machine listens itself: its clients are balanced instead.
pub fn listening(desired: &Desired, listeners: &[Socket]) -> Option<Warning> {
    let heard = |id: &&ServiceId| listeners.iter().any(|it| is_heard(id, it));
    let services = desired.state.virtual_services.keys().filter(heard);
    let services: Vec<String> = services.map(|it| name_of(it, desired)).collect();
    let named = some_of(services.iter().cloned())?;
    let own = desired.state.addresses.keys().find(|it| !it.is_vip())?;
    let message = format!(
        "a program of this machine listens on the port of {named}; clients of the VIP reach the real servers, those of {} reach this machine",
        own.address
    );
    let warning = Warning::new(Code::LocalListener, message);
    Some(services.into_iter().fold(warning, Warning::about))
}

fn name_of(id: &ServiceId, desired: &Desired) -> String {
    let name = desired.names.service(id).map(str::to_owned);
    name.unwrap_or_else(|| id.to_string())
}

fn is_heard(id: &ServiceId, by: &Socket) -> bool {
    match *id {
        ServiceId::Address {
            protocol,
            address,
            port,
        } => transport(protocol) == Some(by.transport) && hears(by, address, port),
        ServiceId::FirewallMark { .. } => false,
    }
}

/// Other programs that change what we set, as their files below `root` tell. Nobody is asked about what we do not set.
pub fn rivals(root: &Path, desired: &Desired) -> Vec<Warning> {
    let flushed = !desired.state.nftables.is_empty() && nftables::flushes(root);
    let flushed = flushed.then(|| {
        let message = format!(
            "nftables.service is enabled, and {} flushes our table, too, whenever it is started again",
            nftables::FILE
        );
        Warning::new(Code::FlushedRuleset, message)
    });
    let addresses = desired.state.addresses.keys();
    let interfaces: BTreeSet<&str> = addresses.map(|it| it.interface.as_str()).collect();
    let managed = interfaces.into_iter().filter_map(|it| managed(root, it));
    let second = second_balancer(root, desired);
    flushed.into_iter().chain(second).chain(managed).collect()
}

fn second_balancer(root: &Path, desired: &Desired) -> Option<Warning> {
    let services = &desired.state.virtual_services;
    if services.is_empty() {
        return None;
    }
    let balanced = keepalived::Balanced::read(root);
    let both = services.keys().filter(|id| balanced.has(id));
    let both: BTreeSet<String> = both.map(|id| name_of(id, desired)).collect();
    let named = some_of(both.iter().cloned())?;
    let message = format!(
        "keepalived has a virtual_server for {named} in {}, too, and changes what we set",
        keepalived::FILE
    );
    let warning = Warning::new(Code::SecondBalancer, message);
    Some(both.into_iter().fold(warning, Warning::about))
}

fn managed(root: &Path, interface: &str) -> Option<Warning> {
    if let Some(file) = networkd::drops(root, interface) {
        let message = format!(
            "systemd-networkd manages {interface} by {file}, and drops the addresses that we set there; it keeps them \
             with KeepConfiguration=static in a drop-in"
        );
        return Some(Warning::new(Code::NetworkdOnLink, message).about(interface));
    }
    network_manager::sets_up(root, interface).then(|| {
        let message = format!(
            "NetworkManager manages {interface}, and drops the addresses that we set there; it leaves alone what \
             unmanaged-devices names"
        );
        Warning::new(Code::NetworkManagerOnLink, message).about(interface)
    })
}

/// The first few, and how many more.
pub fn some_of(mut all: impl Iterator<Item = String>) -> Option<String> {
    let mut shown: Vec<_> = all.by_ref().take(4).collect();
    let more = all.count();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    (!shown.is_empty()).then(|| shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Facts, resolve};
    use crate::document;
    use std::fs;

    const FILES: [(&str, &str); 7] = [
        ("etc/nftables.conf", "flush ruleset\n"),
        (
            "etc/systemd/system/sysinit.target.wants/nftables.service",
            "",
        ),
        (
            "etc/keepalived/keepalived.conf",
            "virtual_server 192.168.155.50 80 {\n}\n",
        ),
        ("sys/class/net/eth0/ifindex", "2\n"),
        ("sys/class/net/eth1/ifindex", "3\n"),
        (
            "run/systemd/netif/links/2",
            "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/eth0.network\n",
        ),
        (
            "run/NetworkManager/devices/3",
            "[device]\nmanaged=true\nconnection-uuid=7\n",
        ),
    ];

    fn found(desired: &Desired, files: &[(&str, &str)]) -> Vec<(Option<Code>, Vec<String>)> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let warnings = rivals(root.path(), desired).into_iter();
        warnings.map(|it| (it.code, it.about)).collect()
    }

    fn howto() -> Desired {
        let bytes = fs::read("tests/documents/good-howto/document.json").unwrap();
        let document = document::load(&bytes, "it").unwrap();
        resolve(&document, "dir1", &Facts::unknown()).unwrap()
    }

    #[test]
    fn each_rival_is_named_by_what_it_changes() {
        let about = |code, name: &[&str]| {
            let names = name.iter().map(|it| (*it).to_owned());
            (Some(code), names.collect::<Vec<_>>())
        };
        let all = [
            about(Code::FlushedRuleset, &[]),
            about(Code::SecondBalancer, &["http"]),
            about(Code::NetworkdOnLink, &["eth0"]),
            about(Code::NetworkManagerOnLink, &["eth1"]),
        ];
        assert_eq!(found(&howto(), &FILES), all);
        assert_eq!(found(&howto(), &[]), []);
    }

    /// Who has no table, no service and no address is nobody's rival.
    #[test]
    fn nobody_asks_about_what_is_not_ours() {
        assert_eq!(found(&Desired::default(), &FILES), []);
    }
}
