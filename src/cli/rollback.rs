//! `rollback`: the objects that a run touched get the values they had before it.

use std::time::Duration;

use clap::Args;

use super::apply::{ask, outcome};
use super::{Place, Shown, safety};
use crate::confirm;
use crate::cycle::{Options, Turn, Wanted, turn};
use crate::desired::Desired;
use crate::error::{Error, Success};
use crate::host::followed::Followed;
use crate::host::linux::LinuxHost;
use crate::journal::{self, Entry, Run, Stage};
use crate::lint::Warnings;
use crate::lock::Lock;
use crate::overlay::drain::Drains;
use crate::ownership::IpvsTable;
use crate::rollback::Former;
use crate::session::Part;
use crate::store::Store;
use crate::surroundings::now;
use crate::verify::Goal;

/// How long a timer waits for the run that it is to take back.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often a timer tries.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The run to take back, with all that came after it: see `history`. Without it, the last one.
    id: Option<String>,
    /// Do not ask. Without a terminal nobody is asked.
    #[arg(long, short)]
    yes: bool,
    /// For the timer of a confirm window: take the run back if it still waits to be confirmed.
    #[arg(long, hide = true, requires = "id")]
    expired: bool,
    /// For the boot unit: finish what a crash or a power cut left between a change and its confirmation.
    #[arg(long, conflicts_with = "id")]
    unfinished: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    shown: Shown,
}

impl Rollback {
    /// As the timer calls it.
    pub fn expired(id: &str, place: Place) -> Self {
        Self {
            id: Some(id.to_owned()),
            yes: true,
            expired: true,
            unfinished: false,
            place,
            shown: Shown::default(),
        }
    }

    pub async fn run(self) -> Result<Success, Error> {
        let store = Store::at(&self.place.state_dir);
        if self.expired {
            return self.run_expired(&store).await;
        }
        self.shown.voice.is_answered(self.yes || self.unfinished)?;
        let _lock = Lock::take(&self.place.lock, "rollback")?;
        let runs = self.chosen(&store)?;
        if runs.is_empty() {
            self.shown.voice.say("Nothing to take back.\n");
            return Ok(Success::Done);
        }
        self.take_back(&store, runs).await
    }

