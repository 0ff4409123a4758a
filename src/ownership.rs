//! What we created, by exact key, and what follows from it: only that is ever deleted. Pure.

use serde::{Deserialize, Serialize};

use crate::delta::Verb;
use crate::resources::{Change, Keys, Kind, State};

/// The inventory, as it stands in `owned.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Inventory {
    /// What we created, or are about to create: written before the first create, settled after the last.
    pub owned: Keys,
    /// What shared objects (sysctls, network cards, IPVS timeouts) were before we first set them.
    pub prior: State,
}

/// A difference, sorted by who may act on it.
#[derive(Debug, Default)]
pub struct Judged {
    /// Ours to make.
    pub changes: Vec<Change>,
    /// Exists beside what we manage, and stays: shown as the deletion that we do not make.
    pub foreign: Vec<Change>,
    /// Wanted, but somebody else's and different: refuses the plan.
    pub conflicts: Vec<Change>,
}

/// Whether entries of the IPVS table that we did not make are ours to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpvsTable {
    /// Others may have services there.
    Shared,
    /// `"exclusive": true`: the whole table is ours.
    Exclusive,
}

/// Sorts a difference by ownership. `owned` holds the inventory and what carries our mark.
pub fn judge(changes: Vec<Change>, owned: &Keys, table: IpvsTable) -> Judged {
    let mut judged = Judged::default();
    for change in changes {
        match verdict(&change, owned, table) {
            Verdict::Ours => judged.changes.push(change),
            Verdict::Foreign => judged.foreign.push(change),
            Verdict::Conflict => judged.conflicts.push(change),
        }
    }
    judged
}

enum Verdict {
    Ours,
    Foreign,
    Conflict,
}

fn verdict(change: &Change, owned: &Keys, table: IpvsTable) -> Verdict {
    let ipvs = matches!(change.kind(), Kind::VirtualService | Kind::Destination);
    let ours = |change: &Change| owned.contains(change) || (ipvs && table == IpvsTable::Exclusive);
    match change.verb() {
        Verb::Create => Verdict::Ours,
        Verb::Delete if ours(change) => Verdict::Ours,
        Verb::Delete => Verdict::Foreign,
        Verb::Update | Verb::Replace if change.is_shared() || change.may_take_over() => {
            Verdict::Ours
        }
        Verb::Update | Verb::Replace if ours(change) => Verdict::Ours,
        Verb::Update | Verb::Replace => Verdict::Conflict,
    }
}

impl Inventory {
    /// What it must say before `changes` are made: their creates are ours, and what shared objects were is remembered.
    pub fn intending(&self, changes: &[Change]) -> Self {
        let mut next = self.clone();
        for change in changes {
            match change.verb() {
                Verb::Create => next.owned.insert(change),
                Verb::Update if change.is_shared() => next.remember(change),
                Verb::Update | Verb::Replace => next.owned.insert(change),
                Verb::Delete => {}
            }
        }
        next
    }

    /// What it must say after a look at the machine: what is gone is nobody's.
    pub fn settled(mut self, live: &State) -> Self {
        self.owned.retain_existing(live);
        self
    }

    /// Keeps the value from before our first change; later ones are ours already.
    fn remember(&mut self, change: &Change) {
        if self.prior.value_of(change).is_none() {
            self.prior.merge(change.before());
        }
    }

    /// What `desired` becomes when shared objects that it no longer speaks of get their former values back.
    pub fn giving_back(&self, mut desired: State) -> State {
        let prior = self.prior.clone();
        for it in prior
            .sysctls
            .iter()
            .filter(|it| !desired.sysctls.contains(&it.key))
            .cloned()
            .collect::<Vec<_>>()
        {
            desired.sysctls.insert(it);
        }
        for it in prior
            .links
            .iter()
            .filter(|it| !desired.links.contains(&it.name))
            .cloned()
            .collect::<Vec<_>>()
        {
            desired.links.insert(it);
        }
        if desired.timeouts.is_empty() {
            desired.timeouts = prior.timeouts;
        }
        desired
    }
}
