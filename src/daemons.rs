//! The DHCP servers of this machine, and which of them has our configuration.

use std::collections::BTreeSet;

use crate::desired::{Backend, DhcpServer, OLDEST_KEA, Standing};
use crate::host::HostError;
use crate::host::linux::facts;
use crate::lint::{Code, Warning};
use crate::ownership::Inventory;
use crate::resources::file::{FileKey, Form};
use crate::resources::unit::observe::runs;
use crate::verify::Goal;

/// Those that are installed, and what speaks for each.
pub async fn installed(inventory: &Inventory) -> Result<Vec<DhcpServer>, HostError> {
    let known = Backend::ALL.map(|it| (it.program(), it.units()));
    let mut servers = Vec::new();
    for daemon in facts::dhcp_daemons(&known).await? {
        let backend = Backend::ALL
            .into_iter()
            .find(|it| it.program() == daemon.program);
        let Some(backend) = backend else { continue };
        let mut server = DhcpServer::installed(backend, &daemon.unit);
        if backend == Backend::Kea {
            let version = facts::version(daemon.program).await?;
            server.too_old = Some(version).filter(|it| is_too_old(it));
        }
        server.standing = match (is_ours(&server, inventory), daemon.serves) {
            (true, _) => Standing::Ours,
            (false, true) => Standing::Runs,
            (false, false) => Standing::Installed,
        };
        servers.push(server);
    }
    Ok(servers)
}

/// True when a DHCP server may have our configuration, whatever the document says by now.
pub fn has_ours(inventory: &Inventory) -> bool {
    let mut all = Backend::ALL
        .into_iter()
        .flat_map(|backend| backend.units().iter().map(move |it| (backend, it)));
    all.any(|(backend, unit)| is_ours(&DhcpServer::installed(backend, unit), inventory))
}

/// A server that runs with nothing but our configuration is ours to stop, whoever started it: most distributions do
/// when it is installed. dnsmasq has others' beside it.
pub fn claim(inventory: &mut Inventory, servers: &[DhcpServer]) {
    for server in servers {
        if server.backend != Backend::Dnsmasq && has_our_file(server, inventory) {
            inventory.owned.units.insert(server.unit.clone());
        }
    }
}

/// Those with our configuration that run, and that others started: only dnsmasq has others' beside it.
pub async fn of_others(
    inventory: &Inventory,
    servers: &[DhcpServer],
) -> Result<BTreeSet<String>, HostError> {
    let mut running = BTreeSet::new();
    for server in servers.iter().filter(|it| is_of_others(it, inventory)) {
        if runs(&server.unit).await? {
            running.insert(server.unit.clone());
        }
    }
    Ok(running)
}

fn is_of_others(server: &DhcpServer, inventory: &Inventory) -> bool {
    server.backend == Backend::Dnsmasq
        && has_our_file(server, inventory)
        && !inventory.owned.units.contains(&server.unit)
}

/// A dnsmasq that others started goes on with what it has read of ours: what it does beside is not ours to interrupt.
pub fn left_behind(
    goal: &Goal,
    servers: &[DhcpServer],
    running: &BTreeSet<String>,
) -> Option<Warning> {
    let goes = |it: &&DhcpServer| {
        is_of_others(it, &goal.inventory)
            && !goal.desired.files.contains(&config_of(it))
            && running.contains(&it.unit)
    };
    let unit = &servers.iter().find(goes)?.unit;
    let message = format!(
        "{unit} was not started by us and goes on: it serves the leases that it has read until you restart it \
         (`service {unit} restart`)"
    );
    Some(Warning::new(Code::ServerLeftRunning, message))
}

fn is_ours(server: &DhcpServer, inventory: &Inventory) -> bool {
    has_our_file(server, inventory) || inventory.owned.units.contains(&server.unit)
}

fn has_our_file(server: &DhcpServer, inventory: &Inventory) -> bool {
    inventory.owned.files.contains(&config_of(server))
}

fn config_of(server: &DhcpServer) -> FileKey {
    FileKey {
        path: server.config.clone(),
        form: Form::Whole,
    }
}

/// A version that cannot be read is taken for a new one: what checks and reloads will tell.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < OLDEST_KEA,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for old in ["1.9.11", "2.1.7-git", "2.0"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in ["2.2.0", "2.10.1", "3.0.3", "unknown"] {
            assert!(!is_too_old(new), "{new}");
        }
    }

    #[test]
    fn who_has_only_our_configuration_is_ours_to_stop() {
        let servers = Backend::ALL.map(|it| DhcpServer::installed(it, it.units()[0]));
        let mut inventory = Inventory::default();
        claim(&mut inventory, &servers);
        assert!(inventory.owned.units.is_empty() && !has_ours(&inventory));
        for server in &servers {
            inventory.owned.files.insert(config_of(server));
        }
        claim(&mut inventory, &servers);
        let units: Vec<_> = inventory.owned.units.iter().collect();
        assert_eq!(units, ["isc-dhcp-server", "kea-dhcp4-server"]);
        assert!(has_ours(&inventory));
    }
}
