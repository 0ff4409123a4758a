//! Words: the closed lists of a document.

use super::BadValue;
use serde::de::Visitor;
use std::{fmt, marker::PhantomData, str::FromStr};

/// A value out of a closed list of words.
pub trait Word: Copy + 'static {
    /// What a word of the list is: `scheduler`.
    const NOUN: &'static str;

    /// The list, in the order in which it is shown.
    const ALL: &'static [Self];

    /// The word as the document writes it.
    fn word(self) -> &'static str;
}

/// The word of a list that a text is.
fn parse<W: Word>(text: &str) -> Result<W, BadValue> {
    let same = |word: &&W| word.word() == text;
    W::ALL
        .iter()
        .find(same)
        .copied()
        .ok_or_else(|| unknown_word::<W>(text))
}

/// The refusal of a word that is not in the list, with the one that was probably meant.
fn unknown_word<W: Word>(text: &str) -> BadValue {
    let words: Vec<&str> = W::ALL.iter().map(|word| word.word()).collect();
    let fix = match nearest(text, &words) {
        Some(word) => format!("did you mean \"{word}\"?"),
        None => format!("write one of {}", words.join(", ")),
    };
    BadValue::new(format!("is no {}", W::NOUN), fix)
}

/// The word of a list that is most like a text, when it is like it at all.
pub(in crate::document) fn nearest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    // Whoever writes a longer one did not mistype a word of ours.
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&text, &word.to_ascii_lowercase());
    let like = |(distance, word): &(usize, &str)| *distance <= 1 + word.len() / 6;
    let near = words
        .iter()
        .map(|word| (distance(word), *word))
        .filter(like);
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Turns a JSON string into a word.
struct WordVisitor<W>(PhantomData<W>);

impl<W: Word> Visitor<'_> for WordVisitor<W> {
    type Value = W;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = W::ALL.iter().map(|word| word.word()).collect();
        write!(f, "one of {}", words.join(", "))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<W, E> {
        parse(text).map_err(E::custom)
    }
}

/// Declares a closed list of words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $noun:literal { $($(#[doc = $word_doc:literal])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $word_doc])* $variant,)*
        }

        impl Word for $name {
            const NOUN: &'static str = $noun;
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
                parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(WordVisitor::<$name>(PhantomData))
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
    Protocol "protocol of IPVS" {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// SCTP.
        Sctp = "sctp",
    }

    /// A protocol that a drop rule may name.
    DropProtocol "protocol to drop" {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }

    /// An address family.
    Family "address family" {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
    }

    /// Who gets a new connection.
    Scheduler "scheduler" {
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
    SchedulerFlag "scheduler flag" {
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
    Forwarding "forwarding method" {
        /// NAT: the director rewrites the address, replies come back through it.
        Masquerade = "masquerade",
        /// DR: same network, the real server holds the VIP and answers the client itself.
        DirectRouting = "direct-routing",
        /// TUN: as direct routing, but through a tunnel, so that the real server may be anywhere.
        Tunnel = "tunnel",
    }

    /// What a tunnel wraps packets in.
    TunnelType "type of tunnel" {
        /// IP in IP, the default.
        Ipip = "ipip",
        /// Generic UDP encapsulation; needs a port.
        Gue = "gue",
        /// GRE.
        Gre = "gre",
    }

    /// The checksum of a tunnel.
    Checksum "checksum of a tunnel" {
        /// None, the default.
        None = "none",
        /// A checksum over the outer packet.
        Checksum = "checksum",
        /// Remote checksum offload; gue only.
        RemoteChecksum = "remote-checksum",
    }

    /// What recognises a client again, beside its address.
    PersistenceEngine "persistence engine" {
        /// The SIP Call-ID; udp only.
        Sip = "sip",
    }

    /// Who sets a VIP.
    ManagedBy "one who sets a VIP" {
        /// We do, the default.
        LvsReconcile = "lvs-reconcile",
        /// VRRP, BGP or another program: we look and never touch.
        External = "external",
    }

    /// What an interface is for.
    Role "role" {
        /// Towards the clients.
        Outside = "outside",
        /// Towards the real servers.
        Inside = "inside",
    }

    /// What happens to a forwarded packet that nothing accepts.
    ForwardPolicy "policy" {
        /// It is dropped, the default.
        Drop = "drop",
        /// It is forwarded.
        Accept = "accept",
    }

    /// A protocol whose second connections are followed through the firewall.
    Helper "known helper" {
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
    BondMode "mode of a bond" {
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
    DhcpBackend "known DHCP server" {
        /// The one that is installed, the default. Of several: the one that has our configuration, else the one that
        /// runs, else Kea.
        Auto = "auto",
        /// ISC dhcpd.
        IscDhcpServer = "isc-dhcp-server",
        /// Kea (kea-dhcp4), 2.2 or later.
        Kea = "kea",
        /// dnsmasq; what else it serves is left alone.
        Dnsmasq = "dnsmasq",
    }

    /// What a profile installs; it decides which installer reads the file, and which commands it knows.
    KickstartTarget "target we can install" {
        /// Red Hat Enterprise Linux 7 and its relatives.
        Rhel7 = "rhel7",
        /// Red Hat Enterprise Linux 8 and its relatives.
        Rhel8 = "rhel8",
        /// Red Hat Enterprise Linux 9 and its relatives.
        Rhel9 = "rhel9",
        /// Red Hat Enterprise Linux 10 and its relatives.
        Rhel10 = "rhel10",
        /// Fedora 43.
        Fedora43 = "fedora43",
        /// Fedora 44.
        Fedora44 = "fedora44",
        /// Fedora 45.
        Fedora45 = "fedora45",
        /// Debian 12, by a preseed file.
        Debian12 = "debian12",
        /// Debian 13, by a preseed file.
        Debian13 = "debian13",
        /// Ubuntu Server 22.04, by autoinstall.
        Ubuntu2204 = "ubuntu22.04",
        /// Ubuntu Server 24.04, by autoinstall.
        Ubuntu2404 = "ubuntu24.04",
        /// Ubuntu Server 26.04, by autoinstall.
        Ubuntu2604 = "ubuntu26.04",
    }
}
