//! What the commands and the daemon share: the document as it concerns this node, and the machine.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::between;
use crate::cycle::{Options, Turn, Wanted, turn};
use crate::daemons;
use crate::desired::{self, Desired};
use crate::document::{self, Document};
use crate::error::Error;
use crate::guards::management::{Session, in_danger};
use crate::host::followed::Followed;
use crate::host::linux::LinuxHost;
use crate::host::linux::sessions::sessions;
use crate::host::{Host, HostError};
use crate::journal::seconds_since_1970;
use crate::lint::Warnings;
use crate::output::{Context, Files};
use crate::ownership::IpvsTable;
use crate::remarks;
use crate::resources::Keys;
use crate::source::{Content, FileSource, Source, Trust};
use crate::store::Store;
use crate::surroundings::{Breadth, Surroundings, armed};

/// A longer list nobody reads to its end.
const MOST: usize = 200;

/// Where the document is unless told otherwise.
pub const DOCUMENT: &str = "/etc/lvs-reconcile/cluster.json";

/// Which document, and for which node.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// The document.
    #[arg(default_value = DOCUMENT, env = "LVS_RECONCILE_DOCUMENT")]
    pub document: PathBuf,
    /// The director that this machine is, when its host name does not say so.
    #[arg(long, env = "LVS_RECONCILE_NODE")]
    pub node: Option<String>,
    /// Where the inventory of what we own is kept.
    #[arg(long, default_value = crate::store::STATE_DIR, env = "LVS_RECONCILE_STATE_DIR", hide = true)]
    pub state_dir: PathBuf,
    /// Held while changes are made.
    #[arg(long, default_value = crate::lock::LOCK_FILE, env = "LVS_RECONCILE_LOCK", hide = true)]
    pub lock: PathBuf,
}

/// A document that was read and understood.
#[derive(Debug)]
pub struct Loaded {
    pub content: Content,
    pub document: Document,
    /// What is allowed and unusual in it, less what it silences.
    pub warnings: Warnings,
}

/// The part of the document that concerns this node.
#[derive(Debug)]
pub struct Part {
    pub node: String,
    pub desired: Desired,
    pub warnings: Warnings,
    /// What is known of the machine; the inventory and the drains until a plan takes them.
    pub around: Surroundings,
    /// Which snapshot it is planned for, when there is one.
    pub live: Option<String>,
}

impl Part {
    /// For a plan that is made without a look at this machine, with what its document is warned about.
    pub fn offline(node: String, mut desired: Desired, warnings: &Warnings) -> Self {
        Self {
            node,
            warnings: warnings.and(std::mem::take(&mut desired.warnings)),
            desired,
            around: Surroundings::unknown(),
            live: None,
        }
    }

    /// What a plan is shown with.
    pub fn context<'a>(&'a self, command: &'a str, document: &'a str) -> Context<'a> {
        Context {
            command,
            node: &self.node,
            document,
            names: &self.desired.names,
            warnings: &self.warnings,
            choices: &self.desired.choices,
            live: self.live.as_deref(),
            files: Files::Named,
            most: MOST,
        }
    }
}

/// Reads and checks the document.
pub fn load(target: &Target, trust: Trust) -> Result<Loaded, Error> {
    first(&mut FileSource::new(&target.document, trust))
}

/// Reads and checks what a source has now.
pub fn first(source: &mut impl Source) -> Result<Loaded, Error> {
    let content = source
        .load()
        .map_err(|error| Error::Document(error.to_string()))?;
    understand(content)
}

/// Parses and checks a document.
pub fn understand(content: Content) -> Result<Loaded, Error> {
    let (document, warnings) = document::examine(&content.bytes, &content.name)
        .map_err(|problems| Error::Document(problems.to_string()))?;
    Ok(Loaded {
        content,
        document,
        warnings,
    })
}

/// The node's part of the document.
pub async fn part(target: &Target, loaded: &Loaded) -> Result<Part, Error> {
    part_of(target, loaded, Breadth::Needed).await
}

/// The same, with more of the machine than the document asks about.
pub async fn part_of(target: &Target, loaded: &Loaded, breadth: Breadth) -> Result<Part, Error> {
    let around = Surroundings::look(target, &loaded.document, breadth).await?;
    let mut part = part_in(around, loaded)?;
    part.around.rivals = remarks::rivals(Path::new("/"), &part.desired);
    part.warnings.extend(part.around.rivals.clone());
    Ok(part)
}

