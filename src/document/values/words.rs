//! Words: the closed lists of a document.

use super::{BadValue, StringVisitor};
use std::{fmt, str::FromStr};

/// A value out of a closed list of words.
pub trait Word: Copy + 'static {
    /// The list, in the order in which it is shown.
    const ALL: &'static [Self];

    /// The word as the document writes it.
    fn word(self) -> &'static str;
}

/// The refusal of a word that is not in the list, with the one that was probably meant.
fn unknown_word(text: &str, words: &[&'static str]) -> BadValue {
    let list = || format!("write one of {}", words.join(", "));
    let near = words
        .iter()
        .map(|word| {
            (
                strsim::damerau_levenshtein(&text.to_ascii_lowercase(), word),
                word,
            )
        })
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4)
        .min_by_key(|(distance, _)| *distance);
    let fix = near.map_or_else(list, |(_, word)| format!("did you mean {word:?}?"));
    BadValue::new("is not known here", fix)
}

/// Declares a closed list of words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[doc = $word_doc:literal])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $word_doc])* $variant,)*
        }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = BadValue;

            fn from_str(text: &str) -> Result<Self, BadValue> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(unknown_word(text, &[$($word),*])),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(StringVisitor::<$name>::new())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "oneOf": [$({ "const": $word, "description": concat!($($word_doc),*).trim_start() }),*],
                })
            }
        }
    )*};
}

words! {
    /// A protocol that IPVS balances.
    Protocol {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// SCTP.
        Sctp = "sctp",
    }

    /// A protocol that a drop rule may name.
    DropProtocol {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }

    /// An address family.
    Family {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
    }

    /// Who gets a new connection.
    Scheduler {
        /// Round robin: in turn; weights do not count.
        Rr = "rr",
        /// Weighted round robin.
        Wrr = "wrr",
        /// Least connections; weights do not count.
        Lc = "lc",
        /// Weighted least connections, the default.
        Wlc = "wlc",
        /// Locality-based least connections, for caches.
        Lblc = "lblc",
        /// Locality-based least connections with replication.
        Lblcr = "lblcr",
        /// Destination hashing.
        Dh = "dh",
        /// Source hashing.
        Sh = "sh",
        /// Shortest expected delay.
        Sed = "sed",
        /// Never queue.
        Nq = "nq",
        /// Weighted fail-over: the highest weight takes all.
        Fo = "fo",
        /// Weighted overflow: the highest weight takes connections up to its weight.
        Ovf = "ovf",
        /// Maglev hashing.
        Mh = "mh",
    }

    /// A flag of a hashing scheduler.
    SchedulerFlag {
        /// sh: take another real server when the chosen one has weight 0.
        ShFallback = "sh-fallback",
        /// sh: the client's port counts as well.
        ShPort = "sh-port",
        /// mh: take another real server when the chosen one has weight 0.
        MhFallback = "mh-fallback",
        /// mh: the client's port counts as well.
        MhPort = "mh-port",
    }

    /// How a packet gets to its real server.
    Forwarding {
        /// NAT: the director rewrites the address, replies come back through it.
        Masquerade = "masquerade",
        /// DR: same network, the real server holds the VIP and answers the client itself.
        DirectRouting = "direct-routing",
        /// TUN: as direct routing, but through a tunnel, so that the real server may be anywhere.
        Tunnel = "tunnel",
    }

    /// What a tunnel wraps packets in.
    TunnelType {
        /// IP in IP, the default.
        Ipip = "ipip",
        /// Generic UDP encapsulation; needs a port.
        Gue = "gue",
        /// GRE.
        Gre = "gre",
    }

    /// The checksum of a tunnel.
    Checksum {
        /// None, the default.
        None = "none",
        /// A checksum over the outer packet.
        Checksum = "checksum",
        /// Remote checksum offload; gue only.
        RemoteChecksum = "remote-checksum",
    }

    /// What recognises a client again, beside its address.
    PersistenceEngine {
        /// The SIP Call-ID; udp only.
        Sip = "sip",
    }

    /// Who sets a VIP.
    ManagedBy {
        /// We do, the default.
        LvsReconcile = "lvs-reconcile",
        /// VRRP, BGP or another program: we look and never touch.
        External = "external",
    }

    /// What an interface is for.
    Role {
        /// Towards the clients.
        Outside = "outside",
        /// Towards the real servers.
        Inside = "inside",
    }

    /// What happens to a forwarded packet that nothing accepts.
    ForwardPolicy {
        /// It is dropped, the default.
        Drop = "drop",
        /// It is forwarded.
        Accept = "accept",
    }

    /// A protocol whose second connections are followed through the firewall.
    Helper {
        /// FTP.
        Ftp = "ftp",
        /// TFTP.
        Tftp = "tftp",
        /// SIP.
        Sip = "sip",
        /// IRC.
        Irc = "irc",
        /// Amanda.
        Amanda = "amanda",
        /// PPTP.
        Pptp = "pptp",
    }

    /// How a bond uses its members.
    BondMode {
        /// In turn, packet by packet.
        BalanceRr = "balance-rr",
        /// One works, the others stand by.
        ActiveBackup = "active-backup",
        /// By a hash of the addresses.
        BalanceXor = "balance-xor",
        /// Everything on all.
        Broadcast = "broadcast",
        /// LACP.
        Lacp = "802.3ad",
        /// Outgoing traffic by load.
        BalanceTlb = "balance-tlb",
        /// Both directions by load.
        BalanceAlb = "balance-alb",
    }

    /// Which DHCP server gets our configuration.
    DhcpBackend {
        /// The one that is installed, the default.
        Auto = "auto",
        /// ISC dhcpd.
        IscDhcpServer = "isc-dhcp-server",
    }

    /// What a kickstart file installs; it decides which commands the file may use.
    KickstartTarget {
        /// Red Hat Enterprise Linux 7 and its relatives.
        Rhel7 = "rhel7",
        /// Red Hat Enterprise Linux 8 and its relatives.
        Rhel8 = "rhel8",
        /// Red Hat Enterprise Linux 9 and its relatives.
        Rhel9 = "rhel9",
        /// Red Hat Enterprise Linux 10 and its relatives.
        Rhel10 = "rhel10",
    }
}
