//! What a plan needs to know of a machine, beside the objects on it: which daemons it has, who listens, what we own.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::daemons;
use crate::desired::armed::{Armed, fetches};
use crate::desired::{self, DhcpServer, Facts, HostsFile, Origin, PublicKey};
use crate::document::Document;
use crate::error::Error;
use crate::guards::management::Session;
use crate::host::HostError;
use crate::host::linux::facts;
use crate::host::linux::public_key::{self, Unusable};
use crate::host::linux::sessions::sessions;
use crate::host::linux::sockets::{Socket, Transport};
use crate::host::linux::{hosts, web};
use crate::ipvs::Protocol;
use crate::journal::{self, seconds_since_1970};
use crate::lint::Warning;
use crate::overlay::drain::{Drains, Moment};
use crate::ownership::Inventory;
use crate::session::Target;
use crate::store::Store;

/// What is known of a machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Surroundings {
    /// The director that it is.
    pub node: String,
    pub facts: Facts,
    /// Who waits for clients, by the protocols of our services.
    pub listeners: Vec<Socket>,
    /// As the store has it, with what its journals add: a large one takes its time to read.
    pub inventory: Inventory,
    /// Where an inventory is that cannot be read.
    pub lost_inventory: Option<String>,
    pub drains: Drains,
    /// DHCP servers with our configuration that run, and that others started.
    pub running: BTreeSet<String>,
    /// Other programs that change what we set, as its files tell.
    pub rivals: Vec<Warning>,
    /// By which connections it is managed; looked at when a change may matter to them, and for a snapshot.
    pub sessions: Option<Vec<Session>>,
    /// The document that was applied last, for a snapshot.
    pub in_force: Option<String>,
    /// When it was looked at, by a clock that nobody sets.
    pub now: Moment,
}

/// How much of a machine is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// What the document asks about.
    Needed,
    /// What any document may ask about: for a snapshot.
    All,
}

impl Surroundings {
    /// Looks at this machine.
    pub async fn look(
        target: &Target,
        document: &Document,
        breadth: Breadth,
    ) -> Result<Self, Error> {
        let store = Store::at(&target.state_dir);
        let inventory = journal::recover(&store, store.inventory()?)?;
        let all = breadth == Breadth::All;
        let dhcp = all || wants_dhcp(document);
        let servers = servers(dhcp, &inventory).await?;
        Ok(Self {
            node: node(target)?,
            running: daemons::of_others(&inventory, &servers).await?,
            facts: facts_of(document, dhcp, servers, &store)?,
            listeners: facts::listeners(&transports(document, breadth)),
            lost_inventory: store
                .lost_inventory(&inventory)
                .map(|it| it.display().to_string()),
            inventory,
            drains: store.drains()?,
            rivals: Vec::new(),
            sessions: all.then(sessions),
            in_force: all.then(|| in_force(&store)).flatten(),
            now: now()?,
        })
    }

    /// Of a machine that nobody looked at.
    pub fn unknown() -> Self {
        Self {
            node: String::new(),
            facts: Facts {
                dhcp: Vec::new(),
                ..Facts::unknown()
            },
            listeners: Vec::new(),
            inventory: Inventory::default(),
            lost_inventory: None,
            drains: Drains::default(),
            running: BTreeSet::new(),
            rivals: Vec::new(),
            sessions: Some(Vec::new()),
            in_force: None,
            now: Moment::default(),
        }
    }
}

fn facts_of(
    document: &Document,
    dhcp: bool,
    servers: Vec<DhcpServer>,
    store: &Store,
) -> Result<Facts, HostError> {
    let machine = facts::facts();
    Ok(Facts {
        dhcp: servers,
        nfs_unit: machine.nfs_unit,
        web_unit: machine.web_unit,
        serves_dns: dhcp && facts::serves_dns(),
        armed: armed(store, seconds_since_1970())?.names(),
        hosts: hosts_file(document),
        public_key: public_key(document),
        origin: Origin::Machine,
    })
}

/// The protocols of its services, as far as programs of a machine can listen by them.
fn transports(document: &Document, breadth: Breadth) -> Vec<Transport> {
    if breadth == Breadth::All {
        return vec![Transport::Tcp, Transport::Udp];
    }
    let protocols = desired::protocols_of(document);
    protocols.into_iter().filter_map(transport).collect()
}

/// The document that was applied last, and was not taken back.
pub fn in_force(store: &Store) -> Option<String> {
    fs::read_to_string(store.last_good()).ok()
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
    let log = web::log(desired::WEB_LOG);
    Ok(armed.still(now, &fetches(&log)))
}

fn wants_dhcp(document: &Document) -> bool {
    let netboot = document.netboot.as_ref();
    netboot.is_some_and(|it| it.dhcp.is_some())
}

/// The DHCP servers of this machine. Nobody is looked for whom nobody asks about.
async fn servers(wanted: bool, inventory: &Inventory) -> Result<Vec<DhcpServer>, HostError> {
    match wanted || daemons::has_ours(inventory) {
        true => daemons::installed(inventory).await,
        false => Ok(Vec::new()),
    }
}

/// What others do to `/etc/hosts`.
fn hosts_file(document: &Document) -> HostsFile {
    if !document.wants_hosts() {
        return HostsFile::default();
    }
    let rewritten_by = hosts::rewritten_by();
    HostsFile {
        rewritten_by: rewritten_by.map(|it| it.to_string_lossy().into_owned()),
        others: named_in(document, hosts::others()),
    }
}

/// Those of the names that the document speaks of, with or without their domain; the rest is nobody's business.
fn named_in(document: &Document, all: Vec<(IpAddr, String)>) -> Vec<(IpAddr, String)> {
    let directors = document.directors.iter().map(|it| it.name.as_str());
    let names = directors.chain(document.real_servers.iter().map(|it| it.name.as_str()));
    let names: BTreeSet<&str> = names.collect();
    let known = |it: &str| it.split('.').next().is_some_and(|it| names.contains(it));
    all.into_iter().filter(|(_, name)| known(name)).collect()
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

/// By what a program would have to listen to hear it; none where the kernel lists no sockets for us.
pub fn transport(protocol: Protocol) -> Option<Transport> {
    match protocol {
        Protocol::Tcp => Some(Transport::Tcp),
        Protocol::Udp => Some(Transport::Udp),
        Protocol::Sctp => None,
    }
}

/// The short name of this host.
pub fn host_name() -> Result<String, HostError> {
    let name = nix::unistd::gethostname()
        .map_err(|error| HostError::new("cannot tell this host's name", error))?;
    let name = name.to_string_lossy().into_owned();
    Ok(name.split('.').next().unwrap_or_default().to_owned())
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
