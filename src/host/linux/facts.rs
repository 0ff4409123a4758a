//! What the machine has installed and where it listens itself, as far as a document's meaning depends on it.

use std::net::IpAddr;
use std::path::Path;

use crate::host::HostError;
use crate::resources::unit;

use super::child;
use super::sockets::{Socket, Transport, sockets};

/// What was found. `None` where nothing is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineFacts {
    /// The unit of the kernel's NFS server.
    pub nfs_unit: Option<String>,
    /// The unit of nginx.
    pub web_unit: Option<String>,
}

/// Where programs of the machine itself wait for clients, by these protocols.
pub fn listeners(transports: &[Transport]) -> Vec<Socket> {
    let all = transports.iter().flat_map(|it| sockets(*it));
    all.filter(Socket::listens).collect()
}

/// True when this socket would hear what is meant for `address` and `port`.
pub fn hears(socket: &Socket, address: IpAddr, port: u16) -> bool {
    let everywhere = match socket.local.ip() {
        IpAddr::V4(it) => it.is_unspecified() && address.is_ipv4(),
        // A socket of IPv6 hears IPv4 too unless it said otherwise.
        IpAddr::V6(it) => it.is_unspecified(),
    };
    socket.local.port() == port && (everywhere || socket.local.ip() == address)
}

/// True when a program serves DNS to others. systemd-resolved serves this machine, at addresses of its own.
pub fn serves_dns() -> bool {
    let mut listeners = listeners(&[Transport::Tcp, Transport::Udp]).into_iter();
    listeners.any(|it| it.local.port() == 53 && !it.local.ip().is_loopback())
}

/// Looks at the machine. Nothing is started or loaded by it.
pub fn facts() -> MachineFacts {
    MachineFacts {
        nfs_unit: match Path::new("/usr/sbin/exportfs").exists() {
            true => unit_among(&["nfs-server", "nfs-kernel-server", "nfs"]),
            false => None,
        },
        web_unit: match Path::new("/usr/sbin/nginx").exists() {
            true => unit_among(&["nginx"]),
            false => None,
        },
    }
}

/// True when somebody waits for DHCP clients, in this network namespace.
pub fn serves_dhcp() -> bool {
    const SERVER: u16 = 67;
    let mut listeners = listeners(&[Transport::Udp]).into_iter();
    listeners.any(|it| it.local.port() == SERVER)
}

/// A DHCP server that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DhcpDaemon {
    /// Its program.
    pub program: &'static str,
    /// Its unit.
    pub unit: String,
    /// True when it serves DHCP now; looked at only where there is a choice.
    pub serves: bool,
}

/// Those of these, each a program with the names that its unit may have, that are installed.
pub async fn dhcp_daemons(
    known: &[(&'static str, &'static [&'static str])],
) -> Result<Vec<DhcpDaemon>, HostError> {
    let mut found = Vec::new();
    for (program, units) in known {
        let unit = child::find(program).and_then(|_| unit_among(units));
        found.extend(unit.map(|unit| (*program, unit)));
    }
    let (several, serves) = (found.len() > 1, serves_dhcp());
    let mut daemons = Vec::with_capacity(found.len());
    for (program, unit) in found {
        // One that runs for something else, such as DNS, does not serve.
        let serves = several && serves && unit::observe::runs(&unit).await?;
        daemons.push(DhcpDaemon {
            program,
            unit,
            serves,
        });
    }
    Ok(daemons)
}

/// The version of a program that prints it, and nothing else, when asked with `-v`.
pub async fn version(program: &str) -> Result<String, HostError> {
    let output = child::ask(program, &["-v"], None, child::TIME_LIMIT).await?;
    Ok(child::first_lines(&output.text()))
}

/// True when systemd is process 1: the test of sd_booted(3).
pub fn booted_by_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// The first of these that the init system knows. Debian has isc-dhcp-server and nfs-server (with systemd; an init
/// script nfs-kernel-server without), Red Hat dhcpd and nfs-server.
fn unit_among(names: &[&str]) -> Option<String> {
    let unit_files = [
        "/etc/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
        "/run/systemd/generator.late",
    ];
    let known = |name: &str| {
        let script = Path::new("/etc/init.d").join(name).exists();
        let unit = unit_files
            .iter()
            .any(|dir| Path::new(dir).join(format!("{name}.service")).exists());
        script || booted_by_systemd() && unit
    };
    names
        .iter()
        .find(|name| known(name))
        .map(|&name| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::sockets::parsed;

    #[test]
    fn a_socket_on_every_address_hears_a_vip() {
        let table = "titles
            0: 0100007F:1F90 00000000:0000 0A
            1: 00000000:0050 00000000:0000 0A";
        let [local, everywhere] = parsed(table, Transport::Tcp)[..] else {
            panic!("two sockets");
        };
        let vip = "192.0.2.10".parse().unwrap();
        assert!(hears(&everywhere, vip, 80));
        assert!(!hears(&everywhere, vip, 81));
        assert!(!hears(&local, vip, 8080));
    }
}
