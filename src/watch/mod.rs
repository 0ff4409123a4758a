//! Wait, reconcile, repeat: at start, when the document changes, when the kernel says that something changed, and on
//! a timer for what the kernel does not tell. Stopping changes nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::{error, info, warn};

use crate::confirm;
use crate::cycle::{Options, Turn};
use crate::error::Error;
use crate::guards::Deletions;
use crate::host::followed::Followed;
use crate::host::linux::LinuxHost;
use crate::lock::{Lock, LockError};
use crate::output::report;
use crate::overlay::drain::Policy;
use crate::overlay::hold::Holds;
use crate::session::{self, Loaded, Part, Target};
use crate::source::{Content, FileSource, Source, SourceError, Trust};
use crate::store::Store;

mod wake;

use wake::{Wake, Wakers};

const TAKEN_BACK: &str = "this document was taken back by `rollback`: the one before it stays in force until this one \
                          changes, or until `lvs-reconcile apply` is run";

/// What the daemon was told.
#[derive(Debug, Clone)]
pub struct Settings {
    pub target: Target,
    /// How often to look without being told.
    pub interval: Duration,
    /// How long a removed destination may keep its connections.
    pub drain: Duration,
}

/// The daemon's memory between two turns. Of the machine it remembers nothing: it looks.
struct Watcher {
    settings: Settings,
    store: Store,
    host: Followed<LinuxHost>,
    /// The last good document.
    loaded: Loaded,
    /// Its bytes differ from those of the last turn that was made.
    fresh: bool,
    holds: Holds,
    /// What was complained about last, so that it is said once and not at every turn.
    said: Vec<String>,
}

/// Runs until SIGTERM or SIGINT.
pub async fn watch(settings: Settings) -> Result<(), Error> {
    let mut source = FileSource::new(settings.target.document.clone(), Trust::Strict);
    let mut wakers = Wakers::new(settings.interval)?;
    let mut watcher = Watcher::start(settings, &mut source)?;
    watcher.turn().await;
    notify(&[NotifyState::Ready]);
    loop {
        notify(&[NotifyState::Watchdog]);
        match wakers.next(&mut source).await {
            Wake::Stop => break,
            Wake::Document(read) => watcher.take(read),
            Wake::Reload => watcher.take(source.load()),
            Wake::Kernel | Wake::Timer => {}
        }
        watcher.turn().await;
        wakers.forget_our_own();
    }
    notify(&[NotifyState::Stopping]);
    info!("stopping; the machine stays as it is");
    Ok(())
}

