//! The sockets of this network namespace, as the kernel lists them: `/proc/net/{tcp,udp}*`, proc_pid_net(5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// A protocol whose sockets the kernel lists for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transport {
    Tcp,
    Udp,
}

/// A socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Socket {
    pub transport: Transport,
    /// An address that is unspecified: every one.
    pub local: SocketAddr,
    pub peer: SocketAddr,
    state: u8,
}

/// include/net/tcp_states.h: of TCP, a connection.
const ESTABLISHED: u8 = 1;
/// Of UDP, not tied to a peer.
const UNCONNECTED: u8 = 7;
/// Of TCP, waits for clients.
const LISTEN: u8 = 10;

impl Socket {
    /// True when it waits for clients.
    pub fn listens(&self) -> bool {
        match self.transport {
            Transport::Tcp => self.state == LISTEN,
            Transport::Udp => self.state == UNCONNECTED,
        }
    }

    /// True for a connection of TCP.
    pub fn is_established(&self) -> bool {
        self.transport == Transport::Tcp && self.state == ESTABLISHED
    }
}

/// Every socket of a protocol, each once. The kernel walks all its tables for that: nobody asks who need not know.
pub fn sockets(transport: Transport) -> Vec<Socket> {
    let names = match transport {
        Transport::Tcp => ["tcp", "tcp6"],
        Transport::Udp => ["udp", "udp6"],
    };
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| table(name))
        .flat_map(|it| parsed(&it, transport))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `thread-self`: this thread may be in another network namespace than the process.
fn table(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/thread-self/net/{name}")).ok()
}

/// Lines `sl local_address rem_address st …` behind a first one of titles.
pub(super) fn parsed(text: &str, transport: Transport) -> Vec<Socket> {
    let lines = text.lines().skip(1);
    lines.filter_map(|it| socket(it, transport)).collect()
}

fn socket(line: &str, transport: Transport) -> Option<Socket> {
    let mut words = line.split_ascii_whitespace().skip(1);
    Some(Socket {
        transport,
        local: end(words.next()?)?,
        peer: end(words.next()?)?,
        state: u8::from_str_radix(words.next()?, 16).ok()?,
    })
}

/// `0100007F:0016`
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddr::new(address_of(address)?, port))
}

/// Groups of eight hexadecimal digits, each a 32-bit word as it stands in memory.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok();
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?.to_ne_bytes()).into()),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let mut bytes = [0; 16];
            for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
                chunk.copy_from_slice(&word.to_ne_bytes());
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0202000A:0016 6302000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1
";

    #[test]
    fn the_kernel_writes_addresses_backwards() {
        let [waits, serves] = parsed(TCP, Transport::Tcp)[..] else {
            panic!("two sockets");
        };
        assert_eq!(waits.local.to_string(), "127.0.0.1:8080");
        assert!(waits.listens() && !waits.is_established());
        assert_eq!(serves.local.to_string(), "10.0.2.2:22");
        assert_eq!(serves.peer.to_string(), "10.0.2.99:50000");
        assert!(serves.is_established() && !serves.listens());
    }

    #[test]
    fn addresses_of_ipv6_are_read_word_by_word() {
        let shown = |hex| address_of(hex).map(|it| it.to_string());
        assert_eq!(
            shown("00000000000000000000000001000000").as_deref(),
            Some("::1")
        );
        assert_eq!(
            shown("0000000000000000FFFF00000202000A").as_deref(),
            Some("10.0.2.2")
        );
        assert_eq!(shown("zz"), None);
        assert_eq!(shown("zzzzzzzz"), None);
    }
}
