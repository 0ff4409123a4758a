//! `apply`: the plan, the question, the changes, the second look.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::safety::{Ended, Safety};
use super::{How, PlanFormat, Shown, Target, print_json, show};
use crate::apply::Report;
use crate::approved::Approved;
use crate::cycle::Turn;
use crate::desired::armed::Armed;
use crate::error::{Error, Success};
use crate::host::followed::Followed;
use crate::host::linux::LinuxHost;
use crate::lock::Lock;
use crate::output::report::seconds_left;
use crate::output::{self, counted};
use crate::sealed;
use crate::session::{self, Loaded, Part, alone, keep, load, understand};
use crate::source::{Content, Trust};
use crate::store::Store;
use crate::surroundings::in_force;

/// How long the boot unit waits for whoever is at it.
const BOOT: Duration = Duration::from_secs(120);
/// How often a drain is looked at under `--wait`.
const DRAIN_LOOK: Duration = Duration::from_secs(1);

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: How,
    /// Do not ask. Without a terminal nobody is asked.
    #[arg(long, short)]
    yes: bool,
    /// Wait until the last drain is over.
    #[arg(long)]
    wait: bool,
    /// Apply the last document that was applied, as the boot unit does. The document on disk may be newer, and may
    /// never have been approved.
    #[arg(long)]
    boot: bool,
    /// Make the plan that was reviewed and no other: its digest, as `plan --format json` printed it.
    #[arg(long, value_name = "DIGEST")]
    approved: Option<String>,
    /// The same, with the plan itself: a file that `plan --out` wrote. What differs is named.
    #[arg(long, value_name = "FILE", conflicts_with = "approved")]
    plan: Option<PathBuf>,
    /// Accept a document that others than root can change. Whoever can do that is root on this machine.
    #[arg(long)]
    trust_document: bool,
    #[command(flatten)]
    safety: Safety,
    #[command(flatten)]
    shown: Shown,
    /// Which command it is part of.
    #[arg(skip = "apply")]
    command: &'static str,
    /// Who was armed before, when that command changes it.
    #[arg(skip)]
    armed: Option<Armed>,
    /// Its plan was made, and it waits for what drains.
    #[arg(skip)]
    waits: bool,
}

/// What is left draining, and for how long at most.
struct Draining {
    destinations: usize,
    seconds: u64,
}

impl Draining {
    fn of(turn: &Turn) -> Option<Self> {
        let seconds = turn.drains.0.iter().map(|it| seconds_left(it, turn));
        Some(Self {
            seconds: seconds.max()?,
            destinations: turn.drains.0.len(),
        })
    }

    fn text(&self) -> String {
        let what = counted(self.destinations, "destination");
        format!("waiting for {what} to drain, at most {} s", self.seconds)
    }
}

impl Apply {
    /// As part of another command, of the document in force. `armed` were armed before.
    pub fn in_force(
        command: &'static str,
        armed: Armed,
        target: Target,
        yes: bool,
        shown: Shown,
    ) -> Self {
        Self {
            target,
            how: How::usual(),
            yes,
            wait: false,
            boot: true,
            approved: None,
            plan: None,
            trust_document: false,
            safety: Safety::default(),
            shown,
            command,
            armed: Some(armed),
            waits: false,
        }
    }

    /// Makes it once, for whoever has the lock.
    pub async fn once(&self, loaded: Loaded, store: &Store) -> Result<(), Error> {
        let (mut part, content) = alone(&self.target, loaded).await?;
        let mut host = self.shown.voice.machine();
        self.turn(&mut part, &content, store, &mut host).await?;
        Ok(())
    }

    pub async fn run(mut self) -> Result<Success, Error> {
        self.shown.voice.is_answered(self.yes)?;
        let store = Store::at(&self.target.state_dir);
        if self.boot {
            self.target.document = store.last_good();
        }
        // At boot nobody is there to try again: `watch` may be first, and may have done it all.
        let patience = if self.boot { BOOT } else { Duration::ZERO };
        let _lock = Lock::wait(&self.target.lock, "apply", patience).await?;
        Safety::nothing_waits(&store)?;
        // What a boot applies was confirmed.
        if !self.boot {
            Safety::nothing_is_half_undone(&store)?;
        }
        let trust = if self.trust_document {
            Trust::Any
        } else {
            Trust::Strict
        };
        let mut loaded = load(&self.target, trust)?;
        let mut host = self.shown.voice.machine();
        loop {
            let (mut part, content) = alone(&self.target, loaded).await?;
            let left = self.turn(&mut part, &content, &store, &mut host).await?;
            let Some(draining) = left.filter(|_| self.wait) else {
                return Ok(Success::Done);
            };
            (self.yes, self.waits) = (true, true);
            // What drains goes when its time has come: that was approved with it.
            (self.plan, self.approved) = (None, None);
            host.pause(DRAIN_LOOK, || draining.text()).await;
            loaded = understand(content)?;
        }
    }

