//! Directors: the facts of one machine.

use super::values::{
    Address, Address4, Address6, BondMode, InterfaceAddress, InterfaceName, Metric, Mtu, Name,
    Network, Role, RoutingTable, SysctlKey, SysctlValue, VlanId,
};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One machine that balances.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Director {
    /// The machine's short host name; it finds its part of the document by it.
    pub name: Name,
    /// IPv4 default gateway, on-link in one of the interfaces. Absent: the default route is not ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Address4>,
    /// IPv6 default gateway, on-link in one of the interfaces. Absent: the default route is not ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<Address6>,
    /// The network interfaces that we care about; others are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Routes beside the default route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Kernel settings out of an allow-list. Those that follow from the document are not written here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sysctls: Vec<SysctlSetting>,
}

/// One network interface of a director. It is created when `vlan`, `bond`, `bridge` or `dummy` says what it is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Interface {
    /// The name in the kernel, at most 15 bytes.
    pub name: InterfaceName,
    /// What it is for; exactly one interface is `outside`. Absent: neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Addresses that we set, with their prefix length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<InterfaceAddress>,
    /// Addresses that DHCP or VRRP sets: we look at them and never touch them; on a standby they may be absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_addresses: Vec<InterfaceAddress>,
    /// Whether the link is up. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
    /// The largest packet, in bytes: at least 1280 with IPv6, and no more than a VLAN's parent. Default: the kernel's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<Mtu>,
    /// Makes it a VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<Vlan>,
    /// Makes it a bond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bond: Option<Bond>,
    /// Makes it a bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridge: Option<Bridge>,
    /// Makes it a dummy, a link to nowhere that can hold addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dummy: Option<Dummy>,
}

impl Interface {
    /// Whether it is to be up.
    pub fn is_up(&self) -> bool {
        self.up.unwrap_or(true)
    }
}

/// A VLAN on another interface.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Vlan {
    /// The interface that it is on.
    pub parent: InterfaceName,
    /// The VLAN's number.
    pub id: VlanId,
}

/// Several interfaces used as one.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Bond {
    /// How the members are used. Default: the kernel's, `balance-rr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<BondMode>,
    /// The interfaces that it consists of.
    pub members: Vec<InterfaceName>,
}

/// A bridge over several interfaces.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Bridge {
    /// The interfaces that it joins. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<InterfaceName>,
}

/// A dummy interface; there is nothing to say about it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dummy {}

/// One route. At least one of `via` and `interface` is needed; (`to`, `table`, `metric`) is unique.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Route {
    /// The network that it leads to.
    pub to: Network,
    /// The next hop, on-link in one of the interfaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Address>,
    /// The interface that it leaves by. Default: the one that `via` is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<InterfaceName>,
    /// The routing table. Default: 254, the main table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<RoutingTable>,
    /// The lowest metric wins. Default: 0, which is 1024 for IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
}

impl Route {
    /// The metric that the kernel gives it.
    pub fn metric_of_kernel(&self) -> u32 {
        let stated = self.metric.map(Metric::get).filter(|it| *it != 0);
        stated.unwrap_or(usual_metric(&self.to.get()))
    }
}

/// The metric of a route without one, or with 0, which the kernel makes `IP6_RT_PRIO_USER` for IPv6.
pub fn usual_metric(to: &IpNet) -> u32 {
    match to {
        IpNet::V4(_) => 0,
        IpNet::V6(_) => 1024,
    }
}

/// One kernel setting.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SysctlSetting {
    /// The key, out of the allow-list.
    pub name: SysctlKey,
    /// The value, always a string.
    pub value: SysctlValue,
}
