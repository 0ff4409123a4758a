//! One turn: a goal, a look, an ordered plan; and, when it may be made, the making of it. `plan`, `apply` and `watch`
//! share this, so that what is shown is what is done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::apply::{self, Report};
use crate::desired::armed::Armed;
use crate::guards::{self, Deletions, Refusal};
use crate::host::{Connections, Host, HostError, Observation};
use crate::journal::{self, Intent, Run};
use crate::overlay::drain::{self, Drains, Moment, Policy};
use crate::overlay::hold;
use crate::ownership::{Inventory, IpvsTable, Judged};
use crate::plan::Plan;
use crate::resources::destination::DestinationKey;
use crate::resources::{Change, Keys, State};
use crate::store::Store;
use crate::verify::{Goal, Look};

/// What the operator asked for beside the document.
#[derive(Debug, Clone)]
pub struct Options {
    pub deletions: Deletions,
    pub drain: Policy,
    /// Foreign objects to take over, as `kind name`.
    pub adopt: Vec<String>,
    /// Objects that somebody else keeps changing, as `kind name`: left as they are.
    pub held: BTreeSet<String>,
}

/// What is wanted of this machine, and what is known of it from before.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// As the document has it.
    pub desired: State,
    pub table: IpvsTable,
    /// As the store has it, with what its journals add.
    pub inventory: Inventory,
    pub drains: Drains,
    pub now: Moment,
}

/// A plan, and everything that went into it.
#[derive(Debug)]
pub struct Turn {
    /// Whose turn it is, for the journal.
    pub command: &'static str,
    /// Who was to install himself before, when the command changes that.
    pub armed: Option<Armed>,
    /// Values that are given back because the document no longer speaks of them.
    pub given_back: Keys,
    pub goal: Goal,
    pub seen: Observation,
    /// Ours to make.
    pub changes: Vec<Change>,
    pub plan: Plan,
    /// Stands beside what we manage.
    pub foreign: Vec<Change>,
    /// Drifts, and is left as it is.
    pub held: Vec<Change>,
    /// Why the plan must not be made; empty when it may.
    pub refusals: Vec<Refusal>,
    /// The changes that may cut a connection by which the machine is managed, as far as somebody asked.
    pub in_danger: Keys,
    /// Those that the document in force asks for already, as far as somebody asked: the machine came away from it.
    pub drift: Keys,
    /// Destinations that wait for their connections to end.
    pub drains: Drains,
    /// Who is connected, when a destination goes.
    pub connections: BTreeMap<DestinationKey, Connections>,
    /// When it was looked at.
    pub now: Moment,
}

impl Options {
    /// What `apply` does when nothing else is said.
    pub fn usual() -> Self {
        Self {
            deletions: Deletions::Reviewed,
            drain: Policy::Wait(Duration::from_secs(300)),
            adopt: Vec::new(),
            held: BTreeSet::new(),
        }
    }

    /// For those who have said that everything may go, and at once: whoever destroys, or takes back.
    pub fn unguarded() -> Self {
        Self {
            deletions: Deletions::Allowed,
            drain: Policy::Now,
            ..Self::usual()
        }
    }
}

