//! The register: every kind of thing we manage, in one list. A new kind is a folder here, a line in the list,
//! and what the compiler then asks for in `host/` and `output/`.

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Nature, Resource, Set, Verb};
use crate::plan::{Phase, Step};

pub mod address;
pub mod destination;
pub mod file;
mod keys;
pub mod link;
pub mod module;
pub mod nftables;
pub mod route;
pub mod sysctl;
pub mod timeouts;
pub mod unit;
pub mod virtual_service;

pub use keys::{KeySet, OnFile};

/// Makes `State`, `Change`, `Kind` and `Keys` from one list of kinds, so that they cannot disagree.
macro_rules! register {
    ($($(#[$doc:meta])* $field:ident: $kind:ident($type:ty) = $word:literal,)*) => {
        /// Everything we manage on one node. Desired and live states share this type.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "camelCase")]
        pub struct State {
            $($(#[$doc])* pub $field: Set<$type>,)*
        }

        /// One difference of one kind.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Change {
            $($(#[$doc])* $kind(Delta<$type>),)*
        }

        /// The kinds, in the order in which they are listed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        /// Identities of every kind.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "camelCase")]
        pub struct Keys {
            $($(#[$doc])* #[serde(skip_serializing_if = "KeySet::is_empty")]
            pub $field: KeySet<<$type as Resource>::Key>,)*
        }

        impl State {
            /// What must change for `self` to equal `desired`, unordered.
            pub fn changes_to(&self, desired: &Self) -> Vec<Change> {
                let mut changes = Vec::new();
                $(changes.extend(self.$field.deltas_to(&desired.$field).map(Change::$kind));)*
                changes
            }

            /// Performs one change in memory.
            pub fn perform(&mut self, change: &Change) {
                match change {
                    $(Change::$kind(delta) => self.$field.perform(delta),)*
                }
            }

            /// How many objects there are, of all kinds.
            pub fn len(&self) -> usize {
                0 $(+ self.$field.len())*
            }

            /// Adds all of `other`.
            pub fn merge(&mut self, other: Self) {
                $(self.$field.merge(other.$field);)*
            }

            /// Takes these out.
            pub fn remove_all(&mut self, keys: &Keys) {
                $(self.$field.retain(|key| !keys.$field.contains(key));)*
            }

            /// The value that `change` is about, as it is in this state.
            pub fn value_of(&self, change: &Change) -> Option<Self> {
                let mut found = Self::default();
                match change {
                    $(Change::$kind(delta) => {
                        found.$field.insert(self.$field.get(&delta.subject().key())?.clone());
                    })*
                }
                Some(found)
            }

            /// The identities of everything in it.
            pub fn all_keys(&self) -> Keys {
                Keys { $($field: self.$field.keys().cloned().collect(),)* }
            }
        }

        impl Change {
            /// The kind of thing changed.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// What it does.
            pub fn verb(&self) -> Verb {
                match self { $(Self::$kind(delta) => delta.verb(),)* }
            }

            /// The identity of what it is about, as it is printed.
            pub fn name(&self) -> String {
                match self { $(Self::$kind(delta) => delta.subject().key().to_string(),)* }
            }

            /// The change that takes this one back.
            pub fn inverse(self) -> Self {
                match self { $(Self::$kind(delta) => Self::$kind(delta.inverse()),)* }
            }

            /// How its object comes to exist.
            pub fn nature(&self) -> Nature {
                match self { $(Self::$kind(delta) => delta.subject().nature(),)* }
            }

            /// True when what stands there may be replaced without asking.
            pub fn may_take_over(&self) -> bool {
                match self { $(Self::$kind(delta) => delta.from().is_some_and(Resource::may_be_taken_over),)* }
            }

            /// What stood there before, alone.
            pub fn before(&self) -> State {
                let mut before = State::default();
                match self { $(Self::$kind(delta) => before.$field.extend(delta.from().cloned()),)* }
                before
            }

            /// The phase of its first step.
            pub fn first_phase(&self) -> Phase {
                let mut first = None;
                match self {
                    $(Self::$kind(delta) => <$type as Resource>::steps(delta.clone(), |phase, _| {
                        first.get_or_insert(phase);
                    }),)*
                }
                first.unwrap_or(Phase::Module)
            }

            /// Adds the steps that perform it, each in its phase.
            pub fn add_steps(self, steps: &mut Vec<Step>) {
                match self {
                    $(Self::$kind(delta) => <$type as Resource>::steps(delta, |phase, delta| {
                        steps.push(Step { phase, change: Change::$kind(delta) });
                    }),)*
                }
            }
        }

        impl Kind {
            /// As it is called in a plan.
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }
        }

        impl Keys {
            /// True when the identity of what `change` is about is among these.
            pub fn contains(&self, change: &Change) -> bool {
                match change { $(Change::$kind(delta) => self.$field.contains(&delta.subject().key()),)* }
            }

            /// Adds the identity of what `change` is about.
            pub fn insert(&mut self, change: &Change) {
                match change { $(Change::$kind(delta) => { self.$field.insert(delta.subject().key()); })* }
            }

            /// Takes the identity of what `change` is about out.
            pub fn remove(&mut self, change: &Change) {
                match change { $(Change::$kind(delta) => { self.$field.remove(&delta.subject().key()); })* }
            }

            /// The identities of what `changes` are about.
            pub fn of<'a>(changes: impl Iterator<Item = &'a Change>) -> Self {
                $(let mut $field = Vec::new();)*
                for change in changes {
                    match change { $(Change::$kind(delta) => $field.push(delta.subject().key()),)* }
                }
                Keys { $($field: $field.into(),)* }
            }

            /// Adds all of `other`.
            pub fn merge(&mut self, other: &Self) {
                $(self.$field.merge(&other.$field);)*
            }

            /// Takes all of `other` out.
            pub fn subtract(&mut self, other: &Self) {
                $(self.$field.retain(|key| !other.$field.contains(key));)*
            }

            /// Takes out what exists in `state`.
            pub fn remove_existing(&mut self, state: &State) {
                $(self.$field.retain(|key| !state.$field.contains(key));)*
            }

            /// Keeps what exists in `state`.
            pub fn retain_existing(&mut self, state: &State) {
                $(self.$field.retain_among(state.$field.keys());)*
            }

            /// How many there are, of all kinds.
            pub fn len(&self) -> usize {
                0 $(+ self.$field.len())*
            }
        }
    };
}

register! {
    /// Kernel modules.
    modules: Module(module::Module) = "module",
    /// Network interfaces.
    links: Link(link::Link) = "link",
    /// Our nftables table.
    nftables: Nftables(nftables::NftTable) = "nftables",
    /// Kernel settings.
    sysctls: Sysctl(sysctl::Sysctl) = "sysctl",
    /// IP addresses.
    addresses: Address(address::Address) = "address",
    /// Routes.
    routes: Route(route::Route) = "route",
    /// IPVS timeouts.
    timeouts: Timeouts(timeouts::Timeouts) = "timeouts",
    /// Virtual services.
    virtual_services: VirtualService(virtual_service::VirtualService) = "service",
    /// Destinations of virtual services.
    destinations: Destination(destination::Destination) = "destination",
    /// Files.
    files: File(file::File) = "file",
    /// Daemons.
    units: Unit(unit::Unit) = "unit",
}

impl State {
    /// True when nothing is managed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the kernel removes by the way: links, addresses and routes hang on one another.
    pub fn network(&self) -> Self {
        Self {
            links: self.links.clone(),
            addresses: self.addresses.clone(),
            routes: self.routes.clone(),
            ..Self::default()
        }
    }

    /// The state as an undo can bring it back: a unit that ran without having read its files will have read them.
    pub fn as_goal(&self) -> Self {
        let mut goal = self.clone();
        for unit in self.units.iter().filter(|it| it.config.is_none()) {
            goal.units.insert(unit::Unit {
                config: Some(self.config_of(unit)),
                ..unit.clone()
            });
        }
        goal
    }

    fn config_of(&self, unit: &unit::Unit) -> String {
        let read = self
            .files
            .iter()
            .filter(|it| unit.reads.contains(&it.key.path));
        let texts: Vec<_> = read
            .map(|it| (it.key.path.as_str(), it.content.shown()))
            .collect();
        unit.digest(texts.iter().map(|(path, text)| (*path, text.as_str())))
    }

    /// True when IPVS is needed at all: looking at it would load its module.
    pub fn wants_ipvs(&self) -> bool {
        !self.virtual_services.is_empty() || !self.timeouts.is_empty()
    }
}

impl Change {
    /// An address takes its routes and its secondaries along, a link all of them.
    pub fn takes_others_along(&self) -> bool {
        matches!(self.kind(), Kind::Link | Kind::Address | Kind::Route)
            && self.verb() != Verb::Create
    }
}

impl Keys {
    /// The identities of what `changes` create.
    pub fn created_by(changes: &[Change]) -> Self {
        Self::of(changes.iter().filter(|it| it.verb() == Verb::Create))
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Step {
    /// For a step that stands alone, outside of a plan.
    pub fn new(phase: Phase, change: Change) -> Self {
        Self { phase, change }
    }
}
