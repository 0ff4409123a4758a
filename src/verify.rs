//! Looks at the machine and takes the difference. Planning and verifying are this same look, taken twice.

use crate::host::{Host, HostError, Observation, Scope, Since};
use crate::ownership::{Inventory, IpvsTable, Judged, judge};
use crate::resources::State;

/// What the machine must become, and what of it is ours.
#[derive(Debug, Clone)]
pub struct Goal {
    pub desired: State,
    pub inventory: Inventory,
    pub table: IpvsTable,
}

/// What was seen, and how it differs from the goal.
#[derive(Debug)]
pub struct Look {
    pub seen: Observation,
    pub judged: Judged,
}

impl Goal {
    /// What the document wants, and what else must be given back because it no longer speaks of it.
    pub fn of(document: State, inventory: Inventory, table: IpvsTable) -> Self {
        Self {
            desired: inventory.giving_back(document),
            inventory,
            table,
        }
    }

    /// The look that begins a turn: what a run that was cut off has edited is ours from now on.
    pub async fn first_look<H: Host>(&mut self, host: &mut H) -> Result<Look, HostError> {
        let mut look = self.look(host).await?;
        if self.inventory.settle_edited(&look.seen.state) {
            look.judged = self.compare(&look.seen);
        }
        Ok(look)
    }

    /// Observes and compares.
    pub async fn look<H: Host>(&self, host: &mut H) -> Result<Look, HostError> {
        self.look_since(None, host).await
    }

    /// The same, right after steps were made.
    pub async fn look_since<H: Host>(
        &self,
        since: Option<Since<'_>>,
        host: &mut H,
    ) -> Result<Look, HostError> {
        let scope = Scope {
            desired: &self.desired,
            inventory: &self.inventory,
            since,
        };
        let seen = host.observe(&scope).await?;
        let judged = self.compare(&seen);
        Ok(Look { seen, judged })
    }

    /// The difference between what was seen and the goal, by who may act on it.
    pub fn compare(&self, seen: &Observation) -> Judged {
        let owned = [&self.inventory.owned, &seen.marked];
        judge(seen.state.changes_to(&self.desired), &owned, self.table)
    }
}