/// Looks at the machine and plans.
pub async fn turn<H: Host>(
    wanted: Wanted,
    options: &Options,
    host: &mut H,
) -> Result<Turn, HostError> {
    let given_back = wanted.inventory.given_back(&wanted.desired);
    let mut goal = Goal::of(wanted.desired, wanted.inventory, wanted.table);
    let Look { seen, mut judged } = goal.first_look(host).await?;
    let mut refusals = suspicions(&goal, &judged, &seen, &wanted.drains, options.deletions);
    let (leaving, connections) = departures(&judged.changes, host).await?;
    let now = &wanted.now;
    let drains = match options.drain {
        Policy::Wait(limit) => wanted.drains.continued(&leaving, &connections, now, limit),
        Policy::Now => Drains::default(),
    };
    if !drains.0.is_empty() {
        goal.desired = drains.laid_over(&goal.desired, &seen.state);
        judged = goal.compare(&seen);
    }
    adopt(&mut judged, &options.adopt);
    let held = hold::laid_over(&mut goal.desired, &mut judged.changes, &options.held);
    refusals.extend(guards::obstacles(&judged, &host.interfaces().await?));
    Ok(Turn {
        command: "apply",
        armed: None,
        given_back,
        plan: Plan::of(judged.changes.clone()),
        changes: judged.changes,
        foreign: judged.foreign,
        goal,
        seen,
        held,
        refusals,
        in_danger: Keys::default(),
        drift: Keys::default(),
        drains,
        connections,
        now: wanted.now,
    })
}

/// Whether too much goes. What drains already is leaving by a plan that was made.
fn suspicions(
    goal: &Goal,
    judged: &Judged,
    seen: &Observation,
    drains: &Drains,
    deletions: Deletions,
) -> Vec<Refusal> {
    let live = &seen.state;
    if drains.0.is_empty() {
        return guards::mass_deletions(&judged.changes, live, &goal.desired, deletions);
    }
    let mut goal = goal.clone();
    goal.desired = drains.laid_over(&goal.desired, live);
    let judged = goal.compare(seen);
    guards::mass_deletions(&judged.changes, live, &goal.desired, deletions)
}

/// What is leaving, and who is connected; nobody asks when nothing leaves.
async fn departures<H: Host>(
    changes: &[Change],
    host: &mut H,
) -> Result<
    (
        BTreeSet<DestinationKey>,
        BTreeMap<DestinationKey, Connections>,
    ),
    HostError,
> {
    let leaving = drain::leaving(changes);
    let connections = match leaving.is_empty() {
        true => BTreeMap::new(),
        false => host.connections().await?,
    };
    Ok((leaving, connections))
}

/// Conflicts that the operator named become changes of ours.
fn adopt(judged: &mut Judged, names: &[String]) {
    let named = |it: &Change| names.contains(&format!("{} {}", it.kind().word(), it.name()));
    let (adopted, conflicts): (Vec<_>, _) = std::mem::take(&mut judged.conflicts)
        .into_iter()
        .partition(named);
    judged.conflicts = conflicts;
    // They are ours from the moment in which they are edited.
    judged.changes.extend(adopted);
}

/// What was known before the first step.
#[derive(Debug)]
pub struct Begun {
    /// The inventory before, when the run made it another one.
    before: Option<Inventory>,
    is_written: bool,
}

impl Turn {
    /// How many objects of the goal stand as they should.
    pub fn in_sync(&self) -> usize {
        self.goal.desired.len().saturating_sub(self.changes.len())
    }

    /// What tells its plan from any other.
    pub fn digest(&self) -> String {
        self.plan.digest()
    }

    /// Makes the plan, and closes its journal.
    pub async fn make<H: Host>(&mut self, store: &Store, host: &mut H) -> Result<Report, NotMade> {
        let (run, begun) = self.begin(store, host).await?;
        let report = self.carry_out(&begun, store, host).await?;
        if report.is_restored() {
            run.discard();
        } else if report.is_converged() {
            run.close(store);
        }
        if report.is_converged() || report.is_restored() {
            journal::close_all(store);
        }
        Ok(report)
    }

    /// What can be tried is tried, then the journal is written. After this comes the first step.
    pub async fn begin<H: Host>(
        &mut self,
        store: &Store,
        host: &mut H,
    ) -> Result<(Run, Begun), NotMade> {
        host.check(&self.plan.steps)
            .await
            .map_err(NotMade::Refused)?;
        // What a run that was cut off adds is not on disk yet.
        let is_written = !journal::is_pending(store);
        let created = Keys::created_by(&self.changes);
        let run = journal::begin(
            store,
            &Intent {
                command: self.command,
                changes: &self.changes,
                created: &created,
                live: &self.seen.state,
                inventory: &self.goal.inventory,
                armed: self.armed.as_ref(),
            },
        )?;
        Ok((run, self.begun(&created, is_written)))
    }

