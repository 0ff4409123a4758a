//! What must not happen, whatever the document says. Pure.

use std::fmt;

use crate::delta::{Delta, Verb};
use crate::ownership::Judged;
use crate::resources::link::LinkKind;
use crate::resources::{Change, Kind, State};

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

/// Every reason not to make this plan; `existing` are the names of the machine's interfaces.
pub fn refusals(
    judged: &Judged,
    live: &State,
    existing: &[String],
    deletions: Deletions,
) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = judged.conflicts.iter().map(conflict).collect();
    refusals.extend(
        judged
            .changes
            .iter()
            .filter_map(|it| missing_interface(it, existing)),
    );
    if deletions == Deletions::Guarded {
        refusals.extend(mass_deletions(&judged.changes, live));
    }
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

fn mass_deletions(changes: &[Change], live: &State) -> Vec<Refusal> {
    let count = |kind, verb| {
        changes
            .iter()
            .filter(|it| it.kind() == kind && it.verb() == verb)
            .count()
    };
    let kinds = [
        (Kind::VirtualService, live.virtual_services.len()),
        (Kind::Destination, live.destinations.len()),
        (Kind::Address, live.addresses.len()),
        (Kind::File, live.files.len()),
    ];
    kinds
        .into_iter()
        .filter_map(|(kind, of)| {
            let going = count(kind, Verb::Delete);
            let replaced = count(kind, Verb::Create) >= going;
            let all = kind == Kind::VirtualService && going == of && going > 0;
            let most = of >= FEW && going * 100 > of * SHARE;
            ((all || most) && !replaced).then_some(Refusal::MassDeletion { kind, going, of })
        })
        .collect()
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
