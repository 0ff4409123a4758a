//! `arm` and `disarm`: which machines install themselves when they boot next.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::apply::Apply;
use super::safety::{Safety, duration};
use super::{Place, Shown};
use crate::desired::armed::{Arm, Armed};
use crate::desired::{self, Sources};
use crate::error::{Error, Success};
use crate::host::linux::web;
use crate::journal::seconds_since_1970;
use crate::lock::Lock;
use crate::session::{self, Loaded, Target};
use crate::source::Trust;
use crate::store::Store;
use crate::surroundings;

/// Arguments of `arm`.
#[derive(Debug, Args)]
pub struct ArmMachines {
    /// Disarmed when the installer has fetched its kickstart file over HTTP, and at the latest after this time.
    #[arg(long, value_name = "TIME", default_value = "4h", value_parser = duration)]
    within: Duration,
    #[command(flatten)]
    which: Which,
}

/// Arguments of `disarm`.
#[derive(Debug, Args)]
pub struct Disarm {
    #[command(flatten)]
    which: Which,
}

/// Which machines, and how it is said.
#[derive(Debug, Args)]
struct Which {
    /// Real servers, by name.
    #[arg(required = true)]
    machines: Vec<String>,
    /// The director that this machine is, when its host name does not say so.
    #[arg(long, env = "LVS_RECONCILE_NODE")]
    node: Option<String>,
    /// Do not ask. Without a terminal nobody is asked.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    shown: Shown,
}

impl ArmMachines {
    pub async fn run(self) -> Result<Success, Error> {
        let force = Force::take(&self.which, "arm")?;
        let now = seconds_since_1970();
        let mut armed = force.armed(now)?;
        let sources = force.sources(&self.which.machines)?;
        for (machine, sources) in self.which.machines.iter().zip(sources) {
            provide(machine, &sources).await?;
            armed.arm(Arm {
                machine: machine.clone(),
                address: sources.address,
                since: now,
                until: now + self.within.as_secs(),
            });
        }
        force.make(armed, &self.which).await
    }
}

impl Disarm {
    pub async fn run(self) -> Result<Success, Error> {
        let force = Force::take(&self.which, "disarm")?;
        let mut armed = force.armed(seconds_since_1970())?;
        for machine in &self.which.machines {
            if !armed.disarm(machine) {
                self.which
                    .shown
                    .voice
                    .say(&format!("{machine} is not armed\n"));
            }
        }
        force.make(armed, &self.which).await
    }
}

/// Brings the installer here, for loaders that know no HTTP. One that is not there would leave the machine at a prompt
/// that nobody sees.
async fn provide(machine: &str, sources: &Sources) -> Result<(), Error> {
    for (url, copy) in [&sources.kernel, &sources.initrd]
        .into_iter()
        .zip(&sources.copies)
    {
        web::fetch(url, Path::new(copy)).await.map_err(|why| {
            Error::Usage(format!(
                "{machine} cannot be installed: {url} {why}; is its profile's url an install tree?"
            ))
        })?;
    }
    let missing = |it: &&String| !Path::new(it).exists();
    match sources.loaders.iter().filter(missing).count() {
        all if all == sources.loaders.len() => Err(Error::Usage(format!(
            "{machine} cannot boot: there is no boot loader, neither {}; copy one there (packages pxelinux, \
             grub-efi-amd64-signed, ipxe), or name yours in netboot.boot.loaders",
            sources.loaders.join(" nor ")
        ))),
        _ => Ok(()),
    }
}

/// The document in force, and the right to act on it.
struct Force {
    store: Store,
    target: Target,
    loaded: Loaded,
    node: String,
    command: &'static str,
    _lock: Lock,
}

impl Force {
    fn take(which: &Which, command: &'static str) -> Result<Self, Error> {
        which.shown.voice.is_answered(which.yes)?;
        let store = Store::at(&which.place.state_dir);
        let lock = Lock::take(&which.place.lock, command)?;
        Safety::nothing_waits(&store)?;
        Safety::nothing_is_half_undone(&store)?;
        let target = Target {
            document: store.last_good(),
            node: which.node.clone(),
            state_dir: which.place.state_dir.clone(),
            lock: which.place.lock.clone(),
        };
        if !target.document.exists() {
            let text = "no document is in force on this machine: apply one first";
            return Err(Error::Usage(text.to_owned()));
        }
        Ok(Self {
            loaded: session::load(&target, Trust::Strict)?,
            node: surroundings::node(&target)?,
            store,
            target,
            command,
            _lock: lock,
        })
    }

    fn armed(&self, now: u64) -> Result<Armed, Error> {
        Ok(surroundings::armed(&self.store, now)?)
    }

    /// What each of them boots from, in their order; or everything that is wrong with any of them.
    fn sources(&self, machines: &[String]) -> Result<Vec<Sources>, Error> {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for machine in machines {
            match desired::sources(&self.loaded.document, &self.node, machine) {
                Ok(sources) => found.push(sources),
                Err(problem) => problems.push(problem.to_string()),
            }
        }
        // One of the document concerns all of them alike.
        problems.dedup();
        match problems.is_empty() {
            true => Ok(found),
            false => Err(Error::Usage(problems.join("\n"))),
        }
    }

    /// First it is written down who is armed: whoever applies next makes up for what is not done here.
    async fn make(self, armed: Armed, which: &Which) -> Result<Success, Error> {
        let before = self.store.armed()?;
        self.store.save_armed(&armed)?;
        let (target, shown) = (self.target, which.shown.clone());
        let apply = Apply::in_force(self.command, before.clone(), target, which.yes, shown);
        let made = apply.once(self.loaded, &self.store).await;
        if made.is_err() {
            self.store.save_armed(&before)?;
        }
        made.map_err(first_the_drift).map(|()| Success::Done)
    }
}

/// What is armed cuts nobody off: it must be drift, of which this is not the command.
fn first_the_drift(error: Error) -> Error {
    match error {
        Error::InDanger(_) => Error::InDanger(
            "this machine differs from the document in force where you are connected; run `lvs-reconcile apply \
             --confirm-within 2m` first"
                .to_owned(),
        ),
        other => other,
    }
}
