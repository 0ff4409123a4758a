//! What the commands and the daemon share: the document as it concerns this node, and the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::cycle::{Options, Turn, Wanted, turn};
use crate::daemons;
use crate::desired::armed::{Armed, fetches};
use crate::desired::{self, Desired, DhcpServer, Facts, HostsFile, Origin, PublicKey};
use crate::document::{self, Document, Silence};
use crate::error::Error;
use crate::host::linux::facts;
use crate::host::linux::public_key::{self, Unusable};
use crate::host::linux::{self, LinuxHost};
use crate::host::{Host, HostError};
use crate::journal::{self, seconds_since_1970};
use crate::lint::Warnings;
use crate::output::{Context, Files};
use crate::overlay::drain::Moment;
use crate::ownership::{Inventory, IpvsTable};
use crate::source::{Content, FileSource, Source, Trust};
use crate::store::Store;
use crate::surroundings;

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
    /// The DHCP servers that are installed, when one is wanted or has our configuration.
    pub servers: Vec<DhcpServer>,
    /// As the store has it, with what its journals add: a large one takes its time to read.
    pub inventory: Inventory,
}

impl Part {
    /// For a plan that is made without a look at this machine, with the silences of its document.
    pub fn offline(node: String, mut desired: Desired, silences: &[Silence]) -> Self {
        Self {
            node,
            warnings: Warnings::new(silences).and(std::mem::take(&mut desired.warnings)),
            desired,
            servers: Vec::new(),
            inventory: Inventory::default(),
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
    let node = node(target)?;
    let machine = facts::facts();
    let store = Store::at(&target.state_dir);
    let armed = armed(&store, seconds_since_1970())?;
    let inventory = journal::recover(&store, store.inventory()?)?;
    let servers = servers(&loaded.document, &inventory).await?;
    let facts = Facts {
        dhcp: servers.clone(),
        nfs_unit: machine.nfs_unit.clone(),
        web_unit: machine.web_unit.clone(),
        serves_dns: wants_dhcp(&loaded.document) && facts::serves_dns(),
        armed: armed.names(),
        hosts: hosts(&loaded.document),
        public_key: public_key(&loaded.document),
        origin: Origin::Machine,
    };
    let mut desired = desired::resolve(&loaded.document, &node, &facts).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Error::Document(lines.join("\n"))
    })?;
    let mut warnings = loaded.warnings.and(std::mem::take(&mut desired.warnings));
    warnings.extend(surroundings::listening(&desired));
    warnings.extend(surroundings::rivals(Path::new("/"), &desired));
    Ok(Part {
        node,
        desired,
        warnings,
        servers,
        inventory,
    })
}

/// The same of a document that is given up for it: beside all that is looked at, a large one is much of our memory.
pub async fn alone(target: &Target, loaded: Loaded) -> Result<(Part, Content), Error> {
    let part = part(target, &loaded).await?;
    Ok((part, loaded.content))
}

/// The director that this machine is.
pub fn node(target: &Target) -> Result<String, HostError> {
    match &target.node {
        Some(node) => Ok(node.clone()),
        None => host_name(),
    }
}

/// Who is to install himself at this moment.
pub fn armed(store: &Store, now: u64) -> Result<Armed, HostError> {
    let armed = store.armed()?;
    if armed == Armed::default() {
        return Ok(armed);
    }
    let log = linux::web::log(desired::WEB_LOG);
    Ok(armed.still(now, &fetches(&log)))
}

/// Who has installed himself, or has let his time pass, is armed no longer.
pub fn forget_installed(store: &Store) -> Result<(), HostError> {
    let still = armed(store, seconds_since_1970())?;
    match store.armed()? == still {
        true => Ok(()),
        false => store.save_armed(&still),
    }
}

fn wants_dhcp(document: &Document) -> bool {
    let netboot = document.netboot.as_ref();
    netboot.is_some_and(|it| it.dhcp.is_some())
}

/// The DHCP servers of this machine. Nobody is looked for whom nobody asks about.
async fn servers(document: &Document, inventory: &Inventory) -> Result<Vec<DhcpServer>, HostError> {
    match wants_dhcp(document) || daemons::has_ours(inventory) {
        true => daemons::installed(inventory).await,
        false => Ok(Vec::new()),
    }
}

