//! From one document to another, without a machine: the plan for a director that the first was applied to. Pure.

use crate::cycle::{Options, Turn, Wanted, turn};
use crate::delta::{Nature, Verb};
use crate::desired::Desired;
use crate::host::HostError;
use crate::host::memory::MemoryHost;
use crate::lint::Warning;
use crate::overlay::drain::{Drains, Moment};
use crate::ownership::{Inventory, IpvsTable};
use crate::resources::link::{Link, LinkKind};
use crate::resources::{Change, State};

/// What a director is asked for before and after. A document that does not name it asks for nothing.
#[derive(Debug, Default)]
pub struct Sides {
    pub before: Desired,
    pub after: Desired,
}

/// A plan, with the names of both documents, and what it cannot know.
#[derive(Debug)]
pub struct Between {
    pub turn: Turn,
    /// As after, with the names of what goes.
    pub desired: Desired,
    /// Whether anything is to be done, here or where only the director can tell.
    pub changes: bool,
}

impl Sides {
    /// The plan between them. The machine is as `before` wants it, all of it is ours, and nobody is connected.
    pub async fn plan(mut self) -> Result<Between, HostError> {
        let machine = std::mem::take(&mut self.before.state);
        let mut turn = from_to(machine, std::mem::take(&mut self.after.state)).await?;
        turn.changes.extend(given_back(&turn));
        let takes_all = self.after.exclusive && !self.before.exclusive;
        let mut desired = self.after;
        desired.names.extend(self.before.names);
        desired.warnings.extend(unknown(&turn));
        if takes_all {
            desired.warnings.extend([Warning::note(
                "every virtual service of others is removed, and only the director knows them (\"exclusive\": true)",
            )]);
        }
        let changes = takes_all || !turn.changes.is_empty();
        Ok(Between {
            turn,
            desired,
            changes,
        })
    }
}

/// What a director that is as `before` wants it changes to be as `after` wants it.
pub async fn changes(before: State, after: State) -> Result<Vec<Change>, HostError> {
    Ok(from_to(before, after).await?.changes)
}

async fn from_to(mut machine: State, after: State) -> Result<Turn, HostError> {
    let inventory = Inventory {
        owned: machine.all_keys(),
        ..Inventory::default()
    };
    plug_in(&mut machine, &after);
    let wanted = Wanted {
        desired: after,
        table: IpvsTable::Shared,
        inventory,
        drains: Drains::default(),
        now: Moment::default(),
    };
    turn(wanted, &Options::usual(), &mut MemoryHost::new(machine)).await
}

/// A network card that only the second document names was in the machine before; nobody has set it up.
fn plug_in(machine: &mut State, after: &State) {
    let cards = after
        .links
        .iter()
        .filter(|it| it.kind == LinkKind::Physical);
    let new: Vec<_> = cards
        .filter(|it| machine.links.get(&it.name).is_none())
        .map(|it| Link {
            up: false,
            ..it.clone()
        })
        .collect();
    for link in new {
        machine.links.insert(link);
    }
}

/// Values that the second document no longer speaks of. What they become is no part of either.
fn given_back(turn: &Turn) -> Vec<Change> {
    let mut gone = turn.seen.state.changes_to(&turn.goal.desired);
    gone.retain(|it| it.verb() == Verb::Delete && it.nature() == Nature::Set);
    gone
}

/// What depends on the machine, as far as these changes do.
fn unknown(turn: &Turn) -> Vec<Warning> {
    let mut notes = Vec::new();
    let goes = |it: &&Change| matches!(it, Change::Destination(_)) && it.verb() == Verb::Delete;
    if turn.changes.iter().any(|it| goes(&it)) {
        notes.push(Warning::note(
            "a destination that has connections drains before it is removed; how many it has, only the director knows",
        ));
    }
    let names: Vec<_> = given_back(turn).iter().map(Change::name).collect();
    if !names.is_empty() {
        notes.push(Warning::note(format!(
            "what the machine had before it was first set is given back, and only the director knows it: {}",
            names.join(", ")
        )));
    }
    notes
}
