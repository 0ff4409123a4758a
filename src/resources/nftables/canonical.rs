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

impl NftTable {
    /// With those of its rules that mean the same as a rule of `desired` spelt as they are there.
    pub fn in_words_of(mut self, desired: Option<&Self>) -> Self {
        let wanted = desired.map_or(&[][..], |it| it.chains.as_slice());
        for chain in &mut self.chains {
            if let Some(wanted) = wanted.iter().find(|it| it.name == chain.name) {
                respell(&mut chain.rules, &wanted.rules);
            }
        }
        self
    }
}

fn respell(rules: &mut [Rule], wanted: &[Rule]) {
    let spellings: Vec<(Rule, &Rule)> = wanted.iter().map(|it| (it.canonical(), it)).collect();
    for (place, rule) in rules.iter_mut().enumerate() {
        let meaning = rule.canonical();
        // Most often nothing has moved.
        let here = spellings.get(place).filter(|(it, _)| *it == meaning);
        let found = here.or_else(|| spellings.iter().find(|(it, _)| *it == meaning));
        if let Some((_, spelling)) = found {
            *rule = (*spelling).clone();
        }
    }
}
