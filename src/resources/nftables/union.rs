//! A table change in two steps that never takes before it has given.

use super::{Chain, NftTable, Policy, Verdict};
use crate::delta::Delta;
use crate::plan::Phase;

/// Up to two steps: to the union, and from there to the final table.
pub fn steps(from: Box<NftTable>, to: NftTable, mut step: impl FnMut(Phase, Delta<NftTable>)) {
    let both = union(&from, &to);
    let gives = both != *from;
    let takes = both != to;
    match (gives, takes) {
        (true, true) => {
            let first = Delta::Update {
                from,
                to: both.clone(),
            };
            step(Phase::Permit, first);
            step(
                Phase::Forbid,
                Delta::Update {
                    from: Box::new(both),
                    to,
                },
            );
        }
        (_, true) => step(Phase::Forbid, Delta::Update { from, to }),
        _ => step(Phase::Permit, Delta::Update { from, to }),
    }
}

/// Everything that either table permits: drops only where both drop, the rest from both.
fn union(from: &NftTable, to: &NftTable) -> NftTable {
    let mut chains: Vec<Chain> = to.chains.iter().map(|it| widened(it, from)).collect();
    let only_before = from
        .chains
        .iter()
        .filter(|it| to.chains.iter().all(|other| other.name != it.name));
    chains.extend(only_before.cloned().map(permissive));
    chains.sort_by_key(|chain| chain.name);
    let mut helpers = [from.helpers.clone(), to.helpers.clone()].concat();
    helpers.sort();
    helpers.dedup();
    NftTable {
        chains,
        helpers,
        unknown: Vec::new(),
    }
}

fn widened(chain: &Chain, from: &NftTable) -> Chain {
    let Some(before) = from.chains.iter().find(|it| it.name == chain.name) else {
        return permissive(chain.clone());
    };
    let both_drop = chain.policy == Policy::Drop && before.policy == Policy::Drop;
    let kept = |rule: &&super::Rule| {
        rule.verdict != Verdict::Drop || before.rules.iter().any(|it| it == *rule)
    };
    let old = before
        .rules
        .iter()
        .filter(|it| it.verdict != Verdict::Drop && !is_unknown(it) && !chain.rules.contains(it));
    Chain {
        name: chain.name,
        policy: if both_drop {
            Policy::Drop
        } else {
            Policy::Accept
        },
        rules: chain
            .rules
            .iter()
            .filter(kept)
            .chain(old)
            .cloned()
            .collect(),
    }
}

/// A chain that only one side has: the other side dropped nothing there.
fn permissive(chain: Chain) -> Chain {
    let keep = |it: &super::Rule| it.verdict != Verdict::Drop && !is_unknown(it);
    Chain {
        policy: Policy::Accept,
        rules: chain.rules.into_iter().filter(keep).collect(),
        ..chain
    }
}

/// Rules that somebody else put into our table cannot be written back.
fn is_unknown(rule: &super::Rule) -> bool {
    matches!(rule.verdict, Verdict::Unknown(_))
        || rule
            .matches
            .iter()
            .any(|it| matches!(it, super::Match::Unknown(_)))
}
