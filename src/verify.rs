//! Looks at the machine and takes the difference. Planning and verifying are this same look, taken twice.

use crate::host::{Host, HostError, Observation, Scope};
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
    /// Observes and compares.
    pub async fn look<H: Host>(&self, host: &mut H) -> Result<Look, HostError> {
        let scope = Scope {
            desired: &self.desired,
            inventory: &self.inventory,
        };
        let seen = host.observe(&scope).await?;
        let judged = self.compare(&seen);
        Ok(Look { seen, judged })
    }

    /// The difference between what was seen and the goal, by who may act on it.
    pub fn compare(&self, seen: &Observation) -> Judged {
        let mut owned = self.inventory.owned.clone();
        owned.extend(seen.marked.clone());
        judge(seen.state.changes_to(&self.desired), &owned, self.table)
    }
}
