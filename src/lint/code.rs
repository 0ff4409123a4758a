//! The table of codes. A number is given once: what is no longer warned of leaves its number behind.

use std::fmt::{self, Write};
use std::str::FromStr;

/// Who can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The document alone.
    Document,
    /// The document as one director understands it.
    Director,
    /// A look at the director.
    Machine,
}

macro_rules! codes {
    ($($code:ident $word:literal $origin:ident $at:literal $title:literal;)*) => {
        /// What a warning is of; printed as `LVS001`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// As it is printed and written: `LVS001`.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$code => $word,)*
                }
            }

            /// What it is, in one line.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$code => $title,)*
                }
            }

            /// Who can tell.
            pub const fn origin(self) -> Origin {
                match self {
                    $(Self::$code => Origin::$origin,)*
                }
            }

            /// Whose name `at` of a silence says; empty when there is none to say.
            pub const fn at(self) -> &'static str {
                match self {
                    $(Self::$code => $at,)*
                }
            }

            /// What it is, why it matters, who says so, and how to mend it.
            const fn text(self) -> &'static str {
                match self {
                    $(Self::$code => include_str!(concat!("pages/", $word, ".txt")),)*
                }
            }
        }
    };
}

codes! {
    WeightWithoutEffect "LVS001" Document "the service" "a weight that the scheduler does not look at";
    TableWithoutRule "LVS002" Document "the director" "a route in a table to which nothing leads";
    DropHitsService "LVS003" Document "the drop rule" "a drop rule that names the port of a service";
    MarkTakesService "LVS004" Document "the service with the mark" "a firewall mark that takes what is for another service";
    RootOfClients "LVS005" Document "the exported path" "an export in which root of every client is root";
    WritableByEveryone "LVS006" Document "the exported path" "an export to which everyone can write";
    UnusedVip "LVS007" Document "the VIP" "a VIP that no service uses";
    StrayRealServer "LVS008" Document "the real server" "a real server in no service and in no inside network";
    ClosedInstallation "LVS009" Document "the profile" "an installation that nobody can log in to";
    FileOfEverybody "LVS010" Document "the path of the file" "a file that everybody may write";
    UselessSilence "LVS011" Document "" "a silence that silences nothing";
    ForeignRouter "LVS012" Document "" "DHCP hands out a gateway that is no director, and replies have to pass one";
    MasqueradeFromAfar "LVS013" Document "the service" "a masqueraded real server that is in no inside network";
    VipAmongRealServers "LVS014" Document "the service" "a VIP in the network of the masqueraded real servers behind it";
    KeptExternalVip "LVS015" Document "the VIP" "a VIP that others move, and that a director keeps";
    VipWithNetwork "LVS016" Document "the VIP" "a VIP with the prefix of a network";
    StrictReversePath "LVS017" Document "the director" "strict reverse path filtering where clients come in by another way than replies leave";
    SshOnVip "LVS018" Director "" "ssh on a VIP is balanced";
    LeftOut "LVS019" Director "the service" "real servers without an address of the VIP's family";
    ReadableHash "LVS020" Director "the profile" "the hash of root's password can be fetched by everybody";
    HostsRewritten "LVS021" Director "" "cloud-init writes /etc/hosts anew";
    HostsDisagree "LVS022" Director "the real server" "another address in /etc/hosts for a real server";
    ArmedNobody "LVS023" Director "" "armed to install itself, and not in the document";
    LostInventory "LVS024" Machine "" "an inventory that cannot be read";
    MissingAddress "LVS025" Machine "" "an address that others set is not there";
    LocalListener "LVS026" Machine "the service" "a program of the director listens on the port of a service";
    ServerLeftRunning "LVS027" Machine "" "a DHCP server goes on with what was taken from it";
    Newcomer "LVS028" Machine "the real server" "a new real server gets connections at once";
    FlushedRuleset "LVS029" Machine "" "nftables.service would flush our table";
    SecondBalancer "LVS030" Machine "the service" "keepalived balances one of our services, too";
    NetworkdOnLink "LVS031" Machine "the interface" "systemd-networkd drops the addresses that we set";
    NetworkManagerOnLink "LVS032" Machine "the interface" "NetworkManager drops the addresses that we set";
}

impl Code {
    /// The whole page: what `validate --explain` prints.
    pub fn page(self) -> String {
        let (word, title, text) = (self, self.title(), self.text().trim_end());
        let at = match self.at() {
            "" => String::new(),
            _ => " \"at\": \"...\",".to_owned(),
        };
        let mut page = format!(
            "{word}  {title}\n\n{text}\n\nHow to silence it\n  In the document, with your reason:\n  \"silence\": \
             [{{ \"code\": \"{word}\",{at} \"reason\": \"...\" }}]\n"
        );
        let scope = match self.at() {
            "" => "There is no \"at\" for it: it is silenced altogether.".to_owned(),
            name => {
                format!("\"at\" is the name of {name}; without it the code is silenced everywhere.")
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(page, "  {scope}");
        page
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// No code of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no code; there are {first} to {last}, and `lvs-reconcile validate --explain list` names them"
)]
pub struct Unknown {
    first: Code,
    last: Code,
}

impl FromStr for Code {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let mut all = Self::ALL.iter().copied();
        all.find(|it| it.word() == text).ok_or(Unknown {
            first: Self::WeightWithoutEffect,
            last: *Self::ALL.last().unwrap_or(&Self::WeightWithoutEffect),
        })
    }
}
