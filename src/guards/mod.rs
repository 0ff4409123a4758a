//! What must not happen, whatever the document says. Pure.

use std::fmt;

use crate::delta::{Delta, Resource, Set, Verb};
use crate::ownership::Judged;
use crate::resources::link::LinkKind;
use crate::resources::{Change, Kind, State};

pub mod management;

/// From this many objects of a kind on, a share of deletions counts as suspicious (as octoDNS does).
const FEW: usize = 10;
/// Percent of the objects of a kind that may go at once.
const SHARE: usize = 30;

/// Why a plan is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else's object stands where the document wants another.
    Conflict { kind: Kind, name: String },
    /// The document names an interface that this machine does not have.
    NoInterface { name: String, existing: Vec<String> },
    /// So much would go that the document is more likely truncated than meant.
    MassDeletion { kind: Kind, going: usize, of: usize },
}

/// How much may be deleted at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletions {
    /// Refuse when most of a kind would go.
    Guarded,
    /// The operator said so.
    Allowed,
}

/// What stands in the way of this plan; `existing` are the names of the machine's interfaces.
pub fn obstacles(judged: &Judged, existing: &[String]) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = judged.conflicts.iter().map(conflict).collect();
    let missing = |it| missing_interface(it, existing);
    refusals.extend(judged.changes.iter().filter_map(missing));
    refusals
}

fn conflict(change: &Change) -> Refusal {
    Refusal::Conflict {
        kind: change.kind(),
        name: change.name(),
    }
}

fn missing_interface(change: &Change, existing: &[String]) -> Option<Refusal> {
    let Change::Link(Delta::Create { to }) = change else {
        return None;
    };
    (to.kind == LinkKind::Physical).then(|| Refusal::NoInterface {
        name: to.name.clone(),
        existing: existing.to_vec(),
    })
}

/// Whether so much goes from `live` to `desired` that the document is more likely truncated than meant. Judged before
/// any drain is laid over it: what drains goes, too.
pub fn mass_deletions(
    changes: &[Change],
    live: &State,
    desired: &State,
    deletions: Deletions,
) -> Vec<Refusal> {
    if deletions == Deletions::Allowed {
        return Vec::new();
    }
    let kinds = [
        Kind::VirtualService,
        Kind::Destination,
        Kind::Address,
        Kind::File,
    ];
    let kept = |kind| match kind {
        Kind::VirtualService => kept(&live.virtual_services, &desired.virtual_services),
        Kind::Destination => kept(&live.destinations, &desired.destinations),
        Kind::Address => kept(&live.addresses, &desired.addresses),
        _ => kept(&live.files, &desired.files),
    };
    kinds
        .into_iter()
        .filter_map(|kind| mass_deletion(kind, || kept(kind), changes))
        .collect()
}

fn mass_deletion(kind: Kind, kept: impl Fn() -> usize, changes: &[Change]) -> Option<Refusal> {
    let count = |verb| {
        let of_kind = changes.iter().filter(|it| it.kind() == kind);
        of_kind.filter(|it| it.verb() == verb).count()
    };
    let (going, coming) = (count(Verb::Delete), count(Verb::Create));
    // Counting what stays takes a look at all of it.
    if going == 0 {
        return None;
    }
    let kept = kept();
    let of = kept + going;
    let all = kind == Kind::VirtualService && kept == 0;
    let most = of >= FEW && going * 100 > of * SHARE;
    ((all || most) && coming < going).then_some(Refusal::MassDeletion { kind, going, of })
}

fn kept<T: Resource>(live: &Set<T>, desired: &Set<T>) -> usize {
    live.keys().filter(|key| desired.contains(key)).count()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { kind, name } => write!(
                f,
                "{} {name} exists, is not ours, and differs from the document; remove it, make the document agree \
                 with it, or take it over with `--adopt '{} {name}'`",
                kind.word(),
                kind.word()
            ),
            Self::NoInterface { name, existing } => write!(
                f,
                "there is no interface {name} on this machine; it has: {}",
                existing.join(", ")
            ),
            Self::MassDeletion { kind, going, of } => write!(
                f,
                "{going} of {of} {}s would be deleted; if the document is meant, say --allow-mass-delete",
                kind.word()
            ),
        }
    }
}
