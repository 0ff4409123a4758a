//! Which rules mean the same. Pure.

use ipnet::IpNet;

use super::{Match, NftTable, Rule};

impl Rule {
    /// The one spelling of all rules that mean the same.
    pub(super) fn canonical(&self) -> Self {
        Self {
            matches: self.matches.iter().map(Match::canonical).collect(),
            verdict: self.verdict.clone(),
        }
    }
}

impl Match {
    fn canonical(&self) -> Self {
        match self {
            Self::To(address) => Self::Destination(IpNet::from(*address)),
            Self::Source(network) => Self::Source(network.trunc()),
            Self::Destination(network) => Self::Destination(network.trunc()),
            Self::State(states) => {
                let mut states = states.clone();
                states.sort();
                states.dedup();
                Self::State(states)
            }
            other => other.clone(),
        }
    }
}

/// `live` with those of its rules that mean the same as a rule of `desired` spelt as they are there.
pub(super) fn in_words_of(desired: &NftTable, mut live: NftTable) -> NftTable {
    for chain in &mut live.chains {
        let Some(wanted) = desired.chains.iter().find(|it| it.name == chain.name) else {
            continue;
        };
        let spellings: Vec<(Rule, &Rule)> =
            wanted.rules.iter().map(|it| (it.canonical(), it)).collect();
        for (place, rule) in chain.rules.iter_mut().enumerate() {
            let meaning = rule.canonical();
            // Most often nothing has moved.
            let here = spellings.get(place).filter(|(it, _)| *it == meaning);
            let found = here.or_else(|| spellings.iter().find(|(it, _)| *it == meaning));
            if let Some((_, spelling)) = found {
                *rule = (*spelling).clone();
            }
        }
    }
    live
}
