//! `plan`: look, compare, show.

use clap::Args;

use super::{How, Shown, Target, show};
use crate::error::{Error, Success};
use crate::host::linux::LinuxHost;
use crate::session::look;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    shown: Shown,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Plan {
    pub async fn run(self) -> Result<Success, Error> {
        let mut host = LinuxHost::new();
        let (part, turn) = look(&self.target, &self.how.options(), &mut host).await?;
        show(&turn, &part, &self.target, "plan", &self.shown);
        match (turn.refusals.is_empty(), turn.plan.is_empty()) {
            (false, _) => Err(Error::Refused),
            (true, false) if self.detailed_exitcode => Ok(Success::Changes),
            _ => Ok(Success::Done),
        }
    }
}
