//! The values a document may hold: every string and number has a type of its own, with a closed grammar.
//!
//! A value that could be built contains no character that means something to a generated file, a shell or a terminal,
//! so no renderer ever has to quote, and none can be talked into writing a directive. Four are text of their own, a
//! line of a script, of a template and of a file, and the reason of a silence, which goes nowhere; and the words of a
//! public key stand apart.

mod addresses;
mod install;
mod names;
mod network;
mod numbers;
mod silence;
mod text;
mod words;

pub use addresses::{Address, Address4, Address6};
pub(crate) use install::SECTIONS;
pub use install::{
    FileLine, RepositoryName, ScriptLine, ServerName, SshKey, TemplateLine, UnitName,
};
pub use names::{AccountName, DomainName, InterfaceName, Label, Name};
pub use network::{ExportClient, InterfaceAddress, MacAddress, Network};
pub use numbers::{
    FirewallMark, LeaseSeconds, Metric, Mtu, PersistenceSeconds, Port, PrefixLength, RoutingTable,
    SizeMiB, Threshold, TimeoutSeconds, Version, VlanId, Weight,
};
pub use silence::{Reason, Subject};
pub use text::{
    AbsolutePath, BootFile, DiskName, FileMode, KernelArgument, Keyboard, Language, MountPoint,
    PackageName, SchemaReference, SysctlKey, SysctlValue, TimeZone, Url,
};
pub(super) use words::nearest;
pub use words::{
    BondMode, Checksum, DhcpBackend, DropProtocol, Family, ForwardPolicy, Forwarding, Helper,
    KickstartTarget, ManagedBy, PersistenceEngine, Protocol, Role, Scheduler, SchedulerFlag,
    TunnelType, Word,
};

use std::fmt;

/// Why a value was refused: what is wrong with it, and what would be right.
///
/// Neither part repeats the value: whoever shows the error writes the value, escaped, in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// What is wrong, as the rest of a sentence that starts with the value: `has 5 octets`.
    pub message: String,
    /// What would be right: `a MAC has 6`.
    pub fix: String,
}

impl BadValue {
    pub(crate) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.fix)
    }
}

impl std::error::Error for BadValue {}

/// Reads and writes a type as a JSON string, through its `FromStr` and `Display`, and describes it by a pattern.
macro_rules! as_json_string {
    ($name:ident, $schema:tt) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer
                    .deserialize_str($crate::document::values::StringVisitor::<$name>::new())
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use as_json_string;

/// Turns a JSON string into a value by its `FromStr`, without an intermediate copy.
pub(crate) struct StringVisitor<T>(std::marker::PhantomData<T>);

impl<T> StringVisitor<T> {
    pub(crate) fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: std::str::FromStr<Err = BadValue>> serde::de::Visitor<'_> for StringVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
