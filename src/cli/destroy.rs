//! `destroy`: an empty goal, and everything that is ours goes in tear-down order.

use clap::Args;

use super::apply::{ask, outcome};
use super::safety::{Ended, Safety};
use super::{Shown, Target};
use crate::cycle::{Options, Wanted, turn};
use crate::daemons;
use crate::error::{Error, Success};
use crate::journal;
use crate::lock::Lock;
use crate::overlay::drain::Drains;
use crate::ownership::IpvsTable;
use crate::resources::State;
use crate::session::{self, Part};
use crate::store::Store;
use crate::surroundings::now;

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    target: Target,
    /// Do not ask. Without a terminal nobody is asked.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    safety: Safety,
    #[command(flatten)]
    shown: Shown,
}

/// What is in force once everything is removed: a document that asks for nothing.
const NO_DOCUMENT: &[u8] = br#"{"version":1}"#;

impl Destroy {
    pub async fn run(self) -> Result<Success, Error> {
        self.shown.voice.is_answered(self.yes)?;
        let store = Store::at(&self.target.state_dir);
        let _lock = Lock::take(&self.target.lock, "destroy")?;
        Safety::nothing_waits(&store)?;
        Safety::nothing_is_half_undone(&store)?;
        let mut host = self.shown.voice.machine();
        let mut part = Part::nameless();
        let nothing = self.nothing(&store, &mut part).await?;
        let mut turn = turn(nothing, &Options::unguarded(), &mut host).await?;
        turn.command = "destroy";
        turn.in_danger = session::endangered(&turn, None);
        let around = &part.around;
        let left_behind = daemons::left_behind(&turn.goal, &around.facts.dhcp, &around.running);
        part.warnings.extend(left_behind);
        super::show(&turn, &part, &self.target, "destroy", &self.shown);
        if turn.plan.is_empty() {
            turn.note(&store)?;
            // One that was killed when all was removed left it.
            return forget(&store);
        }
        self.safety.allow(&turn)?;
        ask(self.yes, "Remove all of this?")?;
        let what = (NO_DOCUMENT, &self.target);
        let ended = self.safety.make(&mut turn, what, &store, &mut host).await?;
        ended.tell(&turn, self.shown.voice);
        outcome(ended.report())?;
        match ended {
            Ended::Kept(_) => forget(&store),
            Ended::Waits(..) => Ok(Success::Done),
        }
    }

    /// The goal of owning nothing.
    async fn nothing(&self, store: &Store, part: &mut Part) -> Result<Wanted, Error> {
        let mut inventory = journal::recover(store, store.inventory()?)?;
        if daemons::has_ours(&inventory) {
            let servers = daemons::installed(&inventory).await?;
            part.around.running = daemons::of_others(&inventory, &servers).await?;
            daemons::claim(&mut inventory, &servers);
            part.around.facts.dhcp = servers;
        }
        Ok(Wanted {
            desired: State::default(),
            table: IpvsTable::Shared,
            inventory,
            drains: Drains::default(),
            now: now()?,
        })
    }
}

/// From now on nothing comes back at boot.
fn forget(store: &Store) -> Result<Success, Error> {
    store.forget_last_good().map_err(Error::NotWritten)?;
    Ok(Success::Done)
}
