//! `snapshot`: the live state on file.

use clap::Args;

use super::voice::Voice;
use super::{Target, print};
use crate::cycle::{Options, Turn};
use crate::document::check::may_be_set;
use crate::error::{Error, Success};
use crate::host::Scope;
use crate::host::followed::Followed;
use crate::host::linux::{LinuxHost, proc_sys};
use crate::journal::seconds_since_1970;
use crate::sealed;
use crate::session::{self, Part, load};
use crate::snapshot::{Recorder, Snapshot, conceal};
use crate::source::Trust;
use crate::store::digest;
use crate::surroundings::Breadth;

/// Arguments of `snapshot`.
#[derive(Debug, Args)]
pub struct TakeSnapshot {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    voice: Voice,
}

impl TakeSnapshot {
    pub async fn run(self) -> Result<Success, Error> {
        let mut host = self.voice.machine();
        let (_, _, snapshot) = taken(&self.target, &Options::usual(), &mut host).await?;
        print(&sealed::text(&snapshot));
        Ok(Success::Done)
    }
}

/// A plan, and everything that it was made of.
pub async fn taken(
    target: &Target,
    options: &Options,
    host: &mut Followed<LinuxHost>,
) -> Result<(Part, Turn, Snapshot), Error> {
    let loaded = load(target, Trust::Any)?;
    let mut part = session::part_of(target, &loaded, Breadth::All).await?;
    let around = part.around.clone();
    let mut recorder = Recorder::new(host);
    let turn = session::plan(&mut part, options, &mut recorder).await?;
    let mut unsettled = around.inventory.unsettled.clone();
    let scope = Scope {
        desired: &turn.goal.desired,
        inventory: &turn.goal.inventory,
        since: None,
    };
    conceal(&mut unsettled, &scope);
    let settings = proc_sys::list(may_be_set);
    let seen = recorder.complete(&around, settings).await?;
    let snapshot = Snapshot {
        tool: concat!("lvs-reconcile ", env!("CARGO_PKG_VERSION")).to_owned(),
        taken: seconds_since_1970(),
        document: digest(&loaded.content.bytes),
        unsettled,
        around,
        seen,
    };
    Ok((part, turn, snapshot))
}
