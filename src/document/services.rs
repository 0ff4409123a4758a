//! Real servers, VIPs, virtual services, and what stands around them.

use super::netboot::InstallException;
use super::values::{
    Address, Address6, Checksum, DropProtocol, Family, FirewallMark, ForwardPolicy, Forwarding,
    Helper, InterfaceName, Label, MacAddress, ManagedBy, Name, PersistenceEngine,
    PersistenceSeconds, Port, PrefixLength, Protocol, Role, Scheduler, SchedulerFlag, Threshold,
    TimeoutSeconds, TunnelType, Weight,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One machine of the pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RealServer {
    /// Its host name.
    pub name: Name,
    /// Its address (RIP), in an inside network unless every service reaches it through a tunnel.
    pub address: Address,
    /// Its IPv6 address, when `address` is IPv4 (dual stack).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address6: Option<Address6>,
    /// Its hardware address. Absent: no DHCP reservation and no installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddress>,
    /// Its share of new connections, 0 to 65535; 0 quiesces it in every service, whatever the service says. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// Groups that it belongs to; a service picks its real servers by `tag`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Name>,
    /// The profile that installs it. Default: the only profile, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kickstart: Option<Name>,
    /// What is different about its installation. Default: nothing, all is as the profile says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<Box<InstallException>>,
}

/// One service address. It is always a /32 or a /128.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Vip {
    /// What services call it.
    pub name: Name,
    /// The address, without a prefix length.
    pub address: Address,
    /// A second, IPv6 address, when `address` is IPv4: each service becomes two virtual services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address6: Option<Address6>,
    /// Who sets it. Default: `lvs-reconcile`. With two directors say `external`, or name the `director`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<ManagedBy>,
    /// The only director that holds it. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub director: Option<Name>,
    /// The role of the interface that holds it. Default: `outside`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The interface that holds it, instead of a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<InterfaceName>,
    /// The label of the IPv4 address, after the interface: `50` gives `eth0:50`. Together at most 15 bytes. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

/// One thing that is balanced: a VIP with protocols and ports, or a firewall mark.
///
/// Its real servers are all of the cluster, those that it names, or those that carry its tag.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{ "required": ["vip", "port"] }, { "required": ["firewallMark"] }]))]
pub struct Service {
    /// What we call it; the kernel does not know it.
    pub name: Name,
    /// The name of its VIP. Required, unless there is a `firewallMark`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vip: Option<Name>,
    /// The protocols; each becomes a virtual service. Default: `["tcp"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub protocols: Option<Vec<Protocol>>,
    /// The port, 1 to 65535, or 0 for any port, which needs `persistence`. Required, unless there is a `firewallMark`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
    /// The last port of a range, included; at most 1024 ports. Each becomes a virtual service. Default: `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_port: Option<Port>,
    /// The port on the real servers, when it differs; masquerade only. A range keeps its offset. Default: `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_server_port: Option<Port>,
    /// Balance what carries this firewall mark, instead of a VIP and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_mark: Option<FirewallMark>,
    /// The address family of a `firewallMark`. Default: `ipv4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// What gets the firewall mark, by rules in our own table. Absent: someone else marks.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub matches: Option<Vec<Match>>,
    /// Exactly these real servers. Default: all of the cluster. Excludes `tag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub real_servers: Option<Vec<Name>>,
    /// The real servers with this tag. Excludes `realServers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<Name>,
    /// Who gets a new connection. Default: `wlc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Scheduler>,
    /// Flags of the schedulers `sh` and `mh`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduler_flags: Vec<SchedulerFlag>,
    /// How packets get to the real servers. Default: `masquerade`; to be stated when one is in no inside network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding: Option<Forwarding>,
    /// The kind of tunnel, under `tunnel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Tunnel>,
    /// The weight of every destination, 0 to 65535. Default: each real server's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// A client stays with its real server. Default: it does not; `{}` means 300 seconds per address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<Persistence>,
    /// A destination gets no new connections above this number. Default: 0, no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_threshold: Option<Threshold>,
    /// It gets new ones again below this number of connections. Default: 0, the kernel's three quarters of the upper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_threshold: Option<Threshold>,
    /// Every packet is scheduled by itself; udp only. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_packet_scheduling: Option<bool>,
    /// Exceptions for some of its real servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<ServiceDestination>,
}

/// What differs for one real server in one service; what is absent is the service's.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceDestination {
    /// The name of one of the service's real servers.
    pub real_server: Name,
    /// Its weight in this service, 0 to 65535.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// Its port, 1 to 65535; masquerade only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
    /// How packets get to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding: Option<Forwarding>,
    /// The kind of tunnel, under `tunnel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Tunnel>,
    /// It gets no new connections above this number; 0 means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_threshold: Option<Threshold>,
    /// It gets new ones again below this number of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_threshold: Option<Threshold>,
}

/// What gets a service's firewall mark.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Match {
    /// The name of a VIP.
    pub vip: Name,
    /// The protocols. Default: `["tcp"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub protocols: Option<Vec<Protocol>>,
    /// The port, 1 to 65535.
    #[schemars(range(min = 1))]
    pub port: Port,
    /// The last port of a range, included. Default: `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_port: Option<Port>,
}

/// How long and by what a client stays with its real server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Persistence {
    /// Seconds after the last connection, 1 to 2678400. Default: 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<PersistenceSeconds>,
    /// How many bits of the client's address count: 1 to 32, or 1 to 128 for IPv6. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<PrefixLength>,
    /// What recognises a client beside its address. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<PersistenceEngine>,
}

/// The kind of tunnel to a real server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Tunnel {
    /// What packets are wrapped in. Default: `ipip`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub tunnel_type: Option<TunnelType>,
    /// The UDP port of gue, 1 to 65535; Linux' fou usually listens on 6080.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
    /// The checksum of the outer packet. Default: `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

/// Packet filter and masquerading, in a table of our own.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Firewall {
    /// What happens to a forwarded packet that nothing accepts. Accepted are: between inside interfaces, from inside,
    /// and what belongs to a known connection. Default: `drop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_policy: Option<ForwardPolicy>,
    /// Whether inside networks reach the outside under the director's address. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masquerade: Option<bool>,
    /// What is dropped, before anything is accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<Drop>,
    /// Protocols whose second connections are followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<Helper>,
}

/// Packets that are dropped, from anywhere.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Drop {
    /// What we call the rule.
    pub name: Name,
    /// The protocols.
    #[schemars(length(min = 1))]
    pub protocols: Vec<DropProtocol>,
    /// The port, 1 to 65535.
    #[schemars(range(min = 1))]
    pub port: Port,
    /// The last port of a range, included. Default: `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_port: Option<Port>,
}

/// Settings of IPVS as a whole.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Ipvs {
    /// Whether the IPVS table is ours alone: true deletes entries that somebody else made. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
    /// How long connections are remembered. Default: the kernel's, not managed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
}

/// How long IPVS remembers a connection without packets. What is absent is left alone.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Timeouts {
    /// Seconds for established TCP connections, 1 to 2147483.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_seconds: Option<TimeoutSeconds>,
    /// Seconds for TCP connections after a FIN, 1 to 2147483.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_fin_seconds: Option<TimeoutSeconds>,
    /// Seconds for UDP, 1 to 2147483.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp_seconds: Option<TimeoutSeconds>,
}
