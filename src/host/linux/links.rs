//! The network interfaces, as the kernel lists them.

use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};

use super::attributes::{Attributes, u16_of, u32_of};
use super::rtnl::Rtnl;
use crate::host::HostError;

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetLink {
    pub index: u32,
    pub name: String,
    /// What kind of virtual interface (`vlan`, `veth`); `None` for a card.
    pub kind: Option<String>,
    pub mtu: u32,
    flags: u32,
    hardware: u16,
    address: Vec<u8>,
    /// The bond, bridge or VRF it is a member of.
    pub controller: Option<u32>,
    /// What it is stacked on.
    pub parent: Option<u32>,
    pub vlan_id: Option<u16>,
    pub bond_mode: Option<u8>,
}

// include/uapi/linux/if.h, if_arp.h
const IFF_UP: u32 = 1;
const IFF_LOOPBACK: u32 = 1 << 3;
const IFF_NOARP: u32 = 1 << 7;
const IFF_LOWER_UP: u32 = 1 << 16;
const ARPHRD_ETHER: u16 = 1;

// include/uapi/linux/if_link.h
const IFINFOMSG: usize = 16;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_VLAN_ID: u16 = 1;
const IFLA_BOND_MODE: u16 = 1;

impl NetLink {
    /// Administratively up.
    pub fn is_up(&self) -> bool {
        self.flags & IFF_UP != 0
    }

    /// Up, and there is somebody to talk to.
    pub fn has_carrier(&self) -> bool {
        self.is_up() && self.flags & IFF_LOWER_UP != 0
    }

    /// The loopback interface.
    pub fn is_loopback(&self) -> bool {
        self.flags & IFF_LOOPBACK != 0
    }

    /// The hardware address with which it speaks ARP; `None` where nobody does.
    pub fn mac(&self) -> Option<[u8; 6]> {
        let silent = self.flags & (IFF_NOARP | IFF_LOOPBACK) != 0;
        if silent || self.hardware != ARPHRD_ETHER {
            return None;
        }
        self.address.as_slice().try_into().ok()
    }

    /// From an `RTM_NEWLINK` message.
    fn decode(body: &[u8]) -> Option<Self> {
        let attributes = Attributes::behind(body, IFINFOMSG);
        let info = attributes.nested(IFLA_LINKINFO);
        let kind = info.and_then(|it| it.text(IFLA_INFO_KIND));
        let data = info.and_then(|it| it.nested(IFLA_INFO_DATA));
        let elsewhere = attributes.get(IFLA_LINK_NETNSID).is_some();
        Some(Self {
            index: u32_of(body.get(4..)?)?,
            name: attributes.text(IFLA_IFNAME)?,
            mtu: attributes.u32(IFLA_MTU)?,
            flags: u32_of(body.get(8..)?)?,
            hardware: u16_of(body.get(2..)?)?,
            address: attributes.get(IFLA_ADDRESS).unwrap_or_default().to_vec(),
            controller: attributes.u32(IFLA_MASTER),
            // The index of a parent in another namespace means nothing here.
            parent: attributes.u32(IFLA_LINK).filter(|_| !elsewhere),
            vlan_id: data
                .filter(|_| kind.as_deref() == Some("vlan"))
                .and_then(|it| it.u16(IFLA_VLAN_ID)),
            bond_mode: data
                .filter(|_| kind.as_deref() == Some("bond"))
                .and_then(|it| it.u8(IFLA_BOND_MODE)),
            kind,
        })
    }
}

/// All interfaces of the network namespace.
#[derive(Debug, Default)]
pub struct Links(Vec<NetLink>);

impl Links {
    /// Lists them. Names that are not UTF-8 are escaped; no interface is left out.
    pub async fn read(rtnl: &mut Rtnl) -> Result<Self, HostError> {
        let mut request = LinkMessage::default();
        // Statistics are half of the answer, and nobody reads them.
        let mask = LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]);
        request.attributes.push(mask);
        let request = RouteNetlinkMessage::GetLink(request);
        let links = rtnl
            .dump("network interfaces", request, |body| {
                Some(NetLink::decode(body))
            })
            .await?;
        links
            .into_iter()
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| {
                let reason = "the kernel describes one of them without name or MTU";
                HostError::new("cannot list network interfaces", reason)
            })
    }

    /// In the kernel's order.
    pub fn iter(&self) -> impl Iterator<Item = &NetLink> {
        self.0.iter()
    }

    /// The one with this name.
    pub fn named(&self, name: &str) -> Option<&NetLink> {
        self.0.iter().find(|it| it.name == name)
    }

    /// The one with this index.
    pub fn at(&self, index: u32) -> Option<&NetLink> {
        self.0.iter().find(|it| it.index == index)
    }

    /// The one with this name, or why `action` cannot be done.
    pub fn require(&self, name: &str, action: &str) -> Result<&NetLink, HostError> {
        self.named(name)
            .ok_or_else(|| HostError::new(action, format!("{} ({})", missing(name), self.list())))
    }

    /// Those that exist, for an error.
    pub fn list(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|it| escaped(&it.name)).collect();
        format!("there are {}", names.join(", "))
    }
}

fn missing(name: &str) -> String {
    format!("there is no interface {}", escaped(name))
}

/// Anybody may have named an interface, so nothing of it goes to a terminal as it is.
fn escaped(name: &str) -> String {
    name.escape_debug().to_string()
}
