//! Leases that DHCP servers have written down, and with them every machine that asked for an address.
//!
//! What a machine says of itself is hostile: it stands here as it was written down, and whoever shows it escapes it.

mod dhcpd;
mod dnsmasq;
mod kea;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::net::Ipv4Addr;
use std::path::Path;

use crate::document::MacAddress;
use crate::host::HostError;

/// What a server gave to a machine, when it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub mac: MacAddress,
    pub address: Ipv4Addr,
    /// The host name that the machine sent.
    pub host_name: Option<String>,
    /// When it asked, in seconds since 1970, as is the next; dnsmasq does not write it down.
    pub asked: Option<u64>,
    /// When the lease ends; none when it never does.
    pub ends: Option<u64>,
    /// Given back, or taken away: it has ended, whatever its time says.
    pub is_over: bool,
}

impl Lease {
    /// True when the machine has to ask again.
    pub fn has_expired(&self, now: u64) -> bool {
        self.is_over || self.ends.is_some_and(|it| it <= now)
    }

    /// What tells the newer of two.
    fn age(&self) -> u64 {
        self.asked.or(self.ends).unwrap_or(u64::MAX)
    }
}

/// The last lease of each machine, and where they stood.
#[derive(Debug, Default)]
pub struct Leases {
    /// The newest first.
    pub all: Vec<Lease>,
    /// The files that were read.
    pub files: Vec<String>,
}

type Reader = fn(&str) -> Vec<Lease>;

/// Where the servers keep them, Debian's places and Red Hat's, each file after the ones that it goes on from.
const PLACES: [(&str, Reader); 4] = [
    ("/var/lib/dhcp/dhcpd.leases", dhcpd::leases),
    ("/var/lib/dhcpd/dhcpd.leases", dhcpd::leases),
    ("/var/lib/misc/dnsmasq.leases", dnsmasq::leases),
    ("/var/lib/dnsmasq/dnsmasq.leases", dnsmasq::leases),
];

/// Kea's, where our configuration and every distribution's own put it. Its clean-up goes from file to file: what it has
/// finished replaces the two that it came from.
const KEA: &str = "/var/lib/kea/kea-leases4.csv";

/// More is no lease file of a network that we serve.
const LARGEST: u64 = 256 << 20;

/// The places that are looked at.
pub fn places() -> impl Iterator<Item = &'static str> {
    PLACES.iter().map(|(path, _)| *path).chain([KEA])
}

/// Reads them all, on the machine whose files are under `root`: a server that gave way leaves what it knew.
pub fn read(root: &Path) -> Result<Leases, HostError> {
    let mut leases = Leases::default();
    let mut last: BTreeMap<MacAddress, Lease> = BTreeMap::new();
    let finished = leases.take(root, &format!("{KEA}.completed"), kea::leases, &mut last)?;
    if !finished {
        for before in [format!("{KEA}.2"), format!("{KEA}.1")] {
            leases.take(root, &before, kea::leases, &mut last)?;
        }
    }
    leases.take(root, KEA, kea::leases, &mut last)?;
    for (path, reader) in PLACES {
        let mut others = BTreeMap::new();
        leases.take(root, path, reader, &mut others)?;
        for (mac, lease) in others {
            let known = last.get(&mac).is_some_and(|it| it.age() > lease.age());
            if !known {
                last.insert(mac, lease);
            }
        }
    }
    leases.all = last.into_values().collect();
    leases
        .all
        .sort_by_key(|it| (std::cmp::Reverse(it.age()), it.mac));
    Ok(leases)
}

impl Leases {
    /// Reads one file, of which a later entry takes the place of an earlier one; false when there is none.
    fn take(
        &mut self,
        root: &Path,
        path: &str,
        reader: Reader,
        last: &mut BTreeMap<MacAddress, Lease>,
    ) -> Result<bool, HostError> {
        let Some(text) = text(&root.join(path.trim_start_matches('/')))? else {
            return Ok(false);
        };
        self.files.push(path.to_owned());
        for mut lease in reader(&text) {
            let before = last.remove(&lease.mac);
            // Kea drops the name with the lease: it is what the operator knows the machine by.
            lease.host_name = lease.host_name.or(before.and_then(|it| it.host_name));
            last.insert(lease.mac, lease);
        }
        Ok(true)
    }
}

fn text(path: &Path) -> Result<Option<String>, HostError> {
    let failed = |error: io::Error| {
        let root = match error.kind() {
            io::ErrorKind::PermissionDenied => "; leases are root's to read",
            _ => "",
        };
        HostError::new(
            format!("cannot read {}", path.display()),
            format!("{error}{root}"),
        )
    };
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The name that a machine sent, when it sent one.
fn name(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whoever may write a lease file may write anything into it.
        #[test]
        fn whatever_stands_there_is_read_to_its_end(
            text in "(lease|172\\.16\\.0\\.200|52:54:00:12:34:56|[0-9]{1,20}|address,hwaddr,valid_lifetime,expire\n|[ ,;{}\"\\\\\n]|\\PC){0,40}",
        ) {
            for reader in PLACES.map(|it| it.1).into_iter().chain([kea::leases as Reader]) {
                for lease in reader(&text) {
                    prop_assert!(text.contains(&lease.address.to_string()));
                }
            }
        }
    }
}
