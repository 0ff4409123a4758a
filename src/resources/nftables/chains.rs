//! What each chain is in the kernel. Pure.

use nftables::types::{NfChainType, NfHook};

use super::ChainName;

/// Type, hook and priority of a base chain.
pub(super) struct Definition {
    /// As the chain is called in the kernel. The prefix keeps it from being one of nft's own words, such as
    /// `masquerade`, which nft prints and then cannot read.
    pub name: &'static str,
    pub kind: NfChainType,
    pub hook: NfHook,
    /// As numbers, for which every version of nft has one spelling.
    pub priority: i32,
}

impl ChainName {
    /// All there are, in the order in which a table lists them.
    pub(super) const ALL: [Self; 4] = [Self::Marks, Self::Helpers, Self::Forward, Self::Masquerade];

    pub(super) fn definition(self) -> Definition {
        let (name, kind, hook, priority) = match self {
            Self::Marks => ("lvs_marks", NfChainType::Filter, NfHook::Prerouting, -150),
            Self::Helpers => ("lvs_helpers", NfChainType::Filter, NfHook::Prerouting, 0),
            Self::Forward => ("lvs_forward", NfChainType::Filter, NfHook::Forward, 0),
            Self::Masquerade => ("lvs_masquerade", NfChainType::NAT, NfHook::Postrouting, 100),
        };
        Definition {
            name,
            kind,
            hook,
            priority,
        }
    }

    /// The chain with this name in the kernel.
    pub(super) fn of(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.definition().name == name)
    }
}