/// The same in surroundings that are known.
pub fn part_in(around: Surroundings, loaded: &Loaded) -> Result<Part, Error> {
    let resolved = desired::resolve(&loaded.document, &around.node, &around.facts);
    let mut desired = resolved.map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Error::Document(lines.join("\n"))
    })?;
    let mut warnings = loaded.warnings.and(std::mem::take(&mut desired.warnings));
    warnings.extend(remarks::listening(&desired, &around.listeners));
    warnings.extend(around.rivals.clone());
    Ok(Part {
        node: around.node.clone(),
        desired,
        warnings,
        around,
        live: None,
    })
}

/// The same of a document that is given up for it: beside all that is looked at, a large one is much of our memory.
pub async fn alone(target: &Target, loaded: Loaded) -> Result<(Part, Content), Error> {
    let part = part(target, &loaded).await?;
    Ok((part, loaded.content))
}

/// Who has installed himself, or has let his time pass, is armed no longer.
pub fn forget_installed(store: &Store) -> Result<(), HostError> {
    let still = armed(store, seconds_since_1970())?;
    match store.armed()? == still {
        true => Ok(()),
        false => store.save_armed(&still),
    }
}

/// What is wanted of this machine, with what is known of it. Much of both is taken out of the part.
pub fn wanted(part: &mut Part) -> Wanted {
    let mut inventory = std::mem::take(&mut part.around.inventory);
    daemons::claim(&mut inventory, &part.around.facts.dhcp);
    Wanted {
        desired: std::mem::take(&mut part.desired.state),
        table: if part.desired.exclusive {
            IpvsTable::Exclusive
        } else {
            IpvsTable::Shared
        },
        inventory,
        drains: std::mem::take(&mut part.around.drains),
        now: part.around.now.clone(),
    }
}

/// Reads the document, looks at this machine, and plans, without the intention to change anything.
pub async fn look(
    target: &Target,
    options: &Options,
    host: &mut Followed<LinuxHost>,
) -> Result<(Part, Turn), Error> {
    let mut loaded = load(target, Trust::Any)?;
    // Nobody asks for its text any more.
    loaded.content.bytes = Vec::new();
    let (mut part, _) = alone(target, loaded).await?;
    let turn = plan(&mut part, options, host).await?;
    Ok((part, turn))
}

/// Looks and plans; adds what the look tells to the warnings.
pub async fn plan<H: Host>(
    part: &mut Part,
    options: &Options,
    host: &mut H,
) -> Result<Turn, Error> {
    let mut turn = turn(wanted(part), options, host).await?;
    let around = &part.around;
    turn.in_danger = endangered(&turn, around.sessions.as_deref());
    let lost = around.lost_inventory.as_deref();
    part.warnings.extend(lost.map(remarks::lost_inventory));
    part.warnings.extend(remarks::missing(&part.desired, &turn));
    let left_behind = daemons::left_behind(&turn.goal, &around.facts.dhcp, &around.running);
    part.warnings.extend(left_behind);
    Ok(turn)
}

/// The changes that may cut one of these sessions, or of those that this machine has now.
pub fn endangered(turn: &Turn, known: Option<&[Session]>) -> Keys {
    match known {
        _ if turn.changes.is_empty() => Keys::default(),
        Some(known) => in_danger(&turn.changes, &turn.seen.state, known),
        None => in_danger(&turn.changes, &turn.seen.state, &sessions()),
    }
}

/// Tells the changes that only correct drift: the document in force asks for the same as the new one. Of a node on which
/// no document is in force, or none that is understood, nothing drifts.
pub async fn tell_drift(turn: &mut Turn, part: &Part, in_force: Option<&str>) -> Result<(), Error> {
    let Some(in_force) = in_force.filter(|_| !turn.changes.is_empty()) else {
        return Ok(());
    };
    let Ok((document, _)) = document::examine(in_force.as_bytes(), "in force") else {
        return Ok(());
    };
    let Ok(before) = desired::resolve(&document, &part.node, &part.around.facts) else {
        return Ok(());
    };
    let asked = between::changes(before.state, turn.goal.desired.clone()).await?;
    let asked = Keys::of(asked.iter());
    turn.drift = Keys::of(turn.changes.iter().filter(|it| !asked.contains(it)));
    Ok(())
}

/// Makes the plan of `turn`.
pub async fn make<H: Host>(
    turn: &mut Turn,
    store: &Store,
    host: &mut H,
) -> Result<crate::apply::Report, Error> {
    Ok(turn.make(store, host).await?)
}

/// Keeps the document for the next boot, unless it is kept already.
pub fn keep(store: &Store, bytes: &[u8]) -> Result<(), Error> {
    store.forget_taken_back().map_err(Error::NotWritten)?;
    if fs::read(store.last_good()).is_ok_and(|kept| kept == bytes) {
        return Ok(());
    }
    store.save_last_good(bytes).map_err(Error::NotWritten)
}
