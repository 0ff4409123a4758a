//! Addresses: strict literals, never names to look up, one spelling each.

use super::{BadValue, as_json_string};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// An IPv4 or IPv6 address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(IpAddr);

/// An IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address4(Ipv4Addr);

/// An IPv6 address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address6(Ipv6Addr);

impl Address {
    /// The address.
    pub fn get(self) -> IpAddr {
        self.0
    }
}

impl Address4 {
    /// The address.
    pub fn get(self) -> Ipv4Addr {
        self.0
    }
}

impl Address6 {
    /// The address.
    pub fn get(self) -> Ipv6Addr {
        self.0
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl From<Address4> for IpAddr {
    fn from(address: Address4) -> Self {
        Self::V4(address.0)
    }
}

impl From<Address6> for IpAddr {
    fn from(address: Address6) -> Self {
        Self::V6(address.0)
    }
}

impl FromStr for Address {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        parse_address(text).map(Self)
    }
}

impl FromStr for Address4 {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match parse_address(text)? {
            IpAddr::V4(address) => Ok(Self(address)),
            IpAddr::V6(_) => Err(BadValue::new("is IPv6", "write an IPv4 address here")),
        }
    }
}

impl FromStr for Address6 {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match parse_address(text)? {
            IpAddr::V6(address) => Ok(Self(address)),
            IpAddr::V4(_) => Err(BadValue::new("is IPv4", "write an IPv6 address here")),
        }
    }
}

/// Parses a strict literal and refuses the forms that name an address a second time.
pub(super) fn parse_address(text: &str) -> Result<IpAddr, BadValue> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => Err(BadValue::new(
                "is an IPv4 address in IPv6 form",
                format!("write \"{mapped}\""),
            )),
            None => Ok(IpAddr::V6(address)),
        },
        Ok(address) => Ok(address),
        Err(_) => Err(explain_address(text)),
    }
}

/// Says what is wrong with a text that is no address.
fn explain_address(text: &str) -> BadValue {
    if let Some((address, _)) = text
        .split_once('/')
        .filter(|(a, _)| a.parse::<IpAddr>().is_ok())
    {
        return BadValue::new("has a prefix length", format!("write \"{address}\""));
    }
    if text
        .split_once('%')
        .is_some_and(|(a, _)| a.parse::<Ipv6Addr>().is_ok())
    {
        return BadValue::new(
            "has a zone",
            "write the address without \"%\" and what follows",
        );
    }
    if let Some(decimal) = without_leading_zeros(text) {
        return BadValue::new(
            "has leading zeros, which some programs read as octal",
            format!("write \"{decimal}\""),
        );
    }
    BadValue::new(
        "is not an IP address",
        "write an address such as \"10.0.0.1\" or \"2001:db8::1\"; names are never looked up",
    )
}

/// The IPv4 address meant by a text with leading zeros, when it is one.
fn without_leading_zeros(text: &str) -> Option<Ipv4Addr> {
    let octets: Option<Vec<u8>> = text
        .split('.')
        .map(|octet| {
            octet
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| octet.parse().ok())
                .flatten()
        })
        .collect();
    let octets: [u8; 4] = octets?.try_into().ok()?;
    Some(octets.into())
}

macro_rules! show_inner {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
show_inner!(Address Address4 Address6);

as_json_string!(Address, {
    "type": "string",
    "description": "An IPv4 or IPv6 address; no prefix length, no host name.",
    "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }],
    "examples": ["192.0.2.10", "2001:db8::10"],
});
as_json_string!(Address4, {
    "type": "string",
    "description": "An IPv4 address; no prefix length, no host name.",
    "format": "ipv4",
    "examples": ["192.0.2.10"],
});
as_json_string!(Address6, {
    "type": "string",
    "description": "An IPv6 address; no prefix length, no host name.",
    "format": "ipv6",
    "examples": ["2001:db8::10"],
});