    /// One turn; what is left draining.
    async fn turn(
        &self,
        part: &mut Part,
        content: &Content,
        store: &Store,
        host: &mut Followed<LinuxHost>,
    ) -> Result<Option<Draining>, Error> {
        let mut turn = self.planned(part, host).await?;
        self.tell_drift(&mut turn, part, store).await?;
        if self.is_news(&turn) && self.shown.format != PlanFormat::Json {
            show(&turn, part, &self.target, self.command, &self.shown);
        }
        if !turn.refusals.is_empty() {
            self.tell_end(&turn, part, "refused");
            return Err(Error::Refused);
        }
        self.is_approved(&turn, part)?;
        if turn.plan.is_empty() {
            turn.note(store)?;
            self.tell_end(&turn, part, "nothing to do");
        } else {
            self.safety.allow(&turn)?;
            if ask(self.yes, "Make these changes?")? {
                turn = self.look_again(&turn, content, host).await?;
            }
            let what = (content.bytes.as_slice(), &self.target);
            let ended = self.safety.make(&mut turn, what, store, host).await?;
            self.tell(&ended, &turn, part);
            outcome(ended.report())?;
            if let Ended::Waits(..) = ended {
                return Ok(None);
            }
        }
        session::forget_installed(store)?;
        if !self.boot {
            keep(store, &content.bytes)?;
        }
        Ok(Draining::of(&turn))
    }

    /// While somebody waits for what drains, a turn that finds nothing to do is not spoken of.
    fn is_news(&self, turn: &Turn) -> bool {
        !self.waits || !turn.plan.is_empty() || !turn.refusals.is_empty()
    }

    /// Who has said yes beforehand reads no plan, and a large document takes its time.
    async fn tell_drift(&self, turn: &mut Turn, part: &Part, store: &Store) -> Result<(), Error> {
        match self.yes {
            true => Ok(()),
            false => session::tell_drift(turn, part, in_force(store).as_deref()).await,
        }
    }

    /// Refuses a plan that is not the one that was approved, when one was.
    fn is_approved(&self, turn: &Turn, part: &Part) -> Result<(), Error> {
        if let Some(digest) = &self.approved {
            same(digest, turn)?;
        }
        match &self.plan {
            Some(path) => {
                sealed::read::<Approved>(path)?.allow(&part.node, turn, &part.desired.names)
            }
            None => Ok(()),
        }
    }

    async fn planned(
        &self,
        part: &mut Part,
        host: &mut Followed<LinuxHost>,
    ) -> Result<Turn, Error> {
        let mut turn = session::plan(part, &self.how.options(), host).await?;
        turn.command = self.command;
        turn.armed.clone_from(&self.armed);
        Ok(turn)
    }

    fn tell(&self, ended: &Ended, turn: &Turn, part: &Part) {
        if self.shown.format != PlanFormat::Json {
            return ended.tell(turn, self.shown.voice);
        }
        let mut value = output::json::with_report(self.value(turn, part), ended.report());
        if let Some(waiting) = ended.waiting() {
            value["confirm"] = waiting.value();
        }
        print_json(&value);
    }

    /// A program is told how it ended without a step, too; people have read the plan.
    fn tell_end(&self, turn: &Turn, part: &Part, end: &str) {
        if self.is_news(turn) && self.shown.format == PlanFormat::Json {
            print_json(&output::json::with_end(self.value(turn, part), end));
        }
    }

    fn value(&self, turn: &Turn, part: &Part) -> serde_json::Value {
        let document = self.target.document.to_string_lossy();
        output::json::plan(turn, &part.context(self.command, &document))
    }

    /// Who knows how long the answer took: the plan must still be the one that was looked at.
    async fn look_again(
        &self,
        seen: &Turn,
        content: &Content,
        host: &mut Followed<LinuxHost>,
    ) -> Result<Turn, Error> {
        let loaded = understand(content.clone())?;
        let (mut part, _) = alone(&self.target, loaded).await?;
        let now = self.planned(&mut part, host).await?;
        same(&seen.digest(), &now)?;
        if !now.refusals.is_empty() {
            return Err(Error::Refused);
        }
        self.safety.allow(&now)?;
        Ok(now)
    }
}

/// A plan is made as it was looked at, or not at all.
fn same(approved: &str, turn: &Turn) -> Result<(), Error> {
    match turn.digest() {
        now if now == approved => Ok(()),
        now => Err(Error::Stale {
            approved: approved.to_owned(),
            now,
            differs: String::new(),
        }),
    }
}

/// Asks a question on the terminal; `yes` answers it beforehand. False when nobody was asked.
pub fn ask(yes: bool, question: &str) -> Result<bool, Error> {
    if yes || !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match (read, answer.trim()) {
        (Ok(_), "y" | "Y" | "yes") => Ok(true),
        _ => Err(Error::Declined),
    }
}

/// The exit code of a report.
pub fn outcome(report: &Report) -> Result<(), Error> {
    match (report.is_converged(), report.is_restored()) {
        (true, _) => Ok(()),
        (_, true) => Err(Error::Undone),
        _ => Err(Error::Left),
    }
}
