//! Networks, addresses on a network, hardware addresses.

use super::{BadValue, addresses::parse_address, as_json_string};
use ipnet::IpNet;
use std::{fmt, net::IpAddr, str::FromStr};

/// An address and the length of its network prefix, as an interface carries it: `172.16.0.1/16`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceAddress(IpNet);

impl InterfaceAddress {
    /// The address alone.
    pub fn address(self) -> IpAddr {
        self.0.addr()
    }

    /// The length of the prefix in bits.
    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// The network that the address is in.
    pub fn network(self) -> Network {
        Network(self.0.trunc())
    }
}

impl FromStr for InterfaceAddress {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let net = parse_prefix(text)?;
        match net.prefix_len() {
            0 => Err(BadValue::new(
                "has prefix length 0, which is every network",
                "write the length of its own network",
            )),
            _ => Ok(Self(net)),
        }
    }
}

/// A network: an address without host bits, and the length of its prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The network as `ipnet` knows it.
    pub fn get(self) -> IpNet {
        self.0
    }

    /// The network address.
    pub fn address(self) -> IpAddr {
        self.0.addr()
    }

    /// The length of the prefix in bits.
    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether the address is in the network.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether the two networks share an address.
    pub fn overlaps(self, other: Self) -> bool {
        self.0.contains(&other.0) || other.0.contains(&self.0)
    }
}

impl FromStr for Network {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let net = parse_prefix(text)?;
        match net.trunc() {
            network if network == net => Ok(Self(net)),
            network => Err(BadValue::new(
                "has host bits",
                format!("write \"{network}\""),
            )),
        }
    }
}

/// Parses `address/length`.
fn parse_prefix(text: &str) -> Result<IpNet, BadValue> {
    let Some((address, length)) = text.split_once('/') else {
        let length = if parse_address(text)?.is_ipv4() {
            24
        } else {
            64
        };
        return Err(BadValue::new(
            "has no prefix length",
            format!("write for example \"{text}/{length}\""),
        ));
    };
    let address = parse_address(address)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let canonical = !length.is_empty()
        && length.bytes().all(|b| b.is_ascii_digit())
        && (length == "0" || !length.starts_with('0'));
    length
        .parse()
        .ok()
        .filter(|_| canonical)
        .and_then(|length| IpNet::new(address, length).ok())
        .ok_or_else(|| {
            BadValue::new(
                "has a wrong prefix length",
                format!("write a number from 0 to {most} after the slash"),
            )
        })
}

/// Who may mount an export: a network, one address, or everyone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportClient {
    /// `*`; needs `"world": true` beside it.
    Everyone,
    /// A network; a single address is a network of one.
    Network(Network),
}

impl FromStr for ExportClient {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text {
            "*" => Ok(Self::Everyone),
            _ if text.contains('/') => match text.parse::<Network>()? {
                network if network.prefix() == 0 => {
                    let fix = "write \"*\", and \"world\": true beside it";
                    Err(BadValue::new("is everyone", fix))
                }
                network => Ok(Self::Network(network)),
            },
            _ => Ok(Self::Network(Network(IpNet::from(parse_address(text)?)))),
        }
    }
}

/// A hardware address of six octets, unicast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// The octets in the order of the wire.
    pub fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl FromStr for MacAddress {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let octets = text
            .split(separator)
            .map(octet)
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(|| {
                BadValue::new(
                    "is not a MAC",
                    "write six octets of two hexadecimal digits, such as \"00:60:08:cf:bd:6d\"",
                )
            })?;
        let octets: [u8; 6] = octets.try_into().map_err(|octets: Vec<u8>| {
            BadValue::new(format!("has {} octets", octets.len()), "a MAC has 6")
        })?;
        let needed = "a machine's own MAC is needed";
        match octets {
            [0, 0, 0, 0, 0, 0] => Err(BadValue::new("is all zero", needed)),
            [255, 255, 255, 255, 255, 255] => {
                Err(BadValue::new("is the broadcast address", needed))
            }
            [first, ..] if first & 1 == 1 => Err(BadValue::new("is a multicast address", needed)),
            octets => Ok(Self(octets)),
        }
    }
}

/// Two hexadecimal digits.
fn octet(text: &str) -> Option<u8> {
    let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ExportClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("*"),
            Self::Network(network) if network.0.prefix_len() == network.0.max_prefix_len() => {
                network.address().fmt(f)
            }
            Self::Network(network) => network.fmt(f),
        }
    }
}

macro_rules! debug_as_display {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
debug_as_display!(InterfaceAddress Network ExportClient MacAddress);

as_json_string!(InterfaceAddress, {
    "type": "string",
    "description": "An address and the length of its network prefix.",
    "pattern": "^[0-9A-Fa-f:.]+/[1-9][0-9]{0,2}$",
    "examples": ["172.16.0.1/16", "2001:db8::1/64"],
});
as_json_string!(Network, {
    "type": "string",
    "description": "A network: an address without host bits, and the length of its prefix.",
    "pattern": "^[0-9A-Fa-f:.]+/[0-9]{1,3}$",
    "examples": ["172.16.0.0/16", "2001:db8::/64"],
});
as_json_string!(ExportClient, {
    "type": "string",
    "description": "A network, an address, or \"*\" for everyone, which needs \"world\": true.",
    "pattern": r"^([0-9A-Fa-f:.]+(/[0-9]{1,3})?|\*)$",
    "examples": ["172.16.0.0/16"],
});
as_json_string!(MacAddress, {
    "type": "string",
    "description": "A hardware address: six octets, unicast.",
    "pattern": "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$|^[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}$",
    "examples": ["00:60:08:cf:bd:6d"],
});