/// Tells systemd, where there is one.
fn notify(states: &[NotifyState<'_>]) {
    // Without a supervisor there is nobody to tell.
    let _ = sd_notify::notify(states);
}

/// The last good document, for this node.
fn last_good(settings: &Settings, store: &Store) -> Target {
    Target {
        document: store.last_good(),
        ..settings.target.clone()
    }
}

impl Watcher {
    /// Starts from the document, or from the last good one when that cannot be used.
    fn start(settings: Settings, source: &mut FileSource) -> Result<Self, Error> {
        let store = Store::at(&settings.target.state_dir);
        let loaded = match session::first(source) {
            Ok(loaded) => loaded,
            Err(why) => {
                error!("{why}");
                let kept = last_good(&settings, &store);
                let loaded = session::load(&kept, Trust::Strict).map_err(|_| why)?;
                warn!(
                    "going on with the last good document, {}",
                    kept.document.display()
                );
                loaded
            }
        };
        info!("watching {}", settings.target.document.display());
        Ok(Self {
            settings,
            store,
            host: Followed::by_nobody(LinuxHost::new()),
            loaded,
            fresh: true,
            holds: Holds::default(),
            said: Vec::new(),
        })
    }

    /// Takes up a document that was read; a bad one leaves the last good one in force.
    fn take(&mut self, read: Result<Content, SourceError>) {
        let read = read.map_err(|error| Error::Document(error.to_string()));
        match read.and_then(session::understand) {
            Err(why) => {
                error!("{why}\nthe document cannot be used; the last good one stays in force")
            }
            Ok(loaded) if loaded.content == self.loaded.content => {
                info!("the document is unchanged")
            }
            Ok(loaded) => {
                info!("the document changed");
                self.loaded = loaded;
                self.fresh = true;
                self.holds.clear();
            }
        }
    }

    /// One turn; whatever goes wrong is said, and tried again at the next.
    async fn turn(&mut self) {
        let lock = match Lock::take(&self.settings.target.lock, "watch") {
            Ok(lock) => lock,
            Err(LockError::Held { holder }) => {
                return self.complain(vec![format!("skipped a turn: locked by {holder}")]);
            }
            Err(error) => return self.complain(vec![error.to_string()]),
        };
        if let Some((run, _)) = confirm::waiting(&self.store) {
            let said = format!("skipped a turn: run {} waits to be confirmed", run.id);
            return self.complain(vec![said]);
        }
        // The document may be the one that could not be taken back.
        if let Some(why) = confirm::half_undone(&self.store) {
            return self.complain(vec![format!("skipped a turn: {why}")]);
        }
        if let Err(error) = self.reconcile().await {
            self.complain(vec![error.to_string()]);
        }
        drop(lock);
    }

    fn options(&self) -> Options {
        Options {
            deletions: Deletions::Unattended,
            drain: Policy::Wait(self.settings.drain),
            held: self.holds.held().clone(),
            ..Options::usual()
        }
    }

    async fn reconcile(&mut self) -> Result<(), Error> {
        let taken_back = self.store.is_taken_back(&self.loaded.content.bytes)?;
        let mut said = Vec::new();
        let mut part = if taken_back {
            said.push(TAKEN_BACK.to_owned());
            match self.before()? {
                Some(loaded) => session::part(&self.settings.target, &loaded).await?,
                None => {
                    self.complain(said);
                    return Ok(());
                }
            }
        } else {
            session::part(&self.settings.target, &self.loaded).await?
        };
        let mut turn = session::plan(&mut part, &self.options(), &mut self.host).await?;
        said.extend(part.warnings.shown().iter().map(ToString::to_string));
        said.extend(turn.refusals.iter().map(|it| format!("refused: {it}")));
        self.complain(said);
        if !turn.refusals.is_empty() {
            return Ok(());
        }
        let fresh = self.fresh && !taken_back;
        if turn.plan.is_empty() {
            turn.note(&self.store)?;
        } else {
            self.make(&mut turn, &part, fresh).await?;
        }
        session::forget_installed(&self.store)?;
        if fresh {
            self.fresh = false;
            session::keep(&self.store, &self.loaded.content.bytes)?;
        }
        Ok(())
    }

    /// The document that `rollback` went back to, when there is one.
    fn before(&self) -> Result<Option<Loaded>, Error> {
        let target = last_good(&self.settings, &self.store);
        if !target.document.exists() {
            return Ok(None);
        }
        let loaded = session::load(&target, Trust::Strict)?;
        let is_taken_back = self.store.is_taken_back(&loaded.content.bytes)?;
        Ok((!is_taken_back).then_some(loaded))
    }

    /// Makes the plan; `fresh` when a document asks for it for the first time.
    async fn make(&mut self, turn: &mut Turn, part: &Part, fresh: bool) -> Result<(), Error> {
        let why = if fresh { "document" } else { "drift" };
        for change in &turn.changes {
            let what = crate::output::words::what(change, &part.desired.names);
            info!(
                "{why}: {} {} {}  {what}",
                crate::output::words::symbol(change.verb()),
                change.kind().word(),
                crate::output::words::name(change, &part.desired.names)
            );
        }
        turn.command = "watch";
        let report = session::make(turn, &self.store, &mut self.host).await?;
        for line in report::report(&report, turn).lines() {
            info!("{line}");
        }
        if report.is_restored() {
            return Err(Error::Undone);
        }
        if !report.is_converged() {
            return Err(Error::Left);
        }
        if !fresh {
            self.count(turn);
        }
        Ok(())
    }

    /// Counts corrections; what somebody keeps changing is held from now on.
    fn count(&mut self, turn: &Turn) {
        for name in self.holds.corrected(&turn.changes, &turn.now) {
            warn!(
                "{name} was put back three times in ten minutes; somebody else keeps changing it. It is left as it \
                 is until the document changes"
            );
        }
    }

    fn complain(&mut self, said: Vec<String>) {
        for line in said.iter().filter(|it| !self.said.contains(it)) {
            warn!("{line}");
        }
        self.said = said;
    }
}