    /// The changes may have cut the machine off: it is tried again, and whatever stands in the way is passed by.
    async fn run_expired(&self, store: &Store) -> Result<Success, Error> {
        // The run that is to be taken back may still be at it.
        let who = "rollback of an unconfirmed run";
        let _lock = Lock::wait(&self.place.lock, who, PATIENCE).await?;
        let mut ended = Ok(Success::Done);
        for _ in 0..TRIES {
            let runs = self.chosen(store)?;
            if runs.is_empty() {
                return Ok(Success::Done);
            }
            ended = self.take_back(store, runs).await;
            if ended.is_ok() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        ended
    }

    /// The runs to take back, the newest first.
    fn chosen(&self, store: &Store) -> Result<Vec<Run>, Error> {
        let undoing = journal::runs(store, Stage::Undoing);
        let pending = journal::runs(store, Stage::Pending);
        if self.unfinished {
            let waiting = pending
                .into_iter()
                .filter(|it| confirm::window(it).is_some());
            return Ok(undoing.into_iter().chain(waiting).rev().collect());
        }
        if self.expired {
            let named = |it: &Run| Some(&it.id) == self.id.as_ref();
            return Ok(undoing.into_iter().chain(pending).filter(named).collect());
        }
        let all: Vec<Run> = journal::all(store).filter(counts).collect();
        let first = match &self.id {
            None => all.len().saturating_sub(1),
            Some(id) => all.iter().position(|it| it.id == *id).ok_or_else(|| {
                Error::Usage(format!(
                    "there is no run {id} to take back: see `lvs-reconcile history`"
                ))
            })?,
        };
        Ok(all.into_iter().skip(first).rev().collect())
    }

    async fn take_back(&self, store: &Store, runs: Vec<Run>) -> Result<Success, Error> {
        let mut host = self.shown.voice.machine();
        let former = former(&runs)?;
        let mut turn = plan(store, &former, &mut host).await?;
        if !self.expired {
            self.show(&turn, &runs);
        }
        if !turn.refusals.is_empty() && !self.expired && !self.unfinished {
            return Err(Error::Refused);
        }
        ask(self.yes || self.unfinished, "Take this back?")?;
        runs.iter().for_each(confirm::give_up_room);
        let runs: Result<Vec<Run>, _> = runs
            .iter()
            .map(|run| run.move_to(store, Stage::Undoing))
            .collect();
        let runs = runs?;
        if !turn.plan.is_empty() {
            let report = turn.carry_back(store, &mut host).await?;
            safety::report(&report, &turn, self.shown.voice);
            outcome(&report)?;
        }
        finish(store, &former, &runs)?;
        Ok(Success::Done)
    }

    fn show(&self, turn: &Turn, runs: &[Run]) {
        let part = Part::nameless();
        let what = runs.iter().map(|it| it.id.as_str()).collect::<Vec<_>>();
        super::show_turn(turn, &part, &what.join(" "), "rollback", &self.shown);
    }
}

/// Runs that can still be taken back.
fn counts(run: &Run) -> bool {
    !run.is_undone() && run.entry().is_ok()
}

/// What was before these runs. Of one that waited when the machine was reset, only files are left to take back.
fn former(runs: &[Run]) -> Result<Former, Error> {
    let now = now()?;
    let cut_by_reboot = |run: &Run| {
        let window = confirm::window(run).filter(|_| run.stage != Stage::Over);
        window.is_some_and(|it| it.until.boot_id != now.boot_id)
    };
    let entry = |run: &Run| match cut_by_reboot(run) {
        true => run.entry().map(Entry::files_only),
        false => run.entry(),
    };
    let entries: Result<Vec<_>, _> = runs.iter().map(entry).collect();
    Ok(Former::before(entries?))
}

async fn plan(
    store: &Store,
    former: &Former,
    host: &mut Followed<LinuxHost>,
) -> Result<Turn, Error> {
    let inventory = journal::recover(store, store.inventory()?)?;
    let table = IpvsTable::Shared;
    let goal = Goal::of(former.to_look_at(), inventory.clone(), table);
    let live = goal.look(host).await?.seen.state;
    let wanted = Wanted {
        desired: former.over(&live),
        table,
        inventory,
        drains: Drains::default(),
        now: now()?,
    };
    Ok(turn(wanted, &Options::unguarded(), host).await?)
}

/// The machine is as it was: so are the inventory and the document that the next boot starts from.
fn finish(store: &Store, former: &Former, runs: &[Run]) -> Result<(), Error> {
    store.save_inventory(&former.inventory(store.inventory()?))?;
    if let Some(armed) = &former.armed {
        store.save_armed(armed)?;
    }
    let taken_back = runs.first().and_then(confirm::document);
    let taken_back = taken_back.or_else(|| std::fs::read(store.last_good()).ok());
    let before = runs.last().and_then(Run::document_before);
    // One that was killed at its end has brought the document before back already.
    if let Some(bytes) = taken_back.filter(|it| before.as_ref() != Some(it)) {
        store.save_taken_back(&bytes)?;
    }
    match before {
        Some(bytes) => store.save_last_good(&bytes)?,
        None => store.forget_last_good()?,
    }
    for run in runs {
        run.mark_undone()?;
        run.move_to(store, Stage::Over)?;
    }
    journal::close_all(store);
    Ok(())
}

impl Part {
    /// For a plan that comes from no document.
    pub fn nameless() -> Self {
        Self::offline(
            "this machine".to_owned(),
            Desired::default(),
            &Warnings::default(),
        )
    }
}
