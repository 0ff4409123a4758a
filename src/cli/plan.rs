//! `plan`: look, compare, show.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::snapshot::taken;
use super::{How, Shown, Target, show};
use crate::approved::Approved;
use crate::cycle::Turn;
use crate::error::{Error, Success};
use crate::host::HostError;
use crate::host::linux::LinuxHost;
use crate::session::{self, Part, load, look};
use crate::snapshot::{Replay, Snapshot};
use crate::source::Trust;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    shown: Shown,
    /// Plan for the machine that this snapshot was taken of, rather than for this one: without root, anywhere.
    #[arg(long, value_name = "FILE", conflicts_with = "save_live")]
    live: Option<PathBuf>,
    /// Write a snapshot of what the plan was made of: `plan --live` makes the same plan of it, byte for byte.
    #[arg(long, value_name = "FILE")]
    save_live: Option<PathBuf>,
    /// Write the plan, for `apply --plan` and for `--check`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Compare with a plan that was approved, and refuse when it is another one by now.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Plan {
    pub async fn run(self) -> Result<Success, Error> {
        let (part, turn) = self.planned().await?;
        show(&turn, &part, &self.target, "plan", &self.shown);
        if let Some(path) = &self.out {
            write(path, &Approved::of(&part.node, &turn).text())?;
        }
        if let Some(path) = &self.check {
            Approved::read(path)?.allow(&part.node, &turn, &part.desired.names)?;
        }
        match (turn.refusals.is_empty(), turn.plan.is_empty()) {
            (false, _) => Err(Error::Refused),
            (true, false) if self.detailed_exitcode => Ok(Success::Changes),
            _ => Ok(Success::Done),
        }
    }

    async fn planned(&self) -> Result<(Part, Turn), Error> {
        if let Some(path) = &self.live {
            return self.offline(path).await;
        }
        let Some(path) = &self.save_live else {
            return look(&self.target, &self.how.options(), &mut LinuxHost::new()).await;
        };
        let (mut part, turn, snapshot) = taken(&self.target, &self.how.options()).await?;
        write(path, &snapshot.text())?;
        part.live = Some(snapshot.label());
        part.warnings.extend(snapshot.seen.unknown(&turn.changes));
        Ok((part, turn))
    }

    async fn offline(&self, path: &Path) -> Result<(Part, Turn), Error> {
        let snapshot = Snapshot::read(path)?;
        let (label, node) = (snapshot.label(), &snapshot.around.node);
        if let Some(other) = self.target.node.as_ref().filter(|it| *it != node) {
            let name = path.display();
            return Err(Error::Usage(format!(
                "{name} was taken of {node:?}, and not of {other:?}"
            )));
        }
        let loaded = load(&self.target, Trust::Any)?;
        let mut part = session::part_in(snapshot.around, &loaded)?;
        let mut replay = Replay(snapshot.seen);
        let turn = session::plan(&mut part, &self.how.options(), &mut replay).await?;
        part.live = Some(label);
        part.warnings.extend(replay.0.unknown(&turn.changes));
        Ok((part, turn))
    }
}

fn write(path: &Path, text: &str) -> Result<(), HostError> {
    let failed = |error| HostError::new(format!("cannot write {}", path.display()), error);
    fs::write(path, text).map_err(failed)
}
