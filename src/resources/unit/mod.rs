//! A daemon that must run with the configuration on disk. A reload is state, not a side effect: a unit is current
//! when it read its files after they last changed.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::delta::{Delta, Nature, Resource};
use crate::plan::Phase;

pub mod apply;
pub(crate) mod exports;
mod init;
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
}

/// A digest over the content of the files a unit reads, by path.
pub fn digest<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
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
