//! Numbers: each with its range, so that the range is stated once for the check, the message and the schema.

use std::fmt;

/// Declares an integer with a range.
macro_rules! bounded {
    ($($(#[$doc:meta])* $name:ident: $repr:ident = $least:literal ..= $most:literal, $fix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($repr);

        impl $name {
            /// The smallest value.
            pub const LEAST: $repr = $least;
            /// The largest value.
            pub const MOST: $repr = $most;

            /// The value when it is in range.
            pub fn new(value: $repr) -> Option<Self> {
                (Self::LEAST..=Self::MOST).contains(&value).then_some(Self(value))
            }

            /// The number.
            pub fn get(self) -> $repr {
                self.0
            }
        }

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

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Integer;
                impl serde::de::Visitor<'_> for Integer {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($fix)
                    }
                    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<$name, E> {
                        $repr::try_from(value).ok().and_then($name::new)
                            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self))
                    }
                }
                deserializer.deserialize_u64(Integer)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "integer",
                    "description": concat!("An integer; ", $fix, "."),
                    "minimum": $name::LEAST,
                    "maximum": $name::MOST,
                })
            }
        }
    )*};
}

bounded! {
    /// The version of the document format.
    Version: u32 = 1 ..= 1, "write 1";
    /// The share of new connections; 0 stops new connections and keeps the old ones.
    Weight: u16 = 0 ..= 65535, "write 0 to stop new connections, or 1 to 65535";
    /// A port; 0 means any port, and only where the field says so.
    Port: u16 = 0 ..= 65535, "write 1 to 65535";
    /// A netfilter mark that IPVS balances on.
    FirewallMark: u32 = 1 ..= 4294967295, "write 1 to 4294967295";
    /// A number of connections.
    Threshold: u32 = 0 ..= 2147483647, "write a number of connections from 0 (no limit) to 2147483647";
    /// How long a client stays with its real server; at most 31 days.
    PersistenceSeconds: u32 = 1 ..= 2678400, "write 1 to 2678400 seconds";
    /// An IPVS timeout.
    TimeoutSeconds: u32 = 1 ..= 2147483, "write 1 to 2147483 seconds";
    /// How much of a client's address counts, in bits.
    PrefixLength: u8 = 1 ..= 128, "write 1 to 32 for IPv4, 1 to 128 for IPv6";
    /// The largest packet of a link, in bytes.
    Mtu: u32 = 68 ..= 65535, "write 68 to 65535 bytes";
    /// The number of a VLAN.
    VlanId: u16 = 1 ..= 4094, "write 1 to 4094";
    /// The number of a routing table; 254 is the main table.
    RoutingTable: u32 = 1 ..= 4294967295, "write 1 to 4294967295, 254 is the main table";
    /// The metric of a route; the lowest wins.
    Metric: u32 = 0 ..= 4294967295, "write 0 to 4294967295";
    /// How long a DHCP lease lasts.
    LeaseSeconds: u32 = 60 ..= 31536000, "write 60 to 31536000 seconds";
    /// The size of a partition.
    SizeMiB: u32 = 1 ..= 1073741824, "write 1 to 1073741824 MiB";
}