    /// The same for a run that takes others back: their journals tell as much, and it needs no room on the disk.
    fn begin_back(&mut self) -> Begun {
        let created = Keys::created_by(&self.changes);
        self.begun(&created, false)
    }

    fn begun(&mut self, created: &Keys, is_written: bool) -> Begun {
        let next = self.goal.inventory.intending(&self.changes, created);
        // An edit of what is ours leaves it as it is, and a large one need not be there twice.
        let changed = next != self.goal.inventory;
        let before = changed.then(|| std::mem::replace(&mut self.goal.inventory, next));
        Begun { before, is_written }
    }

    /// Takes the steps and verifies. The inventory says afterwards what is ours; the journal stays.
    pub async fn carry_out<H: Host>(
        &mut self,
        begun: &Begun,
        store: &Store,
        host: &mut H,
    ) -> Result<Report, NotMade> {
        let report = apply::apply(&self.plan, &self.seen.state, &self.goal, host).await;
        self.write_down(&report, begun, store)?;
        Ok(report)
    }

    /// The same for a run that takes others back: it goes on past what fails.
    pub async fn carry_back<H: Host>(
        &mut self,
        store: &Store,
        host: &mut H,
    ) -> Result<Report, NotMade> {
        let begun = self.begin_back();
        let report = apply::take_back(&self.plan, &self.goal, host).await;
        self.write_down(&report, &begun, store)?;
        Ok(report)
    }

    fn write_down(&mut self, report: &Report, begun: &Begun, store: &Store) -> Result<(), NotMade> {
        let before = begun.before.as_ref().filter(|_| report.is_restored());
        if let Some(before) = before {
            self.goal.inventory.clone_from(before);
        }
        let shrunk = self.settle(report.live.as_ref());
        let differs = match &begun.before {
            Some(before) => *before != self.goal.inventory,
            None => shrunk,
        };
        if !begun.is_written || differs {
            store
                .save_inventory(&self.goal.inventory)
                .map_err(NotMade::NotWritten)?;
        }
        store.save_drains(&self.drains).map_err(NotMade::NotWritten)
    }

    /// Writes down what a look alone has changed: what a run that was cut off left, and what is gone. Writes nothing
    /// when nothing changed.
    pub fn note(&self, store: &Store) -> Result<(), HostError> {
        let inventory = self
            .goal
            .inventory
            .clone()
            .settled(&self.seen.state, &self.given_back);
        // A large one takes its time to write.
        if inventory != self.goal.inventory || journal::is_pending(store) {
            store.save_inventory(&inventory)?;
        }
        if self.drains != store.drains()? {
            store.save_drains(&self.drains)?;
        }
        journal::close_all(store);
        Ok(())
    }

    /// The inventory afterwards: what exists of what we own. What could not be looked at stays owned. True when that
    /// is less than before.
    fn settle(&mut self, live: Option<&State>) -> bool {
        let Some(live) = live else { return false };
        let size = |it: &Inventory| it.owned.len() + it.prior.len();
        let before = size(&self.goal.inventory);
        let inventory = std::mem::take(&mut self.goal.inventory);
        self.goal.inventory = inventory.settled(live, &self.given_back);
        size(&self.goal.inventory) != before
    }
}

/// Why a plan was not made as it should.
#[derive(Debug)]
pub enum NotMade {
    /// Nothing was changed: everything that stood in the way, found before the first step.
    Refused(Vec<HostError>),
    /// Everything was changed, but cannot be written down. The journal stays, and the next run makes up for it.
    NotWritten(HostError),
}

impl From<HostError> for NotMade {
    fn from(error: HostError) -> Self {
        Self::Refused(vec![error])
    }
}
