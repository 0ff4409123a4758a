//! By which connections this machine is managed.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::guards::management::Session;

/// What sshd tells its children: the client's address and port, and the server's.
const VARIABLE: &str = "SSH_CONNECTION";
/// `TCP_ESTABLISHED` in include/net/tcp_states.h.
const ESTABLISHED: &str = "01";
/// Where sshd listens unless our own connection says otherwise.
const SSH: u16 = 22;

/// The connection that this command came through, as sshd describes it; none on a console. sudo and su hide it from
/// us, but not from our ancestors.
pub fn own() -> Option<String> {
    if let Ok(own) = std::env::var(VARIABLE) {
        return Some(own).filter(|it| !it.is_empty());
    }
    let mut pid = parent("self")?;
    while pid > 1 {
        let found = variable_of(pid);
        if found.is_some() {
            return found;
        }
        pid = parent(&pid.to_string())?;
    }
    None
}

/// Our own connection, and every established one to the same port: another operator's, or ours from before.
pub fn sessions() -> Vec<Session> {
    let own = own().as_deref().and_then(parsed);
    let port = own.map_or(SSH, |it| it.port);
    let mut sessions: Vec<_> = ["tcp", "tcp6"]
        .iter()
        .filter_map(|name| fs::read_to_string(format!("/proc/thread-self/net/{name}")).ok())
        .flat_map(|table| table.lines().filter_map(established).collect::<Vec<_>>())
        .filter(|it| it.port == port && !it.peer.is_loopback())
        .chain(own)
        .collect();
    sessions.sort_unstable();
    sessions.dedup();
    sessions
}

fn parent(of: &str) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{of}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(1)?.parse().ok()
}

fn variable_of(pid: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let texts = environment.split(|byte| *byte == 0);
    let mut texts = texts.filter_map(|it| std::str::from_utf8(it).ok());
    let value = texts.find_map(|it| it.strip_prefix(VARIABLE)?.strip_prefix('='))?;
    Some(value.to_owned()).filter(|it| !it.is_empty())
}

/// `192.0.2.99 50000 192.0.2.2 22`
fn parsed(connection: &str) -> Option<Session> {
    let mut words = connection.split(' ');
    let peer = words.next()?.parse().ok()?;
    let local = words.nth(1)?.parse().ok()?;
    let port = words.next()?.parse().ok()?;
    Some(Session { peer, local, port })
}

/// A line of `/proc/net/tcp` or `tcp6`.
fn established(line: &str) -> Option<Session> {
    let mut words = line.split_whitespace().skip(1);
    let (local, peer, state) = (words.next()?, words.next()?, words.next()?);
    if state != ESTABLISHED {
        return None;
    }
    let ((local, port), (peer, _)) = (end(local)?, end(peer)?);
    Some(Session { peer, local, port })
}

/// `0100007F:0016`: each group of four bytes is in the machine's order.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let groups: Option<Vec<u32>> = (0..address.len() / 8)
        .map(|at| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok())
        .collect();
    let bytes: Vec<u8> = groups?.iter().flat_map(|it| it.to_ne_bytes()).collect();
    let address = match bytes.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into(),
        _ => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical(),
    };
    Some((address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_writes_addresses_backwards() {
        let line =
            "   1: 0202000A:0016 6302000A:C350 01 00000000:00000000 00:00000000 00000000     0";
        let session = established(line).unwrap();
        assert_eq!(session.local.to_string(), "10.0.2.2");
        assert_eq!(
            (session.peer.to_string().as_str(), session.port),
            ("10.0.2.99", 22)
        );
        assert_eq!(established(&line.replace(" 01 ", " 06 ")), None);
    }

    #[test]
    fn ssh_says_who_is_connected() {
        let session = parsed("2001:db8::9 50000 2001:db8::2 2222").unwrap();
        assert_eq!(
            (session.local.to_string().as_str(), session.port),
            ("2001:db8::2", 2222)
        );
        assert_eq!(parsed("nonsense"), None);
    }
}
