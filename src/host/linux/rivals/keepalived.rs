//! keepalived's configuration, as far as it says what it balances.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use crate::ipvs::{Family, Protocol, ServiceId};

use super::{listed, text};

/// Where it begins.
pub const FILE: &str = "/etc/keepalived/keepalived.conf";

/// A file that is included by itself ends here.
const MOST_FILES: usize = 64;

/// What a `virtual_server` is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Front {
    /// From the first address to the last, on a port.
    Addresses(IpAddr, IpAddr, u16),
    Mark(u32),
    Group(String),
}

#[derive(Debug)]
struct VirtualServer {
    front: Front,
    protocol: Protocol,
}

/// The parts of a configuration that say what is balanced.
#[derive(Debug, Default)]
struct Parsed {
    servers: Vec<VirtualServer>,
    groups: Vec<(String, Vec<Front>)>,
}

/// What keepalived is told to balance.
#[derive(Debug, Default)]
pub struct Balanced {
    exact: BTreeSet<ServiceId>,
    /// First and last address, port and protocol.
    ranges: Vec<(IpAddr, IpAddr, u16, Protocol)>,
}

impl Balanced {
    /// By the configuration below `root`, and what it includes.
    pub fn read(root: &Path) -> Self {
        let mut words = Vec::new();
        let mut files = MOST_FILES;
        lines(root, FILE, &mut files, &mut words);
        let Parsed { servers, groups } = parse(&words);
        let mut all = Self::default();
        for server in &servers {
            match &server.front {
                Front::Group(name) => {
                    let group = groups.iter().filter(|(it, _)| it == name);
                    let fronts = group.flat_map(|(_, fronts)| fronts);
                    fronts.for_each(|it| all.add(it, server.protocol));
                }
                front => all.add(front, server.protocol),
            }
        }
        all
    }

    fn add(&mut self, front: &Front, protocol: Protocol) {
        match *front {
            Front::Addresses(address, last, port) if address == last => {
                self.exact.insert(ServiceId::Address {
                    protocol,
                    address,
                    port,
                });
            }
            Front::Addresses(first, last, port) => self.ranges.push((first, last, port, protocol)),
            Front::Mark(mark) => self.exact.extend(
                [Family::V4, Family::V6].map(|family| ServiceId::FirewallMark { family, mark }),
            ),
            Front::Group(_) => {}
        }
    }

    /// Whether one of them is this service.
    pub fn has(&self, id: &ServiceId) -> bool {
        let ServiceId::Address {
            protocol,
            address,
            port,
        } = *id
        else {
            return self.exact.contains(id);
        };
        let mut ranges = self.ranges.iter();
        self.exact.contains(id)
            || ranges.any(|(first, last, on, of)| {
                // Addresses of the other family are all before, or all behind.
                (*on, *of) == (port, protocol) && (*first..=*last).contains(&address)
            })
    }
}

/// The lines of a file as words, with those of what it includes in their place.
fn lines(root: &Path, path: &str, files: &mut usize, found: &mut Vec<Vec<String>>) {
    let Some(left) = files.checked_sub(1) else {
        return;
    };
    *files = left;
    let text = text(root, path).unwrap_or_default();
    for line in text.lines() {
        let words = words(line);
        match words.as_slice() {
            [] => {}
            [order, wanted] if order.starts_with("include") => {
                for path in included(root, path, wanted) {
                    lines(root, &path, files, found);
                }
            }
            _ => found.push(words),
        }
    }
}

/// The words of a line: `#` and `!` end it, a brace is a word of its own, quotes are taken off, and so is a condition.
fn words(line: &str) -> Vec<String> {
    let line = line.split(['#', '!']).next().unwrap_or_default();
    let line = line.replace('{', " { ").replace('}', " } ");
    let words = line.split_whitespace().map(|it| it.trim_matches('"'));
    words
        .skip_while(|it| it.starts_with('@'))
        .map(str::to_owned)
        .collect()
}

