//! By which connections this machine is managed.

use std::fs;

use super::sockets::{Socket, Transport, sockets};
use crate::guards::management::Session;

/// What sshd tells its children: the client's address and port, and the server's.
const VARIABLE: &str = "SSH_CONNECTION";
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
    let mut sessions: Vec<_> = sockets(Transport::Tcp)
        .iter()
        .filter(|it| it.is_established())
        .map(session)
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

fn session(socket: &Socket) -> Session {
    Session {
        peer: socket.peer.ip(),
        local: socket.local.ip(),
        port: socket.local.port(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
