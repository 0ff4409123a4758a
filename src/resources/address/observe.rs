//! Reads IP addresses.

use std::net::{IpAddr, Ipv6Addr};

use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::AddressMessage;

use super::{Address, AddressKey};
use crate::delta::{Set, Theirs};
use crate::host::linux::LinuxHost;
use crate::host::linux::attributes::{Attributes, u32_of};
use crate::host::linux::links::Links;
use crate::host::{HostError, Scope};

/// `IFA_PROTO` of the addresses we make: the mark by which they are known on kernels since 5.18. The same number as
/// for routes; values from 4 up are free for user space (include/uapi/linux/if_addr.h).
pub const ADDRESS_PROTOCOL: u8 = crate::resources::route::ROUTE_PROTOCOL;

// include/uapi/linux/if_addr.h
const IFADDRMSG: usize = 8;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_FLAGS: u16 = 8;
const IFA_PROTO: u16 = 11;
const IFA_F_SECONDARY: u32 = 0x01;
const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_TENTATIVE: u32 = 0x40;

/// One address as the kernel holds it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub index: u32,
    pub address: IpAddr,
    pub prefix: u8,
    pub label: Option<String>,
    flags: u32,
    protocol: Option<u8>,
    /// The other end of a point-to-point link.
    peer: Option<IpAddr>,
}

impl Found {
    fn decode(body: &[u8]) -> Option<Self> {
        let attributes = Attributes::behind(body, IFADDRMSG);
        let remote = attributes.ip(IFA_ADDRESS);
        let address = attributes.ip(IFA_LOCAL).or(remote)?;
        Some(Self {
            index: u32_of(body.get(4..)?)?,
            address,
            prefix: *body.get(1)?,
            label: attributes.text(IFA_LABEL),
            flags: attributes
                .u32(IFA_FLAGS)
                .or(body.get(2).copied().map(u32::from))?,
            protocol: attributes.u8(IFA_PROTO),
            peer: remote.filter(|it| *it != address),
        })
    }

    /// In the shadow of another address of its network.
    pub fn is_secondary(&self) -> bool {
        self.flags & IFA_F_SECONDARY != 0
    }

    /// IPv6: somebody else has it, so the kernel does not use it.
    pub fn is_duplicate(&self) -> bool {
        self.flags & IFA_F_DADFAILED != 0
    }

    /// IPv6: the kernel still asks around whether somebody has it.
    pub fn is_tentative(&self) -> bool {
        self.flags & IFA_F_TENTATIVE != 0 && !self.is_duplicate()
    }

    /// On every machine, and nobody's business.
    fn is_built_in(&self) -> bool {
        match self.address {
            IpAddr::V4(it) => it.is_loopback(),
            IpAddr::V6(it) => it == Ipv6Addr::LOCALHOST || it.is_unicast_link_local(),
        }
    }

    pub fn is(&self, key: &AddressKey, index: u32) -> bool {
        (self.index, self.address, self.prefix) == (index, key.address, key.prefix)
    }

    fn in_words(&self, interface: String) -> Address {
        // An address made without a label, as by some container runtimes, bears its interface's name.
        let label = self.label.clone().unwrap_or_else(|| interface.clone());
        let protocol = self.protocol.unwrap_or_default();
        Address {
            theirs: Theirs((protocol != ADDRESS_PROTOCOL).then_some(protocol)),
            label: self.address.is_ipv4().then_some(label),
            key: AddressKey {
                interface,
                address: self.address,
                prefix: self.prefix,
            },
        }
    }
}

/// All addresses of all interfaces but those that every machine has. One that the kernel found to be somebody else's
/// is of no use, so it counts as absent.
pub async fn observe(host: &mut LinuxHost, _: &Scope<'_>) -> Result<Set<Address>, HostError> {
    let found = read(host).await?;
    let links = links_of(host, &found).await?;
    let mut addresses = Set::default();
    for it in found.iter().filter(|it| !it.is_built_in()) {
        // Its interface was removed between the two lists.
        let Some(link) = links.at(it.index) else {
            continue;
        };
        let address = it.in_words(link.name.clone());
        if it.is_duplicate() {
            host.note(format!("address {}: another machine has it", address.key));
        } else if let Some(peer) = it.peer {
            host.note(format!("address {} with peer {peer}", address.key));
        } else {
            if it.protocol == Some(ADDRESS_PROTOCOL) {
                host.mark(|keys| keys.addresses.insert(address.key.clone()));
            }
            addresses.insert(address);
        }
    }
    Ok(addresses)
}

/// The interfaces; listed once more when an address belongs to one that is not among them yet.
async fn links_of(
    host: &mut LinuxHost,
    found: &[Found],
) -> Result<std::sync::Arc<Links>, HostError> {
    let links = host.links().await?;
    if found.iter().all(|it| links.at(it.index).is_some()) {
        return Ok(links);
    }
    host.fresh_links().await
}

/// Every address, as it is now.
pub(super) async fn read(host: &mut LinuxHost) -> Result<Vec<Found>, HostError> {
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    host.rtnl()?
        .dump("IP addresses", request, Found::decode)
        .await
}
