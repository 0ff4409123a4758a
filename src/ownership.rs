//! What we created, by exact key, and what follows from it: only that is ever deleted. Pure.

use serde::{Deserialize, Serialize};

use crate::delta::{Nature, Verb};
use crate::resources::{Change, Keys, Kind, State};

/// The inventory, as it stands in `owned.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Inventory {
    /// The version of this format.
    pub version: Version,
    /// What we created, or are about to create: written before the first create, settled after the last.
    pub owned: Keys,
    /// What shared objects (sysctls, network cards, IPVS timeouts) were before we first set them.
    pub prior: State,
    /// What others had made, and a run that was cut off was about to edit: ours from the moment in which it was.
    #[serde(skip)]
    pub unsettled: State,
    /// True when there is one on disk that cannot be read.
    #[serde(skip)]
    pub is_stand_in: bool,
}

/// The version of the inventory's format, of which there is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Version;

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number {
            1 => Ok(Self),
            _ => Err(format!(
                "written by a newer lvs-reconcile, in version {number}; this one knows 1"
            )),
        }
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        1
    }
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

/// Sorts a difference by ownership. `owned` are the inventory and what carries our mark.
pub fn judge(mut changes: Vec<Change>, owned: &[&Keys], table: IpvsTable) -> Judged {
    let mut judged = Judged::default();
    // Nearly all of a large plan is ours, and stays where it is.
    let is_others = |it: &mut Change| !matches!(verdict(it, owned, table), Verdict::Ours);
    for change in changes.extract_if(.., is_others) {
        match verdict(&change, owned, table) {
            Verdict::Foreign => judged.foreign.push(change),
            Verdict::Conflict => judged.conflicts.push(change),
            Verdict::Nobodys | Verdict::Ours => {}
        }
    }
    judged.changes = changes;
    judged
}

enum Verdict {
    /// A value that we do not set, a module that others load.
    Nobodys,
    Ours,
    Foreign,
    Conflict,
}

fn verdict(change: &Change, owned: &[&Keys], table: IpvsTable) -> Verdict {
    let ipvs = matches!(change.kind(), Kind::VirtualService | Kind::Destination);
    let exclusive = ipvs && table == IpvsTable::Exclusive;
    let ours = |it: &Change| exclusive || owned.iter().any(|keys| keys.contains(it));
    match change.verb() {
        Verb::Create => Verdict::Ours,
        Verb::Delete => match change.nature() {
            Nature::Set | Nature::Retained => Verdict::Nobodys,
            Nature::Made | Nature::Started if ours(change) => Verdict::Ours,
            Nature::Made | Nature::Started => Verdict::Foreign,
        },
        Verb::Update | Verb::Replace => match change.nature() {
            Nature::Made if !ours(change) && !change.may_take_over() => Verdict::Conflict,
            _ => Verdict::Ours,
        },
    }
}

impl Inventory {
    /// What it must say before `changes` are made: what they create, which is `created`, is ours, and so is what they
    /// edit; what shared objects were is remembered.
    pub fn intending(&self, changes: &[Change], created: &Keys) -> Self {
        let mut next = self.clone();
        let edited = |it: &&Change| {
            matches!(it.verb(), Verb::Update | Verb::Replace) && it.nature() == Nature::Made
        };
        next.owned.merge(created);
        next.owned.merge(&Keys::of(changes.iter().filter(edited)));
        for change in changes.iter().filter(|it| it.nature() == Nature::Set) {
            next.owned.remove(change);
            next.remember(change);
        }
        next
    }

    /// Keeps the value from before our first change; later ones are ours already.
    fn remember(&mut self, change: &Change) {
        if self.prior.value_of(change).is_none() {
            self.prior.merge(change.before());
        }
    }

    /// What `desired` becomes when shared objects that it no longer speaks of get their former values back.
    pub fn giving_back(&self, desired: State) -> State {
        let mut both = self.prior.clone();
        both.merge(desired);
        both
    }

    /// The values that are given back because the document no longer speaks of them.
    pub fn given_back(&self, document: &State) -> Keys {
        let mut keys = self.prior.all_keys();
        keys.remove_existing(document);
        keys
    }

    /// What it must say after a look at the machine: what is gone is nobody's, and what was given back is forgotten.
    /// What should have been, and was not because the run failed, is given back by the next one.
    pub fn settled(mut self, live: &State, given_back: &Keys) -> Self {
        self.owned.retain_existing(live);
        let mut forgotten = given_back.clone();
        for former in State::default().changes_to(&self.prior) {
            let now = live.value_of(&former);
            if now.is_some() && now != self.prior.value_of(&former) {
                forgotten.remove(&former);
            }
        }
        self.prior.remove_all(&forgotten);
        self
    }

    /// What it must say after a run that was cut off: what that run may have created is ours, and so is the duty to
    /// give back what it may have changed. Of what it may have edited, `owned` was ours before.
    pub fn recovered(mut self, created: &Keys, prior: &State, owned: &Keys) -> Self {
        self.owned.merge(created);
        for change in State::default().changes_to(prior) {
            let was = || prior.value_of(&change).unwrap_or_default();
            match change.nature() {
                Nature::Set if self.prior.value_of(&change).is_none() => self.prior.merge(was()),
                Nature::Made if !owned.contains(&change) => self.unsettled.merge(was()),
                _ => {}
            }
        }
        self
    }

    /// What was edited by a run that was cut off is ours, now that the machine was looked at. True when there is any.
    pub fn settle_edited(&mut self, live: &State) -> bool {
        // The usual case, in which everything alive would be taken for new.
        if self.unsettled.is_empty() {
            return false;
        }
        let edited = std::mem::take(&mut self.unsettled).changes_to(live);
        let differs = |it: &&Change| matches!(it.verb(), Verb::Update | Verb::Replace);
        let edited = Keys::of(edited.iter().filter(differs));
        self.owned.merge(&edited);
        !edited.is_empty()
    }
}
