//! `plan`: look, compare, show.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::snapshot::taken;
use super::{How, Shown, Target, show};
use crate::approved::Approved;
use crate::cycle::{Options, Turn};
use crate::error::{Error, Success};
use crate::host::followed::Followed;
use crate::host::linux::LinuxHost;
use crate::sealed;
use crate::session::{self, Part, load, look};
use crate::snapshot::{Replay, Snapshot};
use crate::source::Trust;
use crate::store::{Store, digest};
use crate::surroundings::in_force;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    shown: Shown,
    /// Plan for the machine that this snapshot was taken of, rather than for this one: without root, anywhere. It is the
    /// plan that the machine itself would make; of another document than the snapshot's, what only this one speaks of
    /// may not have been looked for, and is named then.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["save_live", "adopt"])]
    live: Option<PathBuf>,
    /// Write a snapshot of what the plan was made of: `plan --live` makes the same plan of it, byte for byte.
    #[arg(long, value_name = "FILE", conflicts_with = "adopt")]
    save_live: Option<PathBuf>,
    /// Write the plan, for `apply --plan` and for `--check`. It holds the contents of files of ours.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["adopt", "check"])]
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
        let approved = self
            .check
            .as_deref()
            .map(sealed::read::<Approved>)
            .transpose()?;
        let (part, turn) = self.planned().await?;
        show(&turn, &part, &self.target, "plan", &self.shown);
        if let Some(approved) = approved {
            approved.allow(&part.node, &turn, &part.desired.names)?;
        }
        if !turn.refusals.is_empty() {
            return Err(Error::Refused);
        }
        if let Some(path) = &self.out {
            self.write(path, &sealed::text(&Approved::of(&part.node, &turn)))?;
        }
        match turn.plan.is_empty() {
            false if self.detailed_exitcode => Ok(Success::Changes),
            _ => Ok(Success::Done),
        }
    }

    async fn planned(&self) -> Result<(Part, Turn), Error> {
        if let Some(path) = &self.live {
            return self.offline(path).await;
        }
        let (options, mut host) = (self.how.options(), self.shown.voice.machine());
        let Some(path) = &self.save_live else {
            return self.here(&options, &mut host).await;
        };
        let (mut part, mut turn, snapshot) = taken(&self.target, &options, &mut host).await?;
        session::tell_drift(&mut turn, &part, snapshot.around.in_force.as_deref()).await?;
        self.write(path, &sealed::text(&snapshot))?;
        part.live = Some(snapshot.label());
        part.warnings.extend(snapshot.seen.unknown(&turn.changes));
        Ok((part, turn))
    }

    async fn here(
        &self,
        options: &Options,
        host: &mut Followed<LinuxHost>,
    ) -> Result<(Part, Turn), Error> {
        let (part, mut turn) = look(&self.target, options, host).await?;
        let in_force = in_force(&Store::at(&self.target.state_dir));
        session::tell_drift(&mut turn, &part, in_force.as_deref()).await?;
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
        let is_of_another = digest(&loaded.content.bytes) != snapshot.document;
        let mut part = session::part_in(snapshot.around, &loaded)?;
        let mut replay = Replay {
            seen: snapshot.seen,
            is_of_another,
        };
        let mut turn = session::plan(&mut part, &self.how.options(), &mut replay).await?;
        let in_force = part.around.in_force.take();
        session::tell_drift(&mut turn, &part, in_force.as_deref()).await?;
        let unknown = replay.seen.unknown(&turn.changes);
        if let Some(unknown) = unknown.as_ref().filter(|_| self.out.is_some()) {
            return Err(Error::Usage(format!(
                "{unknown}; the plan may not be the one that the machine makes: lvs-reconcile snapshot {}",
                self.target.document.display()
            )));
        }
        part.live = Some(label);
        part.warnings.extend(unknown);
        Ok((part, turn))
    }

    /// Writes a file that only its owner reads, whole or not at all; none of those that are read here.
    fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        let wrong = |what: String| Error::Usage(format!("cannot write {}: {what}", path.display()));
        let read = [Some(&self.target.document), self.live.as_ref()];
        let is_read = |it: &&PathBuf| it.canonicalize().ok() == path.canonicalize().ok();
        if path.exists() && read.into_iter().flatten().any(|it| is_read(&it)) {
            return Err(wrong("it is what the plan is made of".to_owned()));
        }
        if path.symlink_metadata().is_ok_and(|it| !it.is_file()) {
            return Err(wrong("there is something that is no file".to_owned()));
        }
        let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
        let made = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")));
        let written = made.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        });
        written.map(drop).map_err(|error| wrong(error.to_string()))
    }
}
