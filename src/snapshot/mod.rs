//! The live state on file: everything that a plan depends on but the document, so that the same plan can be made
//! elsewhere, without root and without the machine. Secrets are not in it: what was seen says of one only whether it is
//! the one that the document names.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::{Connections, Host, HostError, Observation, Outcome, Scope};
use crate::output::time::utc;
use crate::ownership::Inventory;
use crate::plan::Step;
use crate::resources::destination::DestinationKey;
use crate::resources::file::{Content, File};
use crate::resources::{Keys, State};
use crate::sealed::{self, Held};
use crate::surroundings::Surroundings;

mod retold;

use retold::{Widely, added, retold};

/// A machine at a moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// The program that took it.
    pub tool: String,
    /// When it was taken, in seconds since 1970.
    pub taken: u64,
    /// The SHA-256 of the document that it was taken with: what was looked for, and in which words it is told.
    pub document: String,
    pub around: Surroundings,
    /// What a run that was cut off may have edited: a part of the inventory that is not written with it.
    pub unsettled: State,
    pub seen: Seen,
}

/// What was seen of the objects on it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    pub state: State,
    pub marked: Keys,
    pub unreadable: Vec<String>,
    /// What another document may ask about beside the state, and what is told of it in other words.
    pub plain: State,
    /// The objects that were looked for; of other files and daemons it is not known whether they are there.
    pub looked_for: Keys,
    pub interfaces: Vec<String>,
    pub connections: Vec<(DestinationKey, Connections)>,
}

impl Held for Snapshot {
    const WHAT: &'static str = "snapshot";
    const MADE_BY: &'static str = "lvs-reconcile snapshot";
    const CHANGED: &'static str = "was changed since it was taken; take it anew";
}

impl Snapshot {
    /// Reads one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut snapshot: Self = sealed::read(path)?;
        snapshot.around.inventory.unsettled = snapshot.unsettled.clone();
        Ok(snapshot)
    }

    /// Which it is, for whoever reads a plan that was made of it.
    pub fn label(&self) -> String {
        let digest = sealed::digest(self);
        format!(
            "{} as of {}, snapshot {}",
            self.around.node,
            utc(self.taken),
            &digest[..12]
        )
    }
}

/// A host that remembers what was seen of another.
#[derive(Debug)]
pub struct Recorder<'a, H> {
    host: &'a mut H,
    seen: Seen,
    connections: Option<BTreeMap<DestinationKey, Connections>>,
}

impl<'a, H: Host> Recorder<'a, H> {
    /// Remembers what is seen of `host`.
    pub fn new(host: &'a mut H) -> Self {
        Self {
            host,
            seen: Seen::default(),
            connections: None,
        }
    }

    /// What was seen, and what the plan of another document may ask. What was asked for is not asked again: by now it
    /// may be something else.
    /// `settings` are the paths of those that documents may speak of.
    pub async fn complete(
        mut self,
        around: &Surroundings,
        settings: Vec<String>,
    ) -> Result<Seen, HostError> {
        if self.seen.interfaces.is_empty() {
            self.interfaces().await?;
        }
        if self.connections.is_none() {
            self.connections().await?;
        }
        let wide = Widely::of(&self.seen, around, settings);
        let scope = Scope {
            desired: &wide.desired,
            inventory: &wide.inventory,
            since: None,
        };
        let plain = self.host.observe(&scope).await?.state;
        self.seen.plain = added(plain, around);
        self.seen.looked_for.merge(&wide.inventory.owned);
        self.seen.looked_for.merge(&wide.desired.all_keys());
        let connections = self.connections.unwrap_or_default();
        self.seen.connections = connections.into_iter().collect();
        Ok(self.seen)
    }
}

impl<H: Host> Host for Recorder<'_, H> {
    async fn observe(&mut self, scope: &Scope<'_>) -> Result<Observation, HostError> {
        let mut seen = self.host.observe(scope).await?;
        conceal(&mut seen.state, scope);
        self.seen.state = seen.state.clone();
        self.seen.marked = seen.marked.clone();
        self.seen.unreadable.clone_from(&seen.unreadable);
        self.seen.looked_for = looked_for(scope.desired, scope.inventory);
        Ok(seen)
    }

    async fn apply(&mut self, run: &[Step]) -> Vec<Outcome> {
        self.host.apply(run).await
    }

    async fn check(&mut self, steps: &[Step]) -> Result<(), Vec<HostError>> {
        self.host.check(steps).await
    }

    async fn connections(&mut self) -> Result<BTreeMap<DestinationKey, Connections>, HostError> {
        let connections = self.host.connections().await?;
        self.connections = Some(connections.clone());
        Ok(connections)
    }

    async fn interfaces(&mut self) -> Result<Vec<String>, HostError> {
        let interfaces = self.host.interfaces().await?;
        self.seen.interfaces.clone_from(&interfaces);
        Ok(interfaces)
    }
}

/// What stands in files of others is theirs: it is known to differ, and no more.
pub fn conceal(live: &mut State, scope: &Scope<'_>) {
    let of_others = |it: &&File| {
        let wanted = scope.desired.files.get(&it.key);
        let is_ours = it.untouched_default || scope.inventory.owned.files.contains(&it.key);
        !is_ours && wanted.is_none_or(|wanted| wanted.content != it.content)
    };
    let of_others: Vec<File> = live.files.iter().filter(of_others).cloned().collect();
    for file in of_others {
        let content = Content::concealed();
        live.files.insert(File { content, ..file });
    }
}

fn looked_for(desired: &State, inventory: &Inventory) -> Keys {
    let mut keys = desired.all_keys();
    keys.merge(&inventory.owned);
    keys
}

/// What was seen, in place of the machine. Nothing can be done to it.
#[derive(Debug)]
pub struct Replay {
    pub seen: Seen,
    /// Whether it was seen with another document than the one that is planned.
    pub is_of_another: bool,
}

impl Host for Replay {
    async fn observe(&mut self, scope: &Scope<'_>) -> Result<Observation, HostError> {
        Ok(Observation {
            state: match self.is_of_another {
                true => retold(&self.seen, scope),
                false => self.seen.state.clone(),
            },
            marked: self.seen.marked.clone(),
            unreadable: self.seen.unreadable.clone(),
        })
    }

    async fn apply(&mut self, run: &[Step]) -> Vec<Outcome> {
        run.iter().map(|_| Outcome::NotAttempted).collect()
    }

    async fn check(&mut self, _steps: &[Step]) -> Result<(), Vec<HostError>> {
        Err(vec![HostError::new(
            "cannot try a plan",
            "there is a snapshot in place of the machine",
        )])
    }

    async fn connections(&mut self) -> Result<BTreeMap<DestinationKey, Connections>, HostError> {
        Ok(self.seen.connections.iter().copied().collect())
    }

    async fn interfaces(&mut self) -> Result<Vec<String>, HostError> {
        Ok(self.seen.interfaces.clone())
    }
}
