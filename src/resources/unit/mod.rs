//! A daemon that must run with the configuration on disk. A reload is state, not a side effect: a unit is current
//! when it read its files after they last changed.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::delta::{Delta, Nature, Resource};
use crate::plan::Phase;

pub mod apply;
pub(crate) mod exports;
mod init;
mod kea;
pub mod observe;
mod process;
mod record;

/// A unit that runs. One that does not run is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// As the init system knows it, without `.service`.
    pub name: String,
    /// The files it reads.
    pub reads: Vec<String>,
    pub on_change: OnChange,
    /// `digest` of those files as the running process read them; `None` when it read older ones.
    pub config: Option<String>,
}

/// How a unit takes up changed files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnChange {
    /// It cannot reload (ISC dhcpd dies of SIGHUP).
    Restart,
    /// `exportfs -ra`: the kernel's export table is replaced, clients notice nothing.
    Reexport,
    /// Kea: told over its control socket, it changes from one configuration to the other, or keeps the one it has.
    Reload,
    /// dnsmasq: the last of its files is read again at SIGHUP, the others when it starts.
    Hangup,
    /// nginx: new workers read the files, and the old ones end when they have served whom they serve.
    Renew,
}

impl Unit {
    /// A digest over the content of the files it reads, by path. Of what a signal makes it read again, and of the
    /// rest, when there is such a difference.
    pub fn digest<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let again = self
            .reads
            .last()
            .filter(|_| self.on_change == OnChange::Hangup);
        let (again, once): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|(path, _)| again.is_some_and(|it| it == path));
        match self.on_change {
            OnChange::Hangup => format!("{}-{}", digest(once), digest(again)),
            _ => digest(once),
        }
    }

    /// Of the files that it reads only when it starts.
    fn read_once(&self) -> Option<&str> {
        let (once, _) = self.config.as_deref()?.split_once('-')?;
        Some(once)
    }
}

impl Delta<Unit> {
    /// How the change is taken up: a signal is enough only where nothing else has changed.
    pub fn way(&self) -> OnChange {
        let way = self.subject().on_change;
        let unread = |from: &Unit, to: &Unit| from.read_once() != to.read_once();
        match (self.from(), self.to()) {
            (Some(from), Some(to)) if way == OnChange::Hangup && unread(from, to) => {
                OnChange::Restart
            }
            _ => way,
        }
    }
}

/// In the order of their paths, whatever order they come in.
fn digest(mut files: Vec<(&str, &str)>) -> String {
    files.sort_unstable();
    let mut hash = Sha256::new();
    for (path, content) in files {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(content.as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Resource for Unit {
    type Key = String;

    fn key(&self) -> String {
        self.name.clone()
    }

    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        let phase = match &delta {
            Delta::Delete { .. } => Phase::UnitStop,
            _ => Phase::Unit,
        };
        step(phase, delta);
    }

    fn nature(&self) -> Nature {
        Nature::Started
    }
}
