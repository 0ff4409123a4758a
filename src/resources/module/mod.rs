//! A kernel module that must be loaded. Loaded modules are retained: never unloaded by undo or removal.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Nature, Resource};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
pub mod observe;

/// The name of a kernel module, with `_` where the file name may have `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModuleName(pub String);

/// A module that is loaded, or built in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    pub name: ModuleName,
}

impl OnFile for ModuleName {}

impl Resource for Module {
    type Key = ModuleName;

    fn key(&self) -> ModuleName {
        self.name.clone()
    }

    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        step(Phase::Module, delta);
    }

    /// Somebody else may need it too, so it is nobody's to unload.
    fn nature(&self) -> Nature {
        Nature::Retained
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
