//! `destroy`: an empty goal, and everything that is ours goes in tear-down order.

use clap::Args;

use super::apply::{ask, outcome};
use super::safety::{Ended, Safety};
use super::{Shown, Target, print};
use crate::cycle::{Options, Wanted, turn};
use crate::error::{Error, Success};
use crate::guards::Deletions;
use crate::host::linux::LinuxHost;
use crate::journal;
use crate::lock::Lock;
use crate::output;
use crate::overlay::drain::{Drains, Policy};
use crate::ownership::IpvsTable;
use crate::resources::State;
use crate::session::{Part, now};
use crate::store::Store;

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
        let store = Store::at(&self.target.state_dir);
        let _lock = Lock::take(&self.target.lock, "destroy")?;
        Safety::nothing_waits(&store)?;
        Safety::nothing_is_half_undone(&store)?;
        let mut host = LinuxHost::new();
        let mut turn = turn(self.nothing(&store)?, &options(), &mut host).await?;
        turn.command = "destroy";
        let part = Part::nameless();
        super::show(&turn, &part, &self.target, "destroy", &self.shown);
        if turn.plan.is_empty() {
            turn.note(&store)?;
            return Ok(Success::Done);
        }
        self.safety.allow(&turn)?;
        ask(self.yes, "Remove all of this?")?;
        let what = (NO_DOCUMENT, &self.target);
        let ended = self.safety.make(&mut turn, what, &store, &mut host).await?;
        let (Ended::Kept(report) | Ended::Waits(report)) = &ended;
        print(&output::report::report(report, &turn));
        outcome(report)?;
        match ended {
            Ended::Kept(_) => store.forget_last_good()?,
            Ended::Waits(_) => self.safety.remind(&store),
        }
        Ok(Success::Done)
    }

    /// The goal of owning nothing.
    fn nothing(&self, store: &Store) -> Result<Wanted, Error> {
        Ok(Wanted {
            desired: State::default(),
            table: IpvsTable::Shared,
            inventory: journal::recover(store, store.inventory()?)?,
            drains: Drains::default(),
            now: now()?,
        })
    }
}

/// Whoever destroys has said that everything may go, and at once.
fn options() -> Options {
    Options {
        deletions: Deletions::Allowed,
        drain: Policy::Now,
        adopt: Vec::new(),
        held: Default::default(),
    }
}
