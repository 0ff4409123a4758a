//! A network interface: up or down, its MTU, and the virtual ones we make.

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Nature, Resource};
use crate::plan::Phase;

pub mod apply;
pub mod observe;

/// One interface, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub name: String,
    #[serde(flatten)]
    pub kind: LinkKind,
    /// Administratively up.
    pub up: bool,
    /// Bytes; `None` when the document leaves it to the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The bond or bridge it is a member of; `None` when the document says nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
}

/// What an interface is. All but `Physical` are made by us when the document declares them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LinkKind {
    /// Exists without us, whatever its driver: a card, a veth, anything that the document does not declare.
    Physical,
    Dummy,
    /// 802.1Q tag `id` on `parent`.
    Vlan {
        parent: String,
        id: u16,
    },
    Bridge,
    /// `mode` is the kernel's name of it, such as `802.3ad`.
    Bond {
        mode: String,
    },
}

impl Link {
    /// Without what `wanted` does not speak of; whoever calls it physical leaves its making to others.
    pub fn in_words_of(mut self, wanted: Option<&Self>) -> Self {
        let Some(wanted) = wanted else { return self };
        if wanted.kind == LinkKind::Physical {
            self.kind = LinkKind::Physical;
        }
        self.mtu = self.mtu.filter(|_| wanted.mtu.is_some());
        self.controller = self.controller.filter(|_| wanted.controller.is_some());
        self
    }
}

impl Resource for Link {
    type Key = String;

    fn key(&self) -> String {
        self.name.clone()
    }

    /// What a link is made of cannot be edited.
    fn can_become(&self, to: &Self) -> bool {
        self.kind == to.kind
    }

    /// Made and enslaved while down; brought up once forwarding and filtering are what they should be.
    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        match delta {
            Delta::Create { to } => created(to, step),
            Delta::Update { from, to } if from.up && !to.up => {
                step(Phase::LinkDown, Delta::Update { from, to });
            }
            Delta::Update { from, to } => step(Phase::LinkUp, Delta::Update { from, to }),
            Delta::Replace { from, to } => {
                step(Phase::LinkCreate, Delta::Delete { from: *from });
                created(to, step);
            }
            Delta::Delete { from } => step(Phase::LinkRemove, Delta::Delete { from }),
        }
    }

    fn nature(&self) -> Nature {
        match self.kind {
            LinkKind::Physical => Nature::Set,
            _ => Nature::Made,
        }
    }
}

fn created(to: Link, mut step: impl FnMut(Phase, Delta<Link>)) {
    let down = Link {
        up: false,
        ..to.clone()
    };
    step(Phase::LinkCreate, Delta::Create { to: down.clone() });
    if to.up {
        step(
            Phase::LinkUp,
            Delta::Update {
                from: Box::new(down),
                to,
            },
        );
    }
}
