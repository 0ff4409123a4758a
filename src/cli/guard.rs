//! The timer of a confirm window where there is no systemd: a process in a session of its own.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::Place;
use super::rollback::Rollback;
use crate::confirm;
use crate::error::{Error, Success};
use crate::host::HostError;
use crate::journal::{self, Stage};
use crate::store::Store;
use crate::surroundings::now;

/// How often it looks whether its run is still there. The clock goes on while the machine sleeps, a timer may not.
const LOOK: Duration = Duration::from_millis(500);

/// Arguments of the guard.
#[derive(Debug, Args)]
pub struct Guard {
    id: String,
    #[command(flatten)]
    place: Place,
}

impl Guard {
    pub async fn run(self) -> Result<Success, Error> {
        let failed = |error: &dyn std::fmt::Display| HostError::new("cannot stand guard", error);
        // A hang-up is for those who have a terminal.
        nix::unistd::setsid().map_err(|error| failed(&error))?;
        let mut kept = Vec::new();
        for kind in [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::pipe(),
        ] {
            kept.push(signal(kind).map_err(|error| failed(&error))?);
        }
        // Where the kernel allows it: when memory runs out, we are the last.
        let _ = std::fs::write("/proc/self/oom_score_adj", "-1000");
        let mut out = std::io::stdout();
        writeln!(out, "{}", confirm::ARMED)
            .and_then(|()| out.flush())
            .map_err(|error| failed(&error))?;
        self.wait().await?;
        Rollback::expired(&self.id, self.place).run().await
    }

    /// Until the time is up, or the run is no longer there.
    async fn wait(&self) -> Result<(), Error> {
        let store = Store::at(&self.place.state_dir);
        loop {
            let run = journal::find(&store, &self.id);
            let waits = run.filter(|it| it.stage == Stage::Pending);
            let until = waits.and_then(|it| confirm::window(&it));
            let now = now()?;
            if until.is_none_or(|it| now.seconds >= it.until.seconds) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