/// The files that are meant, in the order of their names: beside the one that names them, unless the path is absolute.
fn included(root: &Path, from: &str, wanted: &str) -> Vec<String> {
    let beside = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let path = match wanted.starts_with('/') {
        true => wanted.to_owned(),
        false => format!("{beside}/{wanted}"),
    };
    let Some((directory, pattern)) = path.rsplit_once('/') else {
        return Vec::new();
    };
    if !pattern.contains(['*', '?']) {
        return vec![path];
    }
    let files = listed(root, directory).into_iter();
    let meant = files.filter(|(name, _)| matches(pattern.as_bytes(), name.as_bytes()));
    meant.map(|(_, path)| path).collect()
}

/// Whether a name is meant by a pattern of the shell with `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // What to go back to when the rest does not fit: behind the last `*`, one character further in the name.
    let (mut at, mut of, mut back) = (0, 0, None);
    while of < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at + 1, of));
                at += 1;
            }
            Some(one) if *one == b'?' || *one == name[of] => (at, of) = (at + 1, of + 1),
            _ => match back {
                Some((star, from)) => {
                    (at, of) = (star, from + 1);
                    back = Some((star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|it| *it == b'*')
}

/// Blocks begin with their words and a brace, which may stand on the next line.
fn parse(lines: &[Vec<String>]) -> Parsed {
    let mut all = Parsed::default();
    let mut depth = 0usize;
    let mut block = Block::Other;
    for line in lines {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        match depth {
            0 if line.first() != Some(&"{") => block = begin(&line, &mut all),
            1 => within(block, &line, &mut all),
            _ => {}
        }
        for word in line {
            match word {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    all
}

/// What a line is in: the last of its kind that was begun.
#[derive(Clone, Copy)]
enum Block {
    Server,
    Group,
    Other,
}

fn begin(line: &[&str], all: &mut Parsed) -> Block {
    match line {
        ["virtual_server_group", name, ..] => {
            all.groups.push(((*name).to_owned(), Vec::new()));
            Block::Group
        }
        ["virtual_server", rest @ ..] => {
            let front = match rest {
                ["group", name, ..] => Some(Front::Group((*name).to_owned())),
                _ => front(rest),
            };
            let server = front.map(|front| VirtualServer {
                front,
                protocol: Protocol::Tcp,
            });
            let known = server.is_some();
            all.servers.extend(server);
            if known { Block::Server } else { Block::Other }
        }
        _ => Block::Other,
    }
}

fn within(block: Block, line: &[&str], all: &mut Parsed) {
    match (block, line) {
        (Block::Server, ["protocol", word, ..]) => {
            if let (Some(server), Some(protocol)) = (all.servers.last_mut(), protocol(word)) {
                server.protocol = protocol;
            }
        }
        (Block::Group, line) => {
            if let Some((_, fronts)) = all.groups.last_mut() {
                fronts.extend(front(line));
            }
        }
        _ => {}
    }
}

fn protocol(word: &str) -> Option<Protocol> {
    match word.to_ascii_uppercase().as_str() {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        "SCTP" => Some(Protocol::Sctp),
        _ => None,
    }
}

/// `ADDRESS [PORT]`, `FIRST-LAST [PORT]` or `fwmark NUMBER`.
fn front(words: &[&str]) -> Option<Front> {
    match words {
        ["fwmark", number, ..] => number.parse().ok().map(Front::Mark),
        [addresses, rest @ ..] => {
            let (first, last) = range(addresses)?;
            let port = match rest.first() {
                None | Some(&("{" | "}")) => 0,
                Some(port) => port.parse().ok()?,
            };
            Some(Front::Addresses(first, last, port))
        }
        [] => None,
    }
}

/// One address, or a range: behind the hyphen stands an address, or only its last part.
fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let Some((first, last)) = text.split_once('-') else {
        let only = text.parse().ok()?;
        return Some((only, only));
    };
    let separator = if first.contains(':') { ':' } else { '.' };
    let (before, _) = first.rsplit_once(separator)?;
    let whole = format!("{before}{separator}{last}");
    let last = last.parse().or_else(|_| whole.parse());
    Some((first.parse().ok()?, last.ok()?))
}

#[cfg(test)]
#[path = "keepalived_tests.rs"]
mod tests;