/// What others do to `/etc/hosts`.
fn hosts(document: &Document) -> HostsFile {
    if !document.wants_hosts() {
        return HostsFile::default();
    }
    let rewritten_by = linux::hosts::rewritten_by();
    HostsFile {
        rewritten_by: rewritten_by.map(|it| it.to_string_lossy().into_owned()),
        others: linux::hosts::others(),
    }
}

/// This machine's public key, when the document names it.
fn public_key(document: &Document) -> PublicKey {
    let path = document.ssh.as_ref().and_then(|it| it.public_key.as_ref());
    let read = path.map(|it| public_key::public_key(Path::new(it.as_str())));
    match read {
        None => PublicKey::Unknown,
        Some(Ok(key)) => PublicKey::Read(key),
        Some(Err(Unusable { message, fix })) => PublicKey::Unusable { message, fix },
    }
}

/// The short name of this host.
pub fn host_name() -> Result<String, HostError> {
    let name = nix::unistd::gethostname()
        .map_err(|error| HostError::new("cannot tell this host's name", error))?;
    let name = name.to_string_lossy().into_owned();
    Ok(name.split('.').next().unwrap_or_default().to_owned())
}

/// What is wanted of this machine, with what the state directory knows. Both are taken out of the part.
pub fn wanted(part: &mut Part, store: &Store) -> Result<Wanted, HostError> {
    let mut inventory = std::mem::take(&mut part.inventory);
    daemons::claim(&mut inventory, &part.servers);
    Ok(Wanted {
        desired: std::mem::take(&mut part.desired.state),
        table: if part.desired.exclusive {
            IpvsTable::Exclusive
        } else {
            IpvsTable::Shared
        },
        inventory,
        drains: store.drains()?,
        now: now()?,
    })
}

/// Reads the document, looks at this machine, and plans, without the intention to change anything.
pub async fn look(
    target: &Target,
    options: &Options,
    host: &mut LinuxHost,
) -> Result<(Part, Turn), Error> {
    let loaded = load(target, Trust::Any)?;
    let (mut part, _) = alone(target, loaded).await?;
    let turn = plan(&mut part, &Store::at(&target.state_dir), options, host).await?;
    Ok((part, turn))
}

/// Looks and plans; adds what the look tells to the warnings.
pub async fn plan(
    part: &mut Part,
    store: &Store,
    options: &Options,
    host: &mut LinuxHost,
) -> Result<Turn, Error> {
    let turn = turn(wanted(part, store)?, options, host).await?;
    if let Some(lost) = store.lost_inventory(&turn.goal.inventory) {
        part.warnings.extend([surroundings::lost_inventory(&lost)]);
    }
    part.warnings
        .extend(surroundings::missing(&part.desired, &turn));
    let left_behind = daemons::left_behind(&turn.goal, &part.servers).await?;
    part.warnings.extend(left_behind);
    Ok(turn)
}

/// Makes the plan of `turn`.
pub async fn make<H: Host>(
    turn: &mut Turn,
    store: &Store,
    host: &mut H,
) -> Result<crate::apply::Report, Error> {
    Ok(turn.make(store, host).await?)
}

/// This moment, by a clock that nobody sets.
pub fn now() -> Result<Moment, HostError> {
    let clock = nix::time::ClockId::CLOCK_BOOTTIME;
    let since_boot = nix::time::clock_gettime(clock)
        .map(Duration::from)
        .map_err(|error| HostError::new("cannot read the clock", error))?;
    let path = "/proc/sys/kernel/random/boot_id";
    let boot_id = fs::read_to_string(path)
        .map_err(|error| HostError::new(format!("cannot read {path}"), error))?;
    Ok(Moment {
        boot_id: boot_id.trim().to_owned(),
        seconds: since_boot.as_secs(),
    })
}

/// Keeps the document for the next boot, unless it is kept already.
pub fn keep(store: &Store, bytes: &[u8]) -> Result<(), Error> {
    store.forget_taken_back().map_err(Error::NotWritten)?;
    if fs::read(store.last_good()).is_ok_and(|kept| kept == bytes) {
        return Ok(());
    }
    store.save_last_good(bytes).map_err(Error::NotWritten)
}
