//! What a machine must become so that runs count as never made: the objects they touched get the values they had
//! before, and nothing else changes. Pure.

use crate::desired::armed::Armed;
use crate::journal::Entry;
use crate::ownership::Inventory;
use crate::resources::{Keys, State};

/// What was before some runs, of what they touched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Former {
    /// Values of what existed.
    prior: State,
    /// What stood beside it, and may have been taken along.
    beside: State,
    touched: Keys,
    owned: Keys,
    remembered: Keys,
    /// Who was to install himself, when one of the runs changed that.
    pub armed: Option<Armed>,
}

impl Former {
    /// Before the oldest of these, which come with the newest first.
    pub fn before(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut former = Self::default();
        for entry in entries {
            let touched = entry.touched();
            former.prior.remove_all(&entry.created);
            former.prior.merge(entry.prior);
            former.beside.merge(entry.beside);
            former.owned.subtract(&touched);
            former.owned.merge(&entry.owned);
            former.remembered.subtract(&touched);
            former.remembered.merge(&entry.remembered);
            former.touched.merge(&touched);
            former.armed = entry.armed.or(former.armed);
        }
        former
    }

    /// What must be looked at to see what became of it.
    pub fn to_look_at(&self) -> State {
        let mut state = self.beside.clone();
        state.merge(self.prior.clone());
        state
    }

    /// The state to reach from `live`.
    pub fn over(&self, live: &State) -> State {
        let mut goal = live.clone();
        goal.remove_all(&self.touched);
        let mut taken_along = self.beside.clone();
        taken_along.remove_all(&self.touched);
        taken_along.remove_all(&live.all_keys());
        goal.merge(taken_along);
        goal.merge(self.prior.as_goal());
        goal
    }

    /// The inventory once it is reached.
    pub fn inventory(&self, mut after: Inventory) -> Inventory {
        after.owned.subtract(&self.touched);
        after.owned.merge(&self.owned);
        let mut forgotten = self.touched.clone();
        forgotten.subtract(&self.remembered);
        after.prior.remove_all(&forgotten);
        after
    }
}
