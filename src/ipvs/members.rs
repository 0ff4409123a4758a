//! Who is in a service, according to `/proc/net/ip_vs`.
//!
//! The file is no table to rely on: it lacks tunnel types, thresholds and engines, and may skip a service while
//! another process writes. But each service it shows is written by one call (`ip_vs_info_seq_show`), destinations
//! included, from one walk over a list that readers may walk at any time: a destination that is there all the time
//! is never missing. No netlink list longer than a datagram can say that.

use super::types::{Family, Protocol, ServiceId};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::net::{IpAddr, Ipv4Addr};

/// Address and port of a destination.
pub(super) type Key = (IpAddr, u16);
/// Destinations by service, sorted; services without destinations are not in it.
pub(super) type Members = BTreeMap<ServiceId, Vec<Key>>;

/// The open file: it stays with the network namespace of the thread that opened it.
#[derive(Debug)]
pub(super) struct MemberFile(File);

impl MemberFile {
    /// `None` where `/proc` is not mounted.
    pub(super) fn open() -> Option<Self> {
        File::open("/proc/thread-self/net/ip_vs").ok().map(Self)
    }

    /// The destinations of these services (sorted), as far as the file shows them.
    pub(super) fn read(&mut self, ids: &[ServiceId]) -> io::Result<Members> {
        self.0.rewind()?;
        members(BufReader::with_capacity(32 << 10, &self.0), ids)
    }
}

/// Reads the text of the file.
pub(super) fn members(mut text: impl BufRead, ids: &[ServiceId]) -> io::Result<Members> {
    let mut members = Members::new();
    let mut current: Vec<ServiceId> = Vec::new();
    let mut line = String::new();
    while text.read_line(&mut line)? > 0 {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("->"), Some(at)) if !current.is_empty() => {
                let key = socket(at).ok_or_else(|| unclear(&line))?;
                add(&mut members, &current, key);
            }
            (Some("->"), _) => {}
            (Some(kind), Some(what)) => {
                current = services(kind, what);
                current.retain(|id| ids.binary_search(id).is_ok());
            }
            _ => {}
        }
        line.clear();
    }
    for list in members.values_mut() {
        list.sort_unstable();
        list.dedup();
    }
    Ok(members)
}

fn unclear(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unclear line {line:?}"))
}

/// A mark is shown without its family: only members of the family in question are counted for it.
fn add(members: &mut Members, current: &[ServiceId], key: Key) {
    for id in current {
        let by_mark = matches!(id, ServiceId::FirewallMark { .. });
        if !by_mark || id.family() == Family::of(key.0) {
            members.entry(*id).or_default().push(key);
        }
    }
}

/// Which services the first two words of a line may mean.
fn services(kind: &str, what: &str) -> Vec<ServiceId> {
    let protocol = match kind {
        "TCP" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        "SCTP" => Protocol::Sctp,
        "FWM" => return marked(what),
        _ => return Vec::new(),
    };
    let by_address = |(address, port)| ServiceId::Address {
        protocol,
        address,
        port,
    };
    socket(what).map(by_address).into_iter().collect()
}

fn marked(what: &str) -> Vec<ServiceId> {
    let Ok(mark) = u32::from_str_radix(what, 16) else {
        return Vec::new();
    };
    let of = |family| ServiceId::FirewallMark { family, mark };
    vec![of(Family::V4), of(Family::V6)]
}

/// `0A090001:0050`, or `[fd00:0000:0000:0000:0000:0000:0000:0001]:01BB`; everything in hexadecimal.
fn socket(text: &str) -> Option<Key> {
    let (host, port) = text.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let address = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(v6) => IpAddr::V6(v6.parse().ok()?),
        None => Ipv4Addr::from(u32::from_str_radix(host, 16).ok()?).into(),
    };
    Some((address, port))
}
