//! Address conflict detection for IPv4 as RFC 5227 has it: ask whether somebody has an address before we take it, and
//! tell everybody once we did.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::packet::ArpSocket;

/// A hardware address.
pub type Mac = [u8; 6];

/// RFC 5227 asks three times too, but over seconds: made for machines that boot, not for one that holds up a service.
const PROBES: u32 = 3;
const BETWEEN_PROBES: Duration = Duration::from_millis(130);
const ANNOUNCEMENTS: u32 = 2;
const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_millis(40);
const BROADCAST: Mac = [0xff; 6];
/// Room for the longest frame we look at, padding included.
const FRAME: usize = 64;

/// Asks on the interface `index`, as `own`, who has `addresses`. Answers from `ours`, our own interfaces on the same
/// wire, do not count.
pub async fn probe(
    index: u32,
    own: Mac,
    ours: &[Mac],
    addresses: &[Ipv4Addr],
) -> io::Result<BTreeMap<Ipv4Addr, Mac>> {
    let socket = ArpSocket::open(index)?;
    let mut taken = BTreeMap::new();
    let start = Instant::now();
    for round in 1..=PROBES {
        for address in addresses {
            // A probe that does not fit into the queue is one of three.
            let _ = socket
                .send(&request(own, Ipv4Addr::UNSPECIFIED, *address))
                .await;
        }
        let until = start + BETWEEN_PROBES * round;
        collect(&socket, until, ours, addresses, &mut taken).await;
    }
    Ok(taken)
}

async fn collect(
    socket: &ArpSocket,
    until: Instant,
    ours: &[Mac],
    addresses: &[Ipv4Addr],
    taken: &mut BTreeMap<Ipv4Addr, Mac>,
) {
    let mut frame = [0; FRAME];
    while let Ok(received) = timeout_at(until, socket.receive(&mut frame)).await {
        let Ok(length) = received else {
            // The interface went down; nobody will answer any more.
            return sleep_until(until).await;
        };
        let claim = frame.get(..length).and_then(claim);
        if let Some((address, mac)) = claim
            && !ours.contains(&mac)
            && addresses.contains(&address)
        {
            taken.insert(address, mac);
        }
    }
}

/// Tells everybody on the interface `index` that `addresses` are at `own` from now on.
pub async fn announce(index: u32, own: Mac, addresses: &[Ipv4Addr]) -> io::Result<()> {
    let socket = ArpSocket::open(index)?;
    for round in 0..ANNOUNCEMENTS {
        if round > 0 {
            sleep(BETWEEN_ANNOUNCEMENTS).await;
        }
        for address in addresses {
            socket.send(&request(own, *address, *address)).await?;
        }
    }
    Ok(())
}

/// Ethernet, IPv4, and the sizes of their addresses (RFC 826).
const ARP_HEAD: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, REQUEST];
const REQUEST: u8 = 1;
const REPLY: u8 = 2;

/// Who has `target`? Asked by nobody it is a probe, asked by `target` itself an announcement.
fn request(own: Mac, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = Vec::with_capacity(FRAME);
    frame.extend(BROADCAST);
    frame.extend(own);
    frame.extend([0x08, 0x06]);
    frame.extend(ARP_HEAD);
    frame.extend(own);
    frame.extend(sender.octets());
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame
}

/// Who says to have which address: whoever sends from it, and whoever probes for it at the same time as we do.
fn claim(frame: &[u8]) -> Option<(Ipv4Addr, Mac)> {
    let arp = frame.get(14..42)?;
    let (head, operation) = (arp.get(..7)?, *arp.get(7)?);
    if head != ARP_HEAD.get(..7)? || !matches!(operation, REQUEST | REPLY) {
        return None;
    }
    let mac = *arp.get(8..)?.first_chunk::<6>()?;
    let sender = Ipv4Addr::from(*arp.get(14..)?.first_chunk::<4>()?);
    let target = Ipv4Addr::from(*arp.get(24..)?.first_chunk::<4>()?);
    let probes = sender.is_unspecified() && operation == REQUEST;
    Some((if probes { target } else { sender }, mac))
}

/// As it is usually written.
pub fn written(mac: Mac) -> String {
    let bytes: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Mac = [2, 0, 0, 0, 0, 1];
    const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

    #[test]
    fn a_probe_claims_its_target_and_an_announcement_its_sender() {
        let probe = request(OWN, Ipv4Addr::UNSPECIFIED, VIP);
        assert_eq!(probe.len(), 42);
        assert_eq!(claim(&probe), Some((VIP, OWN)));
        assert_eq!(claim(&request(OWN, VIP, VIP)), Some((VIP, OWN)));
    }

    #[test]
    fn a_question_for_an_address_does_not_claim_it() {
        let neighbour = Ipv4Addr::new(192, 0, 2, 1);
        let question = request(OWN, neighbour, VIP);
        assert_eq!(claim(&question), Some((neighbour, OWN)));
    }

    #[test]
    fn short_and_strange_frames_are_nothing() {
        let frame = request(OWN, VIP, VIP);
        for length in 0..frame.len() {
            assert_eq!(claim(&frame[..length]), None);
        }
        let mut other = frame;
        other[16] = 0x86;
        assert_eq!(claim(&other), None);
    }
}
