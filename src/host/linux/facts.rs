//! What the machine has installed and where it listens itself, as far as a document's meaning depends on it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::host::HostError;
use crate::ipvs::Protocol;
use crate::resources::unit;

use super::child;

/// What was found. `None` where nothing is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineFacts {
    /// The unit of the kernel's NFS server.
    pub nfs_unit: Option<String>,
    /// The unit of nginx.
    pub web_unit: Option<String>,
    /// Where programs of the machine itself listen, in this network namespace.
    pub listeners: Vec<Listener>,
}

/// A socket that waits for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    pub protocol: ListenerProtocol,
    /// Unspecified: every address.
    pub address: IpAddr,
    pub port: u16,
}

/// The protocols in which the kernel lists sockets for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListenerProtocol {
    Tcp,
    Udp,
}

impl Listener {
    /// True when this socket would hear what is meant for `address` and `port`.
    pub fn hears(&self, protocol: Protocol, address: IpAddr, port: u16) -> bool {
        let same_protocol = matches!(
            (self.protocol, protocol),
            (ListenerProtocol::Tcp, Protocol::Tcp) | (ListenerProtocol::Udp, Protocol::Udp)
        );
        let everywhere = match self.address {
            IpAddr::V4(it) => it.is_unspecified() && address.is_ipv4(),
            // A socket of IPv6 hears IPv4 too unless it said otherwise.
            IpAddr::V6(it) => it.is_unspecified(),
        };
        same_protocol && self.port == port && (everywhere || self.address == address)
    }
}

impl MachineFacts {
    /// True when a program serves DNS to others. systemd-resolved serves this machine, at addresses of its own.
    pub fn serves_dns(&self) -> bool {
        let mut listeners = self.listeners.iter();
        listeners.any(|it| it.port == 53 && !it.address.is_loopback())
    }
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
        listeners: listeners(),
    }
}

/// True when somebody waits for DHCP clients, in this network namespace.
pub fn serves_dhcp() -> bool {
    const SERVER: u16 = 67;
    let mut listeners = listeners().into_iter();
    listeners.any(|it| it.protocol == ListenerProtocol::Udp && it.port == SERVER)
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

fn listeners() -> Vec<Listener> {
    let tables = [
        ("tcp", ListenerProtocol::Tcp),
        ("tcp6", ListenerProtocol::Tcp),
        ("udp", ListenerProtocol::Udp),
        ("udp6", ListenerProtocol::Udp),
    ];
    let mut found: Vec<_> = tables
        .iter()
        .filter_map(|(name, protocol)| Some((table(name)?, *protocol)))
        .flat_map(|(text, protocol)| parsed(&text, protocol))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `thread-self`: this thread may be in another network namespace than the process.
fn table(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/thread-self/net/{name}")).ok()
}

/// Lines of `/proc/net/{tcp,udp}*`: `sl local_address rem_address st …`, proc_pid_net(5). State 0A is a listening TCP
/// socket; 07 is a UDP socket that is not tied to a peer.
fn parsed(text: &str, protocol: ListenerProtocol) -> Vec<Listener> {
    let waiting = match protocol {
        ListenerProtocol::Tcp => "0A",
        ListenerProtocol::Udp => "07",
    };
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace().skip(1);
            let (local, _, state) = (words.next()?, words.next()?, words.next()?);
            let (address, port) = local.split_once(':')?;
            (state == waiting).then_some(())?;
            Some(Listener {
                protocol,
                address: address_of(address)?,
                port: u16::from_str_radix(port, 16).ok()?,
            })
        })
        .collect()
}

/// Groups of eight hexadecimal digits, each a 32-bit word as it stands in memory.
fn address_of(hex: &str) -> Option<IpAddr> {
    let words: Vec<u32> = hex
        .as_bytes()
        .chunks(8)
        .map(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    match words[..] {
        [word] => Some(Ipv4Addr::from(word.to_ne_bytes()).into()),
        [a, b, c, d] => {
            let bytes: Vec<u8> = [a, b, c, d].iter().flat_map(|w| w.to_ne_bytes()).collect();
            let all: [u8; 16] = bytes.try_into().ok()?;
            Some(Ipv6Addr::from(all).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0100007F:0050 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 3 1
";

    #[test]
    fn listening_sockets_are_found_and_connected_ones_are_not() {
        let found = parsed(TCP, ListenerProtocol::Tcp);
        let shown: Vec<_> = found
            .iter()
            .map(|it| format!("{}:{}", it.address, it.port))
            .collect();
        assert_eq!(shown, ["127.0.0.1:8080", "0.0.0.0:80"]);
    }

    #[test]
    fn a_socket_on_every_address_hears_a_vip() {
        let vip = "192.0.2.10".parse().unwrap();
        let [local, everywhere] = parsed(TCP, ListenerProtocol::Tcp)[..] else {
            panic!("two sockets");
        };
        assert!(everywhere.hears(Protocol::Tcp, vip, 80));
        assert!(!everywhere.hears(Protocol::Udp, vip, 80));
        assert!(!local.hears(Protocol::Tcp, vip, 8080));
    }

    #[test]
    fn addresses_of_ipv6_are_read_word_by_word() {
        assert_eq!(
            address_of("00000000000000000000000001000000"),
            Some("::1".parse().unwrap())
        );
        assert_eq!(address_of("zz"), None);
    }
}
